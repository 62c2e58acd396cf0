package key

import (
	"crypto/sha256"
	"slices"
)

// check is the four check symbols, five bits each, the first one topmost.
//
// It is the remainder of a Reed-Solomon code over GF(32), made with the
// polynomial x^5+x^2+1 and the roots a, a^2, a^3 and a^4 of the generator,
// where a is 2 and the data's first symbol has the highest power. Its
// distance is 5: up to four wrong symbols, so a swap of any two as well, are
// always seen, and more with a chance of all but 1 in 2^20.
type check uint32

const checkBits = checks * 5

// symbol gives the value of the i-th check character.
func (c check) symbol(i int) byte { return byte(c>>(checkBits-5*(i+1))) & 31 }

// checkOf gives the check of data under prefix. The code is linear, so adding
// bits that depend on the prefix keeps its distance, and makes a key that was
// typed under another prefix as wrong as noise.
func checkOf(prefix []byte, data [Length]byte) check {
	var c check
	for _, value := range data {
		c = c<<5&(1<<checkBits-1) ^ remainders[c.symbol(0)^value]
	}
	return c ^ maskOf(prefix)
}

func maskOf(prefix []byte) check {
	const label = "keywright key v1\n"
	var text [len(label) + MaxPrefix]byte
	n := copy(text[:], label)
	n += copy(text[n:], prefix)
	sum := sha256.Sum256(text[:n])
	return check(sum[0])<<12 | check(sum[1])<<4 | check(sum[2])>>4
}

// remainders holds v*x^4 modulo the generator, for each symbol v.
var remainders = makeRemainders()

func makeRemainders() (table [32]check) {
	generator := []byte{1} // highest power first
	root := byte(1)
	for range checks {
		root = times(root, 2)
		product := append(slices.Clone(generator), 0)
		for i, coefficient := range generator {
			product[i+1] ^= times(coefficient, root)
		}
		generator = product
	}
	for v := range table {
		for _, coefficient := range generator[1:] {
			table[v] = table[v]<<5 | check(times(byte(v), coefficient))
		}
	}
	return table
}

// times multiplies in GF(32).
func times(a, b byte) byte {
	var product byte
	for ; b > 0; b >>= 1 {
		if b&1 == 1 {
			product ^= a
		}
		if a <<= 1; a > 31 {
			a ^= 0b100101
		}
	}
	return product
}
