package licensing_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/licensing"
)

func TestEachEntryOfARequestNamesIt(t *testing.T) {
	s := newShop(t)
	ctx := actor.WithRequest(as(ada), "R1")
	made := must(s.IssueLicense(ctx, proLicense(func(in *licensing.IssueLicenseInput) {
		in.MaxDomains, in.Domains = &licensing.LimitInput{Max: ptr(2)}, []string{"example.com", "example.org"}
	})))(t)
	entries := s.entries(t, 2)
	for _, e := range entries {
		if e.Request != "R1" {
			t.Errorf("%s is of the request %q", e.Type, e.Request)
		}
	}
	if len(entries) != 3 {
		t.Errorf("%d entries", len(entries))
	}
	must(s.SuspendLicense(actor.WithRequest(ctx, "R2"), licensing.SuspendLicenseInput{License: made.License.ID()}))(t)
	must(s.ReinstateLicense(as(ada), licensing.ReinstateLicenseInput{License: made.License.ID()}))(t)
	if e := s.entries(t, 5); e[0].Request != "R2" || e[1].Request != "" {
		t.Errorf("they are of the requests %q and %q", e[0].Request, e[1].Request)
	}
}

func TestEachRequestForASeatIsNamedByItsOwnEntries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t, 40)
		n := len(c.entries(t, 0))
		var all sync.WaitGroup
		for i, request := range []string{"R0", "R1", "", "R3"} {
			claim := c.claim(t, c.made.Key, fmt.Sprint("m-", i))
			all.Go(func() {
				must(c.Activate(actor.WithRequest(context.Background(), request), claim))(t)
			})
			synctest.Wait() // the first is in its commit, the others in the line
		}
		release := c.release(t, c.made.Key, "m-1")
		all.Go(func() { must(c.Deactivate(actor.WithRequest(context.Background(), "R4"), release))(t) })
		synctest.Wait()
		close(c.letGo)
		all.Wait()
		var got []string
		for _, e := range c.entries(t, n) {
			got = append(got, string(e.Type)+" "+e.Request)
		}
		want := []string{
			"license.activated R0", "activation.created R0",
			"activation.created R1", "activation.created ", "activation.created R3", "activation.removed R4",
		}
		if diff := cmp.Diff(want, got); diff != "" || c.commits.Load() != 2 {
			t.Errorf("%d commits: %s", c.commits.Load(), diff)
		}
	})
}
