package sqlstore

import (
	"iter"
	"slices"

	"github.com/keywright/keywright/storage"
)

// Page takes a page of the log from chunks: all that may have an entry which
// the query asks for, in the query's order. From the oldest on one may come again
// at once, since it may have grown.
func (c *Codec) Page(q storage.EntryQuery, chunks iter.Seq2[Row, error]) (storage.EntryPage, error) {
	var found []storage.Logged
	var last *Row
	for row, err := range chunks {
		if err != nil {
			return storage.EntryPage{}, err
		}
		entries, err := c.entries(row)
		if err != nil {
			return storage.EntryPage{}, err
		}
		if last != nil && last.First == row.First {
			entries = entries[min(last.Next-last.First, int64(len(entries))):]
		}
		last = &row
		if q.Newest {
			slices.Reverse(entries)
		}
		for _, e := range entries {
			behind := q.After == nil || q.Newest && e.Index < *q.After || !q.Newest && e.Index > *q.After
			if behind && q.Filter.Matches(e.Logged) {
				found = append(found, e.Logged)
			}
		}
		if len(found) > q.First {
			return storage.EntryPage{Entries: found[:q.First], More: true}, nil
		}
	}
	return storage.EntryPage{Entries: found}, nil
}
