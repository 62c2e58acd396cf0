package mongodb

import (
	"hash/fnv"
	"slices"

	"github.com/keywright/keywright/storage"
)

// A tag leads from something that entries are found by to the blocks that have
// one. It is a hash, so that a block of the most and the longest names stays
// below MongoDB's bound and one index serves all; a block may be read for
// nothing, and whether an entry matches is said by the entry. The hash never
// changes: it is in the database.

// tag hashes what role an entry has something in, and which.
func tag(role string, texts ...string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(role)) // never fails
	for _, text := range texts {
		_, _ = h.Write([]byte{0})
		_, _ = h.Write([]byte(text))
	}
	return int64(h.Sum64() >> 16) // a number that every engine can hold exactly
}

func typeTag(name string) int64          { return tag("type", name) }
func productTag(product string) int64    { return tag("product", product) }
func bothTag(name, product string) int64 { return tag("both", name, product) }
func actorTag(actor string) int64        { return tag("actor", actor) }
func subjectTag(id string) int64         { return tag("subject", id) }

// tagsOf gives the tags of an entry.
func tagsOf(e storage.Entry) []int64 {
	var tags []int64
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

// How many of a type's families, from the widest on, have tags. A filter for a
// narrower one goes by the narrowest that has.
const families = 4

// namesOf gives what a filter may call a type and have a tag for: its name, and
// the families that it is of.
func namesOf(name string) []string {
	names := []string{name}
	for i, b := range []byte(name) {
		if b == '.' && len(names) <= families {
			names = append(names, name[:i+1]+"*")
		}
	}
	return names
}

// taggedName gives the name under which a filter's type has a tag: its own, or
// that of a wider family.
func taggedName(filter string) string {
	dots := 0
	for i, b := range []byte(filter) {
		if b != '.' {
			continue
		}
		if dots++; dots == families && filter[len(filter)-1] == '*' && filter[len(filter)-2] == '.' {
			return filter[:i+1] + "*"
		}
	}
	return filter
}

// tagsFor gives the tags whose blocks, taken together, have all that a filter
// leaves; nil is all blocks.
func tagsFor(f storage.EntryFilter) []int64 {
	tags := []int64{}
	switch {
	case len(f.Subjects) > 0:
		return append(tags, subjectTag(f.Subjects[0]))
	case f.Actor != "":
		return append(tags, actorTag(f.Actor))
	case len(f.Types) > 0 && f.Products != nil:
		for _, name := range f.Types {
			for _, product := range f.Products {
				tags = append(tags, bothTag(taggedName(name), product))
			}
		}
	case len(f.Types) > 0:
		for _, name := range f.Types {
			tags = append(tags, typeTag(taggedName(name)))
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
