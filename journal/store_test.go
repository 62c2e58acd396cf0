package journal_test

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// store is a model that writes down its journal's calls, and whose calls a
// test may let fail, before or after they had their effect.
type store struct {
	*storagetest.Model
	callsMu sync.Mutex
	calls   []string
	before  func(call string) error
	after   func(call string) error
}

func newStore() *store { return &store{Model: storagetest.NewModel()} }

// hook sets what is asked before and after each call; nil is nothing.
func (s *store) hook(before, after func(call string) error) {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	s.before, s.after = before, after
}

// told gives the calls since it was asked last.
func (s *store) told() []string {
	s.callsMu.Lock()
	defer s.callsMu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

func (s *store) around(call string, do func() error) error {
	s.callsMu.Lock()
	s.calls = append(s.calls, call)
	before, after := s.before, s.after
	s.callsMu.Unlock()
	if before != nil {
		if err := before(call); err != nil {
			return err
		}
	}
	if err := do(); err != nil || after == nil {
		return err
	}
	return after(call)
}

func (s *store) Pending(ctx context.Context, limit int) (found []storage.Pending, err error) {
	err = s.around("pending", func() (err error) { found, err = s.Model.Pending(ctx, limit); return err })
	return found, err
}

func (s *store) Settle(ctx context.Context, entries []storage.Pending) error {
	return s.around("settle", func() error { return s.Model.Settle(ctx, entries) })
}

func (s *store) AppendBlock(ctx context.Context, b storage.Block) error {
	return s.around("append", func() error { return s.Model.AppendBlock(ctx, b) })
}

func (s *store) Blocks(ctx context.Context, from int64, limit int) (found []storage.Block, err error) {
	err = s.around("blocks", func() (err error) { found, err = s.Model.Blocks(ctx, from, limit); return err })
	return found, err
}

func (s *store) Entries(ctx context.Context, q storage.EntryQuery) (found storage.EntryPage, err error) {
	err = s.around("entries", func() (err error) { found, err = s.Model.Entries(ctx, q); return err })
	return found, err
}

// failingAt gives a hook that lets one call fail, the nth of its kind.
func failingAt(call string, n int) func(string) error {
	return func(c string) error {
		if c == call {
			if n--; n < 0 {
				return nil
			}
			if n == 0 {
				return fault.Errorf(fault.Unavailable, "storage is unavailable")
			}
		}
		return nil
	}
}

// happened gives an entry of the license n.
func happened(t rapid.TB, n int) storage.Entry {
	t.Helper()
	e := suspended()
	id, err := journal.NewID(noon.Add(seconds(n)), random(byte(n)))
	if err != nil {
		t.Fatal(err)
	}
	e.ID, e.License, e.Touches = id, fmt.Sprint("lic_", n), nil
	stored, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// commit commits entries with a new record, and gives their ids.
func commit(t rapid.TB, s storage.Committer, record string, entries ...storage.Entry) []string {
	t.Helper()
	err := s.Commit(context.Background(), storage.Change{
		Record: storage.Record{Kind: storage.License, ID: record, Body: []byte(`{}`)}, Attempt: "a", Entries: entries,
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// commitMany commits the entries of the licenses from..to-1.
func commitMany(t rapid.TB, s storage.Committer, from, to int) (ids []string) {
	t.Helper()
	for n := from; n < to; n++ {
		ids = append(ids, commit(t, s, fmt.Sprint("lic_", n), happened(t, n))...)
	}
	return ids
}

// blocks gives all of the log.
func blocks(t rapid.TB, s storage.Journal) []storage.Block {
	t.Helper()
	found, err := s.Blocks(context.Background(), 0, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// logged gives the ids of the log's entries, and fails where there is a gap.
func logged(t rapid.TB, s storage.Journal) (ids []string) {
	t.Helper()
	var was storage.Block
	for _, b := range blocks(t, s) {
		if b.First != was.Next() || b.At.Before(was.At) {
			t.Fatalf("a block at %d of %v behind one that ends at %d of %v", b.First, b.At, was.Next(), was.At)
		}
		was = b
		for _, e := range b.Entries {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// nonePending fails where an entry is pending.
func nonePending(t rapid.TB, s storage.Journal) {
	t.Helper()
	if found, err := s.Pending(context.Background(), 9); err != nil || len(found) > 0 {
		t.Errorf("pending are %v, %v", found, err)
	}
}

func sorted(ids []string) []string { return slices.Sorted(slices.Values(ids)) }

func mustSync(t rapid.TB, l *journal.Log) journal.State {
	t.Helper()
	s, err := l.Sync(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}
