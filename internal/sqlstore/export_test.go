package sqlstore

import "github.com/keywright/keywright/storage"

// Pack gives the data of the chunks that a block makes by itself.
func Pack(b storage.Block) (packed [][]byte, err error) {
	packing, err := NewCodec(1)
	if err != nil {
		return nil, err
	}
	for _, c := range fill(nil, b) {
		packed = append(packed, packing.pack(c.plain))
	}
	return packed, nil
}

// Unpack gives the entries of a chunk's data that begins and ends so.
func Unpack() (func(data []byte, first, next int64) ([]storage.Entry, error), error) {
	packing, err := NewCodec(1)
	return func(data []byte, first, next int64) ([]storage.Entry, error) {
		plain, err := packing.unpack(data)
		if err != nil {
			return nil, err
		}
		return Read(plain, first, next)
	}, err
}

// Read gives the entries of an unpacked chunk.
func Read(plain []byte, first, next int64) (entries []storage.Entry, err error) {
	c := chunk{Row: Row{First: first, Next: next}, plain: plain}
	placed, err := c.entries()
	for _, p := range placed {
		entries = append(entries, p.Entry)
	}
	return entries, err
}

// Tags gives the tags of an entry.
func Tags(e storage.Entry) []int64 { return appendTags(nil, e) }
