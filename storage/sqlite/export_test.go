package sqlite

import (
	"context"
	"time"

	"github.com/keywright/keywright/storage"
)

// Plans gives SQLite's plan of each statement of a list.
func Plans(ctx context.Context, s storage.Store, q storage.Query) ([]string, error) {
	o, err := orderOf(q.Order)
	if err != nil {
		return nil, err
	}
	after, err := o.Decode(q.After)
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

// The queries of a search: where each product begins, and the words of one.
const (
	FirstWords  = firstWords
	AllFirst    = allFirst
	SearchWords = searchWords
)

// The queries of a page of the log: where a time begins, and the chunks of a
// tag or of all.
const (
	ChunkBefore    = chunkBefore
	Tagged         = tagged
	TaggedNewest   = tagged + newest
	Untagged       = untagged
	UntaggedNewest = untagged + newest
)

// KeyedPlans gives the plans of the statements that go by key.
func KeyedPlans(ctx context.Context, s storage.Store) (map[string]string, error) {
	plans := map[string]string{}
	err := s.(*Store).read(ctx, func(c *conn) error {
		for query, args := range map[string]int{
			selectRecord: 1, selectSeats: 1, selectIndexed: 1, selectSeat: 2, selectLease: 2,
			selectRow: 1, selectDay: 2, listDays: 3, selectDeleted: 2,
			selectPending: 1, deletePending: 1, selectWhole: 2, selectDays: 1, selectPendingOf: 1, chunkUpTo: 1, selectChunk: 1, selectChunks: 1, blockOf: 1, chunkBefore: 1,
			tagged: 3, tagged + newest: 3, untagged: 2, untagged + newest: 2,
			selectWords: 1, deleteWord: 3, searchWords: 3, firstWords: 3, allFirst: 2,
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

// Exec runs a statement in the writer's turn.
func Exec(ctx context.Context, s storage.Store, query string) error {
	return s.(*Store).write(ctx, func(w *writer) error {
		_, _, err := w.conn.exec(query)
		return err
	})
}

// Hold stops the writer until release is called.
func Hold(s storage.Store) (release func()) {
	held, released := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.(*Store).write(context.Background(), func(*writer) error {
			close(held)
			<-released
			return nil
		})
	}()
	<-held
	return func() { close(released) }
}

// SetPatience sets how long the writer waits for another process.
func SetPatience(ctx context.Context, s storage.Store, d time.Duration) error {
	return s.(*Store).write(ctx, func(w *writer) error {
		w.turn.patience = d
		return nil
	})
}

// Turn tries to take the turn from the processes that write to the file at path.
func Turn(path string) (taken bool, release func() error, err error) {
	t := newTurn(path)
	taken, err = t.file.TryLock()
	return taken, t.file.Unlock, err
}

// Waiting gives the number of changes in the queue.
func Waiting(s storage.Store) int { return len(s.(*Store).writer.queue) }

// KeepLogTo sets the bounds of the log, in pages.
func KeepLogTo(ctx context.Context, s storage.Store, copyAfter, restartAfter int64) error {
	return s.(*Store).write(ctx, func(w *writer) error {
		w.copyAfter, w.restartAfter, w.restartAt = copyAfter, restartAfter, restartAfter
		return nil
	})
}

// Integrity gives what SQLite says about the whole file, ok if it is sound.
func Integrity(ctx context.Context, s storage.Store) (verdict string, err error) {
	err = s.(*Store).read(ctx, func(c *conn) error {
		row, _, err := c.one("PRAGMA integrity_check")
		if err == nil {
			verdict = text(row[0])
		}
		return err
	})
	return verdict, err
}

// CheckEntries checks in so many spans, of which each is longer.
func CheckEntries(ctx context.Context, s storage.Store, spans int64) (*storage.Misfit, error) {
	return s.(*Store).checkEntries(ctx, spans)
}

// Schema gives the statements that make the tables and indexes of the file, in
// order.
func Schema(ctx context.Context, s storage.Store) (statements []string, err error) {
	err = s.(*Store).read(ctx, func(c *conn) error {
		cur, err := c.query(ctx, "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1")
		if err != nil {
			return err
		}
		defer cur.close()
		for {
			ok, err := cur.next()
			if err != nil || !ok {
				return err
			}
			statements = append(statements, text(cur.values[0]))
		}
	})
	return statements, err
}
