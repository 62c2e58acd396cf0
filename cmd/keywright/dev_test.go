package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	main "github.com/keywright/keywright/cmd/keywright"
)

// devServer is a server with --dev, in this process.
type devServer struct {
	url, token string
	greeting   string
	stop       func() error
}

// startDev waits for the greeting. It may be called from any goroutine.
func startDev(ctx context.Context, dir string, more ...string) (*devServer, error) {
	ctx, cancel := context.WithCancel(ctx)
	var log bytes.Buffer
	out := &greeted{done: make(chan struct{})}
	ended := make(chan error, 1)
	go func() {
		args := append([]string{"serve", "--dev", "--listen=127.0.0.1:0", "--data=" + dir}, more...)
		ended <- main.Run(ctx, args, nil, nil, out, &log)
	}()
	s := &devServer{stop: func() error {
		cancel()
		return <-ended
	}}
	select {
	case <-out.done:
	case err := <-ended:
		cancel()
		return nil, fmt.Errorf("it did not start: %w", err)
	}
	s.greeting = out.String()
	s.url = regexp.MustCompile(`(?m)^Keywright listens on (\S+)$`).FindStringSubmatch(s.greeting)[1]
	s.token = regexp.MustCompile(`(?m)^Admin token: (\S+)$`).FindStringSubmatch(s.greeting)[1]
	return s, nil
}

// greeted takes the standard output of a server, and is done once it has
// greeted: after the last blank line.
type greeted struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
	done chan struct{}
}

func (g *greeted) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.text.Write(p)
	if bytes.HasSuffix(p, []byte("\n\n")) {
		close(g.done)
	}
	return len(p), nil
}

func (g *greeted) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}

func (s *devServer) ask(query string) (string, error) {
	r, err := http.NewRequest(http.MethodPost, s.url+"/graphql", strings.NewReader(fmt.Sprintf(`{"query":%q}`, query)))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return string(body), err
}

// answered is the data of the answers that the tests look into.
type answered struct {
	IssueLicense struct {
		Key     string
		License struct{ ID string }
	}
	Validate struct {
		Code          string
		At, RefreshAt time.Time
	}
	License struct{ ActivatedAt, LastValidatedAt *time.Time }
}

// data wants an answer without errors.
func (s *devServer) data(t *testing.T, query string) answered {
	t.Helper()
	text, err := s.ask(query)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data   answered
		Errors []any
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || answer.Errors != nil {
		t.Fatalf("%v, %s", err, text)
	}
	return answer.Data
}

const (
	askCatalogue  = `{ products(first: 10) { nodes { code keyPrefix plans { nodes { code maxMachines duration leaseDuration } } } } }`
	demoCatalogue = `{"data":{"products":{"nodes":[{"code":"acme","keyPrefix":"ACME","plans":{"nodes":[` +
		`{"code":"professional","maxMachines":null,"duration":"P1Y","leaseDuration":null},` +
		`{"code":"floating","maxMachines":5,"duration":"P1Y","leaseDuration":"PT10M"}]}}]}}}`
)

func TestDevServersMakeOneHomeAtOnceAndShareIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	servers, errs := make([]*devServer, 4), make([]error, 4)
	var starting sync.WaitGroup
	for i := range servers {
		starting.Go(func() { servers[i], errs[i] = startDev(t.Context(), dir) })
	}
	starting.Wait()
	for i, s := range servers {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		if s.token != servers[0].token {
			t.Error("the servers have several admin tokens")
		}
	}
	answer, err := servers[1].ask(`mutation { issueLicense(input: {plan: "acme/professional"}) { key } }`)
	key := regexp.MustCompile(`ACME-[-0-9A-Z]+`).FindString(answer)
	if err != nil || key == "" {
		t.Fatalf("issueLicense: %v, %s", err, answer)
	}
	for _, s := range servers {
		answer, err := s.ask(`{ validate(input: {key: "` + key + `", product: "acme"}) { code } products { nodes { code } } }`)
		if err != nil || answer != `{"data":{"validate":{"code":"VALID"},"products":{"nodes":[{"code":"acme"}]}}}` {
			t.Errorf("%v, %s", err, answer)
		}
	}
	for _, s := range servers {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	}
	home, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range home {
		if file.Name() == "checkpoint" { // which is made once there is something to sign, and is for everybody
			continue
		}
		names = append(names, file.Name())
		if info, err := file.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file.Name(), info.Mode(), err)
		}
	}
	if diff := cmp.Diff([]string{"admin-header", "admin-token", "checkpoint-key", "keywright.db", "secret"}, names); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory: %v, %v", info.Mode(), err)
	}
}

func TestADevServerFindsWhatAnEarlierOneMade(t *testing.T) {
	dir := t.TempDir()
	first, err := startDev(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := first.ask(askCatalogue)
	if diff := cmp.Diff(demoCatalogue, answer); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	// Whoever archives the demo product does not see it again.
	if answer, err := first.ask(`mutation { updateProduct(input: {product: "acme", archived: true}) { product { archived } } }`); err != nil ||
		answer != `{"data":{"updateProduct":{"product":{"archived":true}}}}` {
		t.Errorf("%v, %s", err, answer)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second, err := startDev(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if second.token != first.token {
		t.Error("the admin token has changed")
	}
	if answer, err := second.ask(askCatalogue); err != nil || answer != `{"data":{"products":{"nodes":[]}}}` {
		t.Errorf("%v, %s", err, answer)
	}
	if err := second.stop(); err != nil {
		t.Error(err)
	}
}

func TestServicesAreWiredAsTheConfigurationSays(t *testing.T) {
	const imported = "made-elsewhere-0001"
	tests := map[string]struct {
		flags     []string
		imported  string // the code that it validates with
		revealed  bool
		refreshIn time.Duration
	}{
		"by default": {nil, "VALID", true, 5 * time.Minute},
		"otherwise":  {[]string{"--imported-keys=off", "--reveal=off", "--refresh=20m"}, "NOT_FOUND", false, 20 * time.Minute},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := startDev(t.Context(), t.TempDir(), test.flags...)
			if err != nil {
				t.Fatal(err)
			}
			issued := s.data(t, `mutation { issueLicense(input: {plan: "acme/professional"}) { key license { id } } }`).IssueLicense
			s.data(t, `mutation { issueLicense(input: {plan: "acme/professional", key: "`+imported+`"}) { key } }`)

			v := s.data(t, `{ validate(input: {key: "`+issued.Key+`", product: "acme"}) { code at refreshAt } }`).Validate
			if v.Code != "VALID" || v.RefreshAt.Sub(v.At) != test.refreshIn {
				t.Errorf("%s, to refresh in %s", v.Code, v.RefreshAt.Sub(v.At))
			}
			if v := s.data(t, `{ validate(input: {key: "`+imported+`", product: "acme"}) { code } }`).Validate; v.Code != test.imported {
				t.Errorf("the imported key is %s", v.Code)
			}
			answer, err := s.ask(`mutation { revealLicenseKey(input: {license: "` + issued.License.ID + `", reason: "lost"}) { key } }`)
			if err != nil || strings.Contains(answer, issued.Key) != test.revealed {
				t.Errorf("revealLicenseKey: %v, %s", err, answer)
			}
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWhatWasCountedIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	first, err := startDev(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	issued := first.data(t, `mutation { issueLicense(input: {plan: "acme/professional"}) { key license { id } } }`).IssueLicense
	first.data(t, `{ validate(input: {key: "`+issued.Key+`", product: "acme"}) { code } }`)
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}
	second, err := startDev(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	l := second.data(t, `{ license(id: "`+issued.License.ID+`") { activatedAt lastValidatedAt } }`).License
	if l.ActivatedAt == nil || l.LastValidatedAt == nil {
		t.Errorf("the license is %+v", l)
	}
	if err := second.stop(); err != nil {
		t.Error(err)
	}
}

func TestTheGreetingKeepsTheTokenOutOfCommands(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "the 1st customer's")
	s, err := startDev(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(s.greeting, s.token); n != 1 {
		t.Errorf("the token is there %d times:\n%s", n, s.greeting)
	}
	quoted := "-H @'" + strings.ReplaceAll(filepath.Join(dir, "admin-header"), "'", `'\''`) + "'"
	if !strings.Contains(s.greeting, quoted) {
		t.Errorf("there is no %s in:\n%s", quoted, s.greeting)
	}
	header, err := os.ReadFile(filepath.Join(dir, "admin-header"))
	if err != nil || string(header) != "Authorization: Bearer "+s.token+"\n" {
		t.Errorf("%v, %s", err, header)
	}
	if !regexp.MustCompile(`^kwa_[-_0-9A-Za-z]{43}$`).MatchString(s.token) {
		t.Errorf("the token is %s", s.token)
	}
}

func TestADevServerMakesNothingOfAnEmptyFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "admin-token")
	if err := os.WriteFile(path, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := startDev(t.Context(), dir); err == nil || !strings.Contains(err.Error(), path+" is empty") {
		t.Errorf("%v, %v", s, err)
	}
}

func TestAnotherAddressIsTakenAlready(t *testing.T) {
	s, err := startDev(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	taken := strings.TrimPrefix(s.url, "http://")
	_, err = startDev(t.Context(), t.TempDir(), "--listen="+taken)
	if err == nil || !strings.Contains(err.Error(), "listen (--listen): listen tcp "+taken) {
		t.Errorf("%v", err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
}
