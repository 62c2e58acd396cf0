package mongodb

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

// Search implements storage.Reader. It goes through the words in their order,
// reads the records that they lead to, and judges each by what it says itself.
// So a word of the past does no harm, and where words change meanwhile a
// record that the search has come upon is answered as it then stands.
func (s *Store) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if !storage.IsText(q.Prefix) || !storage.IsText(string(q.Kind)) {
		return nil, nil
	}
	m, err := s.mergeWords(ctx, q)
	if err != nil {
		return nil, translate(err)
	}
	defer m.close(ctx)
	found, err := s.found(ctx, m, q)
	if err != nil {
		return nil, translate(err)
	}
	return found, nil
}

// hit is a record with the place in the answer that it has by itself.
type hit struct {
	at wordPlace
	recordDocument
}

// wordPlace is where a word stands: by the word, and where it is the same by
// the newer record.
type wordPlace struct {
	word    string
	created int64
	born    string
}

func (p wordPlace) compare(other wordPlace) int {
	return cmp.Or(strings.Compare(p.word, other.word), cmp.Compare(other.created, p.created), strings.Compare(other.born, p.born))
}

// found reads on until so many records stand at or before the last word that
// was read: whatever has not been seen by then stands behind it.
func (s *Store) found(ctx context.Context, m *wordMerge, q storage.SearchQuery) ([]*storage.Stored, error) {
	var hits []hit
	seen := map[string]bool{}
	for {
		ids, err := m.take(ctx, min(q.First, maxWordBatch), seen)
		if err != nil {
			return nil, err
		}
		records, err := s.get(ctx, s.surely.records, ids)
		if err != nil {
			return nil, err
		}
		for _, d := range records {
			if at, ok := placeIn(d, q); ok {
				hits = append(hits, hit{at, d})
			}
		}
		slices.SortFunc(hits, func(a, b hit) int { return a.at.compare(b.at) })
		if len(m.heads) == 0 || len(hits) >= q.First && hits[q.First-1].at.compare(m.last) <= 0 {
			return storedOf(hits[:min(q.First, len(hits))])
		}
	}
}

func storedOf(hits []hit) ([]*storage.Stored, error) {
	var found []*storage.Stored
	for _, h := range hits {
		stored, err := h.stored()
		if err != nil {
			return nil, err
		}
		found = append(found, stored)
	}
	return found, nil
}

// placeIn gives the place of a record in the answer, and whether it has one.
func placeIn(d recordDocument, q storage.SearchQuery) (wordPlace, bool) {
	if d.Kind != string(q.Kind) || q.Products != nil && (d.Product == "" || !slices.Contains(q.Products, d.Product)) {
		return wordPlace{}, false
	}
	for _, word := range d.Words {
		if strings.HasPrefix(word, q.Prefix) {
			return wordPlace{word, d.Created, d.Born}, true
		}
	}
	return wordPlace{}, false
}

// wordMerge puts scans of words, one for each hundred products, into one
// order.
type wordMerge struct {
	heads[wordDocument]
	last wordPlace // the last that was taken
}

// How many words a scan reads at once.
const maxWordBatch = 200

func (s *Store) mergeWords(ctx context.Context, q storage.SearchQuery) (*wordMerge, error) {
	filter := bson.M{"kind": string(q.Kind), "word": beginsWith(q.Prefix)}
	filters, hint := []bson.M{filter}, "word"
	if q.Products != nil {
		filters, hint = nil, "product_word"
		for products := range slices.Chunk(productsOf(q.Products), productsAtOnce) {
			filters = append(filters, bson.M{"kind": filter["kind"], "product": oneOf(products), "word": filter["word"]})
		}
	}
	o := options.Find().SetSort(by("word -created -born")).SetHint(hint).SetBatchSize(int32(1 + min(q.First, maxWordBatch))).
		SetProjection(bson.M{"_id": 0, "word": 1, "created": 1, "born": 1, "record": 1})
	scans, err := begin[wordDocument](ctx, s.surely.words, filters, o)
	return &wordMerge{heads: scans}, err
}

// take gives the records of the next words: so many that have not been seen,
// or all that are left.
func (m *wordMerge) take(ctx context.Context, limit int, seen map[string]bool) ([]string, error) {
	var ids []string
	for len(m.heads) > 0 && len(ids) < limit {
		first := 0
		for i, h := range m.heads {
			if h.next.place().compare(m.heads[first].next.place()) < 0 {
				first = i
			}
		}
		h := m.heads[first]
		m.last = h.next.place()
		if !seen[h.next.Record] {
			seen[h.next.Record] = true
			ids = append(ids, h.next.Record)
		}
		if err := m.advance(ctx, first); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (d wordDocument) place() wordPlace { return wordPlace{d.Word, d.Created, d.Born} }
