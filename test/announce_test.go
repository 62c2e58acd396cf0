package test_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
)

// announcements are how often each was made: by type, license and end.
type announcements map[string]int

func announced(what journal.Type, license string, end time.Time) string {
	return fmt.Sprintf("%s of %s, %s", what, license, end.UTC().Format(time.RFC3339Nano))
}

// announcedIn reads what was announced from the journal of a data directory, as
// a third process beside the servers.
func announcedIn(ctx context.Context, data string) (announcements, error) {
	s, err := sqlite.Open(ctx, &url.URL{Scheme: "sqlite", Path: filepath.Join(data, "keywright.db")})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	made := map[string]storage.Entry{} // by id: an entry may be pending and in the log
	pending, err := s.Pending(ctx, 100_000)
	if err != nil {
		return nil, err
	}
	for _, p := range pending {
		made[p.ID] = p.Entry
	}
	logged, err := s.Entries(ctx, storage.EntryQuery{First: 100_000, Filter: storage.EntryFilter{Types: []string{"license.*"}}})
	if err != nil {
		return nil, err
	}
	for _, e := range logged.Entries {
		made[e.ID] = e.Entry
	}
	found := announcements{}
	for _, e := range made {
		entry, err := journal.Decode(e)
		if err != nil {
			return nil, err
		}
		var about struct{ ExpiresAt time.Time }
		if err := json.Unmarshal(entry.Data, &about); err != nil {
			return nil, err
		}
		if entry.Actor == (actor.Actor{Kind: actor.System, ID: "scheduler"}) {
			found[announced(entry.Type, entry.Record(), about.ExpiresAt)]++
		}
	}
	return found, nil
}

// awaitAnnounced waits until all of these were announced, and fails if anything
// else was, or one of them twice.
func awaitAnnounced(t *testing.T, data string, want announcements) {
	t.Helper()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	timeout := time.After(readyWithin)
	for {
		got, err := announcedIn(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) >= len(want) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("announced: %s", diff)
			}
			return
		}
		select {
		case <-poll.C:
		case <-timeout:
			t.Fatalf("announced within %v: %s", readyWithin, cmp.Diff(want, got))
		}
	}
}

// issueUntil issues a license that ends at a time.
func (c client) issueUntil(end time.Time) (string, error) {
	var made struct{ Answer answer }
	input := map[string]any{"plan": "acme/professional", "expiresAt": end.Format(time.RFC3339Nano)}
	err := c.ask(documents["issueLicense"], map[string]any{"input": input}, &made)
	return made.Answer.Record.ID, err
}

// Two servers on one file wait for the same licenses.
func TestTwoServersAnnounceEachLicenseOnce(t *testing.T) {
	openSources(t)
	const many = 60 // for each server
	data := t.TempDir()
	a, b, onA, onB := serveTwo(t, data)
	want := announcements{}
	soon := time.Now().Add(5 * time.Second).Truncate(time.Millisecond)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	// One whose last day begins then, and two of which nothing is told: what is
	// due is suspended and renewed by the other server.
	lastDay, err := onA.issueUntil(soon.AddDate(0, 0, 1))
	do(err)
	want[announced(journal.LicenseExpiring, lastDay, soon.AddDate(0, 0, 1))] = 1
	suspended, err := onA.issueUntil(soon.AddDate(1, 0, 0))
	do(err)
	do(onB.change("suspendLicense", map[string]any{"license": suspended}))
	do(onA.change("updateLicense", map[string]any{"license": suspended, "expiresAt": soon}))
	renewed, err := onA.issueUntil(soon.Add(time.Minute))
	do(err)
	do(onB.change("renewLicense", map[string]any{"license": renewed, "until": soon.AddDate(2, 0, 0)}))

	// As many that end as both servers issue until then.
	ids := make([][]string, 2)
	var issuing errgroup.Group
	for i, on := range []client{onA, onB} {
		issuing.Go(func() error {
			for len(ids[i]) < many && time.Until(soon) > time.Second {
				id, err := on.issueUntil(soon)
				if err != nil {
					return err
				}
				ids[i] = append(ids[i], id)
			}
			return nil
		})
	}
	do(issuing.Wait())
	for _, id := range slices.Concat(ids...) {
		want[announced(journal.LicenseExpired, id, soon)], want[announced(journal.LicenseLapsed, id, soon)] = 1, 1
	}
	awaitAnnounced(t, data, want)
	do(errors.Join(a.stop(), b.stop(), quiet(a), quiet(b)))
	got, err := announcedIn(t.Context(), data)
	do(err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("announced by the end: %s", diff)
	}
}

// change calls an operation of staff.
func (c client) change(operation string, input map[string]any) error {
	name := string(operation[0]-'a'+'A') + operation[1:]
	var data map[string]any
	return c.ask(fmt.Sprintf("mutation($input: %sInput!) { %s(input: $input) { license { id } } }", name, operation),
		map[string]any{"input": input}, &data)
}

// A server that was killed before something was due leaves it to the next.
func TestWhatIsDueOutlivesTheServer(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	first, on := serveDev(t, data)
	end := time.Now().Add(2 * time.Second).Truncate(time.Millisecond)
	id, err := on.issueUntil(end)
	if err != nil {
		t.Fatal(err)
	}
	first.kill()
	second, _ := serveDev(t, data)
	awaitAnnounced(t, data, announcements{announced(journal.LicenseExpired, id, end): 1, announced(journal.LicenseLapsed, id, end): 1})
	if err := errors.Join(second.stop(), quiet(second)); err != nil {
		t.Error(err)
	}
}
