package storagetest

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/keywright/keywright/storage"
)

// Search implements storage.Reader.
func (m *Model) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if !storage.IsText(q.Prefix) {
		return nil, nil
	}
	defer m.stateMu.Unlock()
	if err := m.enter(ctx); err != nil {
		return nil, err
	}
	var hits []*modelRecord
	for _, r := range m.records {
		x := r.record.Index
		if r.record.Kind == q.Kind && ofProducts(x, q.Products) && firstWord(x, q.Prefix) != "" {
			hits = append(hits, r)
		}
	}
	slices.SortFunc(hits, func(a, b *modelRecord) int {
		return cmp.Or(
			cmp.Compare(firstWord(a.record.Index, q.Prefix), firstWord(b.record.Index, q.Prefix)),
			a.position(storage.CreatedNewest).compare(b.position(storage.CreatedNewest)),
		)
	})
	var found []*storage.Stored
	for _, r := range hits[:min(q.First, len(hits))] {
		found = append(found, r.stored())
	}
	return found, nil
}

// firstWord gives the first word that begins with prefix, empty where none
// does.
func firstWord(x storage.Index, prefix string) string {
	for _, word := range x.Words {
		if strings.HasPrefix(word, prefix) {
			return word
		}
	}
	return ""
}
