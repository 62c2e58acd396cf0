package licensing_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
)

func machine(text string) license.Subject { return license.Subject{Kind: license.Machine, Text: text} }

// holder shows a key, for acme.
func (s *shop) holder(t testing.TB, keyText string) licensing.Holder {
	t.Helper()
	reading := must(s.ReadKey(context.Background(), keyText))(t)
	return licensing.Holder{
		Reading: reading, Lookup: licensing.Lookups(s.config.Secrets, reading)[0],
		Request: license.Request{Product: "acme"},
	}
}

// claim asks for a seat for a machine.
func (s *shop) claim(t testing.TB, keyText, fingerprint string) licensing.SeatClaim {
	t.Helper()
	c := licensing.SeatClaim{Holder: s.holder(t, keyText), Subject: machine(fingerprint)}
	c.Request.Fingerprint = &c.Subject
	return c
}

// release gives the seat of a machine back.
func (s *shop) release(t testing.TB, keyText, fingerprint string) licensing.SeatRelease {
	t.Helper()
	r := licensing.SeatRelease{Holder: s.holder(t, keyText), Subject: new(machine(fingerprint))}
	r.Request.Fingerprint = r.Subject
	return r
}

// floating issues a license of two floating seats with leases of ten minutes.
func (s *shop) floating(t testing.TB) *licensing.IssueLicensePayload {
	t.Helper()
	in := planOf("acme", "floating")
	in.MaxMachines, in.LeaseDuration = ptr(2), lasting("PT10M")
	must(s.CreatePlan(as(ada), in))(t)
	return s.issue(t, func(in *licensing.IssueLicenseInput) { in.Plan = "acme/floating" })
}

// seats gives the subjects of the seats on record, in order.
func (s *shop) seats(t testing.TB, id string) []string {
	t.Helper()
	v := must(s.License(as(ada), &id, nil))(t)
	subjects := []string{}
	for _, seat := range v.License.Seats {
		subjects = append(subjects, seat.Subject)
	}
	slices.Sort(subjects)
	return subjects
}

func (s *shop) wantSeats(t testing.TB, id string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), s.seats(t, id)); diff != "" {
		t.Errorf("seats (-want +got): %s", diff)
	}
}

// types lists what happened since the first n entries.
func (s *shop) types(t testing.TB, n int) []journal.Type {
	t.Helper()
	var all []journal.Type
	for _, e := range s.entries(t, n) {
		all = append(all, e.Type)
	}
	return all
}

func TestASeatIsTakenOnceAndThenFound(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	n := len(s.entries(t, 0))
	taken := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	if !taken.Changed || taken.Seat == nil || !taken.Seat.LeaseUntil.Equal(noon.Add(10*time.Minute)) || taken.MachineCount() != 1 {
		t.Errorf("took %+v, changed %t", taken.Seat, taken.Changed)
	}
	version := s.stored(t, made.License.ID()).Version

	s.now = noon.Add(time.Minute)
	found := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	if found.Changed || found.Seat.ID != taken.Seat.ID || !found.Seat.LeaseUntil.Equal(noon.Add(11*time.Minute)) {
		t.Errorf("found %+v, changed %t", found.Seat, found.Changed)
	}
	stored := s.stored(t, made.License.ID())
	if stored.Version != version || len(stored.Seats) != 1 || !stored.Seats[0].Lease.Equal(noon.Add(11*time.Minute)) || !stored.Seats[0].Seen.Equal(s.now) {
		t.Errorf("finding a seat left version %d and %+v", stored.Version, stored.Seats)
	}
	if diff := cmp.Diff([]journal.Type{journal.LicenseActivated, journal.ActivationCreated}, s.types(t, n)); diff != "" {
		t.Error(diff)
	}
}

func TestEntriesOfSeatsNameTheHolderAndTheSeat(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	taken := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	n := len(s.entries(t, 0))
	renamed := s.claim(t, made.Key, "m-1")
	renamed.Name, renamed.Platform = "Ada's laptop", "linux"
	must(s.Activate(context.Background(), renamed))(t)
	must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-1")))(t)
	entries := s.entries(t, n)
	want := []journal.Type{journal.ActivationUpdated, journal.ActivationRemoved}
	if diff := cmp.Diff(want, s.types(t, n)); diff != "" {
		t.Fatal(diff)
	}
	by := actor.Actor{Kind: actor.LicenseHolder, ID: made.License.ID()}
	for _, e := range entries {
		if e.Actor != by || e.License != made.License.ID() || e.Subject != taken.Seat.ID || e.Revision != 1 {
			t.Errorf("%s is by %v, about %s and %v, at revision %d", e.Type, e.Actor, e.License, e.Subject, e.Revision)
		}
	}
	if len(changesOf(entries[0])) != 2 || len(changesOf(entries[1])) != 4 || changesOf(entries[1])["kind"].To != nil {
		t.Errorf("they tell %v and %v", changesOf(entries[0]), changesOf(entries[1]))
	}
}

func TestNoSeatIsTakenBeyondTheLimit(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	for _, m := range []string{"m-1", "m-2"} {
		must(s.Activate(context.Background(), s.claim(t, made.Key, m)))(t)
	}
	for range 2 { // the second time nothing is to be told
		before := s.dump(t)
		refused := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-3")))(t)
		if refused.Seat != nil || refused.Changed || refused.MachineCount() != 2 {
			t.Errorf("m-3 has %+v", refused.Seat)
		}
		if diff := cmp.Diff(before.Records[len(before.Records)-1].Seats, s.stored(t, made.License.ID()).Seats); diff != "" {
			t.Errorf("the seats were changed: %s", diff)
		}
	}

	must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-1")))(t)
	if got := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-3")))(t); !got.Changed {
		t.Error("a seat that was freed is not given away")
	}
	s.wantSeats(t, made.License.ID(), "m-2", "m-3")
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	s := newShop(t)
	made, other := s.floating(t), s.issue(t, nil)
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: other.License.ID()}))(t)
	before := s.dump(t)
	ofAnother := s.claim(t, made.Key, "m-2")
	ofAnother.Request.Product = "other"
	suspended := s.claim(t, other.Key, "m-2")
	for name, c := range map[string]licensing.SeatClaim{"of another product": ofAnother, "of a suspended license": suspended} {
		if got := must(s.Activate(context.Background(), c))(t); got.Seat != nil || got.Changed {
			t.Errorf("%s: took %+v", name, got.Seat)
		}
	}
	wrong := s.release(t, made.Key, "m-1")
	wrong.Request.Product = "other"
	if got := must(s.Deactivate(context.Background(), wrong))(t); got.Changed {
		t.Error("another product's program freed a seat")
	}
	if got := must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-9")))(t); got.Changed {
		t.Error("freed a seat that nobody has")
	}
	_, err := s.Activate(context.Background(), func() licensing.SeatClaim {
		c := s.claim(t, made.Key, "m-2")
		c.Name, c.Platform = "a\nb", string(make([]byte, 65))
		return c
	}())
	wantFields(t, err, "name", "platform")
	s.wantUnchanged(t, before)
}

// Whoever knows the id of a seat of another license cannot free it.
func TestAStrangersKeyFreesNoSeat(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	taken := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	stranger := s.issue(t, func(in *licensing.IssueLicenseInput) { in.Plan = "acme/floating" })
	before := s.dump(t)
	byID := licensing.SeatRelease{Holder: s.holder(t, stranger.Key), Activation: taken.Seat.ID}
	for name, r := range map[string]licensing.SeatRelease{"by id": byID, "by fingerprint": s.release(t, stranger.Key, "m-1")} {
		if got := must(s.Deactivate(context.Background(), r))(t); got.Changed {
			t.Errorf("%s: freed", name)
		}
	}
	s.wantUnchanged(t, before)
	own := licensing.SeatRelease{Holder: s.holder(t, made.Key), Activation: taken.Seat.ID}
	if got := must(s.Deactivate(context.Background(), own))(t); !got.Changed {
		t.Error("its holder cannot free it by id")
	}
}

func TestAKeyThatDoesNotCountIsNotFound(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	unknown := s.claim(t, made.Key, "m-1")
	unknown.Lookup[0] ^= 1
	// Found, but the reading is of another product's prefix.
	underOther := s.claim(t, made.Key, "m-1")
	data := [key.Length]byte{}
	underOther.Reading.Key = must(key.New("OTHER", data))(t)
	for name, c := range map[string]licensing.SeatClaim{"an unknown key": unknown, "another prefix": underOther} {
		if _, err := s.Activate(context.Background(), c); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.wantSeats(t, made.License.ID())
}

func TestARunOutSeatMakesPlace(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	for _, m := range []string{"m-1", "m-2"} {
		must(s.Activate(context.Background(), s.claim(t, made.Key, m)))(t)
	}
	s.now = noon.Add(10 * time.Minute) // both have run out
	n := len(s.entries(t, 0))
	if got := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-3")))(t); !got.Changed {
		t.Error("no seat for m-3")
	}
	if got := s.seats(t, made.License.ID()); len(got) != 2 || !slices.Contains(got, "m-3") {
		t.Errorf("seats are %v", got)
	}
	if diff := cmp.Diff([]journal.Type{journal.ActivationRemoved, journal.ActivationCreated}, s.types(t, n)); diff != "" {
		t.Error(diff)
	}
}

// A heartbeat that reaches storage while its seat is being given away keeps
// it, and the claim is decided anew.
func TestAHeartbeatThatComesFirstKeepsItsSeat(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	for _, m := range []string{"m-1", "m-2"} {
		must(s.Activate(context.Background(), s.claim(t, made.Key, m)))(t)
	}
	stored := s.stored(t, made.License.ID()).Seats
	s.now = noon.Add(10 * time.Minute)
	late := true
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		if late {
			late = false
			for _, seat := range stored { // asked for just before both ran out
				must(s.store.Touch(ctx, []storage.Lease{{Record: c.Record.ID, Seat: seat.ID, At: s.now.Add(-time.Millisecond), Until: s.now.Add(9 * time.Minute)}}))(t)
			}
		}
		return s.store.Model.Commit(ctx, c)
	}
	got := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-3")))(t)
	if late || got.Seat != nil {
		t.Errorf("m-3 took %+v", got.Seat)
	}
	s.wantSeats(t, made.License.ID(), "m-1", "m-2")
}

// A seat that was found and is given away before that is noted is not
// promised.
func TestASeatThatIsLostWhileItIsFoundIsTakenAnew(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	for _, m := range []string{"m-1", "m-2"} {
		must(s.Activate(context.Background(), s.claim(t, made.Key, m)))(t)
	}
	touches := 0
	s.store.touch = func(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
		if touches++; touches == 1 {
			in := licensing.RemoveActivationInput{License: made.License.ID(), Activation: leases[0].Seat}
			must(s.RemoveActivation(as(ada), in))(t)
		}
		return s.store.Model.Touch(ctx, leases)
	}
	got := must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	if touches != 1 || !got.Changed {
		t.Errorf("after %d touches the seat is found", touches)
	}
	s.wantSeats(t, made.License.ID(), "m-1", "m-2")
}

func TestTheFirstActivationStartsTheDurationInTheSameChange(t *testing.T) {
	s := newShop(t)
	id := s.awaiting(t)
	plain := must(s.RevealLicenseKey(as(ada), licensing.RevealLicenseKeyInput{License: id, Reason: "test"}))(t).Key
	s.now = noon.Add(48 * time.Hour)
	n := len(s.entries(t, 0))
	version := s.stored(t, id).Version
	got := must(s.Activate(context.Background(), s.claim(t, plain, "m-1")))(t)
	if end := s.now.AddDate(1, 0, 0); !got.License.ExpiresAt.Equal(end) || got.License.AwaitsActivation {
		t.Errorf("it ends at %v, want %v", got.License.ExpiresAt, end)
	}
	if s.stored(t, id).Version != version+1 || len(s.entries(t, n)) != 2 {
		t.Errorf("%d entries, version %d after %d", len(s.entries(t, n)), s.stored(t, id).Version, version)
	}
}

func TestAdmitHasTheLastWordOnANewSeat(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	before := s.dump(t)
	no := fault.Errorf(fault.RateLimited, "too many")
	c := s.claim(t, made.Key, "m-2")
	c.Admit = func(*license.License, *license.Plan) error { return no }
	if _, err := s.Activate(context.Background(), c); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	s.wantUnchanged(t, before)
	found := s.claim(t, made.Key, "m-1")
	found.Admit = c.Admit
	if _, err := s.Activate(context.Background(), found); err != nil {
		t.Errorf("a seat that is held: %v", err)
	}
}

func TestAReleaseOfUnknownOutcomeIsUnavailable(t *testing.T) {
	s := newShop(t)
	made := s.floating(t)
	must(s.Activate(context.Background(), s.claim(t, made.Key, "m-1")))(t)
	s.store.commit = func(context.Context, storage.Change) error { return errors.New("the connection was reset") }
	_, err := s.Deactivate(context.Background(), s.release(t, made.Key, "m-1"))
	wantCode(t, err, fault.Unavailable)
	// This time it was applied, and only the answer was lost.
	s.store.commit = func(ctx context.Context, c storage.Change) error {
		return errors.Join(s.store.Model.Commit(ctx, c), errors.New("the connection was reset"))
	}
	if got := must(s.Deactivate(context.Background(), s.release(t, made.Key, "m-1")))(t); !got.Changed {
		t.Error("not freed")
	}
	s.wantSeats(t, made.License.ID())
}
