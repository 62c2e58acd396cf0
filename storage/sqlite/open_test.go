package sqlite_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOpenTakesAbsoluteAndRelativePaths(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, text := range []string{"sqlite://" + dir + "/a%20%3F%23.db", "sqlite:b%20%3F%23.db", "sqlite:./c.db"} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), u)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"a ?#.db", "b ?#.db", "c.db"} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", name, info.Mode().Perm())
		}
	}
}

func TestFilesBesideTheDatabaseAreTheOwnersAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	migrated(t, path)
	for _, suffix := range []string{"", "-wal", "-shm", "-turn"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %o, want 600", suffix, info.Mode().Perm())
		}
	}
}

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	for _, text := range []string{
		"sqlite://host" + dir + "/x.db", "sqlite://user:pass@" + dir + "/x.db", "sqlite://" + dir + "/x.db?mode=ro",
		"sqlite://" + dir + "/x.db?", "sqlite://" + dir + "/x.db#part", "sqlite:", "sqlite:///", "sqlite:x.db?cache=shared",
	} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(t.Context(), u)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s was opened", text)
		} else if strings.Contains(err.Error(), "pass") {
			t.Errorf("%s tells the password", err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%v was made", left)
	}
}

func TestOpenSaysUnavailableWithoutThePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "x.db")
	_, err := sqlite.Open(t.Context(), &url.URL{Scheme: "sqlite", Path: path})
	if !fault.Is(err, fault.Unavailable) || strings.Contains(fault.All(err)[0].Message, "missing") {
		t.Fatalf("got %v", err)
	}
}

func TestReadyNamesTheCommandThatAnOlderSchemaNeeds(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keywright.db"))
	unready(t, s, "keywright migrate")
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAForeignDatabaseIsLeftAlone(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "other.db"))
	execute(t, s, "CREATE TABLE theirs (x)")
	if err := s.Migrate(t.Context()); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("Migrate says %v", err)
	}
	unready(t, s, "keywright migrate")
}

func TestAFileThatIsNoDatabaseIsUnavailable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), &url.URL{Scheme: "sqlite", Path: path})
	if err == nil {
		_ = s.Close()
	}
	if !fault.Is(err, fault.Unavailable) {
		t.Fatalf("got %v", err)
	}
}

func unready(t *testing.T, s storage.Store, want string) {
	t.Helper()
	err := s.Ready(t.Context())
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(fault.All(err)[0].Message, want) {
		t.Fatalf("Ready says %v, want %q", err, want)
	}
}

// Processes that start together on a new file find it made once.
func TestManyOpenAndMigrateANewFileAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			s, err := sqlite.Open(t.Context(), &url.URL{Scheme: "sqlite", Path: path})
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = s.Close() }()
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Commit(t.Context(), storagetest.LicenseChange(n)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	entries, err := open(t, path).Pending(t.Context(), 99)
	if err != nil || len(entries) != 8 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
}

func TestACallerWhoLeavesTheQueueIsNotServed(t *testing.T) {
	s := migrated(t, filepath.Join(t.TempDir(), "keywright.db"))
	release := sqlite.Hold(s)
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() { left <- s.Commit(ctx, storagetest.LicenseChange(0)) }()
	for sqlite.Waiting(s) == 0 {
		runtime.Gosched()
	}
	leave()
	if err := <-left; !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v", err)
	}
	release()
	if err := s.Commit(t.Context(), storagetest.LicenseChange(1)); err != nil {
		t.Fatal(err)
	}
	found, err := s.Get(t.Context(), storagetest.LicenseID(0), storagetest.LicenseID(1))
	if err != nil || found[0] != nil || found[1] == nil {
		t.Fatalf("found %v, %v", found, err)
	}
}

func TestCloseWaitsForTheCommitsUnderWay(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keywright.db")
	s := migrated(t, path)
	release := sqlite.Hold(s)
	committed, closed := make(chan error, 1), make(chan error, 1)
	go func() { committed <- s.Commit(t.Context(), storagetest.LicenseChange(0)) }()
	for sqlite.Waiting(s) == 0 {
		runtime.Gosched()
	}
	go func() { closed <- s.Close() }()
	select {
	case err := <-closed:
		t.Fatalf("closed while a commit waits: %v", err)
	default:
	}
	release()
	if err := <-committed; err != nil {
		t.Error(err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
	if found, err := open(t, path).Get(t.Context(), storagetest.LicenseID(0)); err != nil || found[0] == nil {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestTheClockIsTheMachines(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "keywright.db")) // a schema is not needed
	for range 100 {
		before := time.Now().Truncate(time.Millisecond)
		now, err := s.Clock(t.Context())
		if err != nil || now.Before(before) || now.After(time.Now()) {
			t.Fatalf("%v, %v; it was %v before", now, err, before)
		}
	}
}
