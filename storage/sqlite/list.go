package sqlite

import (
	"context"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// List implements storage.Reader. It merges one scan for each product and
// state that the query leaves open, each in order from one index.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	o, err := orderOf(q.Order)
	if err != nil {
		return storage.Page{}, err
	}
	after, err := o.Decode(q.After)
	if err != nil {
		return storage.Page{}, err
	}
	if q.First < 1 {
		return storage.Page{}, fault.Invalid("first", "first must be at least 1")
	}
	var page storage.Page
	err = s.snapshot(ctx, func(c *conn) error {
		scans, err := s.scans(c, q, o, after)
		if err != nil {
			return err
		}
		page, err = s.merge(ctx, c, scans, o, q.First)
		return err
	})
	return page, err
}

func (s *Store) merge(ctx context.Context, c *conn, scans []scan, o order, first int) (storage.Page, error) {
	m := merge[sqlstore.Place]{at: o.at, before: o.Before}
	defer m.close()
	var page storage.Page
	for _, sc := range scans {
		cur, err := c.query(ctx, sc.query, sc.args...)
		if err != nil {
			return page, err
		}
		if err := m.add(cur); err != nil {
			return page, err
		}
	}
	for len(page.Records) < first {
		if err := ctx.Err(); err != nil {
			return page, err
		}
		next := m.first()
		if next < 0 {
			return page, nil
		}
		stored, err := s.decode(m.heads[next].cur)
		if err != nil {
			return page, err
		}
		page.Records, page.End = append(page.Records, stored), o.Encode(m.heads[next].at)
		if err := m.advance(next); err != nil {
			return page, err
		}
	}
	page.More = len(m.heads) > 0
	return page, nil
}

// at gives the place of the record that a scan stands on.
func (o order) at(cur *cursor) sqlstore.Place {
	return sqlstore.Place{Time: number(cur.values[o.time]), Row: number(cur.values[0])}
}
