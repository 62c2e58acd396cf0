package storagetest

import (
	"context"
	"slices"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

func cloneEntry(e storage.Entry) storage.Entry {
	e.Subjects, e.Body = slices.Clone(e.Subjects), slices.Clone(e.Body)
	return e
}

func cloneBlock(b storage.Block) storage.Block {
	b.Head, b.Entries = slices.Clone(b.Head), slices.Clone(b.Entries)
	for i, e := range b.Entries {
		b.Entries[i] = cloneEntry(e)
	}
	return b
}

// Pending implements storage.Journal.
func (m *Model) Pending(ctx context.Context, limit int) ([]storage.Pending, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	var entries []storage.Pending
	for _, p := range m.pending[:max(0, min(limit, len(m.pending)))] {
		entries = append(entries, storage.Pending{Record: p.Record, Entry: cloneEntry(p.Entry)})
	}
	return entries, nil
}

// Settle implements storage.Journal.
func (m *Model) Settle(ctx context.Context, entries []storage.Pending) error {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	gone := make(map[string]bool, len(entries))
	for _, e := range entries {
		gone[e.ID] = true
	}
	m.pending = slices.DeleteFunc(m.pending, func(p storage.Pending) bool { return gone[p.ID] })
	return nil
}

// AppendBlock implements storage.Journal.
func (m *Model) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := b.Check(); err != nil {
		return err
	}
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return err
	}
	place, taken := slices.BinarySearchFunc(m.blocks, b.First, func(b storage.Block, first int64) int { return int(b.First - first) })
	if taken {
		return fault.Errorf(fault.Conflict, "the log has a block at %d", b.First)
	}
	m.blocks = slices.Insert(m.blocks, place, cloneBlock(b))
	return nil
}

// Blocks implements storage.Journal.
func (m *Model) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	if n := len(m.blocks); from == storage.LastBlock && n > 0 {
		from = m.blocks[n-1].First
	}
	var blocks []storage.Block
	for _, b := range m.blocks {
		if b.Next() > from && len(blocks) < limit {
			blocks = append(blocks, cloneBlock(b))
		}
	}
	return blocks, nil
}

// Entries implements storage.Journal.
func (m *Model) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if err := q.Check(); err != nil {
		return storage.EntryPage{}, err
	}
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return storage.EntryPage{}, err
	}
	var found []storage.Logged
	for _, b := range m.blocks {
		for i, e := range b.Entries {
			one := storage.Logged{Index: b.First + int64(i), At: b.At, Entry: cloneEntry(e)}
			if q.Filter.Matches(one) && (q.After == nil || one.Index != *q.After && (one.Index > *q.After) != q.Newest) {
				found = append(found, one)
			}
		}
	}
	if q.Newest {
		slices.Reverse(found)
	}
	return storage.EntryPage{Entries: found[:min(q.First, len(found))], More: len(found) > q.First}, nil
}

// CheckEntries implements storage.Journal. Entries looks nothing up.
func (m *Model) CheckEntries(ctx context.Context) (*storage.Misfit, error) {
	defer m.stateMu.Unlock()
	return nil, m.enter(ctx)
}
