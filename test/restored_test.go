package test_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// wantSaid fails unless a text has the pattern.
func wantSaid(t *testing.T, what, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("%s: want %s in\n%s", what, pattern, text)
	}
}

// endedWith gives the code that a command ended with.
func endedWith(err error) int {
	var ended *exec.ExitError
	if errors.As(err, &ended) {
		return ended.ExitCode()
	}
	return 0
}

// serveProbed starts a --dev server with probes, and gives the address of the
// one that says whether it is ready.
func serveProbed(t *testing.T, data string) (s *server, c client, ready string) {
	t.Helper()
	s, err := start("", devEnv(), append(devArgs(data), "--ops-listen=127.0.0.1:0")...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kill)
	probes, err := s.probes()
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	return s, client{url: s.URL, token: strings.TrimSpace(string(token))}, probes + "/readyz"
}

// readiness asks a server whether it is ready, and gives what it says.
func readiness(t *testing.T, address string) (status int, said string) {
	t.Helper()
	answer, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// An old copy of a database is restored, and everything is done as the README
// says: who has checkpoints of before sees how many entries are gone, and the
// servers go on in another epoch.
func TestARestoredCopyGoesOnInAnotherEpoch(t *testing.T) {
	openSources(t)
	for name, by := range eachBackups() {
		t.Run(name, func(t *testing.T) { goesOnInAnotherEpoch(t, makeHistory(t, by)) })
	}
}

// goesOnInAnotherEpoch restores the old copy.
func goesOnInAnotherEpoch(t *testing.T, h *logHistory) {
	h.restore(t, h.data)
	_, stderr, err := keywright(t, h.data, "journal", "verify", "--checkpoint="+h.notes)
	wantSaid(t, "before migrate --restored", stderr, `the last 100 were cut off, or an old copy was restored, and keywright migrate --restored not run on it\n$`)
	if endedWith(err) != 1 {
		t.Error(err)
	}
	stdout, _, err := keywright(t, h.data, "migrate", "--restored")
	if err != nil {
		t.Fatal(err)
	}
	wantSaid(t, "migrate", stdout, `goes on in epoch \d+ behind 53 entries\..* 0 are yet to be logged\.\nStart the servers anew\.`)

	stdout, stderr, err = keywright(t, h.data, "journal", "verify", "--records", "--checkpoint="+h.notes)
	if endedWith(err) != 3 {
		t.Errorf("journal verify: %v", err)
	}
	wantSaid(t, "verify", stdout, `^The journal is whole: 54 entries .* It continues the checkpoint at 53 entries\. It was restored at 53 entries on \S+Z, and went on in epoch \d+\. 53 records are as`)
	wantSaid(t, "verify", stderr, `^keywright: the log was restored at size 53 \(epoch \d+\) on \S+Z; 100 entries of the checkpoint's log are gone: it had 153 in epoch 1\n$`)

	s, _, ready := serveProbed(t, h.data)
	if status, said := readiness(t, ready); status != http.StatusServiceUnavailable {
		t.Errorf("with the checkpointFile of before it is ready: %s", said)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	wantSaid(t, "the server", s.Stderr.String(), `100 entries of the checkpoint's log are gone.*move checkpointFile away.*checkpointFile=`)
	if err := os.Rename(filepath.Join(h.data, "checkpoint"), filepath.Join(h.data, "checkpoint.before")); err != nil {
		t.Fatal(err)
	}
	s, c, ready := serveProbed(t, h.data)
	if status, said := readiness(t, ready); status != http.StatusOK {
		t.Errorf("it is not ready: %s", said)
	}
	if _, err := c.issue(); err != nil {
		t.Fatal(err)
	}
	note, _ := sign(t, h.data, 54)
	wantSaid(t, "the checkpoint", note, `^keywright/journal/log_[0-9a-z]+/[0-9]{10}\n55\n`)
	if err := errors.Join(s.stop(), verified(t, h.data)); err != nil {
		t.Error(err)
	}
}

// Where nothing that was signed is gone, the checkpointFile may stay.
func TestACopyThatLacksNothingGoesOnFromTheCheckpointFile(t *testing.T) {
	openSources(t)
	h := makeHistory(t, ofFile{})
	if _, _, err := keywright(t, h.data, "migrate", "--restored"); err != nil {
		t.Fatal(err)
	}
	_, c, ready := serveProbed(t, h.data)
	if _, err := c.issue(); err != nil {
		t.Fatal(err)
	}
	if status, said := readiness(t, ready); status != http.StatusOK {
		t.Errorf("it is not ready: %s", said)
	}
	stdout, stderr, err := keywright(t, h.data, "journal", "verify", "--checkpoint="+h.notes)
	if err != nil || !strings.Contains(stdout, "It continues the checkpoint at 153 entries. It was restored at 153 entries") {
		t.Errorf("%v: %s%s", err, stdout, stderr)
	}
}

// The content of the database is set back while a server has it open, as an
// engine is restored that servers stay connected to.
func TestAServerThatRunsWhileItsStorageIsSetBackSignsNoMore(t *testing.T) {
	openSources(t)
	for name, by := range eachBackups() {
		for how, commands := range map[string][]string{"as it is": nil, "and the epoch begun": {"migrate", "--restored"}} {
			t.Run(name+" "+how, func(t *testing.T) { signsNoMore(t, makeHistory(t, by), commands) })
		}
	}
}

// signsNoMore sets the storage back to the old copy, and then runs a command.
func signsNoMore(t *testing.T, h *logHistory, commands []string) {
	s, c, ready := serveProbed(t, h.data)
	if _, err := c.issue(); err != nil { // the journal is under way
		t.Fatal(err)
	}
	sign(t, h.data, h.sizes[2])
	if status, said := readiness(t, ready); status != http.StatusOK {
		t.Fatalf("it is not ready: %s", said)
	}
	h.setBack(t)
	if commands != nil {
		if _, stderr, err := keywright(t, h.data, commands...); err != nil {
			t.Fatalf("%v: %s", err, stderr)
		}
	}
	status, said := readiness(t, ready)
	for end := time.Now().Add(readyWithin); status == http.StatusOK && time.Now().Before(end); {
		aMoment()
		status, said = readiness(t, ready)
	}
	wantSaid(t, "not ready", said, `^the journal does not continue`)
	kept, err := os.ReadFile(filepath.Join(h.data, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.issue(); err != nil { // which nobody logs
		t.Fatal(err)
	}
	var refused *refusal
	if err := c.ask(`{ events(first: 1) { nodes { id } } }`, nil, &struct{}{}); !errors.As(err, &refused) || refused.Extensions.Code != "UNAVAILABLE" {
		t.Errorf("it gives events, or fails otherwise: %v", err)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	wantSaid(t, "the server", s.Stderr.String(), `level=ERROR msg="the journal does not continue`)
	if now, err := os.ReadFile(filepath.Join(h.data, "checkpoint")); err != nil || string(now) != string(kept) {
		t.Errorf("%v: it has signed %s", err, now)
	}
	want := 53 + min(1, len(commands))
	if stdout, _, err := keywright(t, h.data, "journal", "verify"); err != nil || !strings.Contains(stdout, fmt.Sprint(want, " entries in ")) {
		t.Errorf("it has logged something: %v, %s", err, stdout)
	}
}

// Beside a server that ran while its storage was set back another one, which was
// started anew, goes on, and the first still does nothing.
func TestBesideAServerThatRanOnOneThatIsStartedAnewServes(t *testing.T) {
	openSources(t)
	h := makeHistory(t, ofFile{})
	_, _, ready := serveProbed(t, h.data)
	h.setBack(t)
	if _, stderr, err := keywright(t, h.data, "migrate", "--restored"); err != nil {
		t.Fatalf("%v: %s", err, stderr)
	}
	if err := os.Rename(filepath.Join(h.data, "checkpoint"), filepath.Join(h.data, "checkpoint.before")); err != nil {
		t.Fatal(err)
	}
	_, c, anew := serveProbed(t, h.data)
	if _, err := c.issue(); err != nil {
		t.Fatal(err)
	}
	sign(t, h.data, 54)
	if status, said := readiness(t, anew); status != http.StatusOK {
		t.Errorf("it is not ready: %s", said)
	}
	status, said := readiness(t, ready)
	for end := time.Now().Add(readyWithin); status == http.StatusOK && time.Now().Before(end); {
		aMoment()
		status, said = readiness(t, ready)
	}
	wantSaid(t, "the first is not ready", said, `^the journal does not continue`)
	if err := verified(t, h.data); err != nil {
		t.Error(err)
	}
}
