package sqlstore

import "github.com/keywright/keywright/storage"

// SizeOf is about what a record takes in memory.
func SizeOf(r storage.Whole) int {
	const each = 256
	size := each + len(r.Body)
	for _, s := range r.Seats {
		size += each + len(s.Body)
	}
	for _, d := range r.Days {
		size += each
		for _, counts := range d.Values {
			size += each/4 + len(counts)*each/4
		}
	}
	for _, e := range r.Pending {
		size += each + len(e.Body)
	}
	return size
}
