package dump_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// benchLicenses are moved, with an entry of the log each.
const benchLicenses = 100_000

func BenchmarkSQLite(b *testing.B) {
	from, file := onDisk(b), filepath.Join(b.TempDir(), "dump")
	must(b, from.Load(b.Context(), licenses(benchLicenses)))
	_, err := journal.NewLog(journal.Config{Store: from}).Sync(b.Context())
	must(b, err)
	b.Run("dump", func(b *testing.B) {
		for b.Loop() {
			out, err := os.Create(file)
			must(b, err)
			_, err = dump.Write(b.Context(), from, out, nil)
			must(b, err)
			must(b, out.Close())
		}
		b.ReportMetric(float64(benchLicenses*b.N)/b.Elapsed().Seconds(), "licenses/s")
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			in, err := os.Open(file)
			must(b, err)
			_, err = dump.Load(b.Context(), onDisk(b), in, nil)
			must(b, err)
			must(b, in.Close())
		}
		b.ReportMetric(float64(benchLicenses*b.N)/b.Elapsed().Seconds(), "licenses/s")
	})
}

// licenses gives so many, each with an entry that waits.
func licenses(count int) []storage.Whole {
	all := make([]storage.Whole, count)
	for n := range all {
		c := storagetest.LicenseChange(n)
		c.Record.Version, c.Record.Attempt = 1, c.Attempt
		all[n] = storage.Whole{Stored: storage.Stored{Record: c.Record}, Pending: c.Entries}
	}
	return all
}
