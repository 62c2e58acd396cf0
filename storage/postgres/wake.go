package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/keywright/keywright/storage"
)

var _ storage.Waker = (*Store)(nil)

// How long a connection that listens may be silent before it is asked whether
// it is there.
const silence = 30 * time.Second

// Wake implements storage.Waker. It listens on a connection of its own, and
// begins with a call. A pooler that lends connections for one transaction lets
// nothing be heard.
func (s *Store) Wake(ctx context.Context, f func()) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.ending, stop)()
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return translate(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN "+logChannel); err != nil {
		return translate(err)
	}
	f()
	for {
		heard, err := hear(ctx, conn)
		switch {
		case s.closed.Load():
			return errClosed()
		case err != nil:
			return translate(err)
		}
		if heard {
			f()
		}
	}
}

// hear waits for a word, and asks for a sign of life where none comes.
func hear(ctx context.Context, conn *pgx.Conn) (bool, error) {
	waiting, done := context.WithTimeout(ctx, silence)
	defer done()
	_, err := conn.WaitForNotification(waiting)
	if err == nil || ctx.Err() != nil || waiting.Err() == nil || conn.IsClosed() {
		return err == nil, err
	}
	waiting, done = context.WithTimeout(ctx, connectTimeout)
	defer done()
	return false, conn.Ping(waiting)
}
