package sqlstore

import (
	"slices"

	"github.com/keywright/keywright/storage"
)

// A tag leads from something that entries are found by to the chunks that have
// one. It is a hash, so a chunk may be read for nothing; whether an entry
// matches is said by the entry. The hash never changes: it is in databases.

// tag hashes what role an entry has something in, and which.
func tag(role string, texts ...string) int64 {
	h := hashText(fnvOffset, role)
	for _, text := range texts {
		h = hashText(h*fnvPrime, text) // behind a zero
	}
	return int64(h) >> 16 // a number of six bytes
}

// FNV-1a of 64 bits. Not hash/fnv, which allocates for every text: whoever
// checks the log makes each of its tags anew.
const (
	fnvOffset = 0xcbf29ce484222325
	fnvPrime  = 0x100000001b3
)

func hashText(h uint64, text string) uint64 {
	for i := range len(text) {
		h = (h ^ uint64(text[i])) * fnvPrime
	}
	return h
}

func typeTag(name string) int64          { return tag("type", name) }
func productTag(product string) int64    { return tag("product", product) }
func bothTag(name, product string) int64 { return tag("both", name, product) }
func actorTag(actor string) int64        { return tag("actor", actor) }
func subjectTag(id string) int64         { return tag("subject", id) }

// appendTags adds the tags of an entry.
func appendTags(tags []int64, e storage.Entry) []int64 {
	for _, name := range namesOf(e.Type) {
		tags = append(tags, typeTag(name))
		if e.Product != "" {
			tags = append(tags, bothTag(name, e.Product))
		}
	}
	if e.Product != "" {
		tags = append(tags, productTag(e.Product))
	}
	if e.Actor != "" {
		tags = append(tags, actorTag(e.Actor))
	}
	for _, id := range e.Subjects {
		tags = append(tags, subjectTag(id))
	}
	return tags
}

// namesOf gives what a filter may call a type: its name, and each family that
// it is of.
func namesOf(name string) []string {
	names := []string{name}
	for i, b := range []byte(name) {
		if b == '.' {
			names = append(names, name[:i+1]+"*")
		}
	}
	return names
}

// TagsFor gives the tags whose chunks, taken together, have all that a filter
// leaves; nil is all chunks.
func TagsFor(f storage.EntryFilter) []int64 {
	tags := []int64{}
	switch {
	case len(f.Subjects) > 0:
		return append(tags, subjectTag(f.Subjects[0]))
	case f.Actor != "":
		return append(tags, actorTag(f.Actor))
	case len(f.Types) > 0 && f.Products != nil:
		for _, name := range f.Types {
			for _, product := range f.Products {
				tags = append(tags, bothTag(name, product))
			}
		}
	case len(f.Types) > 0:
		for _, name := range f.Types {
			tags = append(tags, typeTag(name))
		}
	case f.Products != nil:
		for _, product := range f.Products {
			tags = append(tags, productTag(product))
		}
	default:
		return nil
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}
