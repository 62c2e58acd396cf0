package licensing_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// liveShop is a shop whose log runs until the test ends, by a clock of its own.
func liveShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.run(t)
	return s
}

func (s *shop) run(t *testing.T) {
	t.Helper()
	log := journal.NewLog(journal.Config{Store: s.store})
	s.config.Journal = log
	s.restart(t, oldSecret)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { log.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// watch begins to watch as ada, behind what there is.
func (s *shop) watch(t testing.TB, filter *licensing.EventFilter) *licensing.EventWatch {
	t.Helper()
	return must(s.WatchEvents(as(ada), filter, nil))(t)
}

// next gives the next event of a watch, which must come.
func next(t testing.TB, w *licensing.EventWatch) *licensing.EventView {
	t.Helper()
	ctx, cancel := context.WithTimeout(as(ada), time.Minute)
	defer cancel()
	return must(w.Next(ctx))(t)
}

// wantNext fails unless the next event is about this.
func wantNext(t testing.TB, w *licensing.EventWatch, subject string) {
	t.Helper()
	if e := next(t, w); *e.Subject() != subject {
		t.Errorf("the next event is %s of %s, want that of %s", e.Type(), *e.Subject(), subject)
	}
}

// wantQuiet fails if a watch has an event.
func wantQuiet(t testing.TB, w *licensing.EventWatch) {
	t.Helper()
	ctx, cancel := context.WithTimeout(as(ada), time.Second)
	defer cancel()
	if e, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%+v, %v", e, err)
	}
}

func TestAWatchBeginsBehindWhatWasCommittedBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := liveShop(t)
		s.issue(t, nil)
		w := s.watch(t, nil)
		wantQuiet(t, w)
		wantNext(t, w, s.issue(t, nil).License.ID())
		wantQuiet(t, w)
	})
}

func TestAWatchMissesNothingAndRepeatsNothingWhereverItGoesOn(t *testing.T) {
	s := liveShop(t)
	const writers, each = 4, 20
	w := s.watch(t, &licensing.EventFilter{Types: []string{"license.*"}})
	var committing sync.WaitGroup
	for range writers {
		committing.Go(func() {
			for range each {
				if _, err := s.IssueLicense(as(ada), proLicense(nil)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	last := int64(-1)
	for i := range writers * each {
		e := next(t, w)
		if seen[*e.Subject()] || e.Index <= last {
			t.Fatalf("%s of %s at %d comes after %d", e.Type(), *e.Subject(), e.Index, last)
		}
		seen[*e.Subject()], last = true, e.Index
		if i%7 == 0 { // the connection breaks
			cursor := e.Cursor()
			w = must(s.WatchEvents(as(ada), &licensing.EventFilter{Types: []string{"license.*"}}, &cursor))(t)
		}
	}
	committing.Wait()
	if got := len(s.all(t, storage.License)); got != len(seen) {
		t.Errorf("%d licenses, %d events", got, len(seen))
	}
}

func TestAWatchGoesOnFromACursorThatWasGivenOutAndNoOther(t *testing.T) {
	s := newShop(t)
	first := s.events(t, ada, nil)[0].Cursor()
	w := must(s.WatchEvents(as(ada), nil, &first))(t)
	wantNext(t, w, s.pro.ID)
	for _, bad := range []string{"", "x", s.config.Journal.CursorAt(2)} {
		_, err := s.WatchEvents(as(ada), nil, &bad)
		wantFields(t, err, "after")
	}
}

func TestAWatchIsNarrowedByItsFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := liveShop(t)
		watched, other := s.issue(t, nil), s.issue(t, nil)
		w := s.watch(t, &licensing.EventFilter{License: ptr(watched.License.ID()), Product: ptr("acme"), Types: []string{"license.suspended"}, Actor: &ben.ID})
		for _, id := range []string{watched.License.ID(), other.License.ID()} {
			must(s.SuspendLicense(as(ben), licensing.SuspendLicenseInput{License: id}))(t)
			must(s.ReinstateLicense(as(ben), licensing.ReinstateLicenseInput{License: id}))(t)
			must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
		}
		wantNext(t, w, watched.License.ID())
		wantQuiet(t, w)
	})
}

func TestAWatchIsJudgedAgainForEachEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newLiveAcmeShop(t)
		var sees atomic.Pointer[authz.Scope]
		s.policy.scope = func(a actor.Actor, _ authz.Action) authz.Scope {
			if a == ada {
				return *sees.Load()
			}
			return authz.AllProducts()
		}
		allow := func(scope authz.Scope) { sees.Store(&scope) }
		issue := func(plan string) string {
			return must(s.IssueLicense(as(ben), licensing.IssueLicenseInput{Plan: plan}))(t).License.ID()
		}
		allow(authz.Products("acme"))
		w := s.watch(t, nil)
		one := s.watch(t, &licensing.EventFilter{Product: ptr("acme")})
		issue("other/pro")
		wantNext(t, w, issue("acme/pro"))

		allow(authz.Products("other"))
		issue("acme/pro")
		wantQuiet(t, w)
		wantNext(t, w, issue("other/pro"))

		allow(authz.Products("acme", "other"))
		wantNext(t, w, issue("other/pro"))
		wantNext(t, w, issue("acme/pro"))
		s.commitEntry(t, "pol_1")
		issue("other/pro")
		next(t, w)

		allow(authz.AllProducts())
		for range 3 { // all that it could not see on the way, of one product alone
			if e := next(t, one); *e.ProductID() != s.acme.ID {
				t.Errorf("of another product: %+v", e.Entry)
			}
		}
		wantQuiet(t, one)

		allow(authz.Scope{})
		issue("acme/pro")
		for _, ended := range []*licensing.EventWatch{w, one} {
			_, err := ended.Next(as(ada))
			wantDenied(t, err, authz.EventRead)
		}
	})
}

func newLiveAcmeShop(t *testing.T) *acmeShop {
	t.Helper()
	s := &acmeShop{shop: liveShop(t)}
	s.product(t, "other", "OTHER")
	s.others = s.plan(t, "other", "pro")
	return s
}

func TestAWatchToWhichNothingHappensEndsSoonAfterItsPermission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := liveShop(t)
		w := s.watch(t, nil)
		began := time.Now()
		s.policy.allow(nil)
		_, err := w.Next(as(ada))
		wantDenied(t, err, authz.EventRead)
		if took := time.Since(began); took > 45*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		w := s.watch(t, nil)
		ctx, cancel := context.WithTimeout(as(ada), time.Hour)
		defer cancel()
		if e, err := w.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, %v", e, err)
		}
	})
}

// failing has the journal's methods fail from now on, or not, and counts their
// calls.
type failing struct{ down, asked atomic.Int64 }

func (f *failing) call() error {
	f.asked.Add(1)
	if f.down.Load() > 0 {
		return fault.Errorf(fault.Unavailable, "storage is unavailable")
	}
	return nil
}

func TestAWatchWaitsOutAStorageThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		var storage failing
		s.store.broken = storage.call
		s.run(t)
		w := s.watch(t, nil)
		storage.down.Store(1)
		id := s.issue(t, nil).License.ID()
		time.AfterFunc(10*time.Minute, func() { storage.down.Store(0) })
		ctx, cancel := context.WithTimeout(as(ada), time.Hour)
		defer cancel()
		if e := must(w.Next(ctx))(t); *e.Subject() != id {
			t.Errorf("%+v", e.Entry)
		}
	})
}

// What lies far behind is read from storage by the watch itself.
func TestAWatchThatIsBehindAsksAStorageThatFailsSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t)
		first := s.events(t, ada, nil)[0].Cursor()
		for range 3 {
			s.issue(t, nil)
			s.events(t, ada, nil)
		}
		s.config.Journal = journal.NewLog(journal.Config{Store: s.store}) // a server that starts
		s.restart(t, oldSecret)
		w := must(s.WatchEvents(as(ada), nil, &first))(t)
		var storage failing
		s.store.broken = storage.call
		storage.down.Store(1)
		time.AfterFunc(10*time.Minute, func() { storage.down.Store(0) })
		ctx, cancel := context.WithTimeout(as(ada), time.Hour)
		defer cancel()
		if e := must(w.Next(ctx))(t); *e.Subject() != s.pro.ID {
			t.Errorf("%+v", e.Entry)
		}
		if n := storage.asked.Load(); n < 100 || n > 400 {
			t.Errorf("storage was asked %d times in 10 minutes", n)
		}
	})
}

func TestAWatchPassesOverAnEntryThatCannotBeDecoded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := liveShop(t)
		w := s.watch(t, nil)
		s.commitStored(t, "rec_1", storage.Entry{ID: "evt_1", Type: "license.created", Actor: "x", Subjects: []string{"rec_1"}, Body: []byte(`{"id":"evt_1"}`)})
		id := s.issue(t, nil).License.ID()
		wantNext(t, w, id)
		if log := s.log.String(); strings.Count(log, "an entry of the journal cannot be read") != 1 {
			t.Errorf("the log is %s", log)
		}
	})
}

// counting counts the readings of each record by Get.
func (s *shop) counting() (reads func(id string) int) {
	var mu sync.Mutex
	count := map[string]int{}
	s.store.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
		mu.Lock()
		for _, id := range ids {
			count[id]++
		}
		mu.Unlock()
		return s.store.Model.Get(ctx, ids...)
	}
	return func(id string) int {
		mu.Lock()
		defer mu.Unlock()
		return count[id]
	}
}

func TestWatchesShareTheReadingOfARecord(t *testing.T) {
	s := liveShop(t)
	watches := make([]*licensing.EventWatch, 50)
	for i := range watches {
		watches[i] = s.watch(t, nil)
	}
	id := s.issue(t, ofAda).License.ID()
	reads := s.counting()
	var showing sync.WaitGroup
	for _, w := range watches {
		showing.Go(func() {
			e := next(t, w)
			l, bad := s.EventLicense(as(ada), e)
			data, worse := s.EventData(as(ada), e)
			if bad != nil || worse != nil || l.ID() != id || len(data) == 0 {
				t.Errorf("%v, %v, %v", l, bad, worse)
			}
		})
	}
	showing.Wait()
	for _, read := range []string{id, s.pro.ID, s.acme.ID} {
		if n := reads(read); n != 1 {
			t.Errorf("%s was read %d times", read, n)
		}
	}
}

// At each step an event is shown that has been shown before, and its license
// is as it is then.
func TestASharedReadingIsNoOlderThanItMayBe(t *testing.T) {
	s := liveShop(t)
	w := s.watch(t, nil)
	id := s.issue(t, ofAda).License.ID()
	issued := next(t, w)
	license := func(e *licensing.EventView) *licensing.LicenseView { return must(s.EventLicense(as(ada), e))(t) }
	data := func(e *licensing.EventView) string { return string(must(s.EventData(as(ada), e))(t)) }
	if license(issued).Customer() == nil || !strings.Contains(data(issued), "Lovelace") {
		t.Errorf("the license was issued to nobody: %s", data(issued))
	}

	must(s.EraseCustomer(as(ada), licensing.EraseCustomerInput{License: &id}))(t) // here
	if license(issued).Customer() != nil || strings.Contains(data(issued), "Lovelace") {
		t.Errorf("a customer is shown who was erased: %s", data(issued))
	}

	other := licensing.New(s.config) // elsewhere
	must(other.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
	next(t, w)
	if suspended := next(t, w); license(suspended).Status() != "SUSPENDED" {
		t.Errorf("at %s the license is %s", suspended.Type(), license(suspended).Status())
	}

	must(other.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: id}))(t)
	s.now = s.now.Add(licensing.GlanceLife)
	if got := license(issued).Status(); got != "ACTIVE" {
		t.Errorf("the license that was reinstated is %s", got)
	}
}

func TestAReadingThatFailedIsNotShared(t *testing.T) {
	s := liveShop(t)
	w := s.watch(t, nil)
	s.issue(t, nil)
	e := next(t, w)
	s.store.get = func(context.Context, ...string) ([]*storage.Stored, error) {
		return nil, fault.Errorf(fault.Unavailable, "storage is unavailable")
	}
	_, err := s.EventLicense(as(ada), e)
	wantCode(t, err, fault.Unavailable)
	s.store.get = nil
	must(s.EventLicense(as(ada), e))(t)
}

func TestWhatIsSharedIsBounded(t *testing.T) {
	s := liveShop(t)
	w := s.watch(t, nil)
	var last *licensing.EventView
	for i := range 3 * licensing.MaxGlances {
		s.issue(t, func(in *licensing.IssueLicenseInput) { in.ExternalID = ptr(fmt.Sprint(i)) })
		last = next(t, w)
		must(s.EventLicense(as(ada), last))(t)
		if n := licensing.Glances(s.Service); n > licensing.MaxGlances {
			t.Fatalf("%d readings are kept", n)
		}
	}
	s.now = s.now.Add(licensing.GlanceLife)
	must(s.EventLicense(as(ada), last))(t)
	if n := licensing.Glances(s.Service); n != 1 {
		t.Errorf("%d readings are kept, one of which is good", n)
	}
}
