// Package postgres keeps records in a PostgreSQL database: the driver for
// several machines. A change is one transaction, as a rule of one round trip,
// and leaves deciding to row locks and unique indexes. What a statement needs
// to be fast stands beside it; which index serves which query stands in the
// schema.
//
// It works through a pooler that gives each transaction another connection
// (PgBouncer): nothing but Wake relies on a session.
package postgres

import (
	"context"
	"net/url"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

var _ storage.Store = (*Store)(nil)

// Store is a PostgreSQL database.
type Store struct {
	pool    *pgxpool.Pool
	codec   *sqlstore.Codec
	joiner  joiner
	unnamed atomic.Bool // statements are not prepared under a name any more
	closed  atomic.Bool
	ending  context.Context // ends with the store
	end     context.CancelFunc
}

// Open takes a URL of postgres: or postgresql:, with the parameters that are
// listed in params. It neither needs the server to be up nor migrates: Ready
// says what is amiss.
func Open(ctx context.Context, u *url.URL) (storage.Store, error) {
	config, err := configOf(u)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, config)
	if err != nil {
		return nil, err // not s, which would be no nil
	}
	return s, nil
}

func open(ctx context.Context, config *pgxpool.Config) (*Store, error) {
	packing, err := sqlstore.NewCodec(int(config.MaxConns))
	if err != nil {
		return nil, err
	}
	s := &Store{codec: packing}
	s.joiner.answer = s.answer
	s.ending, s.end = context.WithCancel(context.WithoutCancel(ctx))
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		if s.unnamed.Load() {
			c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
		}
		return nil
	}
	config.AfterConnect = refuseEncoding
	s.pool, err = pgxpool.NewWithConfig(s.ending, config)
	if err != nil {
		packing.Close()
		return nil, translate(err)
	}
	return s, nil
}

// Close implements storage.Keeper.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.end()
	s.joiner.close()
	s.pool.Close()
	s.codec.Close()
	return nil
}
