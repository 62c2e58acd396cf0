package postgres_test

import (
	"fmt"
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
		Newer: func(t *testing.T, s storage.Store) {
			execute(t, s, "INSERT INTO keywright_schema (version_id, is_applied) VALUES (99, true)")
		},
		Damage: func(t *testing.T, s storage.Store, first int64) {
			execute(t, s, fmt.Sprintf("UPDATE chunk SET data = substr(data, 1, 1) WHERE block = %d", first))
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
