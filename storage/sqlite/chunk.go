package sqlite

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"github.com/keywright/keywright/storage"
)

// Entries are kept in chunks: compressed together they are small, and one is
// not read at the price of a whole block.
const (
	chunkEntries = 32
	chunkBytes   = 32 << 10 // of bodies, save for one that is longer
)

// dictionary is what chunks are compressed against: text that entries have in
// common, so that one alone is small, too. It belongs to the schema: once
// released it never changes, and another gets a number of its own.
//
//go:embed schema/1.dictionary
var dictionary []byte

const dictionaryNumber = 1

// maxPlain bounds what a chunk is unpacked to.
const maxPlain = 1 << 20

// codec packs entries into chunks and unpacks them.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

func newCodec() (*codec, error) {
	// Higher levels make nothing smaller: what is left of an entry is random.
	// What a chunk says is the journal's to check, so it has no check sum.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(dictionaryNumber, dictionary), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("the encoder of chunks: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(dictionaryNumber, dictionary), zstd.WithDecoderMaxMemory(maxPlain),
		zstd.WithDecoderConcurrency(readers), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("the decoder of chunks: %w", err)
	}
	return &codec{enc, dec}, nil
}

// pack gives the data of a chunk.
func (c *codec) pack(entries []storage.Entry) []byte {
	var plain []byte
	for _, e := range entries {
		plain = appendEntry(plain, e)
	}
	return c.enc.EncodeAll(plain, make([]byte, 0, len(plain)/3))
}

// unpack gives the entries of a chunk, which share its memory.
func (c *codec) unpack(data []byte) ([]storage.Entry, error) {
	plain, err := c.dec.DecodeAll(data, nil)
	if err != nil {
		return nil, errors.Join(errDamaged, err)
	}
	return decodeEntries(plain)
}

func (c *codec) close() { c.dec.Close() }

// cut gives the chunks of a block's entries.
func cut(entries []storage.Entry) [][]storage.Entry {
	var all [][]storage.Entry
	from, size := 0, 0
	for i, e := range entries {
		if i > from && (i-from == chunkEntries || size+len(e.Body) > chunkBytes) {
			all, from, size = append(all, entries[from:i]), i, 0
		}
		size += len(e.Body)
	}
	return append(all, entries[from:])
}
