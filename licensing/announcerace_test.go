package licensing_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

// unreliable makes storage fail now and then: before a commit is applied, or
// after.
func (s *shop) unreliable(seed uint64) {
	random := &locked{random: rand.NewChaCha8([32]byte{byte(seed)})}
	luck := func() byte {
		var b [1]byte
		_, _ = random.Read(b[:])
		return b[0]
	}
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if luck() < 12 {
			return errBroken
		}
		err := s.store.Model.Commit(ctx, c)
		if err == nil && luck() < 12 {
			err = errBroken
		}
		return err
	}
}

// allAnnounce has each server announce what is due by its own clock, at the
// same time, again until nothing is due and storage did not fail.
func allAnnounce(t testing.TB, servers []*licensing.Service, now time.Time) {
	t.Helper()
	for range 1000 {
		var all sync.WaitGroup
		next, errs := make([]time.Time, len(servers)), make([]error, len(servers))
		for i, server := range servers {
			skew := time.Duration(i) * 300 * time.Millisecond
			all.Go(func() { next[i], errs[i] = server.Announce(context.Background(), now.Add(skew), 150) })
		}
		all.Wait()
		last := len(servers) - 1
		for _, err := range errs {
			if err != nil && !fault.Is(err, fault.Unavailable) {
				t.Fatal(err)
			}
		}
		if errs[last] == nil && (next[last].IsZero() || next[last].After(now.Add(time.Second))) {
			return
		}
	}
	t.Fatal("it does not end")
}

func TestEachAnnouncementIsMadeOnceByAnyNumberOfServers(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			const many = 300
			s := newShop(t)
			s.watched(t)
			s.issueMany(t, many, ofWatched)
			servers := s.servers(3)
			s.unreliable(seed)
			end := noon.AddDate(1, 0, 0)
			for _, at := range []time.Time{
				end.Add(-14 * aDay), end.Add(-15 * aDay), end.Add(-7 * aDay), // the clock was set back between
				end.Add(-aDay), end, end.Add(-time.Hour), end.Add(10 * aDay), end.Add(99 * aDay), end,
			} {
				allAnnounce(t, servers, at)
			}
			s.store.commit = nil
			s.wantNews(t, map[string]int{"license.expiring": 3 * many, "license.expired": many, "license.lapsed": many})
		})
	}
}

func TestAfterADayOffEverythingThatIsStillNewsIsAnnounced(t *testing.T) {
	const many = 2000
	s := newShop(t)
	s.issueMany(t, many, nil)
	end := noon.AddDate(1, 0, 0)
	allAnnounce(t, s.servers(2), end.Add(-2*aDay))
	s.wantNews(t, map[string]int{"license.expiring": many}) // that of seven days, and not that of fourteen
	allAnnounce(t, s.servers(2), end.Add(aDay))
	s.wantNews(t, map[string]int{"license.expiring": many, "license.expired": many, "license.lapsed": many})
}

// book is a shop whose licenses go through whatever can happen to them.
type book struct {
	*shop
	tb        testing.TB
	ids, keys []string
}

func (b *book) step(t *rapid.T) {
	one := rapid.IntRange(0, len(b.ids)-1).Draw(t, "license")
	id := b.ids[one]
	ctx := as(ada)
	var err error
	switch rapid.IntRange(0, 16).Draw(t, "what") {
	case 0:
		_, err = b.SuspendLicense(ctx, licensing.SuspendLicenseInput{License: id})
	case 1:
		_, err = b.ReinstateLicense(ctx, licensing.ReinstateLicenseInput{License: id})
	case 2:
		_, err = b.RevokeLicense(ctx, licensing.RevokeLicenseInput{License: id})
	case 3:
		_, err = b.RenewLicense(ctx, licensing.RenewLicenseInput{License: id, Until: ptr(b.someTime(t))})
	case 4:
		_, err = b.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, ExpiresAt: ptr(b.someTime(t))})
	case 5:
		_, err = b.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, Clear: []license.ClearField{license.ClearExpiresAt}})
	case 6:
		plan := rapid.SampledFrom([]string{"acme/pro", "acme/watched"}).Draw(t, "plan")
		_, err = b.UpdateLicense(ctx, licensing.UpdateLicenseInput{License: id, Plan: &plan, Grace: lasting("P3D")})
	case 7:
		_, err = b.EraseCustomer(ctx, licensing.EraseCustomerInput{License: &id})
	case 8:
		_, err = b.RevealLicenseKey(ctx, licensing.RevealLicenseKeyInput{License: id, Reason: "lost"})
	case 9:
		_, err = b.RotateLicenseKey(ctx, licensing.RotateLicenseKeyInput{License: id})
	case 10:
		_, err = b.NoteFirstUse(ctx, id, b.now)
	case 11:
		err = b.store.AddUsage(ctx, []storage.UsageDelta{{Record: id, Day: storage.DayOf(b.now), Valid: 1, Last: b.now}})
	case 12:
		in := licensing.UpdatePlanInput{Plan: rapid.SampledFrom([]string{"acme/pro", "acme/watched"}).Draw(t, "plan")}
		in.CheckInInterval = lasting(rapid.SampledFrom([]string{"PT1M", "P1D", "P1M"}).Draw(t, "check-in"))
		if _, err = b.UpdatePlan(ctx, in); err == nil {
			b.now = b.now.Add(time.Minute)
			_, err = b.Reschedule(ctx, b.now, 10_000)
		}
	case 14:
		if _, err = b.Activate(ctx, b.claim(b.tb, b.keys[one], "m-1")); fault.Is(err, fault.NotFound) {
			err = nil // the key was rotated
		}
	case 13:
		_, err = b.Announce(ctx, b.now, 10_000)
	default:
		b.now = b.now.Add(time.Duration(rapid.IntRange(0, 20*24*60).Draw(t, "minutes")) * time.Minute)
	}
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.InvalidInput) {
		t.Fatal(err)
	}
}

func (b *book) someTime(t *rapid.T) time.Time {
	return b.now.Add(time.Duration(rapid.IntRange(-60, 400).Draw(t, "hours")) * time.Hour)
}

// wantDueInTime fails where a license is due later than it has news.
func (b *book) wantDueInTime(t *rapid.T) {
	for _, id := range b.ids {
		found, err := b.store.Model.Get(context.Background(), id)
		if err != nil {
			t.Fatal(err)
		}
		l, err := licensing.DecodeLicense(found[0])
		if err != nil {
			t.Fatal(err)
		}
		planned, err := b.store.Model.Get(context.Background(), l.PlanID)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := licensing.DecodePlan(planned[0])
		if err != nil {
			t.Fatal(err)
		}
		want := l.NextDue(plan, license.DefaultNotices(), b.now)
		if !want.IsZero() && (l.Due.IsZero() || l.Due.After(want)) {
			t.Fatalf("at %s it is due at %s, and there may be news at %s: %+v", b.now, l.Due, want, l)
		}
	}
}

func TestWhateverHappensToALicenseItIsDueInTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newShop(t)
		s.watched(t)
		b := &book{shop: s, tb: t}
		for _, change := range []func(*licensing.IssueLicenseInput){
			nil, ofWatched,
			func(in *licensing.IssueLicenseInput) { in.ExpiresAt = ptr(noon.Add(-aDay)) },
			func(in *licensing.IssueLicenseInput) { in.NeverExpires, in.Plan = true, "acme/watched" },
		} {
			made := s.issue(t, change)
			b.ids, b.keys = append(b.ids, made.License.ID()), append(b.keys, made.Key)
		}
		for range rapid.IntRange(1, 15).Draw(rt, "steps") {
			b.step(rt)
			b.wantDueInTime(rt)
		}
	})
}
