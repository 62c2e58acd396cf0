package test_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// caller makes one call after the other, each under an idempotency key of its
// own and about records of its own, and knows what must be stored for those
// that were acknowledged.
type caller struct {
	name      string
	random    *rand.Rand
	calls     []*call // since the last settle; only the last may be in doubt
	made      int     // calls, ever
	demo      string  // the id of a plan that is not its own
	licenses  map[string]license
	keys      map[string]string // of licenses
	validated map[string]int64  // answered validations of licenses
	active    []string          // licenses that no call has suspended or revoked
	plans     map[string]string // their names
	planIDs   []string
	happened  map[happened]int // what the journal must tell of
	perhaps   map[happened]int // and what, where a call in doubt had been made
	slowest   time.Duration    // answer, of those that had to be timely
}

// call is an operation under an idempotency key.
type call struct {
	operation string
	input     map[string]any
	answer    *answer // nil until it is acknowledged
}

type answer struct {
	Key    string // of a new license
	Record struct{ ID string }
}

var documents = map[string]string{
	"issueLicense":   "mutation($input: IssueLicenseInput!) { answer: issueLicense(input: $input) { key record: license { id } } }",
	"suspendLicense": "mutation($input: SuspendLicenseInput!) { answer: suspendLicense(input: $input) { record: license { id } } }",
	"revokeLicense":  "mutation($input: RevokeLicenseInput!) { answer: revokeLicense(input: $input) { record: license { id } } }",
	"createPlan":     "mutation($input: CreatePlanInput!) { answer: createPlan(input: $input) { record: plan { id } } }",
	"updatePlan":     "mutation($input: UpdatePlanInput!) { answer: updatePlan(input: $input) { record: plan { id } } }",
}

// newCallers makes callers whose names begin with prefix. Callers of one name
// and seed make the same calls.
func newCallers(t *testing.T, c client, prefix string, n int, seed uint64) []*caller {
	t.Helper()
	var data struct{ Plan struct{ ID string } }
	if err := c.ask(`{ plan(id: "acme/professional") { id } }`, nil, &data); err != nil {
		t.Fatal(err)
	}
	callers := make([]*caller, n)
	for i := range callers {
		callers[i] = &caller{
			name: fmt.Sprintf("%s%d", prefix, i), random: rand.New(rand.NewPCG(seed, uint64(i))), demo: data.Plan.ID,
			licenses: map[string]license{}, keys: map[string]string{}, validated: map[string]int64{},
			plans: map[string]string{}, happened: map[happened]int{}, perhaps: map[happened]int{},
		}
	}
	return callers
}

// each runs f for all callers at once and gives the first error.
func each(callers []*caller, f func(*caller) error) error {
	var all errgroup.Group
	for _, one := range callers {
		all.Go(func() error {
			if err := f(one); err != nil {
				return fmt.Errorf("caller %s: %w", one.name, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// next makes up a call of any kind.
func (c *caller) next() *call {
	id := c.nextID()
	kind := c.random.IntN(100)
	switch {
	case kind < 6:
		return c.call("createPlan", map[string]any{"product": "acme", "code": id, "name": "Plan " + id, "idempotencyKey": id})
	case kind < 14 && len(c.planIDs) > 0:
		plan := c.planIDs[len(c.planIDs)-1]
		return c.call("updatePlan", map[string]any{"plan": plan, "name": "Renamed by " + id, "idempotencyKey": id})
	case kind < 30 && len(c.active) > 0:
		i := c.random.IntN(len(c.active))
		input := map[string]any{"license": c.active[i], "reason": "by " + id, "idempotencyKey": id}
		c.active = slices.Delete(c.active, i, i+1)
		return c.call([]string{"suspendLicense", "revokeLicense"}[kind%2], input)
	}
	return c.issue(id)
}

func (c *caller) nextID() string {
	c.made++
	return fmt.Sprintf("%s-%d", c.name, c.made)
}

func (c *caller) call(operation string, input map[string]any) *call {
	one := &call{operation: operation, input: input}
	c.calls = append(c.calls, one)
	return one
}

func (c *caller) issue(id string) *call {
	plan := c.demo
	if len(c.planIDs) > 0 && c.random.IntN(2) == 0 {
		plan = c.planIDs[c.random.IntN(len(c.planIDs))]
	}
	input := map[string]any{
		"plan": plan, "externalId": id, "customer": map[string]string{"email": id + "@example.com"},
		"metadata": map[string]string{"order": id}, "idempotencyKey": id,
	}
	if c.random.IntN(4) == 0 {
		input["key"] = "made elsewhere " + id
	}
	return c.call("issueLicense", input)
}

// make sends a call, and notes what must be stored once it is acknowledged.
func (c *caller) make(to client, one *call) error {
	var data struct{ Answer answer }
	if err := to.ask(documents[one.operation], map[string]any{"input": one.input}, &data); err != nil {
		return fmt.Errorf("%s under %v: %w", one.operation, one.input["idempotencyKey"], err)
	}
	if one.answer != nil {
		if one.operation == "issueLicense" { // which shows the key again
			c.happened[happened{"license.key_revealed", data.Answer.Record.ID}]++
		}
		if diff := cmp.Diff(*one.answer, data.Answer); diff != "" {
			return fmt.Errorf("%s under %v, retried, answers otherwise (-first +retry):\n%s", one.operation, one.input["idempotencyKey"], diff)
		}
		return nil
	}
	one.answer = &data.Answer
	c.note(one)
	return nil
}

func (c *caller) note(one *call) {
	id := one.answer.Record.ID
	c.happened[happened{eventTypes[one.operation], id}]++
	switch one.operation {
	case "issueLicense":
		key := one.input["idempotencyKey"].(string)
		l := license{ID: id, ExternalID: key, Status: "ACTIVE", Revision: 1, Metadata: map[string]string{"order": key}}
		l.Plan.ID = one.input["plan"].(string)
		l.Customer.Email = key + "@example.com"
		l.KeyHint = one.answer.Key[len(one.answer.Key)-5:]
		c.licenses[id], c.keys[id] = l, one.answer.Key
		c.active = append(c.active, id)
	case "suspendLicense", "revokeLicense":
		l := c.licenses[id]
		l.Status = map[string]string{"suspendLicense": "SUSPENDED", "revokeLicense": "REVOKED"}[one.operation]
		l.Revision++
		c.licenses[id] = l
	case "createPlan":
		c.planIDs = append(c.planIDs, id)
		c.plans[id] = one.input["name"].(string)
	case "updatePlan":
		c.plans[id] = one.input["name"].(string)
	}
}

// inDoubt gives the call that was not acknowledged, or nil.
func (c *caller) inDoubt() *call {
	if n := len(c.calls); n > 0 && c.calls[n-1].answer == nil {
		return c.calls[n-1]
	}
	return nil
}

// check reads every record of an acknowledged call since the last settle, and
// validates every license. A record that a call in doubt is about is left out:
// it may be as before or as after.
func (c *caller) check(from client) error {
	ids := map[string]bool{}
	for _, one := range c.calls {
		if one.answer != nil {
			ids[one.answer.Record.ID] = true
		}
	}
	if doubt := c.inDoubt(); doubt != nil {
		for _, field := range []string{"license", "plan"} {
			if id, ok := doubt.input[field].(string); ok && doubt.operation != "issueLicense" {
				delete(ids, id)
			}
		}
	}
	for id := range ids {
		if err := c.checkOne(from, id); err != nil {
			return err
		}
	}
	return nil
}

func (c *caller) checkOne(from client, id string) error {
	want, ok := c.licenses[id]
	if !ok {
		var data struct{ Plan struct{ Name string } }
		err := from.ask("query($id: ID!) { plan(id: $id) { name } }", map[string]any{"id": id}, &data)
		if err == nil && data.Plan.Name != c.plans[id] {
			err = fmt.Errorf("is called %s, want %s", data.Plan.Name, c.plans[id])
		}
		return about("plan", id, err)
	}
	got, err := from.license(id)
	if err != nil {
		return about("license", id, err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("license %s (-acknowledged +stored):\n%s", id, diff)
	}
	return about("license", id, c.validate(from, id))
}

// validate validates the key of a license.
func (c *caller) validate(from client, id string) error {
	want := c.licenses[id].Status
	if want == "ACTIVE" {
		want = "VALID"
	}
	code, found, err := from.validate(c.keys[id])
	if err != nil {
		return err
	}
	c.validated[id]++
	if code != want || found != id {
		return fmt.Errorf("its key validates as %s of license %s, want %s", code, found, want)
	}
	return nil
}

func about(what, id string, err error) error {
	if err != nil {
		err = fmt.Errorf("%s %s: %w", what, id, err)
	}
	return err
}

// settle retries the call in doubt, which must succeed, and then all others,
// which must answer as they did.
func (c *caller) settle(with client) error {
	if doubt := c.inDoubt(); doubt != nil {
		if err := c.make(with, doubt); err != nil {
			return fmt.Errorf("not acknowledged, retried: %w", err)
		}
		if doubt.operation == "issueLicense" {
			c.perhaps[happened{"license.key_revealed", doubt.answer.Record.ID}]++
		}
	}
	for _, one := range c.calls {
		if err := c.make(with, one); err != nil {
			return err
		}
	}
	c.calls = nil
	return nil
}

// exactly fails unless what is stored is what the callers know to be
// acknowledged: each record once, and no other beside the demo's plans.
func exactly(c client, demoPlans map[string]string, callers ...*caller) error {
	licenses, plans := map[string]license{}, maps.Clone(demoPlans)
	for _, one := range callers {
		maps.Copy(licenses, one.licenses)
		maps.Copy(plans, one.plans)
	}
	stored, err := c.licenses()
	if err != nil {
		return err
	}
	if diff := cmp.Diff(licenses, stored); diff != "" {
		return fmt.Errorf("licenses (-acknowledged +stored):\n%s", diff)
	}
	storedPlans, err := c.plans()
	if err != nil {
		return err
	}
	if diff := cmp.Diff(plans, storedPlans); diff != "" {
		return fmt.Errorf("plans (-acknowledged +stored):\n%s", diff)
	}
	return nil
}
