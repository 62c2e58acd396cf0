package sqlstore

import (
	"iter"
	"slices"

	"github.com/keywright/keywright/storage"
)

// Page takes a page of the log from chunks: all that may have an entry which
// the query asks for, each once, in the query's order.
func (c *Codec) Page(q storage.EntryQuery, chunks iter.Seq2[Row, error]) (storage.EntryPage, error) {
	var found []storage.Logged
	for row, err := range chunks {
		if err != nil {
			return storage.EntryPage{}, err
		}
		entries, err := c.entries(row)
		if err != nil {
			return storage.EntryPage{}, err
		}
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
