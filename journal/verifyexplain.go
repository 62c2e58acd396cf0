package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/keywright/keywright/storage"
)

// mayHaveLost reports whether a restoration may be why a record does not fit:
// what it was before the last of them is all that the log says of it.
func (v *verifying) mayHaveLost(last lastEntry, named bool) bool {
	n := len(v.walk.restorations)
	return n > 0 && (!named || !last.pending && last.index < v.walk.restorations[n-1].Size)
}

// lose takes down that a record is not as the log says, which the last
// restoration explains.
func (v *verifying) lose(what string) {
	at := v.walk.restorations[len(v.walk.restorations)-1]
	if v.report.Differ++; v.report.Differ <= maxFindings {
		v.losses = append(v.losses, &Loss{At: at, Problem: fmt.Sprintf("%s at %s", what, count(at.Size, "entry", "entries"))})
	}
}

// tellLosses adds what restorations explain to what else was found.
func (v *verifying) tellLosses(err error) error {
	all := []error{err}
	for _, l := range v.losses {
		all = append(all, l)
	}
	if more := v.report.Differ - maxFindings; more > 0 {
		all = append(all, &Loss{Problem: fmt.Sprintf("and %d records more", more)})
	}
	return errors.Join(all...)
}

// explain says how a restoration may have come to leave a record that does not
// fit its last entry: a copy's records may be older than its log, or newer. The
// words go on with where it was.
func (v *verifying) explain(ctx context.Context, r *storage.Stored, last lastEntry, named bool) (string, error) {
	switch {
	case !named:
		return "its entries may have been lost when the log was restored", nil
	case r == nil:
		return "the records that were restored may be older than the log, which was", nil
	}
	older, err := v.wasOnce(ctx, r, last.index)
	if older {
		return "it is as an entry before that left it, so the records that were restored are older than the log, which was", err
	}
	return "entries of it may have been lost when the log was restored", err
}

// wasOnce reports whether an entry before one of an index left the record as it
// is.
func (v *verifying) wasOnce(ctx context.Context, r *storage.Stored, before int64) (bool, error) {
	var sums [][]byte
	for _, secret := range v.Secrets.All() {
		sum, err := Digest(secret, r.Record)
		if err != nil {
			return false, nil //nolint:nilerr // its body is no JSON: no entry left it so
		}
		sums = append(sums, sum)
	}
	q := storage.EntryQuery{Filter: storage.EntryFilter{Subjects: []string{r.ID}}, Newest: true, First: pageSize, After: &before}
	var f facts
	for more := true; more; {
		page, err := v.Store.Entries(ctx, q)
		if err != nil {
			return false, err
		}
		for _, e := range page.Entries {
			if f.read(&v.scanner, &e.Entry) != nil || string(f.record()) != r.ID {
				continue
			}
			for _, sum := range sums {
				if bytes.Equal(sum, f.digest[:]) {
					return true, nil
				}
			}
		}
		more = page.More && len(page.Entries) > 0
		if more {
			q.After = &page.Entries[len(page.Entries)-1].Index
		}
	}
	return false, nil
}
