package postgres_test

import (
	"net/url"
	"testing"

	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestConformance(t *testing.T) {
	urls := map[storage.Store]*url.URL{}
	storagetest.Run(t, func(t *testing.T) storage.Store {
		u := database(t)
		s := migrated(t, u)
		urls[s] = u
		return s
	}, storagetest.Options{
		Peer: func(t *testing.T, s storage.Store) storage.Store { return open(t, urls[s]) },
		Bare: func(t *testing.T) (s, peer storage.Store) {
			u := database(t)
			return open(t, u), open(t, u)
		},
		Lossy: func(t *testing.T, s storage.Store) (storage.Store, storagetest.Lose) {
			u := urls[s]
			between := engines.Between(t, u.Host)
			return open(t, parse(t, between.In(u.String()))), func(after int) (heal func()) {
				between.CutAfter(int64(after))
				return between.Heal
			}
		},
	})
}
