package test_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestScripts(t *testing.T) {
	openSources(t)
	refuseStop(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			// Else each end of the program takes a second under the race detector.
			env.Setenv("GORACE", "atexit_sleep_ms=10")
			s := &session{env: env.Vars}
			env.Values[sessionKey{}] = s
			env.Defer(func() {
				if s.server == nil {
					return
				}
				if err := s.server.stop(); err != nil {
					env.T().Fatal(err)
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":    serve,
			"start":    startAny,
			"shutdown": shutdown,
			"kill9":    kill9,
			"graphql":  graphql,
			"field":    field,
			"capture":  capture,
			"logged":   logged,
		},
		RequireUniqueNames: true,
	})
}

// refuseStop fails where a script says stop: by that testscript ends a script
// as one that has passed, whatever follows.
func refuseStop(t *testing.T) {
	t.Helper()
	isStop := regexp.MustCompile(`(?m)^\s*stop\b`)
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("there are no scripts: %v", err)
	}
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if isStop.Match(text) {
			t.Errorf("%s says stop; a server is ended by shutdown", script)
		}
	}
}

type sessionKey struct{}

// A session is what the commands of one script share.
type session struct {
	env    []string
	server *server // nil where none runs
	body   []byte  // of the last answer
}

func sessionOf(ts *testscript.TestScript) *session {
	return ts.Value(sessionKey{}).(*session)
}

func serve(ts *testscript.TestScript, neg bool, args []string) {
	env, flags := splitEnv(args)
	startAny(ts, neg, slices.Concat(env, []string{"serve", "--dev", "--listen", "127.0.0.1:0"}, flags))
	if !neg {
		token := ts.ReadFile(filepath.Join(dataDir(flags), "admin-token"))
		ts.Setenv("TOKEN", strings.TrimSpace(token))
	}
}

func startAny(ts *testscript.TestScript, neg bool, args []string) {
	s := sessionOf(ts)
	if s.server != nil {
		ts.Fatalf("a server runs already")
	}
	env, args := splitEnv(args)
	server, err := start(ts.MkAbs("."), append(s.env[:len(s.env):len(s.env)], env...), args...)
	fmt.Fprint(ts.Stdout(), server.Stdout)
	fmt.Fprint(ts.Stderr(), server.Stderr)
	if neg {
		if err == nil {
			server.kill()
			ts.Fatalf("the server listens")
		}
		if !errors.Is(err, errEarly) || server.cmd.ProcessState.Success() {
			ts.Fatalf("no error of its own: %v", err)
		}
		return
	}
	ts.Check(err)
	s.server = server
	ts.Setenv("URL", server.URL)
}

// splitEnv takes the leading NAME=VALUE words off.
func splitEnv(args []string) (env, rest []string) {
	n := 0
	for n < len(args) && !strings.HasPrefix(args[n], "-") && strings.Contains(args[n], "=") {
		n++
	}
	return args[:n:n], args[n:]
}

func dataDir(flags []string) string {
	for i, flag := range flags {
		if dir, ok := strings.CutPrefix(flag, "--data="); ok {
			return dir
		}
		if flag == "--data" && i+1 < len(flags) {
			return flags[i+1]
		}
	}
	return "data"
}

func shutdown(ts *testscript.TestScript, neg bool, args []string) {
	server := take(ts, neg, args)
	err := server.stop()
	fmt.Fprint(ts.Stdout(), server.Stdout)
	fmt.Fprint(ts.Stderr(), server.Stderr)
	ts.Check(err)
}

func kill9(ts *testscript.TestScript, neg bool, args []string) {
	take(ts, neg, args).kill()
}

// take gives the running server, which the caller ends.
func take(ts *testscript.TestScript, neg bool, args []string) *server {
	s := sessionOf(ts)
	if neg || len(args) > 0 {
		ts.Fatalf("takes no arguments and no !")
	}
	if s.server == nil {
		ts.Fatalf("no server runs")
	}
	server := s.server
	s.server = nil
	return server
}

func graphql(ts *testscript.TestScript, neg bool, args []string) {
	token := ts.Getenv("TOKEN")
	if len(args) > 0 && args[0] == "-anonymous" {
		token, args = "", args[1:]
	}
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: graphql [-anonymous] QUERY [VARIABLES]")
	}
	request := map[string]any{"query": textOrFile(ts, args[0])}
	if len(args) == 2 {
		request["variables"] = json.RawMessage(textOrFile(ts, args[1]))
	}
	text, err := json.Marshal(request)
	ts.Check(err)
	status, body, err := post(ts.Getenv("URL")+"/graphql", token, text)
	ts.Check(err)
	sessionOf(ts).body = body
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
	fmt.Fprintf(ts.Stderr(), "%d\n", status)

	var answer struct{ Errors []json.RawMessage }
	ts.Check(json.Unmarshal(body, &answer))
	if failed := len(answer.Errors) > 0; failed != neg {
		ts.Fatalf("status %d, errors: %t", status, failed)
	}
}

func textOrFile(ts *testscript.TestScript, arg string) string {
	if name, ok := strings.CutPrefix(arg, "@"); ok {
		return ts.ReadFile(name)
	}
	return arg
}

// post sends a body, with headers given as names and values in turn.
func post(url, token string, body []byte, headers ...string) (status int, answer []byte, err error) {
	request, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Close = true // a server that ends may close a kept connection in the moment of its next request
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: 30 * time.Second}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: field PATH VALUE")
	}
	value, err := at(sessionOf(ts).body, args[0])
	ts.Check(err)
	if (value == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], value)
	}
}

func capture(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: capture NAME PATH")
	}
	value, err := at(sessionOf(ts).body, args[1])
	ts.Check(err)
	ts.Setenv(args[0], value)
}

// at gives what stands in body at the path: a text as it is, all else as
// compact JSON.
func at(body []byte, path string) (string, error) {
	var here any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&here); err != nil {
		return "", err
	}
	for step := range strings.SplitSeq(path, ".") {
		next, ok := child(here, step)
		if !ok {
			return "", fmt.Errorf("%s: there is no %s", path, step)
		}
		here = next
	}
	if text, ok := here.(string); ok {
		return text, nil
	}
	text, err := json.Marshal(here)
	return string(text), err
}

func child(of any, step string) (value any, ok bool) {
	switch of := of.(type) {
	case map[string]any:
		value, ok = of[step]
	case []any:
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(of) {
			return of[i], true
		}
	}
	return value, ok
}
