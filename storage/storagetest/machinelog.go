package storagetest

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

func drawEntry(r *rapid.T, id string) storage.Entry {
	e := storage.Entry{
		ID: id, Type: rapid.SampledFrom(variedTypes).Draw(r, "type"), Actor: rapid.SampledFrom(variedActors).Draw(r, "actor"),
		Product: rapid.SampledFrom(variedProducts).Draw(r, "product"), Body: []byte("entry " + id),
	}
	e.Subjects = rapid.SliceOfNDistinct(rapid.SampledFrom(variedSubjects), 0, 3, rapid.ID).Draw(r, "subjects")
	slices.Sort(e.Subjects)
	return e
}

// settle ends that some entries are pending, and some that are not.
func (m *machine) settle(r *rapid.T) {
	gone := []storage.Pending{waiting("a", "none")}
	for _, p := range m.model.pending {
		if rapid.Bool().Draw(r, "settle") {
			gone = append(gone, p)
		}
	}
	m.same(r, m.store(r).Settle(m.t.Context(), gone), m.model.Settle(m.t.Context(), gone), nil)
}

// appendBlock adds a block behind the last, or tries to where one is.
func (m *machine) appendBlock(r *rapid.T) {
	b := storage.Block{First: m.next, At: second(m.at + rapid.IntRange(0, 2).Draw(r, "at")), Head: fmt.Append(nil, "head ", m.made)}
	if n := len(m.model.blocks); n > 0 && rapid.IntRange(0, 4).Draw(r, "taken") == 0 {
		b.First = m.model.blocks[rapid.IntRange(0, n-1).Draw(r, "block")].First
	}
	for i := range rapid.SampledFrom([]int{1, 2, 3, 40}).Draw(r, "size") {
		b.Entries = append(b.Entries, drawEntry(r, fmt.Sprint("log ", m.made, " ", i)))
	}
	m.made++
	want, got := m.model.AppendBlock(m.t.Context(), b), m.store(r).AppendBlock(m.t.Context(), b)
	if fault.CodeOf(want) != fault.CodeOf(got) {
		r.Fatalf("block at %d: got %v, want %v", b.First, got, want)
	}
	if want == nil {
		m.next, m.at = b.Next(), int(b.At.Sub(second(0)).Seconds())
	}
}

func (m *machine) blocks(r *rapid.T) {
	from, limit := rapid.Int64Range(storage.LastBlock, m.next+1).Draw(r, "from"), rapid.IntRange(0, 4).Draw(r, "limit")
	want, _ := m.model.Blocks(m.t.Context(), from, limit)
	got, err := m.store(r).Blocks(m.t.Context(), from, limit)
	m.same(r, got, want, err)
}

func (m *machine) entries(r *rapid.T) {
	q := storage.EntryQuery{
		Filter: rapid.SampledFrom(someFilters()).Draw(r, "filter"),
		Newest: rapid.Bool().Draw(r, "newest"), First: rapid.IntRange(1, 30).Draw(r, "first"),
	}
	if rapid.Bool().Draw(r, "with after") {
		q.After = new(rapid.Int64Range(-1, m.next+1).Draw(r, "after"))
	}
	want, _ := m.model.Entries(m.t.Context(), q)
	got, err := m.store(r).Entries(m.t.Context(), q)
	m.same(r, got, want, err)
	misfit, err := m.store(r).CheckEntries(m.t.Context())
	m.same(r, misfit, (*storage.Misfit)(nil), err)
}
