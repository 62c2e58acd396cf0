package storagetest_test

import (
	"testing"
	"time"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestModelObeysTheContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return storagetest.NewModel() }, storagetest.Options{
		Lossy: func(_ *testing.T, s storage.Store) (storage.Store, storagetest.Lose) {
			through := newLossy()
			through.Model = s.(*storagetest.Model)
			return through, through.lose
		},
		Cannot: []storagetest.Lack{{Ability: storagetest.SeparateProcesses, Reason: "it is in the memory of one"}},
	})
}

func TestTheModelsClockCanBeSet(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 999_999_999, time.FixedZone("", 3600))
	m := storagetest.NewModel()
	m.Now = func() time.Time { return at }
	if got, err := m.Clock(t.Context()); err != nil || got != at.UTC().Truncate(time.Millisecond) {
		t.Errorf("%v, %v", got, err)
	}
}
