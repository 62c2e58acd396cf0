package storagetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// copierClause is a clause about copies of s, which copied opens.
type copierClause = clauseOf[func(t testing.TB, s storage.Store, copied func(file string) storage.Store)]

// copierClauses hold of a driver that is a Copier.
var copierClauses = []copierClause{
	{"CopiesAllIntoAFileOfItsOwnersThatIsAStore", func(t testing.TB, s storage.Store, copied func(file string) storage.Store) {
		m := NewModel()
		fillBoth(t, s, m)
		appended(t, s, block(0, 40))
		want, file := dump(t, s, 99), filepath.Join(t.TempDir(), "copy")
		must(t, offered[storage.Copier](t, s).CopyTo(t.Context(), file))
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("its mode is %s", info.Mode())
		}
		c := copied(file)
		must(t, c.Ready(t.Context()))
		equal(t, dump(t, c, 99), want)
		logIs(t, c, block(0, 40))
		likeTheRest(t, c)
		equal(t, dump(t, s, 99), want) // the copy is another
	}},
	{"CopiesWhatTheStoreHoldsAtOneMoment", func(t testing.TB, s storage.Store, copied func(file string) storage.Store) {
		load(t, s, manyWholes(1_000))
		ctx, stop := context.WithCancel(t.Context())
		var callers, begun sync.WaitGroup
		var acknowledged, tried [4]atomic.Int64
		begun.Add(len(tried))
		for caller := range tried {
			callers.Go(func() {
				for n := int64(0); ctx.Err() == nil; n++ {
					tried[caller].Store(n + 1)
					if err := s.Commit(ctx, copiedChange(caller, n)); err != nil && ctx.Err() == nil {
						t.Error(err)
					} else if err == nil {
						acknowledged[caller].Store(n + 1)
					}
					if n == 9 {
						begun.Done()
					}
				}
			})
		}
		begun.Wait()
		var before [len(tried)]int64
		for caller := range tried {
			before[caller] = acknowledged[caller].Load()
		}
		file := filepath.Join(t.TempDir(), "copy")
		err := offered[storage.Copier](t, s).CopyTo(t.Context(), file)
		stop()
		callers.Wait()
		must(t, err)
		c := copied(file)
		for caller := range tried { // who commits one after the other
			there := before[caller]
			for n := range tried[caller].Load() {
				want := copiedChange(caller, n)
				found, err := c.Get(t.Context(), want.Record.ID)
				must(t, err)
				switch r := found[0]; {
				case r == nil && n < before[caller]:
					t.Fatalf("%s was acknowledged before and is missing", want.Record.ID)
				case r != nil && n > there:
					t.Fatalf("%s is there, and one that was acknowledged before it is not", want.Record.ID)
				case r != nil:
					equal(t, r.Seats, want.Put)
					there = n + 1
				}
			}
		}
	}},
	{"OverwritesNothing", func(t testing.TB, s storage.Store, _ func(file string) storage.Store) {
		dir := t.TempDir()
		file := filepath.Join(dir, "other")
		must(t, os.WriteFile(file, []byte("precious"), 0o600))
		refused(t, offered[storage.Copier](t, s).CopyTo(t.Context(), file), fault.Conflict)
		has, err := os.ReadFile(file)
		must(t, err)
		equal(t, string(has), "precious")
		filesAre(t, dir, "other")
	}},
	{"LeavesNothingAfterAnError", func(t testing.TB, s storage.Store, _ func(file string) storage.Store) {
		copier, dir := offered[storage.Copier](t, s), t.TempDir()
		refused(t, copier.CopyTo(ended(t), filepath.Join(dir, "copy")), fault.Unavailable)
		refused(t, copier.CopyTo(t.Context(), filepath.Join(dir, "none", "copy")), fault.Unavailable)
		must(t, s.Close())
		refused(t, copier.CopyTo(t.Context(), filepath.Join(dir, "copy")), fault.Unavailable)
		filesAre(t, dir)
	}},
}

// copiedChange is what a caller commits as its number n: a license with a seat
// and an entry.
func copiedChange(caller int, n int64) storage.Change {
	id := fmt.Sprintf("lic_%d_%d", caller, n)
	c := change(license(id))
	c.Put, c.Entries = []storage.Seat{seat("act_a", second(1))}, []storage.Entry{entry("evt " + id)}
	return c
}

// filesAre fails unless a directory has these files, and no other.
func filesAre(t testing.TB, dir string, want ...string) {
	t.Helper()
	there, err := os.ReadDir(dir)
	must(t, err)
	var got []string
	for _, entry := range there {
		got = append(got, entry.Name())
	}
	equal(t, got, want)
}
