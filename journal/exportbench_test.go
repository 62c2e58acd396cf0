package journal_test

import (
	"io"
	"testing"

	"github.com/keywright/keywright/journal"
)

func BenchmarkExport(b *testing.B) {
	store, entries := loaded(b)
	for b.Loop() {
		if _, err := (journal.Export{Store: store}).Write(b.Context(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(entries)*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
