// Package id writes ids: a prefix that tells the kind of thing, an
// underscore, and 130 bits as 26 lower-case characters of Crockford's base 32
// (https://www.crockford.com/base32.html), so that an id can be read out loud
// and selected by a double click.
package id

import "strings"

// Alphabet holds the 32 digits of an id, in the order of their values.
const Alphabet = "0123456789abcdefghjkmnpqrstvwxyz"

// Length is the number of characters behind the prefix and its underscore.
const Length = 26

// Values gives the first 130 bits of hash, which must have at least 17 bytes,
// as 26 numbers of 5 bits, the most significant bit first.
func Values(hash []byte) (values [Length]byte) {
	_ = hash[16]
	for i := range values {
		bit := i * 5
		word := uint16(hash[bit/8]) << 8
		if bit/8+1 < len(hash) {
			word |= uint16(hash[bit/8+1])
		}
		values[i] = byte(word >> (11 - bit%8) & 31)
	}
	return values
}

// FromHash gives the id whose bits are the first 130 of hash, which must have
// at least 17 bytes: a SHA-256, an HMAC or random bytes.
func FromHash(prefix string, hash []byte) string {
	text := Values(hash)
	for i, value := range text {
		text[i] = Alphabet[value]
	}
	return prefix + "_" + string(text[:])
}

// FromSymbols gives the id whose digits have these values, each below 32.
func FromSymbols(prefix string, symbols [Length]byte) string {
	for i, v := range symbols {
		symbols[i] = Alphabet[v&31]
	}
	return prefix + "_" + string(symbols[:])
}

// FromUUID gives the id of a 128-bit UUID; like a ULID's, its two leading
// bits are zero, so the ids of UUIDv7s sort by their time.
func FromUUID(prefix string, uuid [16]byte) string {
	var shifted [17]byte // 130 bits: two zeros, then the UUID
	carry := byte(0)
	for i, b := range uuid {
		shifted[i] = carry | b>>2
		carry = b << 6
	}
	shifted[16] = carry
	return FromHash(prefix, shifted[:])
}

// Valid reports whether text is an id of the prefix.
func Valid(prefix, text string) bool {
	rest, ok := strings.CutPrefix(text, prefix+"_")
	if !ok || len(rest) != Length {
		return false
	}
	for i := range len(rest) {
		if strings.IndexByte(Alphabet, rest[i]) < 0 {
			return false
		}
	}
	return true
}
