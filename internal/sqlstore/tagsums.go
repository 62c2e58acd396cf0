package sqlstore

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"slices"
)

// tagSums compares two sets of tags, each taken in an order of its own: those
// that entries have, which are added, with those of the table, which are taken
// away. It keeps a sum for each span of so many chunks.
//
// A tag counts as its block of AES under a key that is made for one
// comparison. Whoever changed the table did not know the key, so two sets that
// differ have the same sum with a chance of 2^-128 or so.
type tagSums struct {
	block  cipher.Block
	width  int64 // chunks of a span
	chunks int64 // so far
	firsts []int64
	sums   [][2]uint64
	last   int64
	buffer [aes.BlockSize]byte
}

// newTagSums is for so many chunks, in so many spans or fewer.
func newTagSums(chunks, spans int64) *tagSums {
	var key [16]byte
	_, _ = rand.Read(key[:]) // never fails
	block, _ := aes.NewCipher(key[:])
	return &tagSums{block: block, width: chunks/spans + 1}
}

// begin says that the tags of the next chunk are added.
func (s *tagSums) begin(chunk int64) {
	if s.chunks%s.width == 0 {
		s.firsts, s.sums = append(s.firsts, chunk), append(s.sums, [2]uint64{})
	}
	s.chunks++
	s.last = chunk
}

func (s *tagSums) add(t Tag) {
	sum := &s.sums[len(s.sums)-1]
	a, b := s.count(t)
	sum[0] += a
	sum[1] += b
}

// take takes a tag away, and reports whether it leads to where there are any.
func (s *tagSums) take(t Tag) bool {
	at, exact := slices.BinarySearch(s.firsts, t.Chunk)
	if !exact {
		at--
	}
	if at < 0 || t.Chunk > s.last {
		return false
	}
	a, b := s.count(t)
	s.sums[at][0] -= a
	s.sums[at][1] -= b
	return true
}

// count gives what a tag counts.
func (s *tagSums) count(t Tag) (a, b uint64) {
	binary.LittleEndian.PutUint64(s.buffer[:8], uint64(t.Hash))
	binary.LittleEndian.PutUint64(s.buffer[8:], uint64(t.Chunk))
	s.block.Encrypt(s.buffer[:], s.buffer[:])
	return binary.LittleEndian.Uint64(s.buffer[:8]), binary.LittleEndian.Uint64(s.buffer[8:])
}

// differ gives the first span whose sets differ, if one does: its first chunk,
// and what its last one is or stands before.
func (s *tagSums) differ() (first, last int64, differ bool) {
	for i, sum := range s.sums {
		if sum == ([2]uint64{}) {
			continue
		}
		last := s.last
		if i+1 < len(s.firsts) {
			last = s.firsts[i+1] - 1
		}
		return s.firsts[i], last, true
	}
	return 0, 0, false
}
