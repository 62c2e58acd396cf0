package licensing_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// clockShop is a shop that goes by the clock of a bubble.
func clockShop(t *testing.T) *shop {
	t.Helper()
	s := newShop(t)
	s.config.Now = time.Now
	s.restart(t, oldSecret)
	return s
}

// schedule runs a scheduler of a service until end is called.
func (s *shop) schedule(t *testing.T, of *licensing.Service) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		(&licensing.Scheduler{Licensing: of}).Run(ctx)
	}()
	return func() {
		cancel()
		<-ended
	}
}

// endingIn issues a license that ends after a time.
func (s *shop) endingIn(t testing.TB, d time.Duration) string {
	t.Helper()
	return s.issue(t, func(in *licensing.IssueLicenseInput) { in.ExpiresAt = ptr(time.Now().Add(d)) }).License.ID()
}

// news gives the types of what was announced so far.
func (s *shop) news(t testing.TB) string {
	t.Helper()
	var all []string
	for _, e := range s.entries(t, 0) {
		if e.Actor == clockwork {
			all = append(all, strings.TrimPrefix(string(e.Type), "license."))
		}
	}
	return strings.Join(all, " ")
}

func (s *shop) wantTold(t testing.TB, after time.Duration, want string) {
	t.Helper()
	elapse(after)
	if got := s.news(t); got != want {
		t.Errorf("after %s it has announced %q, want %q", after, got, want)
	}
}

func TestTheSchedulerAnnouncesWhatIsDueInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clockShop(t)
		s.endingIn(t, 25*time.Hour)
		defer s.schedule(t, s.Service)()
		s.wantTold(t, time.Hour-time.Millisecond, "")
		s.wantTold(t, time.Second, "expiring")
		s.wantTold(t, 24*time.Hour-time.Second, "expiring")
		s.wantTold(t, time.Second, "expiring expired lapsed")
	})
}

func TestWhatThisServerMakesDueSoonWakesItsScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clockShop(t)
		defer s.schedule(t, s.Service)()
		elapse(time.Second)
		s.endingIn(t, 5*time.Second)
		id := s.endingIn(t, 365*aDay)
		s.wantTold(t, 4*time.Second, "")
		s.wantTold(t, 1500*time.Millisecond, "expired lapsed")
		must(s.UpdateLicense(as(ada), licensing.UpdateLicenseInput{License: id, ExpiresAt: ptr(time.Now().Add(-time.Hour))}))(t)
		s.wantTold(t, time.Second, "expired lapsed expired lapsed")
	})
}

func TestWhatAnotherServerMakesDueIsAnnouncedWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clockShop(t)
		other := s.servers(1)[0]
		defer s.schedule(t, other)()
		elapse(time.Second)
		s.endingIn(t, time.Second)
		s.wantTold(t, time.Minute, "expired lapsed")
	})
}

func TestTwoSchedulersAnnounceOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 300
		s := clockShop(t)
		s.issueMany(t, many, func(in *licensing.IssueLicenseInput) { in.ExpiresAt = ptr(time.Now().Add(time.Hour)) })
		defer s.schedule(t, s.Service)()
		defer s.schedule(t, s.servers(1)[0])()
		elapse(2 * time.Hour)
		s.wantNews(t, map[string]int{"license.expired": many, "license.lapsed": many})
	})
}

func TestASchedulerBacksOffWhileStorageIsDownAndSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clockShop(t)
		s.endingIn(t, time.Minute)
		var asked atomic.Int64
		var repaired atomic.Bool
		s.store.list = func(ctx context.Context, q storage.Query) (storage.Page, error) {
			if repaired.Load() {
				return s.store.Model.List(ctx, q)
			}
			asked.Add(1)
			return storage.Page{}, errBroken
		}
		defer s.schedule(t, s.Service)()
		elapse(time.Hour)
		if n := asked.Load(); n < 120 || n > 200 {
			t.Errorf("storage that was down for an hour was asked %d times", n)
		}
		repaired.Store(true)
		s.wantTold(t, 61*time.Second, "expired lapsed")
		log := s.log.text.String()
		if strings.Count(log, "what is due waits") != 1 || strings.Count(log, "what was due is made up for") != 1 {
			t.Errorf("the log says %s", log)
		}
	})
}

func TestASchedulerEndsWithItsContextAndWaitsForItsCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clockShop(t)
		s.endingIn(t, time.Minute)
		begun, goOn := make(chan struct{}), make(chan struct{})
		s.store.commit = func(ctx context.Context, c storage.Change) error {
			if c.Record.Kind == storage.License {
				close(begun)
				<-goOn
			}
			return s.store.Model.Commit(context.WithoutCancel(ctx), c)
		}
		end := s.schedule(t, s.Service)
		<-begun
		ended := make(chan struct{})
		go func() {
			end()
			close(ended)
		}()
		synctest.Wait()
		select {
		case <-ended:
			t.Error("it has ended, and its commit has not")
		default:
		}
		close(goOn)
		<-ended
		s.wantTold(t, 0, "expired lapsed")
		if log := s.log.text.String(); strings.Contains(log, "what is due waits") {
			t.Errorf("to end is no failure: %s", log)
		}
	})
}
