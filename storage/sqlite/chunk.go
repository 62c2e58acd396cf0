package sqlite

import (
	"database/sql/driver"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Entries are kept in chunks, since compressed together they are small. Where
// there is room in the last one, a block goes on in it: the log of a quiet
// server has a block an entry. A chunk is no larger than this, because one
// entry is read at the price of all of it.
const (
	chunkEntries = 32
	chunkBytes   = 32 << 10 // behind which nothing is added
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

func (c *codec) pack(plain []byte) []byte {
	return c.enc.EncodeAll(plain, make([]byte, 0, len(plain)/3))
}

func (c *codec) unpack(data []byte) ([]byte, error) {
	plain, err := c.dec.DecodeAll(data, nil)
	if err != nil {
		return nil, errors.Join(errDamaged, err)
	}
	return plain, nil
}

func (c *codec) close() { c.dec.Close() }

// chunk is a row of the log. Unpacked it is its entries, each behind the head
// of the block that begins with it and the time of that, or behind an empty
// text where it goes on with a block.
type chunk struct {
	first, next int64
	block       int64 // where the block begins that the first entry is of
	at          int64 // when that was made, in milliseconds
	plain       []byte
	stored      bool
	tags        []int64 // of what was added
}

func (c *chunk) full() bool {
	return c.next-c.first >= chunkEntries || len(c.plain) >= chunkBytes
}

// fill puts the entries of a block behind those of a chunk, if there is one,
// and behind that into as many as it takes. It gives all of them.
func fill(c *chunk, b storage.Block) []*chunk {
	var all []*chunk
	if c != nil {
		all = append(all, c)
	}
	head, at := b.Head, b.At.UnixMilli()
	for i, e := range b.Entries {
		if c == nil || c.full() {
			index := b.First + int64(i)
			c = &chunk{first: index, next: index, block: b.First, at: at}
			all = append(all, c)
		}
		c.plain = appendText(c.plain, head)
		if head != nil {
			c.plain = binary.AppendVarint(c.plain, at)
		}
		c.plain, c.tags = appendEntry(c.plain, e), appendTags(c.tags, e)
		c.next, head = c.next+1, nil
	}
	return all
}

// placed is an entry of a chunk; where a block begins with it, with the head of
// that.
type placed struct {
	storage.Logged
	head []byte
}

// entries reads an unpacked chunk; what it gives shares its memory.
func (c *chunk) entries() ([]placed, error) {
	r := entryReader{plain: c.plain, text: string(c.plain)}
	all, at := make([]placed, 0, chunkEntries), time.UnixMilli(c.at).UTC()
	for index := c.first; r.at < len(r.plain); index++ {
		p := placed{head: r.bytes()}
		if len(p.head) > 0 {
			at = time.UnixMilli(r.signed()).UTC()
		}
		p.Logged = storage.Logged{Index: index, At: at, Entry: r.entry()}
		if r.bad {
			return nil, errDamaged
		}
		all = append(all, p)
	}
	if c.first+int64(len(all)) != c.next {
		return nil, errDamaged
	}
	return all, nil
}

// readChunk reads a row of selectChunk or selectChunks. Its error says where
// it is.
func (c *codec) readChunk(row []driver.Value) (*chunk, error) {
	read := &chunk{first: number(row[0]), next: number(row[1]), block: number(row[2]), at: number(row[3]), stored: true}
	var err error
	if read.plain, err = c.unpack(blob(row[4])); err != nil {
		return nil, damagedAt(read.first, err)
	}
	return read, nil
}

// damagedAt says from which index on entries cannot be read.
func damagedAt(first int64, cause error) error {
	return fault.Wrap(fault.Unavailable, cause, fmt.Sprintf("the log cannot be read from entry %d on", first))
}
