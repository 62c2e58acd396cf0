package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// accounted are the kinds of records of which every change has an entry. The
// others are committed without, or come and go.
var accounted = []storage.Kind{storage.Product, storage.Plan, storage.License}

// lastEntry is the last entry that names a record.
type lastEntry struct {
	digest  [digestSize]byte
	index   int64
	kept    bool // the record is of a kind that is never removed
	found   bool // the record was found in storage
	pending bool // the entry is not in the log yet
}

// remember takes the entry that was read last for the last of its record.
func (v *verifying) remember(index int64) {
	if v.last == nil {
		return
	}
	key := keyOf(v.facts.record())
	v.last[key] = lastEntry{digest: v.facts.digest, index: index, kept: v.facts.isKept(), found: v.last[key].found}
}

// isKept reports whether the entry is of a product, a plan or a license.
func (f *facts) isKept() bool {
	return len(f.license) > 0 || bytes.HasPrefix(f.kind, []byte("product.")) || bytes.HasPrefix(f.kind, []byte("plan."))
}

const (
	pageSize    = 500
	suspectSize = 100 // records that are looked at again together
	maxPending  = 50_000
	maxLooks    = 10
)

// compareAll compares all records with their last entries. What does not fit
// is looked at again, since servers may be at work.
func (v *verifying) compareAll(ctx context.Context) error {
	var findings []error
	var suspects []string
	look := func(atLeast int) error {
		if len(suspects) < atLeast {
			return nil
		}
		more, err := v.lookAgain(ctx, suspects)
		findings, suspects = append(findings, more...), suspects[:0]
		if err == nil && len(findings) > maxFindings {
			findings = append(findings[:maxFindings], errors.New("and there are more"))
			err = errStopped
		}
		return err
	}
	suspect := func(id string) error {
		suspects = append(suspects, id)
		return look(suspectSize)
	}
	err := v.present(ctx, suspect)
	if err == nil {
		err = v.absent(ctx, suspect)
	}
	if err == nil {
		err = look(1)
	}
	if err != nil && !errors.Is(err, errStopped) {
		return err
	}
	return errors.Join(findings...)
}

// errStopped is an end before all is compared, because enough is wrong.
var errStopped = errors.New("journal: enough is wrong")

// present compares the records that there are.
func (v *verifying) present(ctx context.Context, suspect func(id string) error) error {
	for _, kind := range accounted {
		q := storage.Query{Kind: kind, Order: storage.CreatedOldest, First: pageSize}
		for more := true; more; {
			page, err := v.Records.List(ctx, q)
			if err != nil {
				return err
			}
			for _, r := range page.Records {
				v.report.Records++
				key := keyOf(r.ID)
				last, named := v.last[key]
				if named {
					last.found = true
					v.last[key] = last
				}
				if !named || v.judge(r, last) != "" {
					if err := suspect(r.ID); err != nil {
						return err
					}
				}
			}
			q.After, more = page.End, page.More
		}
	}
	return nil
}

// absent finds records that the log names and that were not there.
func (v *verifying) absent(ctx context.Context, suspect func(id string) error) error {
	var missing []int64
	for _, last := range v.last {
		if last.kept && !last.found {
			missing = append(missing, last.index)
		}
	}
	slices.Sort(missing)
	for _, index := range missing {
		blocks, err := v.Store.Blocks(ctx, index, 1)
		if err != nil {
			return err
		}
		if len(blocks) == 0 || index < blocks[0].First || index >= blocks[0].Next() {
			return found(index, "it is missing: it was deleted a moment ago")
		}
		var f facts
		if err := f.read(&scanner{}, &blocks[0].Entries[index-blocks[0].First]); err != nil {
			return err
		}
		if err := suspect(string(f.record())); err != nil {
			return err
		}
	}
	return nil
}

// judge says what is wrong with a record, nil where there is none.
func (v *verifying) judge(r *storage.Stored, last lastEntry) string {
	entry := fmt.Sprintf("entry %d", last.index)
	if last.pending {
		entry = "a pending entry"
	}
	if r == nil {
		return fmt.Sprintf("it is not in storage, and %s, its last, does not say that it was removed", entry)
	}
	for _, secret := range v.Secrets.All() {
		sum, err := Digest(secret, r.Record)
		if err != nil {
			return "its body is not JSON"
		}
		if bytes.Equal(sum, last.digest[:]) {
			return ""
		}
	}
	return fmt.Sprintf("it is not what %s, its last, left: it was changed without an entry", entry)
}

// lookAgain judges records that did not fit, each at a moment at which its
// entries are known: between two readings that find it unchanged.
func (v *verifying) lookAgain(ctx context.Context, ids []string) (findings []error, err error) {
	for range maxLooks {
		before, err := v.Records.Get(ctx, ids...)
		if err != nil {
			return nil, err
		}
		pending, err := v.catchUp(ctx)
		if err != nil {
			return nil, err
		}
		after, err := v.Records.Get(ctx, ids...)
		if err != nil {
			return nil, err
		}
		var moved []string
		for i, id := range ids {
			if !sameVersion(before[i], after[i]) {
				moved = append(moved, id)
				continue
			}
			problem, err := v.verdict(ctx, id, after[i], pending)
			if err != nil {
				return nil, err
			}
			if problem != "" {
				findings = append(findings, &Finding{Index: Nowhere, Problem: id + ": " + problem})
			}
		}
		if ids = moved; len(ids) == 0 {
			return findings, nil
		}
	}
	return findings, fault.Errorf(fault.Unavailable, "some records change all the while and could not be compared, such as %s; verify again", ids[0])
}

func sameVersion(a, b *storage.Stored) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Version == b.Version
}

// verdict says what is wrong with a record, nothing where that is a Loss.
func (v *verifying) verdict(ctx context.Context, id string, r *storage.Stored, pending map[idKey]lastEntry) (problem string, err error) {
	key := keyOf(id)
	last, named := pending[key]
	if !named {
		last, named = v.last[key]
	}
	switch {
	case !named && r == nil:
		return "", nil
	case !named:
		problem = "no entry of the journal names it"
	default:
		problem = v.judge(r, last)
	}
	if problem == "" || !v.mayHaveLost(last, named) {
		return problem, nil
	}
	why, err := v.explain(ctx, r, last, named)
	v.lose(id + ": " + problem + "; " + why)
	return "", err
}

// catchUp goes on to the end of the log, and gives the last of the entries
// that are pending by their records. Those are read first: what is settled
// meanwhile is in the log.
func (v *verifying) catchUp(ctx context.Context) (map[idKey]lastEntry, error) {
	pending, err := v.Store.Pending(ctx, maxPending)
	if err != nil {
		return nil, err
	}
	if len(pending) == maxPending {
		return nil, fault.Errorf(fault.Unavailable, "%d entries or more are pending: verify once a server has logged them", maxPending)
	}
	if err := v.toEnd(ctx); err != nil {
		return nil, err
	}
	last := map[idKey]lastEntry{}
	for _, p := range pending {
		_, logged := v.ids[keyOf(p.ID)]
		if logged || v.facts.read(&v.scanner, &p.Entry) != nil {
			continue
		}
		last[keyOf(v.facts.record())] = lastEntry{digest: v.facts.digest, kept: v.facts.isKept(), pending: true}
	}
	return last, nil
}
