package journal_test

import (
	"encoding/json"
	"testing"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// loaded is a log of 100,000 entries in memory, as long as real ones.
func loaded(b *testing.B) (store *replaced, entries int64) {
	b.Helper()
	store = &replaced{Journal: storagetest.NewModel()}
	var tree journal.Tree
	for first := 0; first < 100_000; first += 500 {
		var entries []storage.Entry
		for n := range 500 {
			var e journal.Entry
			if err := json.Unmarshal(storagetest.LogEntry(first+n).Body, &e); err != nil {
				b.Fatal(err)
			}
			e.Digest = e.Digest[:16]
			stored, err := e.Encode()
			if err != nil {
				b.Fatal(err)
			}
			entries = append(entries, stored)
		}
		block := journal.NextBlock(logID, 1, &tree, entries)
		block.At = noon
		store.blocks = append(store.blocks, block)
	}
	return store, 100_000
}

func BenchmarkVerify(b *testing.B) {
	store, entries := loaded(b)
	for b.Loop() {
		report, err := journal.Verify(b.Context(), journal.Verification{Store: store})
		if err != nil || report.Size != entries || report.Unread > 0 {
			b.Fatal(report, err)
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
