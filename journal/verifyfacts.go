package journal

import (
	"bytes"
	"encoding/base64"
	"slices"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/storage"
)

// facts is what a body says of its entry, as far as it is found by that or
// accounts for a record.
type facts struct {
	kind, subject      []byte
	actorKind, actorID []byte
	product, license   []byte // empty is none
	subjects           [][]byte
	digest             [digestSize]byte
}

// record is the id of the record: see Entry.Record.
func (f *facts) record() []byte {
	if len(f.license) > 0 {
		return f.license
	}
	return f.subject
}

// read reads the body of an entry, and fails where Decode would. What most
// entries are is read without Decode, which takes ten times as long.
func (f *facts) read(s *scanner, stored *storage.Entry) error {
	*f = facts{subjects: f.subjects[:0]}
	if s.scan(f, stored) {
		return nil
	}
	e, err := Decode(*stored)
	if err != nil {
		return err
	}
	f.kind, f.actorKind, f.actorID = []byte(e.Type), []byte(e.Actor.Kind), []byte(e.Actor.ID)
	f.subject, f.product, f.license = []byte(e.Subject), []byte(e.Product), []byte(e.License)
	f.subjects = f.subjects[:0]
	for _, id := range e.subjects() {
		f.subjects = append(f.subjects, []byte(id))
	}
	if f.digest = ([digestSize]byte{}); len(e.Digest) == digestSize {
		f.digest = [digestSize]byte(e.Digest)
	}
	return nil
}

// differs names what an entry is found by and its body does not say.
func (f *facts) differs(e *storage.Entry) string {
	switch {
	case e.Type != string(f.kind):
		return "type"
	case e.Actor != foundBy(actor.Actor{Kind: actor.Kind(f.actorKind), ID: string(f.actorID)}):
		return "actor"
	case e.Product != string(f.product):
		return "product"
	case !slices.EqualFunc(e.Subjects, f.subjects, func(a string, b []byte) bool { return a == string(b) }):
		return "subjects"
	}
	return ""
}

// whole adds the id that the encoding leaves to the subject. It reports false
// where that is there all the same: see Entry.
func (f *facts) whole() bool {
	family, _, _ := bytes.Cut(f.kind, []byte("."))
	left := &f.license
	switch string(family) {
	case "product":
		left = &f.product
	case "license":
	default:
		return true
	}
	if len(*left) == 0 {
		*left = f.subject
		return true
	}
	return !bytes.Equal(*left, f.subject)
}

func (f *facts) setDigest(text []byte) bool {
	var raw [digestSize + 2]byte // room for base64 that is longer and as long
	if len(text) != base64.StdEncoding.EncodedLen(digestSize) {
		return false
	}
	n, err := strictBase64.Decode(raw[:], text)
	copy(f.digest[:], raw[:])
	return err == nil && n == digestSize
}

var strictBase64 = base64.StdEncoding.Strict()
