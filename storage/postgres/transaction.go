package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// read runs f with a connection of the pool, where one statement is enough,
// which sees one moment. Where a connection is lost it is run again.
func (s *Store) read(ctx context.Context, f func(*pgxpool.Conn) error) error {
	return s.retry(ctx, func() error {
		return s.with(ctx, func(c *pgxpool.Conn) error { return lostWith(ctx, c, f(c)) })
	})
}

// with runs f with a connection of the pool. One that turns out to only read
// leads to what was the primary: it is closed, so that another is made, which
// leads to what is.
func (s *Store) with(ctx context.Context, f func(*pgxpool.Conn) error) error {
	return s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		err := f(c)
		if codeOf(err) == readOnly {
			_ = c.Conn().Close(ctx) // the pool then lets go of it
		}
		return err
	})
}

// byIndex has the statements that follow in a transaction planned once, for any
// values, by indexes alone and in their order. PostgreSQL would else now and then
// read all that matches and sort it, because it thinks that this is little, or
// compile a plan, because it thinks that it is much; and of many records it would
// plan each statement anew, which takes as long as the statement itself. It ends
// with the transaction.
const byIndex = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
	set_config('jit', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)`

// inOrder runs a statement that reads in the order of an index, in one round trip.
func inOrder(ctx context.Context, c *pgxpool.Conn, query string, args []any, f func(pgx.Rows) error) error {
	batch := &pgx.Batch{} // a transaction
	batch.Queue(byIndex)
	batch.Queue(query, args...).Query(f)
	return c.SendBatch(ctx, batch).Close()
}

// change is read for one statement that writes, and is a transaction by itself.
func (s *Store) change(ctx context.Context, f func(*pgxpool.Conn) error) error {
	return s.retry(ctx, func() error { return s.with(ctx, f) })
}

// snapshot runs f in a transaction that only reads, where all that f reads is
// of one moment.
func (s *Store) snapshot(ctx context.Context, f func(pgx.Tx) error) error {
	return s.read(ctx, func(c *pgxpool.Conn) error {
		return pgx.BeginTxFunc(ctx, c, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, f)
	})
}

// write runs f in a transaction, in which each statement sees what was
// committed before it began. An error of f's own undoes it. F may run several
// times, and must begin anew each time.
func (s *Store) write(ctx context.Context, f func(pgx.Tx) error) error {
	return s.retry(ctx, func() error {
		return s.with(ctx, func(c *pgxpool.Conn) error {
			tx, err := c.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
			if err != nil {
				return lostWith(ctx, c, err)
			}
			if err := f(tx); err != nil {
				_ = tx.Rollback(ctx) // closes the connection where it fails
				return lostWith(ctx, c, err)
			}
			return outcome(tx.Commit(ctx))
		})
	})
}

// lostError says that a connection ended before anything could be stored.
type lostError struct{ cause error }

func (e *lostError) Error() string { return "the connection was lost: " + e.cause.Error() }
func (e *lostError) Unwrap() error { return e.cause }

// lostWith marks an error of a connection that is lost, unless its caller had
// it closed.
func lostWith(ctx context.Context, c *pgxpool.Conn, err error) error {
	if err != nil && c.Conn().IsClosed() && ctx.Err() == nil {
		return &lostError{err}
	}
	return err
}

// unknownError says that what was to be committed may have been.
type unknownError struct{ cause error }

func (e *unknownError) Error() string { return "the outcome is unknown: " + e.cause.Error() }
func (e *unknownError) Unwrap() error { return e.cause }

// outcome marks the error of a commit, unless it says that there was none. That
// pgconn calls an error safe to retry says nothing: it does of a connection that
// ended while the answer was waited for.
func outcome(err error) error {
	var refused *pgconn.PgError
	if err == nil || errors.Is(err, pgx.ErrTxCommitRollback) ||
		errors.As(err, &refused) && refused.SeverityUnlocalized == "ERROR" {
		return err
	}
	return &unknownError{err}
}

const (
	maxAttempts = 10
	firstPause  = time.Millisecond
)

// usable fails where nothing can be asked for: a call that has nothing to ask
// fails as others do.
func (s *Store) usable(ctx context.Context) error {
	return s.retry(ctx, ctx.Err)
}

// retry is the one place where something is done again: it runs f until that
// ends otherwise than by an error after which nothing of it is stored and the
// next attempt may succeed.
func (s *Store) retry(ctx context.Context, f func() error) error {
	for attempt := 1; ; attempt++ {
		if s.closed.Load() {
			return errClosed()
		}
		err := f()
		if err == nil || attempt == maxAttempts || !s.again(err) {
			return translate(err)
		}
		if ended := pause(ctx, firstPause<<min(attempt, 6)); ended != nil {
			return translate(errors.Join(ended, err))
		}
	}
}

// pause waits for a random part of longest, or until ctx ends.
func pause(ctx context.Context, longest time.Duration) error {
	select {
	case <-time.After(rand.N(longest)): //nolint:gosec // jitter is no secret
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// again reports whether to try again after err.
func (s *Store) again(err error) bool {
	var unknown *unknownError
	var lost *lostError
	switch {
	case errors.As(err, &unknown):
		return false
	case errors.As(err, &lost):
		return true
	}
	switch codeOf(err) {
	case serializationFailure, deadlockDetected, foreignKeyViolation, staleDescription:
		return true
	case statementMissing, statementTaken:
		// Another connection has the statement: there is a pooler between, which
		// knows nothing of them. From now on each is sent with its values.
		if !s.unnamed.Swap(true) {
			s.pool.Reset()
		}
		return true
	}
	return false
}
