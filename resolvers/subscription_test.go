package resolvers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/resolvers"
)

// running has the log run until the test ends.
func (a *api) running(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var log sync.WaitGroup
	log.Go(func() { a.journal.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		log.Wait()
	})
}

// subscribe begins a subscription, and gives what waits for its next response.
func (a *api) subscribe(ctx context.Context, t testing.TB, document string) (next func() *graphql.Response) {
	t.Helper()
	next, errs := resolvers.Subscribe(ctx, a.handler, document, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	return next
}

func as(who actor.Actor) (context.Context, context.CancelFunc) {
	return context.WithCancel(actor.With(context.Background(), who))
}

// told gives what a response says.
func told(t testing.TB, r *graphql.Response) (data string, problems []string) {
	t.Helper()
	if r == nil {
		t.Fatal("the subscription has ended")
		return "", nil
	}
	for _, e := range r.Errors {
		problems = append(problems, fmt.Sprint(e.Path, " ", e.Extensions["code"], " ", e.Extensions["action"]))
	}
	return string(r.Data), problems
}

func TestASubscriptionAnswersWithEachEvent(t *testing.T) {
	a := newAPI(t)
	a.running(t)
	a.catalog(t)
	ctx, cancel := as(authz.DevAdmin)
	defer cancel()
	next := a.subscribe(ctx, t, `subscription { news: events(filter: {types: ["license.*"], product: "acme"}) { type license { status } data } }`)
	id, _ := a.issue(t)
	a.must(t, `mutation($id: ID!) { suspendLicense(input: {license: $id}) { license { id } } }`, "id", id)
	for _, want := range []string{"license.created", "license.suspended"} {
		data, problems := told(t, next())
		var got struct {
			News struct {
				Type    string
				License struct{ Status string }
				Data    map[string]any
			}
		}
		if err := json.Unmarshal([]byte(data), &got); err != nil || got.News.Type != want || got.News.License.Status == "" || got.News.Data == nil || problems != nil {
			t.Errorf("%s: %s %v", want, data, problems)
		}
	}
	cancel()
	if last := next(); last != nil {
		t.Errorf("after its end: %s", last.Data)
	}
}

func TestASubscriptionThatIsRefusedHasOneResponse(t *testing.T) {
	a := newAPI(t)
	a.policy[authz.EventRead] = authz.Products("acme")
	for _, c := range []struct {
		who      actor.Actor
		document string
		want     string
	}{
		{actor.Actor{}, `subscription { events { id } }`, "UNAUTHENTICATED <nil>"},
		{limitedActor, `subscription { events(filter: {product: "acme"}) { id } }`, "NOT_FOUND <nil>"},
		{limitedActor, `subscription { events(after: "x") { id } }`, "INVALID_INPUT <nil>"},
		{limitedActor, `subscription { events(filter: {from: "2026-11-21T12:00:00Z"}) { id } }`, "INVALID_INPUT <nil>"},
	} {
		ctx, cancel := as(c.who)
		next := a.subscribe(ctx, t, c.document)
		if _, problems := told(t, next()); cmp.Diff([]string{"events " + c.want}, problems) != "" {
			t.Errorf("%s: %v", c.document, problems)
		}
		if more := next(); more != nil {
			t.Errorf("%s goes on with %s", c.document, more.Data)
		}
		cancel()
	}
}

func TestAnErrorInAnEventSaysWhereInTheAnswerItIs(t *testing.T) {
	a := newAPI(t)
	a.running(t)
	a.policy[authz.EventRead], a.policy[authz.LicenseRead] = authz.AllProducts(), authz.Products("other")
	ctx, cancel := as(limitedActor)
	defer cancel()
	next := a.subscribe(ctx, t, `subscription { news: events(filter: {types: ["product.*"]}) { type data license { id } } }`)
	a.catalog(t)
	data, problems := told(t, next())
	want := []string{"news.data DENIED license:read", "news.license DENIED license:read"}
	if problems[0] > problems[1] {
		problems[0], problems[1] = problems[1], problems[0]
	}
	if diff := cmp.Diff(want, problems); diff != "" || data != `{"news":{"type":"product.created","data":null,"license":null}}` {
		t.Errorf("%s %s", data, diff)
	}
}

func TestTheDataOfAnEventThatIsListedAreDeniedByThemselves(t *testing.T) {
	a := newAPI(t)
	a.catalog(t)
	a.policy[authz.EventRead] = authz.AllProducts()
	got := a.ask(t, limited, `{ events(first: 1) { nodes { type data } } }`)
	wantExtensions(t, "data", got, map[string]any{"code": "DENIED", "action": "license:read"})
	if !strings.Contains(got.body, `{"type":"plan.created","data":null}`) || cmp.Diff([]any{"events", "nodes", 0.0, "data"}, got.Errors[0].Path) != "" {
		t.Error(got.body)
	}
}

// changing is a policy whose changes are seen by calls under way.
type changing struct {
	mu     sync.Mutex // guards what follows
	policy policy
}

func (c *changing) Scope(ctx context.Context, a actor.Actor, action authz.Action) authz.Scope {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.policy.Scope(ctx, a, action)
}

func (c *changing) set(action authz.Action, scope authz.Scope) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.policy[action] = scope
}

func TestASubscriptionEndsWithDeniedOnceItsCallerMaySeeNothing(t *testing.T) {
	c := &changing{policy: policy{authz.EventRead: authz.AllProducts()}}
	a := newAPIUnder(t, c)
	a.running(t)
	ctx, cancel := as(limitedActor)
	defer cancel()
	next := a.subscribe(ctx, t, `subscription { news: events { type } }`)
	a.catalog(t)
	told(t, next())
	c.set(authz.EventRead, authz.Scope{}) // before the second is asked for
	data, problems := told(t, next())
	if diff := cmp.Diff([]string{"news DENIED event:read"}, problems); diff != "" || data != `{"news":null}` {
		t.Errorf("%s %s", data, diff)
	}
	if more := next(); more != nil {
		t.Errorf("it goes on with %s", more.Data)
	}
}

func TestASubscriptionEndsWithItsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newHandler(t, policy{})
		ctx, cancel := as(authz.DevAdmin)
		next := a.subscribe(ctx, t, `subscription { events { type } }`)
		a.subscribe(ctx, t, `subscription { events { type } }`) // nobody asks for its events
		time.AfterFunc(time.Minute, cancel)
		if r := next(); r != nil {
			t.Errorf("%s", r.Data)
		}
	}) // which waits for the goroutines
}

// brittle is a policy that breaks when it is told to.
type brittle struct {
	policy
	breaks atomic.Bool
}

func (b *brittle) Scope(ctx context.Context, a actor.Actor, action authz.Action) authz.Scope {
	if b.breaks.Load() {
		panic("index out of range")
	}
	return b.policy.Scope(ctx, a, action)
}

func TestAPanicEndsTheSubscriptionAlone(t *testing.T) {
	enforcer := &brittle{policy: policy{}}
	a := newAPIUnder(t, enforcer)
	a.running(t)
	a.catalog(t)
	first := a.must(t, `{ events(first: 1, order: OLDEST_FIRST) { nodes { cursor } } }`)["events"].(map[string]any)["nodes"].([]any)[0].(map[string]any)
	ctx, cancel := as(authz.DevAdmin)
	defer cancel()
	next := a.subscribe(ctx, t, `subscription { events(after: "`+first["cursor"].(string)+`") { type } }`)
	enforcer.breaks.Store(true)
	data, problems := told(t, next())
	if diff := cmp.Diff([]string{"events INTERNAL <nil>"}, problems); diff != "" || data != `{"events":null}` {
		t.Errorf("%s %s", data, diff)
	}
	if !strings.Contains(a.logs.String(), "index out of range") {
		t.Error("nothing of it is in the log")
	}
}

func TestASubscriptionIsOneField(t *testing.T) {
	a := newAPI(t)
	ctx, cancel := as(authz.DevAdmin)
	defer cancel()
	for _, document := range []string{
		`subscription { a: events { id } b: events { id } }`,
		`subscription { events { id } ...f } fragment f on Subscription { b: events { id } }`,
		`subscription { __typename }`,
		`subscription { events { id } __typename }`,
		`subscription { ...f } fragment f on Subscription { ... { __schema { queryType { name } } } }`,
		`subscription($s: Boolean! = true) { events @skip(if: $s) { id } }`,
		`subscription { events @include(if: false) { id } }`,
		`subscription { ...f @skip(if: true) } fragment f on Subscription { events { id } }`,
		`subscription { ... @include(if: false) { events { id } } }`,
	} {
		_, errs := resolvers.Subscribe(ctx, a.handler, document, nil)
		if len(errs) == 0 || errs[0].Extensions["code"] != fault.InvalidInput {
			t.Errorf("%s: %v", document, errs)
		}
	}
	for _, document := range []string{
		`subscription { events { id } events { type } }`,
		`subscription { a: events { id @skip(if: true) type } ...f } fragment f on Subscription { a: events { actor { id } } }`,
	} {
		if _, errs := resolvers.Subscribe(ctx, a.handler, document, nil); len(errs) > 0 {
			t.Errorf("%s: %v", document, errs)
		}
	}
}

func TestARefusalOfASubscriptionTellsNoValue(t *testing.T) {
	a := newAPI(t)
	ctx, cancel := as(authz.DevAdmin)
	defer cancel()
	for document, names := range map[string][]string{
		`subscription($c: String) { events(after: $c) { id } }`:              {"after"},
		`subscription($c: [String!]) { events(filter: {types: $c}) { id } }`: {"filter.types.0"},
		`subscription($c: ID) { events(filter: {product: $c}) { id } }`:      nil,
		`subscription($c: ID) { events(filter: {license: $c}) { id } }`:      nil,
		`subscription { events(filter: {types: "` + canary + `"}) { id } }`:  {"filter.types.0"},
		`subscription($c: Time) { events(filter: {from: $c}) { id } }`:       {"filter.from"},
	} {
		next, errs := resolvers.Subscribe(ctx, a.handler, document, map[string]any{"c": canary})
		if next != nil {
			errs = next().Errors
		}
		text := fmt.Sprint(errs, a.logs.String())
		if len(errs) == 0 || strings.Contains(text, "CANARY") || names != nil && fmt.Sprint(errs[0].Extensions["field"]) != names[0] {
			t.Errorf("%s: %v %s", document, errs, text)
		}
	}
}

func TestASubscriptionIsNoRequestForOneAnswer(t *testing.T) {
	a := newAPI(t)
	const document = `subscription { events { id } }`
	get, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.url+"?query="+url.QueryEscape(document), nil)
	ok(t, err)
	get.Header.Set("Authorization", admin)
	for _, got := range []*answer{a.ask(t, admin, document), do(t, get)} {
		if got.status != http.StatusNotAcceptable || !strings.Contains(got.body, "stream") || got.members["data"] != nil {
			t.Errorf("%d %s", got.status, got.body)
		}
	}
}

// What it costs to tell one of 50 subscribers of an event, with its license
// and its data.
func BenchmarkAnEventOfASubscription(b *testing.B) {
	a := newAPI(b)
	a.catalog(b)
	ctx, cancel := as(authz.DevAdmin)
	defer cancel()
	const document = `subscription { events { id type cursor actor { id } license { id status customer { email } } data } }`
	var subscribers []func() *graphql.Response
	for range 50 {
		subscribers = append(subscribers, a.subscribe(ctx, b, document))
	}
	for b.Loop() {
		a.issue(b)
		_, err := a.journal.Sync(ctx)
		ok(b, err)
		for _, next := range subscribers {
			told(b, next())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(50*b.N), "µs/event")
}
