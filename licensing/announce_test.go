package licensing_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

const aDay = 24 * time.Hour

var clockwork = actor.Actor{Kind: actor.System, ID: "scheduler"}

// announceAt has what is due at a time announced, and gives the new entries.
func (s *shop) announceAt(t testing.TB, now time.Time) []journal.Entry {
	t.Helper()
	n := len(s.entries(t, 0))
	s.now = now
	must(s.Announce(context.Background(), now, 100_000))(t)
	return s.entries(t, n)
}

// due gives when a license is due.
func (s *shop) due(t testing.TB, id string) time.Time {
	t.Helper()
	return s.stored(t, id).Index.Due
}

func wantDue(t testing.TB, s *shop, id string, want time.Time) {
	t.Helper()
	if got := s.due(t, id); !got.Equal(want) {
		t.Errorf("due at %v, want %v", got, want)
	}
}

// watched makes a plan of a year with grace and check-in.
func (s *shop) watched(t testing.TB) {
	t.Helper()
	in := planOf("acme", "watched")
	in.Grace, in.CheckInInterval = lasting("P10D"), lasting("P30D")
	must(s.CreatePlan(as(ada), in))(t)
}

func ofWatched(in *licensing.IssueLicenseInput) { in.Plan = "acme/watched" }

func TestWhatTheClockMakesOfALicenseIsInTheJournal(t *testing.T) {
	s := newShop(t)
	s.watched(t)
	id := s.issue(t, ofWatched).License.ID()
	must(s.NoteFirstUse(context.Background(), id, noon))(t)
	was := must(s.License(as(ada), &id, nil))(t)
	end := *was.ExpiresAt()
	use(t, s, id, end.Add(-31*aDay))
	for _, step := range []struct {
		at   time.Time
		want journal.Type
		data string
	}{
		{end.Add(-14 * aDay), journal.LicenseExpiring, `{"daysLeft":14,"expiresAt":"2027-11-21T12:00:00Z"}`},
		{end.Add(-7 * aDay), journal.LicenseExpiring, `{"daysLeft":7,"expiresAt":"2027-11-21T12:00:00Z"}`},
		{end.Add(-aDay), journal.LicenseExpiring, `{"daysLeft":1,"expiresAt":"2027-11-21T12:00:00Z"}`},
		{end.Add(-aDay + time.Minute), journal.LicenseOverdue, `{"checkInInterval":"P30D","lastSeenAt":"2027-10-21T12:00:00Z"}`},
		{end, journal.LicenseExpired, `{"expiresAt":"2027-11-21T12:00:00Z"}`},
		{end.Add(10 * aDay), journal.LicenseLapsed, `{"expiresAt":"2027-11-21T12:00:00Z","graceUntil":"2027-12-01T12:00:00Z"}`},
	} {
		entries := s.announceAt(t, step.at)
		if len(entries) != 1 {
			t.Fatalf("at %s there are %+v", step.at, entries)
		}
		want := accounted{step.want, clockwork, id, s.acme.ID, nil}
		if diff := same(want, account(entries[0])); diff != "" || string(entries[0].Data) != step.data {
			t.Errorf("%s, with the data %s", diff, entries[0].Data)
		}
		s.wantTrue(t, entries[0])
		if again := s.announceAt(t, step.at.Add(time.Second)); len(again) != 0 {
			t.Errorf("announced again: %+v", again)
		}
	}
	wantDue(t, s, id, time.Time{})
	is := must(s.License(as(ada), &id, nil))(t)
	if is.Revision() != was.Revision() || !is.UpdatedAt().Equal(was.UpdatedAt()) {
		t.Errorf("staff changed nothing, and it is revision %d of %s", is.Revision(), is.UpdatedAt())
	}
}

// use counts a use of a license.
func use(t testing.TB, s *shop, id string, at time.Time) {
	t.Helper()
	if err := s.store.AddUsage(context.Background(), []storage.UsageDelta{{Record: id, Day: storage.DayOf(at), Valid: 1, Last: at}}); err != nil {
		t.Fatal(err)
	}
}

func TestALicenseInUseIsDueLaterWithoutAnEntry(t *testing.T) {
	s := newShop(t)
	s.watched(t)
	id := s.issue(t, ofWatched).License.ID()
	wantDue(t, s, id, noon.AddDate(1, 0, 0).Add(-14*aDay))
	must(s.NoteFirstUse(context.Background(), id, noon))(t)
	first := noon.Add(30*aDay + 10*time.Second)
	wantDue(t, s, id, noon.Add(30*aDay+10*time.Second))
	use(t, s, id, noon.Add(20*aDay))
	before := s.stored(t, id)
	if entries := s.announceAt(t, first); len(entries) != 0 {
		t.Errorf("it is in use, and announced: %+v", entries)
	}
	wantDue(t, s, id, noon.Add(50*aDay+10*time.Second))
	after := s.stored(t, id)
	before.Version, before.Attempt, before.Index.Due = after.Version, after.Attempt, after.Index.Due
	if diff := same(before, after); diff != "" {
		t.Errorf("more has changed: %s", diff)
	}
}

func TestNoticesAreThoseThatAreConfigured(t *testing.T) {
	for _, notices := range [][]int{{3, 30}, {}} {
		s := newShop(t)
		s.config.ExpiryNotices = notices
		s.restart(t, oldSecret)
		end := *s.issue(t, nil).License.ExpiresAt()
		var got []int
		for left := 40; left > 0; left-- {
			for range s.announceAt(t, end.Add(-time.Duration(left)*aDay)) {
				got = append(got, left)
			}
		}
		if want := fmt.Sprint(reversed(notices)); fmt.Sprint(got) != want {
			t.Errorf("announced %v days before, want %s", got, want)
		}
	}
}

func reversed(all []int) (back []int) {
	for i := range all {
		back = append(back, all[len(all)-1-i])
	}
	return back
}

// What the caller is told to wait for, and what is not.
func TestAnnounceSaysWhenToLookAgain(t *testing.T) {
	s := newShop(t)
	look := func(now time.Time, limit int, want time.Time) {
		t.Helper()
		if next := must(s.Announce(context.Background(), now, limit))(t); !next.Equal(want) {
			t.Errorf("look again at %s, want %s", next, want)
		}
	}
	look(noon, 10, time.Time{})
	sooner, later := s.issue(t, nil).License, s.issue(t, func(in *licensing.IssueLicenseInput) {
		in.ExpiresAt = ptr(noon.AddDate(2, 0, 0))
	}).License
	first := sooner.ExpiresAt().Add(-14 * aDay)
	look(noon, 10, first)
	look(first, 1, sooner.ExpiresAt().Add(-7*aDay)) // there is no more
	at := later.ExpiresAt().Add(-14 * aDay)         // both are due
	look(at, 1, at)
	look(at, 10, later.ExpiresAt().Add(-7*aDay))
}

func TestASuspendedLicenseIsNotDueAndGoesOnWhereItStands(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil).License
	id, end := made.ID(), *made.ExpiresAt()
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
	wantDue(t, s, id, time.Time{})
	if entries := s.announceAt(t, end.Add(-6*aDay)); len(entries) != 0 {
		t.Errorf("announced: %+v", entries)
	}
	must(s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id}))(t)
	entries := s.announceAt(t, end.Add(-6*aDay))
	if len(entries) != 1 || !strings.Contains(string(entries[0].Data), `"daysLeft":6`) {
		t.Errorf("it goes on with %+v", entries)
	}
}

// A broken record is nobody else's concern, and does not come again at once.
func TestWhatCannotBeAnnouncedIsPutOffAndKeepsNobodyWaiting(t *testing.T) {
	s := newShop(t)
	end := noon.AddDate(1, 0, 0)
	good := s.issue(t, nil).License.ID()
	for name, breakIt := range map[string]func(*storage.Record){
		"a body that is none": func(r *storage.Record) { r.Body = []byte(`{"keys":7}`) },
		"a plan that is gone": func(r *storage.Record) { r.Index.Plan = "plan_gone" },
	} {
		record := s.stored(t, s.issue(t, nil).License.ID()).Record
		breakIt(&record)
		if err := s.store.Model.Commit(context.Background(), storage.Change{Record: record, Attempt: name}); err != nil {
			t.Fatal(err)
		}
	}
	at := end.Add(-aDay)
	if entries := s.announceAt(t, at); len(entries) != 1 || entries[0].Subject != good {
		t.Errorf("announced: %+v", entries)
	}
	if logged := strings.Count(s.log.text.String(), "a license cannot be announced"); logged != 2 {
		t.Errorf("logged %d times: %s", logged, s.log.text.String())
	}
	calls := s.counted(func() {
		if next := must(s.Announce(context.Background(), at, 10))(t); !next.Equal(at.Add(time.Hour)) {
			t.Errorf("look again at %s, want an hour later", next)
		}
	})
	if calls.commits != 0 || calls.gets != 0 {
		t.Errorf("it was tried again at once: %+v", calls)
	}
	if entries := s.announceAt(t, end.Add(-aDay+time.Hour)); len(entries) != 0 {
		t.Errorf("announced: %+v", entries)
	}
	if logged := strings.Count(s.log.text.String(), "a license cannot be announced"); logged != 4 {
		t.Errorf("logged %d times in two tries of two", logged)
	}
}

// calls counts what storage is asked for.
type calls struct{ lists, gets, commits, listed int64 }

// counted counts the calls of what run does.
func (s *shop) counted(run func()) calls {
	var n calls
	commit, get, list := s.store.commit, s.store.get, s.store.list
	defer func() { s.store.commit, s.store.get, s.store.list = commit, get, list }()
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		atomic.AddInt64(&n.commits, 1)
		return s.store.Model.Commit(ctx, c)
	}
	s.store.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
		atomic.AddInt64(&n.gets, 1)
		return s.store.Model.Get(ctx, ids...)
	}
	s.store.list = func(ctx context.Context, q storage.Query) (storage.Page, error) {
		atomic.AddInt64(&n.lists, 1)
		page, err := s.store.Model.List(ctx, q)
		atomic.AddInt64(&n.listed, int64(len(page.Records)))
		return page, err
	}
	run()
	return n
}

// issueMany issues licenses in batches.
func (s *shop) issueMany(t testing.TB, count int, change func(*licensing.IssueLicenseInput)) {
	t.Helper()
	s.store.bulk = true
	for count > 0 {
		batch := make([]licensing.IssueLicenseInput, min(count, licensing.MaxBatch))
		for i := range batch {
			batch[i] = proLicense(change)
		}
		if got := must(s.IssueLicenses(as(ada), licensing.IssueLicensesInput{Licenses: batch}))(t); got.Failed > 0 {
			t.Fatalf("%d were not issued", got.Failed)
		}
		count -= len(batch)
	}
}

func TestTenThousandThatAreDueAtOnceCostOneCommitEachAndOneReadOfTheirPlan(t *testing.T) {
	const many = 10_000
	s := newShop(t)
	s.issueMany(t, many, nil)
	at := noon.AddDate(1, 0, 0).Add(-14 * aDay)
	n := s.counted(func() {
		next := must(s.Announce(context.Background(), at, 1_000_000))(t)
		if want := at.Add(7 * aDay); !next.Equal(want) {
			t.Errorf("look again at %s, want %s", next, want)
		}
	})
	if want := (calls{lists: many/200 + 1, gets: 1, commits: many, listed: many + 1}); n != want {
		t.Errorf("cost %+v, want %+v", n, want)
	}
	s.wantNews(t, map[string]int{"license.expiring": many})
}

func TestNothingIsReadThatIsNotDue(t *testing.T) {
	s := newShop(t)
	s.issueMany(t, 1000, nil)
	n := s.counted(func() { must(s.Announce(context.Background(), noon, 1_000_000))(t) })
	if want := (calls{lists: 2, listed: 1}); n != want {
		t.Errorf("cost %+v, want %+v", n, want)
	}
}

// wantNews fails unless the journal has so many announcements of each type, and
// none of them twice.
func (s *shop) wantNews(t testing.TB, want map[string]int) {
	t.Helper()
	got, seen := map[string]int{}, map[string]bool{}
	for _, e := range s.entries(t, 0) {
		if e.Actor != clockwork {
			continue
		}
		got[string(e.Type)]++
		about := fmt.Sprint(e.Type, e.Subject, string(e.Data))
		if seen[about] {
			t.Errorf("announced twice: %s", about)
		}
		seen[about] = true
	}
	if diff := same(want, got); diff != "" {
		t.Errorf("announced: %s", diff)
	}
}

func TestAnnouncingStopsWhereStorageIsDown(t *testing.T) {
	s := newShop(t)
	s.issueMany(t, 3, nil)
	at := noon.AddDate(1, 0, 0)
	before := s.dump(t)
	s.store.commit = func(context.Context, storage.Change) error { return errBroken }
	_, err := s.Announce(context.Background(), at, 10)
	wantCode(t, err, fault.Unavailable)
	s.store.list = func(context.Context, storage.Query) (storage.Page, error) { return storage.Page{}, errBroken }
	_, err = s.Announce(context.Background(), at, 10)
	wantCode(t, err, fault.Unavailable)
	s.store.commit, s.store.list = nil, nil
	s.wantUnchanged(t, before)
}

// What lies in storage names nobody and shows no key.
func TestWhatWasAnnouncedIsNotedAndNothingIsWhereNothingWas(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil).License
	noted := func() string {
		var body struct{ Announced json.RawMessage }
		if err := json.Unmarshal(s.stored(t, made.ID()).Body, &body); err != nil {
			t.Fatal(err)
		}
		return string(body.Announced)
	}
	if got := noted(); got != "" {
		t.Errorf("nothing was announced, and there is %s", got)
	}
	s.announceAt(t, made.ExpiresAt().Add(-14*aDay))
	if got, want := noted(), `{"end":"2027-11-21T12:00:00Z","days":14}`; got != want {
		t.Errorf("%s is noted, want %s", got, want)
	}
	if got := must(s.License(as(ada), ptr(made.ID()), nil))(t); got.Status() != license.StatusActive {
		t.Errorf("it is %s", got.Status())
	}
}
