package sqlite_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/keywright/keywright/storage/storagetest"
)

var figures = flag.Int("figures", 0, "measure a store of so many licenses")

func TestFigures(t *testing.T) {
	if *figures == 0 {
		t.Skip("-figures=N measures")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "keywright.db")
	s := migrated(t, path)
	ctx := t.Context()
	size := *figures
	fsync, err := storagetest.MeasureFsync(ctx, dir, 2000)
	t.Log(fsync, err)
	start := time.Now()
	if err := storagetest.Fill(ctx, s, 0, size, os.Getenv("ENTRIES") != ""); err != nil {
		t.Fatal(err)
	}
	t.Logf("filled at %.0f/s", float64(size)/time.Since(start).Seconds())
	_ = s.Close()
	info, _ := os.Stat(path)
	t.Logf("%d MB", info.Size()/1e6)
	s = open(t, path)
	for _, callers := range []int{1, 32} {
		f, err := storagetest.MeasureGet(ctx, s, size, callers, 20000)
		t.Log(f, err)
	}
	next := size
	for _, callers := range []int{1, 32} {
		n := 3000 * (1 + callers/4)
		f, err := storagetest.MeasureCommit(ctx, s, next, callers, n)
		next += n
		t.Log(f, err)
		wal, _ := os.Stat(path + "-wal")
		t.Logf("WAL %d KB", wal.Size()/1000)
	}
	lists, err := storagetest.MeasureLists(ctx, s, size, 400)
	for _, f := range lists {
		t.Log(f)
	}
	t.Log(err)
}
