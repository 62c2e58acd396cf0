package licensing_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// reschedule follows what became another, at a time.
func (s *shop) reschedule(t testing.TB, now time.Time, limit int) (next time.Time) {
	t.Helper()
	s.now = now
	return must(s.Reschedule(context.Background(), now, limit))(t)
}

// inUse issues licenses of a plan in use that nobody misses so far.
func (s *shop) inUse(t testing.TB, count int) (ids []string) {
	t.Helper()
	s.issueMany(t, count, nil)
	for _, stored := range s.all(t, storage.License) {
		must(s.NoteFirstUse(context.Background(), stored.ID, noon))(t)
		ids = append(ids, stored.ID)
	}
	return ids
}

// missing changes the plan: who was silent for a day is missed.
func (s *shop) missing(t testing.TB, interval string) {
	t.Helper()
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", CheckInInterval: lasting(interval)}))(t)
}

func (s *shop) planDue(t testing.TB) time.Time {
	t.Helper()
	return s.stored(t, s.pro.ID).Index.Due
}

const margin = 10 * time.Second // in which a use may still be counted

func TestAPlanThatChangesMakesItsLicensesDueAnew(t *testing.T) {
	s := newShop(t)
	used, unused := s.inUse(t, 1)[0], s.issue(t, nil).License.ID()
	s.reschedule(t, noon, 100)
	s.missing(t, "P1D")
	before := s.dump(t)
	if next := s.reschedule(t, noon.Add(59*time.Second), 100); !next.Equal(noon.Add(time.Minute)) {
		t.Errorf("look again at %s: what was decided by the old plan has a minute to be committed", next)
	}
	s.wantUnchanged(t, before)

	if next := s.reschedule(t, noon.Add(time.Minute), 100); !next.IsZero() {
		t.Errorf("look again at %s", next)
	}
	wantDue(t, s, used, noon.Add(aDay+margin))
	wantDue(t, s, unused, noon.AddDate(1, 0, 0).Add(-14*aDay))
	if due := s.planDue(t); !due.IsZero() {
		t.Errorf("the plan is due at %s", due)
	}
	if diff := same(before.Entries, s.dump(t).Entries); diff != "" {
		t.Errorf("to be due sooner is no news: %s", diff)
	}
	entries := s.announceAt(t, noon.Add(aDay+margin))
	if len(entries) != 1 || entries[0].Type != journal.LicenseOverdue {
		t.Errorf("announced: %+v", entries)
	}
}

func TestAChangeOfAPlanThatNothingIsDueByIsFollowedByNothing(t *testing.T) {
	s := newShop(t)
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/pro", Name: ptr("Pro"), MaxMachines: ptr(9)}))(t)
	if due := s.planDue(t); !due.IsZero() {
		t.Errorf("the plan is due at %s", due)
	}
	for _, change := range []licensing.UpdatePlanInput{
		{Grace: lasting("P1D")}, {CheckInInterval: lasting("P1D")}, {Grace: lasting("P2D")},
		{Clear: []licensing.PlanField{licensing.PlanGrace}}, {Clear: []licensing.PlanField{licensing.PlanCheckInInterval}},
	} {
		s.now = s.now.Add(time.Hour)
		change.Plan = "acme/pro"
		must(s.UpdatePlan(as(ada), change))(t)
		if due := s.planDue(t); !due.Equal(s.now.Add(time.Minute)) {
			t.Errorf("after %+v the plan is due at %s", change, due)
		}
	}
}

// A license that was decided by the plan as it was, and committed when that
// was another already.
func TestALicenseThatRacesWithItsPlanIsDueByThePlanAsItIs(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, nil).License.ID()
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if c.Record.Kind == storage.License {
			s.store.commit = nil
			s.missing(t, "P1D")
		}
		return s.store.Commit(ctx, c)
	}
	must(s.NoteFirstUse(context.Background(), id, noon))(t)
	wantDue(t, s, id, noon.AddDate(1, 0, 0).Add(-14*aDay))
	s.reschedule(t, noon.Add(time.Minute), 100)
	wantDue(t, s, id, noon.Add(aDay+margin))
}

// What shows a key sets no due: it leaves that of the record which it read.
func TestALicenseWhoseKeyIsShownDuringARoundIsDueInTime(t *testing.T) {
	s := newShop(t)
	id := s.inUse(t, 1)[0]
	s.reschedule(t, noon, 100)
	s.missing(t, "P1D")
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if c.Record.Kind == storage.License {
			s.store.commit = nil
			must(s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: id, Reason: "asked for"}))(t)
		}
		return s.store.Commit(ctx, c)
	}
	s.reschedule(t, noon.Add(time.Minute), 100)
	wantDue(t, s, id, noon.Add(aDay+margin))
}

// servers gives so many services over the shop's storage.
func (s *shop) servers(count int) (all []*licensing.Service) {
	for range count {
		all = append(all, licensing.New(s.config))
	}
	return all
}

func TestARoundGoesOnWhereItWasLeftByWhicheverServer(t *testing.T) {
	const many, page = 1000, 200
	s := newShop(t)
	ids := s.inUse(t, many)
	s.reschedule(t, noon, 10*many)
	s.missing(t, "P1D")
	at := noon.Add(time.Minute)
	read := 0
	s.store.list = func(ctx context.Context, q storage.Query) (storage.Page, error) {
		found, err := s.store.Model.List(ctx, q)
		if q.Kind == storage.License {
			read += len(found.Records)
		}
		return found, err
	}
	crashes := 0
	for range 2 * many / page {
		server := s.servers(1)[0] // the one before is gone
		must(server.Reschedule(context.Background(), at, page))(t)
		s.store.commit = func(ctx context.Context, c storage.Change) error {
			if c.Record.Kind == storage.Cursor && crashes == 0 {
				crashes++
				return errBroken
			}
			return s.store.Model.Commit(ctx, c)
		}
		if _, err := s.servers(1)[0].Reschedule(context.Background(), at, page); err != nil && crashes != 1 {
			t.Fatal(err)
		}
	}
	s.store.commit = nil
	for _, id := range ids {
		wantDue(t, s, id, noon.Add(aDay+margin))
	}
	if due := s.planDue(t); crashes != 1 || !due.IsZero() {
		t.Errorf("after %d crashes the plan is due at %s", crashes, due)
	}
	if read > many+page {
		t.Errorf("%d licenses were read where there are %d", read, many)
	}
}

func TestARoundBeginsAnewWhereItsPlanChangesMeanwhile(t *testing.T) {
	const many, page = 600, 200
	s := newShop(t)
	ids := s.inUse(t, many)
	s.reschedule(t, noon, 10*many)
	s.missing(t, "P2D")
	s.reschedule(t, noon.Add(time.Minute), page)
	s.missing(t, "P1D")
	s.reschedule(t, noon.Add(time.Minute), 10*many)
	s.reschedule(t, noon.Add(2*time.Minute), 10*many)
	for _, id := range ids {
		wantDue(t, s, id, noon.Add(aDay+margin))
	}
}

func TestARoundBeginsAnewWhereStorageDoesNotKnowItsPlace(t *testing.T) {
	s := newShop(t)
	ids := s.inUse(t, 201)
	s.reschedule(t, noon, 1000)
	s.missing(t, "P1D")
	s.reschedule(t, noon.Add(time.Minute), 200)
	for _, cursor := range s.all(t, storage.Cursor) {
		body := strings.Replace(string(cursor.Body), "model ", "another engine's ", 1)
		cursor.Body = []byte(body)
		if err := s.store.Model.Commit(context.Background(), storage.Change{Record: cursor.Record, Attempt: "dump and load"}); err != nil {
			t.Fatal(err)
		}
	}
	s.reschedule(t, noon.Add(time.Minute), 1000)
	for _, id := range ids {
		wantDue(t, s, id, noon.Add(aDay+margin))
	}
}

func TestNewNoticesMakeAllLicensesDueAnew(t *testing.T) {
	s := newShop(t)
	made := s.issue(t, nil).License
	end := *made.ExpiresAt()
	s.reschedule(t, noon, 100)
	wantDue(t, s, made.ID(), end.Add(-14*aDay))
	s.config.ExpiryNotices = []int{7, 30}
	s.restart(t, oldSecret)
	s.reschedule(t, noon, 100)
	wantDue(t, s, made.ID(), end.Add(-30*aDay))
	n := s.counted(func() { s.reschedule(t, noon, 100) })
	if want := (calls{lists: 2}); n != want {
		t.Errorf("a round that is over costs %+v, want %+v", n, want)
	}
}

// As a version left them that did not announce anything.
func TestLicensesThatWereNeverScheduledAre(t *testing.T) {
	s := newShop(t)
	s.issueMany(t, 450, nil)
	for _, stored := range s.all(t, storage.License) {
		stored.Index.Due = time.Time{}
		if err := s.store.Model.Commit(context.Background(), storage.Change{Record: stored.Record, Attempt: "older"}); err != nil {
			t.Fatal(err)
		}
	}
	s.reschedule(t, noon, 1000)
	for _, stored := range s.all(t, storage.License) {
		wantDue(t, s, stored.ID, noon.AddDate(1, 0, 0).Add(-14*aDay))
	}
}

func TestServersOfDifferentNoticesDoNotGoRoundForEver(t *testing.T) {
	s := newShop(t)
	s.issueMany(t, 450, nil)
	servers := s.servers(1)
	s.config.ExpiryNotices = []int{30}
	servers = append(servers, s.servers(1)...)
	n := s.counted(func() {
		for range 20 {
			for _, server := range servers {
				must(server.Reschedule(context.Background(), noon, 200))(t)
			}
		}
	})
	if most := int64(4 * 450); n.listed > most {
		t.Errorf("%d licenses were read, more than %d", n.listed, most)
	}
}

func TestAPlanThatCannotBeReadKeepsNoOtherWaiting(t *testing.T) {
	s := newShop(t)
	id := s.inUse(t, 1)[0]
	s.plan(t, "acme", "broken")
	s.reschedule(t, noon, 100)
	must(s.UpdatePlan(as(ada), licensing.UpdatePlanInput{Plan: "acme/broken", Grace: lasting("P1D")}))(t)
	s.missing(t, "P1D")
	broken := s.stored(t, license.PlanID(s.acme.ID, "broken"))
	broken.Body = []byte(`{"code":7}`)
	if err := s.store.Model.Commit(context.Background(), storage.Change{Record: broken.Record, Attempt: "broken"}); err != nil {
		t.Fatal(err)
	}
	at := noon.Add(time.Minute)
	if next := s.reschedule(t, at, 100); !next.Equal(at.Add(time.Hour)) {
		t.Errorf("look again at %s", next)
	}
	wantDue(t, s, id, noon.Add(aDay+margin))
	if !strings.Contains(s.log.text.String(), broken.ID) {
		t.Errorf("it is not logged: %s", s.log.text.String())
	}
}
