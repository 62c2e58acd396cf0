package test_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	_ "modernc.org/sqlite" // writes what the server did not

	"golang.org/x/sync/errgroup"
)

// No key, token, secret or fingerprint that a server is confided is in what it
// logs or answers, whatever is asked and however it ends. There are no metrics
// yet.
func TestWhatAServerIsConfidedTurnsUpNowhereElse(t *testing.T) {
	openSources(t)
	levels := []string{"debug", "info", "warn", "error"}
	for i, level := range levels {
		t.Run(level, func(t *testing.T) {
			data := t.TempDir()
			flags := []string{"--unknown-keys-per-minute=off", "--unknown-texts-per-minute=off"}
			if level == "warn" {
				flags = nil // here many answers are RATE_LIMITED
			}
			a := confide(t, data, level, flags...)
			ok := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatalf("%v\n%.10000s", err, a.Stderr)
				}
			}
			questions := a.questions(t, i, len(levels))
			ok(a.askAll(t, questions))
			a.tryDoors(t, []string{a.key, knownKey, knownToken, knownMachine}[i])
			some := fewOf(questions)
			a.wantAllSilent(t)

			ok(fill(a.server, data, 0))
			ok(a.askAll(t, some))
			ok(makeRoom(a.server))
			a.wantAllSilent(t)

			bodies, err := openBodies(t, data)
			ok(err)
			for _, as := range damages {
				ok(bodies.write(t.Context(), as))
				ok(a.askAll(t, some))
			}
			ok(bodies.write(t.Context(), undamaged))
			for _, logged := range logs[level] {
				ok(a.logs(logged))
			}
			a.wantAllSilent(t)

			ended := a.load(t, some)
			ok(errors.Join(a.stop(), ended()))
			a.wantSilent(t, "the log at the end", a.Stderr.String())
		})
	}
}

// logs is what each level must have logged, or the test looked at nothing.
var logs = map[string][]*regexp.Regexp{
	"debug": {logsRequests, logsUnavailable, logsInternal},
	"info":  {logsRequests, logsUnavailable, logsInternal},
	"warn":  {logsUnavailable, logsInternal},
	"error": {logsInternal},
}

var (
	logsRequests    = regexp.MustCompile(`(?m) level=INFO msg=request `)
	logsUnavailable = regexp.MustCompile(`(?m) level=WARN msg=unavailable `)
	logsInternal    = regexp.MustCompile(`(?m) level=ERROR msg="internal error" `)
)

// The same, of a server without --dev, which logs JSON and knows nobody.
func TestWhatIsStoredTurnsUpInNoLogOfAnotherServer(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	dev := confide(t, data, "error")
	questions := dev.questions(t, 0, 8)
	if err := dev.stop(); err != nil {
		t.Fatal(err)
	}
	a := confideTo(t, "--storage=sqlite://"+filepath.Join(data, "keywright.db"), "--secret-file="+filepath.Join(data, "secret"), "--log-level=debug")
	a.flock = dev.flock
	if err := a.askAll(t, questions); err != nil {
		t.Fatal(err)
	}
	a.tryDoors(t, dev.key)
	a.wantAllSilent(t)
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	var line struct{ Msg string }
	text := a.Stderr.String()
	if err := json.Unmarshal([]byte(text[:strings.IndexByte(text, '\n')]), &line); err != nil || line.Msg == "" {
		t.Errorf("the log is %.1000s", text)
	}
	a.wantSilent(t, "the log", text)
}

// What Go tells of a program that crashes holds none of them either.
func TestACrashTellsNothingThatTheServerWasConfided(t *testing.T) {
	openSources(t)
	for range 10 {
		a := confide(t, t.TempDir(), "error")
		var changes []question // which take longest
		for _, q := range a.questions(t, 0, 8) {
			if q.field.kind == "mutation" && q.credential != "" {
				changes = append(changes, q)
			}
		}
		ended := a.load(t, changes)
		if err := a.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
			t.Fatal(err)
		}
		<-a.ended
		if err := ended(); err != nil {
			t.Fatal(err)
		}
		crash := a.Stderr.String()
		a.wantSilent(t, "the crash", crash)
		if !strings.Contains(crash, "SIGQUIT: quit") {
			t.Fatalf("there was no crash:\n%s", crash)
		}
		if strings.Contains(crash, "/licensing.(*Service).") && strings.Contains(crash, "/resolvers.") {
			return
		}
		t.Log("it came between requests")
	}
	t.Error("no crash came amid a request")
}

// load asks questions again and again, until there is no answer; then what it
// gives returns. It returns itself once the first are answered.
func (a *aviary) load(t *testing.T, questions []question) (ended func() error) {
	t.Helper()
	var answered atomic.Int64
	loaded := make(chan struct{})
	var callers errgroup.Group
	for i := range 16 {
		callers.Go(func() error {
			for n := i; ; n++ {
				request, err := questions[n%len(questions)].request(a.URL)
				if err != nil {
					return err
				}
				told, err := a.send(request)
				if errors.Is(err, errNoAnswer) {
					return nil
				}
				if err != nil {
					return err
				}
				a.wantSilent(t, "an answer", told)
				if answered.Add(1) == 100 {
					close(loaded)
				}
			}
		})
	}
	select {
	case <-loaded:
	case <-a.ended:
		t.Errorf("the server ended under load\n%.10000s", a.Stderr)
	}
	return callers.Wait
}

// fewOf gives each fourth: some of every field.
func fewOf(questions []question) []question {
	var few []question
	for i := 0; i < len(questions); i += 4 {
		few = append(few, questions[i])
	}
	return few
}

// bodies are what is stored of records and seats, to be damaged behind the
// server's back.
type bodies struct{ *sql.DB }

const undamaged = "body"

// damages are SQL expressions of a body.
var damages = []string{
	"'{}'", "'null'", "'[]'", "''", "substr(body, 1, length(body) / 2)",
	`replace(body, '":"', '":["')`, `replace(body, '":"', '":1,"other":"')`, `replace(body, '":', '"')`,
}

func openBodies(t *testing.T, data string) (*bodies, error) {
	path := url.URL{Scheme: "file", Path: filepath.Join(data, "keywright.db"), RawQuery: "_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", path.String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1) // which has the copies
	_, err = db.ExecContext(t.Context(), `CREATE TEMP TABLE record_copy AS SELECT row, body FROM record;
		CREATE TEMP TABLE seat_copy AS SELECT row, id, body FROM seat;`)
	return &bodies{db}, err
}

// write replaces each body by what an expression makes of it as it was.
func (b *bodies) write(ctx context.Context, as string) error {
	_, err := b.ExecContext(ctx, fmt.Sprintf(`UPDATE record SET body = coalesce((SELECT %[1]s FROM record_copy c WHERE c.row = record.row), body);
		UPDATE seat SET body = coalesce((SELECT %[1]s FROM seat_copy c WHERE c.row = seat.row AND c.id = seat.id), body);`, as))
	return err
}
