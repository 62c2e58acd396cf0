package test_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// happened is what the journal tells of an acknowledged call.
type happened struct{ Type, Subject string }

var eventTypes = map[string]string{
	"issueLicense":   "license.created",
	"suspendLicense": "license.suspended",
	"revokeLicense":  "license.revoked",
	"createPlan":     "plan.created",
	"updatePlan":     "plan.updated",
}

// told is an event as the API gives it.
type told struct {
	ID      string
	Index   int64
	Cursor  string
	Type    string
	Subject string
	License *struct{ ID string } // read for the sake of it
}

// events reads the whole journal, page by page, as far as it has come. An id
// that stands twice, or an index that is not the next, is an error.
func (c client) events() ([]told, error) {
	var all []told
	ids := map[string]bool{}
	err := pages(func(after *string) (connection[told], error) {
		var data struct{ Events connection[told] }
		err := c.ask(`query($after: String) { events(order: OLDEST_FIRST, first: 200, after: $after) {
			nodes { id index cursor type subject license { id } } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after}, &data)
		return data.Events, err
	}, func(one told) error {
		if ids[one.ID] {
			return fmt.Errorf("event %s stands twice in the journal", one.ID)
		}
		if one.Index != int64(len(all)) {
			return fmt.Errorf("event %s has the index %d, want %d", one.ID, one.Index, len(all))
		}
		ids[one.ID] = true
		all = append(all, one)
		return nil
	})
	return all, err
}

// journaled fails unless the journal has an entry for each acknowledged call,
// for what --dev made itself, and at most one for the first use of a license;
// and no other.
func journaled(c client, demoPlans map[string]string, callers ...*caller) error {
	var data struct{ Product struct{ ID string } }
	if err := c.ask(`{ product(id: "acme") { id } }`, nil, &data); err != nil {
		return err
	}
	want := map[happened]int{{"product.created", data.Product.ID}: 1}
	for id := range demoPlans {
		want[happened{"plan.created", id}]++
	}
	perhaps := map[happened]int{}
	for _, one := range callers {
		maps.Copy(want, one.happened)
		maps.Copy(perhaps, one.perhaps)
	}
	all, err := c.events()
	if err != nil {
		return err
	}
	got, activated := map[happened]int{}, map[string]bool{}
	begun := map[string]bool{}
	for _, one := range all {
		if !begun[one.Subject] && !strings.HasSuffix(one.Type, ".created") {
			return fmt.Errorf("the journal tells first of %s that it was %s", one.Subject, one.Type)
		}
		begun[one.Subject] = true
		if one.Type != "license.activated" {
			got[happened{one.Type, one.Subject}]++
			continue
		}
		// The answer that made it does not wait for it.
		if activated[one.Subject] || want[happened{"license.created", one.Subject}] == 0 {
			return fmt.Errorf("license %s is activated twice, or there is none", one.Subject)
		}
		activated[one.Subject] = true
	}
	for what, most := range perhaps {
		want[what] += max(0, min(most, got[what]-want[what]))
		if want[what] == 0 {
			delete(want, what)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the journal (-acknowledged +told):\n%s", diff)
	}
	return nil
}

// verified fails unless the program itself finds the journal of a --dev server
// good, with each record as its last entry says.
func verified(t *testing.T, data string) error {
	t.Helper()
	stdout, stderr, err := keywright(t, data, "journal", "verify", "--records")
	if err != nil {
		err = fmt.Errorf("journal verify: %w\n%s%s", err, stdout, stderr)
	}
	return err
}
