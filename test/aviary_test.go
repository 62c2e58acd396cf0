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
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// What these servers are confided, beside the keys that they make.
const (
	knownSecret  = "8f3b0c7e51d2a6944ce0b7f81a2d6395c4e87b10f6d93a5270be41c98d5f2a36"
	knownToken   = "kwa_Zq7Yt2LmX0Rv9Kd4Wc6Ng1Bh8Jf3Ps5Ea-Ui_Mo7Tz2Q"
	knownMachine = "fp-9Qm2vX7tLr4Wz8Kb3Hd6"
	knownKey     = "made-elsewhere-5Tj8Rw1Xc6Vb3Nq"
)

// aviary is a server that is sent canaries, and what it lets out.
type aviary struct {
	*server
	client
	ops   string // the address of its probes
	http  http.Client
	flock flock
	key   string // one of those that it made
}

// confide starts a --dev server on a data directory, with the canaries in its
// files.
func confide(t *testing.T, data, level string, flags ...string) *aviary {
	t.Helper()
	for name, line := range map[string]string{"secret": knownSecret, "admin-token": knownToken} {
		if err := os.WriteFile(filepath.Join(data, name), []byte(line+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return confideTo(t, append(flags, "--dev", "--data", data, "--log-level="+level)...)
}

// confideTo starts a server with these flags.
func confideTo(t *testing.T, flags ...string) *aviary {
	t.Helper()
	a := &aviary{flock: flock{newSecret(knownSecret), newCanary("the token", knownToken), newCanary("a fingerprint", knownMachine), newKey(knownKey)}}
	a.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Cleanup(a.http.CloseIdleConnections)
	var err error
	a.server, err = start("", devEnv(), append([]string{"serve", "--listen=127.0.0.1:0", "--ops-listen=127.0.0.1:0"}, flags...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.kill)
	ops, err := a.probes()
	if err != nil {
		t.Fatal(err)
	}
	a.ops, a.client = ops, client{url: a.URL, token: knownToken}
	return a
}

// wantSilent fails if a text holds a canary, and shows the first line that
// does.
func (a *aviary) wantSilent(t *testing.T, where, text string) {
	t.Helper()
	found := a.flock.in(text)
	if found == nil {
		return
	}
	for line := range strings.Lines(text) {
		if a.flock.in(line) != nil {
			text = line
			break
		}
	}
	t.Errorf("%s holds %s:\n%.5000s", where, strings.Join(found, ", "), text)
}

// printedToken is the line that --dev prints for whoever sits at the terminal.
var printedToken = regexp.MustCompile(`(?m)^Admin token: \S+\n`)

// wantAllSilent looks at all that is let out but answers.
func (a *aviary) wantAllSilent(t *testing.T) {
	t.Helper()
	a.wantSilent(t, "the log", a.Stderr.String())
	a.wantSilent(t, "the standard output", printedToken.ReplaceAllString(a.Stdout.String(), ""))
	for _, name := range []string{"cmdline", "environ"} { // others of the machine may see the first
		text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(a.cmd.Process.Pid), name))
		if err != nil {
			t.Fatal(err)
		}
		a.wantSilent(t, name, string(text))
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		request, err := http.NewRequest(http.MethodGet, a.ops+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		told, err := a.send(request)
		if err != nil {
			t.Fatal(err)
		}
		a.wantSilent(t, path, told)
	}
}

// question is a call of a root field.
type question struct {
	field      rootField
	credential string
	query      string
	variables  map[string]any
}

func (q question) request(url string) (*http.Request, error) {
	body, err := json.Marshal(map[string]any{"query": q.query, "variables": q.variables})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if q.credential != "" {
		request.Header.Set("Authorization", q.credential)
	}
	return request, nil
}

// send gives all that an answer tells, save for the data that was asked for.
func (a *aviary) send(request *http.Request) (string, error) {
	response, err := a.http.Do(request)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	defer response.Body.Close()
	var told bytes.Buffer
	fmt.Fprintln(&told, response.Status)
	if err := response.Header.Write(&told); err != nil {
		return "", err
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return told.String() + string(body), nil
	}
	delete(members, "data")
	rest, err := json.Marshal(members)
	return told.String() + string(rest), err
}

// askAll sends questions, by a few callers at once.
func (a *aviary) askAll(t *testing.T, questions []question) error {
	t.Helper()
	var callers errgroup.Group
	callers.SetLimit(8)
	for _, one := range questions {
		callers.Go(func() error {
			request, err := one.request(a.URL)
			if err != nil {
				return err
			}
			told, err := a.send(request)
			a.wantSilent(t, fmt.Sprintf("an answer of %s to %v", one.field.Name, one.variables), told)
			return err
		})
	}
	return callers.Wait()
}

// questions calls each root field as it succeeds, which it must, and gives many
// calls more: each argument in turn is a canary. Of these it gives one of so
// many, so that servers may share them.
func (a *aviary) questions(t *testing.T, one, of int) []question {
	t.Helper()
	var all []question
	for _, field := range rootFields(t) {
		values, err := a.make("new-" + strings.ToLower(field.Name))
		if err != nil {
			t.Fatal(err)
		}
		good, err := field.arguments(values)
		if err != nil {
			t.Fatalf("the arguments of %s: %v", field.Name, err)
		}
		if err := a.client.ask(field.withVariables(), good, &struct{}{}); err != nil {
			t.Errorf("%s does not succeed: %v", field.Name, err)
		}
		const admin, wrong = "Bearer " + knownToken, "Bearer " + knownToken + "x"
		for i, arguments := range append([]map[string]any{good}, field.spoilt(good, values["KEY"])...) {
			if i%of != one && i > 0 {
				continue
			}
			withVariables, withLiterals := field.withVariables(), field.withLiterals(arguments)
			all = append(all, question{field, admin, withVariables, arguments}, question{field, admin, withLiterals, nil})
			if field.public() || i == 0 {
				all = append(all, question{field, "", withVariables, arguments}, question{field, "", withLiterals, nil})
			}
			if i == 0 {
				all = append(all, question{field, wrong, withVariables, arguments})
			}
		}
	}
	return all
}

// spoilt gives the arguments with a canary in the place of each of them in
// turn.
func (f rootField) spoilt(good map[string]any, key string) []map[string]any {
	mistyped := key[:len(key)-1] + "?"
	canaries := []any{key, mistyped, knownKey, knownToken, knownMachine, knownSecret, map[string]any{strings.ReplaceAll(key, "-", "_"): key}}
	var all []map[string]any
	for _, at := range f.leaves() {
		for _, text := range canaries {
			all = append(all, replaced(good, at, text).(map[string]any))
		}
	}
	return all
}

// make gives what a call is about: a license of its own with a seat, so that
// it does not matter what other calls do.
func (a *aviary) make(fresh string) (map[string]string, error) {
	type issued struct {
		Key     string
		License struct{ ID string }
	}
	var data struct{ One, Two issued }
	var seat struct {
		Activate struct{ Activation struct{ ID string } }
	}
	const email = "a@example.com"
	err := a.client.ask(`mutation($email: String!) {
		one: issueLicense(input: {plan: "acme/floating", customer: {email: $email}}) { key license { id } }
		two: issueLicense(input: {plan: "acme/floating"}) { key license { id } }
	}`, map[string]any{"email": email}, &data)
	if err == nil {
		err = errors.Join(
			a.client.ask(`mutation($id: ID!) { suspendLicense(input: {license: $id}) { license { id } } }`, map[string]any{"id": data.Two.License.ID}, &struct{}{}),
			a.client.ask(`mutation($key: String!, $machine: String!) { activate(input: {key: $key, product: "acme", fingerprint: $machine}) { activation { id } } }`,
				map[string]any{"key": data.One.Key, "machine": knownMachine}, &seat))
	}
	a.key = data.One.Key
	a.flock = append(a.flock, newKey(a.key))
	return map[string]string{
		"KEY": data.One.Key, "LICENSE": data.One.License.ID, "SUSPENDED": data.Two.License.ID, "SEAT": seat.Activate.Activation.ID,
		"MACHINE": knownMachine, "EMAIL": email, "NEW": fresh,
	}, err
}
