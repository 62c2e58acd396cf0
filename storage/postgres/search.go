package postgres

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/storage"
)

const (
	// Every product that has words, each by a seek behind the one before.
	allProducts = `(WITH RECURSIVE p (number) AS ((SELECT product FROM word ORDER BY product, text, row DESC LIMIT 1) UNION ALL
		SELECT (SELECT w.product FROM word AS w WHERE w.product > p.number ORDER BY w.product, w.text, w.row DESC LIMIT 1)
		FROM p WHERE p.number IS NOT NULL) SELECT number FROM p WHERE number IS NOT NULL)`

	theseProducts = `(SELECT number FROM name WHERE text = ANY ($4) AND text <> '')`

	// Of each product the first word that begins so; and of the products whose
	// is among the first so many of those, which no other can come before, the
	// first so many words.
	searchFrom = ` AS p CROSS JOIN LATERAL (SELECT text, row FROM word WHERE word.product = p.number
				AND text >= $1 AND text < $2 ORDER BY text, row DESC LIMIT 1) AS w
			ORDER BY w.text, w.row DESC LIMIT $3),
		hit AS MATERIALIZED (SELECT w.text, w.row FROM first
			CROSS JOIN LATERAL (SELECT text, row FROM word WHERE word.product = first.number
				AND text >= $1 AND text < $2 ORDER BY text, row DESC LIMIT $3) AS w
			ORDER BY w.text, w.row DESC LIMIT $3)
		SELECT ` + wholeColumns + `, hit.text FROM hit
		CROSS JOIN LATERAL (SELECT * FROM record WHERE record.row = hit.row OFFSET 0) AS r` + wholeJoins + `
		ORDER BY hit.text, hit.row DESC`

	searchAll   = "WITH first AS MATERIALIZED (SELECT p.number FROM " + allProducts + searchFrom
	searchThese = "WITH first AS MATERIALIZED (SELECT p.number FROM " + theseProducts + searchFrom
)

// Search implements storage.Reader. One statement finds the first words, and
// their records. If those are too few, because a record has several such words or
// is of another kind, it is asked for more words, from the beginning: an answer
// is of one moment.
func (s *Store) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if !storage.IsText(q.Prefix) || !storage.IsText(string(q.Kind)) || q.Products != nil && len(q.Products) == 0 {
		return nil, s.usable(ctx)
	}
	var found []*storage.Stored
	err := s.read(ctx, func(c *pgxpool.Conn) error {
		for words := q.First + q.First/4 + 8; ; words *= 4 {
			records, err := searchWords(ctx, c, q, words)
			if err != nil {
				return err
			}
			first := firstOfEach(records, q)
			if len(records) < words || len(first) == q.First {
				found, err = wholes(first)
				return err
			}
		}
	})
	return found, err
}

func searchWords(ctx context.Context, c *pgxpool.Conn, q storage.SearchQuery, words int) (found []*record, err error) {
	query, args := searchStatement(q, words)
	err = inOrder(ctx, c, query, args, func(rows pgx.Rows) (err error) {
		found, err = scan(rows, func(r *record) any { return &r.word })
		return err
	})
	return found, err
}

func searchStatement(q storage.SearchQuery, words int) (string, []any) {
	args := []any{q.Prefix, behind(q.Prefix), words}
	if q.Products == nil {
		return searchAll, args
	}
	return searchThese, append(args, findable(q.Products))
}

// firstOfEach gives each record of the kind at its first word.
func firstOfEach(records []*record, q storage.SearchQuery) []*record {
	var first []*record
	seen := map[int64]bool{}
	for _, r := range records {
		if r.stored.Kind == q.Kind && !seen[r.row] && len(first) < q.First {
			first = append(first, r)
		}
		seen[r.row] = true
	}
	return first
}

// behind is the first text that comes behind all that begin with a prefix. UTF-8
// is in the order of the characters.
func behind(prefix string) string {
	for prefix != "" {
		last, size := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-size]
		switch last {
		case utf8.MaxRune:
			continue
		case 0xd7ff:
			last = 0xdfff // what lies between are no characters
		}
		return prefix + string(last+1)
	}
	return strings.Repeat(string(utf8.MaxRune), storage.MaxWord) // longer than any word
}
