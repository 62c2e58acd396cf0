package sqlite

import (
	"cmp"
	"context"
	"database/sql/driver"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/keywright/keywright/storage"
)

const (
	// The first word of each product that begins with a prefix, with its row on
	// a line of its own, in one statement: to begin one for each product would
	// cost more than all else.
	firstOf = `(SELECT text || char(10) || row FROM word
		WHERE product = p.value AND text >= ? AND text < ? ORDER BY text, row DESC LIMIT 1)`
	firstWords = "SELECT p.value, " + firstOf + " FROM json_each(?) AS p"
	allFirst   = `WITH RECURSIVE p (value) AS (SELECT min(product) FROM word UNION ALL
		SELECT (SELECT min(product) FROM word WHERE product > p.value) FROM p WHERE p.value IS NOT NULL)
		SELECT p.value, ` + firstOf + " FROM p WHERE p.value IS NOT NULL"

	// The join is in this order: a word, then its record by key.
	searchWords = "SELECT " + columns + `, w.text FROM word AS w CROSS JOIN record AS r ON r.row = w.row
		LEFT JOIN total AS t ON t.row = r.row
		WHERE w.product = ? AND w.text >= ? AND w.text < ? ORDER BY w.text, w.row DESC`
)

// Search implements storage.Reader. It merges one scan for each product, and
// begins that where the product's first word comes.
func (s *Store) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if !storage.IsText(q.Prefix) {
		return nil, nil
	}
	var found []*storage.Stored
	err := s.snapshot(ctx, func(c *conn) error {
		waiting, err := s.firstWords(ctx, c, q)
		if err != nil {
			return err
		}
		m := &wordMerge{conn: c, prefix: q.Prefix, waiting: waiting}
		m.at, m.before = wordAt, wordPlace.before
		defer m.close()
		found, err = s.found(ctx, m, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// firstWords gives the products that have a word which begins so, or those of
// the query's that have, in the order of the first such word of each.
func (s *Store) firstWords(ctx context.Context, c *conn, q storage.SearchQuery) ([]firstWord, error) {
	query, args := allFirst, []driver.Value{q.Prefix, behind(q.Prefix)}
	if q.Products != nil {
		numbers, err := s.productNumbers(c, q.Products)
		if err != nil {
			return nil, err
		}
		list, err := json.Marshal(numbers)
		if err != nil {
			return nil, err
		}
		query, args = firstWords, append(args, string(list))
	}
	var all []firstWord
	for v, err := range c.rows(ctx, query, args...) {
		if err != nil {
			return nil, err
		}
		first, row, found := strings.Cut(text(v[1]), "\n")
		if !found { // no word begins so
			continue
		}
		w := firstWord{product: number(v[0]), at: wordPlace{text: first}}
		if w.at.row, err = strconv.ParseInt(row, 10, 64); err != nil {
			return nil, err
		}
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b firstWord) int { return a.at.compare(b.at) })
	return all, nil
}

// behind comes behind all words that begin with a prefix: no text has the byte
// 0xff.
func behind(prefix string) string { return prefix + "\xff" }

// found takes records from the merge, each at its first word. What is of
// another kind is left out here: with a term on kind, which indexes have one
// on, SQLite would plan the statement anew for each value.
func (s *Store) found(ctx context.Context, m *wordMerge, q storage.SearchQuery) ([]*storage.Stored, error) {
	var found []*storage.Stored
	seen := map[int64]bool{}
	for len(found) < q.First {
		first, err := m.next(ctx)
		if err != nil || first < 0 {
			return found, err
		}
		h := m.heads[first]
		if !seen[h.at.row] && storage.Kind(text(h.cur.values[2])) == q.Kind {
			stored, err := s.decode(h.cur)
			if err != nil {
				return nil, err
			}
			found = append(found, stored)
		}
		seen[h.at.row] = true
		if err := m.advance(first); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// wordMerge is a merge of words, some of whose scans have not begun.
type wordMerge struct {
	merge[wordPlace]
	conn    *conn
	prefix  string
	waiting []firstWord
}

// wordPlace is where a word stands: by the word, and where it is the same by
// the newer row.
type wordPlace struct {
	text string
	row  int64
}

func (p wordPlace) compare(other wordPlace) int {
	return cmp.Or(strings.Compare(p.text, other.text), cmp.Compare(other.row, p.row))
}

func (p wordPlace) before(other wordPlace) bool { return p.compare(other) < 0 }

// firstWord is where the scan of a product begins.
type firstWord struct {
	product int64
	at      wordPlace
}

// wordAt gives the place of the word that a scan stands on.
func wordAt(cur *cursor) wordPlace {
	return wordPlace{text(cur.values[len(cur.values)-1]), number(cur.values[0])}
}

// next gives the number of the head whose word comes next, -1 at the end. A
// scan that would come before it is begun first.
func (m *wordMerge) next(ctx context.Context) (int, error) {
	for {
		first := m.first()
		if len(m.waiting) == 0 || first >= 0 && m.heads[first].at.before(m.waiting[0].at) {
			return first, ctx.Err()
		}
		// It has a word that is looked for.
		cur, err := m.conn.query(ctx, searchWords, m.waiting[0].product, m.prefix, behind(m.prefix))
		if err != nil {
			return -1, err
		}
		m.waiting = m.waiting[1:]
		if err := m.add(cur); err != nil {
			return -1, err
		}
	}
}
