package test_test

import (
	"errors"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/keywright/keywright/storage/sqlite"
)

// enoughIssued is how many licenses there are before a backup begins.
const enoughIssued = 100

// issued are the licenses that were acknowledged so far.
type issued struct {
	enough chan struct{} // closed once there are so many

	idsMu sync.Mutex
	ids   []string
}

func (i *issued) add(id string) {
	i.idsMu.Lock()
	defer i.idsMu.Unlock()
	if i.ids = append(i.ids, id); len(i.ids) == enoughIssued {
		close(i.enough)
	}
}

func (i *issued) all() []string {
	i.idsMu.Lock()
	defer i.idsMu.Unlock()
	return slices.Clone(i.ids)
}

func TestABackupUnderLoadVerifiesAndHasAllThatWasAcknowledged(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	server, c := serveDev(t, data)
	stopAfter(t, server)
	done := issued{enough: make(chan struct{})}
	end := make(chan struct{})
	var callers sync.WaitGroup
	defer callers.Wait()
	for range 4 {
		callers.Go(func() {
			for !isClosed(end) {
				var answer struct {
					IssueLicense struct{ License struct{ ID string } }
				}
				if err := c.ask(`mutation { issueLicense(input: {plan: "acme/professional"}) { license { id } } }`, nil, &answer); err != nil {
					t.Error(err)
					return
				}
				done.add(answer.IssueLicense.License.ID)
			}
		})
	}
	select {
	case <-done.enough:
	case <-time.After(readyWithin):
	}
	before := done.all()
	file := filepath.Join(data, "copy.db")
	_, stderr, err := keywright(t, data, "backup", file)
	after := len(done.all())
	close(end)
	if err != nil || stderr != "" {
		t.Fatalf("backup: %v\n%s", err, stderr)
	}
	if len(before) < enoughIssued || after == len(before) {
		t.Errorf("%d licenses before the backup, and %d after it", len(before), after)
	}
	if _, stderr, err := keywright(t, data, "journal", "verify", "--records", "--storage=sqlite://"+file); err != nil {
		t.Errorf("journal verify: %v\n%s", err, stderr)
	}
	if err := has(t, file, before); err != nil {
		t.Error(err)
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// has fails unless a SQLite file has records of all of these ids.
func has(t *testing.T, file string, ids []string) error {
	t.Helper()
	s, err := sqlite.Open(t.Context(), &url.URL{Path: file})
	if err != nil {
		return err
	}
	found, err := s.Get(t.Context(), ids...)
	if err == nil && slices.Contains(found, nil) {
		err = errors.New("a license that was acknowledged is not in the file")
	}
	return errors.Join(err, s.Close())
}
