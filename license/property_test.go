package license_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/keywright/keywright/license"
)

func TestDecideIsValidExactlyWhenNoReasonBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		l := anyLicense(plan).Draw(t, "license")
		now := moment().Draw(t, "now")
		before := copied(t, l)
		d := license.Decide(l, plan, acme(), anyRequest().Draw(t, "request"), now)
		if d := diff(before, l); d != "" {
			t.Fatalf("the license has changed: %s", d)
		}
		blocked, order := false, license.Codes()
		seen := map[string]bool{}
		for i, r := range d.Reasons {
			blocked = blocked || r.Blocking
			if warning := r.Code == license.CodeOverage || r.Code == license.CodeGrace; warning == r.Blocking {
				t.Fatalf("%s is blocking: %v", r.Code, r.Blocking)
			}
			if i > 0 && slices.Index(order, d.Reasons[i-1].Code) > slices.Index(order, r.Code) {
				t.Fatalf("out of order: %v", codes(d))
			}
			about := string(r.Code)
			if r.Subject != nil {
				about += " " + *r.Subject
			}
			if seen[about] {
				t.Fatalf("%s is there twice", about)
			}
			seen[about] = true
			if r.Until != nil && !r.Until.After(now) {
				t.Fatalf("%s ended at %s", r.Code, r.Until)
			}
		}
		if d.Valid == blocked || d.Valid == d.GoodUntil.IsZero() {
			t.Fatalf("valid %v, good until %s, for %v", d.Valid, d.GoodUntil, codes(d))
		}
		if gravest := append(codes(d), license.CodeValid)[0]; d.Code != gravest {
			t.Fatalf("%s for %v", d.Code, codes(d))
		}
	})
}

func TestDecideAndStatusAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		l := anyLicense(plan).Draw(t, "license")
		now := moment().Draw(t, "now")
		d := license.Decide(l, plan, acme(), anyRequest().Draw(t, "request"), now)
		has := func(c license.Code) bool { return slices.Contains(codes(d), c) }
		ended := has(license.CodeExpired) || has(license.CodeGrace)
		var want license.Status
		switch {
		case has(license.CodeRevoked):
			want = license.StatusRevoked
		case has(license.CodeSuspended):
			want = license.StatusSuspended
		case has(license.CodeScheduled):
			want = license.StatusScheduled
		case ended:
			want = license.StatusExpired
		default:
			want = license.StatusActive
		}
		if got := l.StatusAt(now); got != want {
			t.Fatalf("it is %s, and the reasons are %v", got, codes(d))
		}
	})
}

func TestAnAnswerHoldsUntilItMayChange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		l := anyLicense(plan).Draw(t, "license")
		r := anyRequest().Draw(t, "request")
		now := moment().Draw(t, "now")
		d := license.Decide(l, plan, acme(), r, now)
		if !d.ChangesAt.IsZero() && !d.ChangesAt.After(now) {
			t.Fatalf("it changes at %s, and now is %s", d.ChangesAt, now)
		}
		next := now.Add(time.Duration(rapid.Int64Range(0, int64(10*time.Hour)).Draw(t, "later")))
		after := license.Decide(l, plan, acme(), r, next)
		if diff := cmp.Diff(codes(d), codes(after)); diff != "" && (d.ChangesAt.IsZero() || next.Before(d.ChangesAt)) {
			t.Fatalf("it changes at %s, before %s: %s", next, d.ChangesAt, diff)
		}
		if d.Valid && !after.Valid && next.Before(d.GoodUntil) {
			t.Fatalf("good until %s, and at %s it is %s", d.GoodUntil, next, after.Code)
		}
	})
}

func TestTimeNeverRevivesAnExpiredLicense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		l := anyLicense(plan).Draw(t, "license")
		r := anyRequest().Draw(t, "request")
		now, next := moment().Draw(t, "now"), moment().Draw(t, "next")
		if now.After(next) {
			now, next = next, now
		}
		lapsed := func(at time.Time) bool {
			return slices.Contains(codes(license.Decide(l, plan, acme(), r, at)), license.CodeExpired)
		}
		if l.StatusAt(now) == license.StatusExpired && l.StatusAt(next) != license.StatusExpired {
			t.Fatalf("expired at %s, and %s at %s", now, l.StatusAt(next), next)
		}
		if lapsed(now) && !lapsed(next) {
			t.Fatalf("EXPIRED at %s, and not at %s", now, next)
		}
	})
}

func TestWhatFailsChangesNothing(t *testing.T) {
	reason := rapid.SampledFrom([]string{"", "unpaid", "\x00", strings.Repeat("x", 1001)})
	rapid.Check(t, func(t *rapid.T) {
		plan := anyPlan().Draw(t, "plan")
		l := anyLicense(plan).Draw(t, "license")
		for range 8 {
			now := moment().Draw(t, "now")
			before := copied(t, l)
			var err error
			switch rapid.IntRange(0, 5).Draw(t, "operation") {
			case 0:
				err = l.Suspend(reason.Draw(t, "reason"), now)
			case 1:
				err = l.Reinstate(reason.Draw(t, "reason"), now)
			case 2:
				err = l.Revoke(reason.Draw(t, "reason"), now)
			case 3:
				var until *time.Time
				if rapid.Bool().Draw(t, "until") {
					until = new(moment().Draw(t, "time"))
				}
				if err = l.Renew(plan, until, now); err == nil && l.ExpiresAt.Before(before.ExpiresAt) {
					t.Fatalf("a renewal moves the end from %s to %s", before.ExpiresAt, l.ExpiresAt)
				}
			case 4:
				to := anyPlan().Draw(t, "other plan")
				to.ID, to.Archived = "plan_other", rapid.Bool().Draw(t, "archived")
				to.ProductID = license.ProductID(rapid.SampledFrom([]string{"acme", "acme", "other"}).Draw(t, "product"))
				u := license.Update{Plan: to, ExternalID: new(reason.Draw(t, "external id")), ExpiresAt: new(moment().Draw(t, "end"))}
				if err = l.Update(plan, u, now); err == nil {
					plan = to
				}
			case 5:
				s := anySubject().Draw(t, "subject")
				_, err = l.Activate(plan, s, "act_"+s.Text, rapid.SampledFrom([]string{"", "\x00"}).Draw(t, "name"), "", now)
			}
			if d := diff(before, l); err != nil && d != "" {
				t.Fatalf("%v: %s", err, d)
			}
		}
	})
}
