package main_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	main "github.com/keywright/keywright/cmd/keywright"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestWhatIsDeletedAndOldIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := storagetest.NewModel()
		const old = 2_500 // more than are swept at once
		began := time.Now()
		for i := range old + 1 {
			due := began
			if i == old {
				due = began.Add(90 * time.Minute)
			}
			err := store.Commit(t.Context(), storage.Change{Attempt: "a", Record: storage.Record{
				Kind: storage.Denial, ID: fmt.Sprint("den_", i), Body: []byte("{}"),
				Index: storage.Index{State: storage.Deleted, Created: began, Due: due},
			}})
			if err != nil {
				t.Fatal(err)
			}
		}
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); main.Sweep(ctx, store, slog.New(slog.DiscardHandler)) }()
		for _, want := range []int{old + 1, 1, 0} {
			synctest.Wait()
			page, err := store.List(t.Context(), storage.Query{Kind: storage.Denial, Order: storage.CreatedOldest, First: 10_000})
			if err != nil || len(page.Records) != want {
				t.Errorf("after %v there are %d, want %d; %v", time.Since(began), len(page.Records), want, err)
			}
			<-time.After(time.Hour)
		}
		end()
		<-ended
	})
}
