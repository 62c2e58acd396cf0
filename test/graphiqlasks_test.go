package test_test

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// Whatever the pieces that a stream comes in, the page reads the same.
func TestGraphiQLReadsAStreamInAnyPieces(t *testing.T) {
	openSources(t)
	const first = "event: next\ndata: {\"data\":\"Zoë, 鍵, 🔑 \\n\\n event: complete\"}\n\n"
	for name, test := range map[string]struct{ stream, want string }{
		"whole": {":\n\n" + first + ":\n\n:\n\nevent: next\ndata: {\"data\":2}\n\nevent: complete\ndata:\n\n",
			`[{"data":"Zoë, 鍵, 🔑 \n\n event: complete"},{"data":2}]`},
		"cut off":             {first + ":\n\n", `[{"data":"Zoë, 鍵, 🔑 \n\n event: complete"},"the stream was cut off; run it again"]`},
		"cut off in an event": {first + "event: next\ndata: {}\n", `[{"data":"Zoë, 鍵, 🔑 \n\n event: complete"},"the stream was cut off; run it again"]`},
		"of no answers":       {"event: complete\ndata:\n\n", `[]`},
	} {
		lines := strings.Split(strings.TrimSpace(runNode(t, "", "pieces.mjs", test.stream)), "\n")
		if len(lines) != len(test.stream)+1 {
			t.Errorf("%s: read %d times, want %d", name, len(lines), len(test.stream)+1)
		}
		for at, got := range lines {
			if got != test.want {
				t.Errorf("%s, cut at %d: %s, want %s", name, at, got, test.want)
			}
		}
	}
}

func pageRequest(t *testing.T, document, operation string, variables map[string]any) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"query": document, "operationName": operation, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestGraphiQLShowsWhatTheServerAnswers(t *testing.T) {
	openSources(t)
	_, c := serveDev(t, t.TempDir())
	const follow = `subscription { events { type } }`
	for name, test := range map[string]struct{ token, document, want string }{
		"a query":                     {c.token, `{ product(id: "acme") { code } }`, `{"data":{"product":{"code":"acme"}}}{"complete":true}`},
		"a token that was not put in": {"<admin token>", `{ __typename }`, `{"data":{"__typename":"Query"}}{"complete":true}`},
		"a bad token": {"no", follow,
			`{"errors":[{"message":"the bearer token is not valid","extensions":{"code":"UNAUTHENTICATED"}}]}{"complete":true}`},
		"nobody's subscription": {"", follow, `{"errors":[{"message":"log in first: event:read needs a credential","path":["events"],` +
			`"locations":[{"line":1,"column":16}],"extensions":{"code":"UNAUTHENTICATED"}}]}{"complete":true}`},
		"a document that is none": {c.token, `subscription { nothing }`, `{"errors":[{"message":"Cannot query field \"nothing\" on type \"Subscription\".",` +
			`"locations":[{"line":1,"column":16}],"extensions":{"code":"INVALID_INPUT"}}]}{"complete":true}`},
	} {
		got := runNode(t, test.token, "page.mjs", c.url, pageRequest(t, test.document, "", nil))
		if got := strings.ReplaceAll(got, "\n", ""); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

const (
	followsLicenses = `subscription Follow($after: String) { events(after: $after) { type } }`
	licenseCreated  = `{"data":{"events":{"type":"license.created"}}}`
)

// A stream that is still open keeps a program of Node.js from ending.
func TestGraphiQLSubscribesUntilItIsStopped(t *testing.T) {
	openSources(t)
	_, c := serveDev(t, t.TempDir())
	after := map[string]any{"after": c.lastEvent(t).Cursor}
	for _, id := range []string{"first", "second", "third"} {
		c.issueOne(t, id)
	}
	got := runNode(t, c.token, "page.mjs", c.url, pageRequest(t, followsLicenses, "Follow", after), "2")
	if want := licenseCreated + "\n" + licenseCreated + "\n"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGraphiQLIsRefusedAStreamTooMany(t *testing.T) {
	openSources(t)
	t.Setenv("KEYWRIGHT_MAX_STREAMS", "1")
	_, c := serveDev(t, t.TempDir())
	_, end, err := c.overEvents(t.Context(), c.lastEvent(t).Cursor)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	got := runNode(t, c.token, "page.mjs", c.url, pageRequest(t, followsLicenses, "", nil))
	if want := `{"errors":[{"message":"…","extensions":{"code":"UNAVAILABLE","retryAfterSeconds":5}}]}` + "\n" + `{"complete":true}`; !pattern(want).MatchString(got) {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestGraphiQLIsToldThatItsStreamWasCutOff(t *testing.T) {
	openSources(t)
	s, c := serveDev(t, t.TempDir())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	after := map[string]any{"after": c.lastEvent(t).Cursor}
	c.issueOne(t, "first")
	page := node(ctx, c.token, "page.mjs", c.url, pageRequest(t, followsLicenses, "", after))
	page.Stderr = os.Stderr
	out, err := page.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != licenseCreated {
		t.Errorf("%q, want %s", lines.Text(), licenseCreated)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if want := `{"error":"the stream was cut off; run it again"}`; !lines.Scan() || lines.Text() != want {
		t.Errorf("%q, want %s", lines.Text(), want)
	}
	if lines.Scan() {
		t.Errorf("and %q", lines.Text())
	}
	if err := page.Wait(); err != nil {
		t.Error(err)
	}
}
