package sqlite

import (
	"context"

	"github.com/keywright/keywright/storage"
)

// Plans gives SQLite's plan of each statement of a list.
func Plans(ctx context.Context, s storage.Store, q storage.Query) ([]string, error) {
	o, err := orderOf(q.Order)
	if err != nil {
		return nil, err
	}
	after, err := o.decode(q.After)
	if err != nil {
		return nil, err
	}
	var plans []string
	store := s.(*Store)
	err = store.read(ctx, func(c *conn) error {
		scans, err := store.scans(c, q, o, after)
		if err != nil {
			return err
		}
		for _, sc := range scans {
			plan, err := explain(ctx, c, sc)
			if err != nil {
				return err
			}
			plans = append(plans, plan)
		}
		return nil
	})
	return plans, err
}

func explain(ctx context.Context, c *conn, sc scan) (string, error) {
	cur, err := c.query(ctx, "EXPLAIN QUERY PLAN "+sc.query, sc.args...)
	if err != nil {
		return "", err
	}
	defer cur.close()
	var plan string
	for {
		ok, err := cur.next()
		if err != nil || !ok {
			return plan, err
		}
		plan += text(cur.values[3]) + "\n"
	}
}

// KeyedPlans gives the plans of the statements that go by key.
func KeyedPlans(ctx context.Context, s storage.Store) (map[string]string, error) {
	plans := map[string]string{}
	err := s.(*Store).read(ctx, func(c *conn) error {
		for query, args := range map[string]int{
			selectRecord: 1, selectSeats: 1, selectIndexed: 1, selectSeat: 2, selectLease: 2,
			selectRow: 1, selectDay: 2, listDays: 3, selectDeleted: 2,
		} {
			sc := scan{query: query}
			for range args {
				sc.args = append(sc.args, int64(1))
			}
			plan, err := explain(ctx, c, sc)
			if err != nil {
				return err
			}
			plans[query] = plan
		}
		return nil
	})
	return plans, err
}
