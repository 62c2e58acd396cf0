package sqlstore

import (
	_ "embed"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// dictionary is what chunks are compressed against: text that entries have in
// common, so that one alone is small, too. It belongs to the schemas: once
// released it never changes, and another gets a number of its own.
//
//go:embed 1.dictionary
var dictionary []byte

const dictionaryNumber = 1

// maxPlain bounds what a chunk is unpacked to.
const maxPlain = 1 << 20

// Codec packs entries into chunks and unpacks them. It is safe for concurrent
// use.
type Codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// NewCodec makes a Codec for so many readers at once.
func NewCodec(readers int) (*Codec, error) {
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
	return &Codec{enc, dec}, nil
}

// Close frees what the codec holds. It is not used later.
func (c *Codec) Close() { c.dec.Close() }

func (c *Codec) pack(plain []byte) []byte {
	return c.enc.EncodeAll(plain, make([]byte, 0, len(plain)/3))
}

func (c *Codec) unpack(data []byte) ([]byte, error) {
	plain, err := c.dec.DecodeAll(data, nil)
	if err != nil {
		return nil, errors.Join(errDamaged, err)
	}
	return plain, nil
}
