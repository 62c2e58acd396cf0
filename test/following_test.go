package test_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// event is one as a subscription gives it.
type event struct {
	ID     string
	Index  int64
	Cursor string
	Type   string
}

const followPatience = 3 * time.Minute

// A program follows events while its connection is cut off again and again, the
// server crashes, and the server is shut down: it sees each event, once and in
// order.
func TestAFollowerMissesNoEventAndSeesNoneTwice(t *testing.T) {
	openSources(t)
	for _, kind := range []string{"ws", "sse"} {
		t.Run(kind, func(t *testing.T) {
			data := t.TempDir()
			s, c := serveDev(t, data)
			between := newCutter(t, s.URL)
			start := c.lastEvent(t)
			follower := follow(t, kind, between.url, c.token, start.Cursor)
			for n := range 120 {
				c.issueOne(t, fmt.Sprintf("%s-%d", kind, n))
				switch {
				case n == 50:
					s.kill()
					s, c = serveDev(t, data)
					between.leadTo(s.URL)
				case n == 90:
					if err := errors.Join(s.stop(), quiet(s)); err != nil {
						t.Fatal(err)
					}
					s, c = serveDev(t, data)
					between.leadTo(s.URL)
				case n%20 == 10:
					between.cut()
				}
			}
			want := c.eventsAfter(t, start)
			if len(want) < 120 {
				t.Errorf("only %d events were made", len(want))
			}
			if diff := cmp.Diff(want, follower.read(t, len(want))); diff != "" {
				t.Errorf("events (-made +followed):\n%s", diff)
			}
			if err := errors.Join(s.stop(), quiet(s)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatIsAskedByTheClientsOfOthers(t *testing.T) {
	openSources(t)
	_, c := serveDev(t, t.TempDir())
	for name, test := range map[string]struct {
		token, document string
		ws, sse         string
	}{
		"nobody": {"", `{ __typename }`, `{"data":{"__typename":"Query"}}{"complete":true}`, `{"data":{"__typename":"Query"}}{"complete":true}`},
		"staff": {c.token, `{ product(id: "acme") { code } }`, `{"data":{"product":{"code":"acme"}}}{"complete":true}`,
			`{"data":{"product":{"code":"acme"}}}{"complete":true}`},
		"a mutation": {c.token, `mutation { updateProduct(input: {product: "acme", name: "N"}) { product { name } } }`,
			`{"data":{"updateProduct":{"product":{"name":"N"}}}}{"complete":true}`, `{"data":{"updateProduct":{"product":{"name":"N"}}}}{"complete":true}`},
		"a bad token": {"no", `{ __typename }`, `{"closed":4403}`, `{"closed":401}`},
		"a document that is none": {"", `{ nothing }`, `{"errors":[{"message":"Cannot query field \"nothing\" on type \"Query\".",` +
			`"locations":[{"line":1,"column":3}],"extensions":{"code":"INVALID_INPUT"}}]}`,
			`{"errors":[{"message":"Cannot query field \"nothing\" on type \"Query\".",` +
				`"locations":[{"line":1,"column":3}],"extensions":{"code":"INVALID_INPUT"}}]}{"complete":true}`},
	} {
		for kind, want := range map[string]string{"ws": test.ws, "sse": test.sse} {
			got := runNode(t, test.token, "ask.mjs", kind, c.url+"/graphql", test.document)
			if got := strings.ReplaceAll(got, "\n", ""); got != want {
				t.Errorf("%s by %s: %s, want %s", name, kind, got, want)
			}
		}
	}
}

func node(ctx context.Context, token string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Dir, cmd.Env = "npm", append(os.Environ(), "KEYWRIGHT_TOKEN="+token)
	return cmd
}

func runNode(t *testing.T, token string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := node(ctx, token, args...)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out, &problems)
	}
	return string(out)
}

// follower is a client of others that prints events.
type follower struct {
	lines *bufio.Scanner
	end   func() string // ends it, and tells how it ended and of what it complained
}

func follow(t *testing.T, kind, url, token, after string) *follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), followPatience)
	cmd := node(ctx, token, "follow.mjs", kind, url+"/graphql", after)
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	end := sync.OnceValue(func() string {
		cancel()
		_, _ = io.Copy(io.Discard, out)
		return fmt.Sprintf("ended: %v\n%s", cmd.Wait(), &problems)
	})
	t.Cleanup(func() { end() })
	return &follower{lines: bufio.NewScanner(out), end: end}
}

// read gives so many events.
func (f *follower) read(t *testing.T, count int) []event {
	t.Helper()
	var all []event
	for len(all) < count {
		if !f.lines.Scan() {
			t.Fatalf("it follows no more after %d of %d events: %v, %s", len(all), count, f.lines.Err(), f.end())
		}
		var one event
		in := json.NewDecoder(strings.NewReader(f.lines.Text()))
		in.DisallowUnknownFields()
		if err := in.Decode(&one); err != nil {
			t.Fatalf("%s: %v, %s", f.lines.Text(), err, f.end())
		}
		all = append(all, one)
	}
	return all
}

func (c client) lastEvent(t *testing.T) event {
	t.Helper()
	var data struct{ Events connection[event] }
	if err := c.ask(`{ events(first: 1) { nodes { id index cursor type } } }`, nil, &data); err != nil || len(data.Events.Nodes) != 1 {
		t.Fatal(data, err)
	}
	return data.Events.Nodes[0]
}

// eventsAfter gives what happened since, once it is all in the journal.
func (c client) eventsAfter(t *testing.T, last event) []event {
	t.Helper()
	var all []event
	from := last.Cursor
	err := pages(func(after *string) (connection[event], error) {
		var data struct{ Events connection[event] }
		if after == nil {
			after = &from
		}
		err := c.ask(`query($after: String) { events(order: OLDEST_FIRST, first: 200, after: $after) {
			nodes { id index cursor type } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after}, &data)
		return data.Events, err
	}, func(one event) error {
		all = append(all, one)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// issueOne issues a license.
func (c client) issueOne(t *testing.T, id string) {
	t.Helper()
	var data struct {
		IssueLicense struct{ License struct{ ID string } }
	}
	err := c.ask(`mutation($id: String!) { issueLicense(input: {plan: "acme/floating", externalId: $id}) { license { id } } }`, map[string]any{"id": id}, &data)
	if err != nil {
		t.Fatal(err)
	}
}
