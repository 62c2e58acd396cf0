package sqlite

import (
	"context"
	"slices"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// List implements storage.Reader. It merges one scan for each product and
// state that the query leaves open, each in order from one index.
func (s *Store) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	o, err := orderOf(q.Order)
	if err != nil {
		return storage.Page{}, err
	}
	after, err := o.decode(q.After)
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

// head is a scan under way, standing on its next record.
type head struct {
	cur *cursor
	at  place
}

func (s *Store) merge(ctx context.Context, c *conn, scans []scan, o order, first int) (storage.Page, error) {
	var heads []*head
	defer func() {
		for _, h := range heads {
			h.cur.close()
		}
	}()
	var page storage.Page
	for _, sc := range scans {
		cur, err := c.query(ctx, sc.query, sc.args...)
		if err != nil {
			return page, err
		}
		heads = append(heads, &head{cur: cur})
		if heads, err = advance(heads, len(heads)-1, o); err != nil {
			return page, err
		}
	}
	for len(heads) > 0 && len(page.Records) < first {
		if err := ctx.Err(); err != nil {
			return page, err
		}
		next := 0
		for i, h := range heads {
			if o.before(h.at, heads[next].at) {
				next = i
			}
		}
		stored, err := s.decode(heads[next].cur)
		if err != nil {
			return page, err
		}
		page.Records, page.End = append(page.Records, stored), o.encode(heads[next].at)
		if heads, err = advance(heads, next, o); err != nil {
			return page, err
		}
	}
	page.More = len(heads) > 0
	return page, nil
}

// advance moves head i to its next record and drops it at its end.
func advance(heads []*head, i int, o order) ([]*head, error) {
	h := heads[i]
	ok, err := h.cur.next()
	if err != nil {
		return heads, err
	}
	if !ok {
		h.cur.close()
		return slices.Delete(heads, i, i+1), nil
	}
	h.at = place{time: number(h.cur.values[o.time]), row: number(h.cur.values[0])}
	return heads, nil
}
