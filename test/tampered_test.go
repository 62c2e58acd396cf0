package test_test

import (
	"bytes"
	"cmp"
	"database/sql"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// logged waits until the journal has so many entries: it signs checkpoints of
// it until one has them.
func logged(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: logged ENTRIES")
	}
	for end := time.Now().Add(readyWithin); ; {
		err := ts.Exec("keywright", "journal", "checkpoint")
		if lines := strings.Split(ts.ReadFile("stdout"), "\n"); err == nil && lines[1] == args[0] {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("no %s entries: %s%s", args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
		}
		aMoment()
	}
}

// keywright runs a command on a data directory of --dev.
func keywright(t *testing.T, data string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return keywrightReading(t, data, nil, args...)
}

// keywrightReading runs a command that reads its standard input.
func keywrightReading(t *testing.T, data string, in io.Reader, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	command := onData(data, args...)
	var out, problem bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = in, &out, &problem
	err = command.Run()
	return out.String(), problem.String(), err
}

// onData is a command on a data directory of --dev.
func onData(data string, args ...string) *exec.Cmd {
	command := exec.Command("keywright", args...)
	storage := cmp.Or(engineOf(data), "sqlite://"+filepath.Join(data, "keywright.db"))
	command.Env = append(devEnv(), "KEYWRIGHT_STORAGE="+storage,
		"KEYWRIGHT_SECRET_FILE="+filepath.Join(data, "secret"), "KEYWRIGHT_CHECKPOINT_KEY="+filepath.Join(data, "checkpoint-key"))
	return command
}

// sign signs a checkpoint as soon as the journal has more entries than so
// many, and gives it with its size.
func sign(t *testing.T, data string, more int) (note string, size int) {
	t.Helper()
	var refused string // as it is while there are no entries
	for end := time.Now().Add(readyWithin); time.Now().Before(end); aMoment() {
		note, stderr, err := keywright(t, data, "journal", "checkpoint")
		if err != nil {
			refused = stderr
			continue
		}
		if size, err = strconv.Atoi(strings.Split(note, "\n")[1]); err == nil && size > more {
			return note, size
		}
	}
	t.Fatalf("the journal has no more than %d entries: %s", more, refused)
	return "", 0
}

// logHistory is what a server left, with copies that were made before.
type logHistory struct {
	by    backups
	data  string // stopped
	old   string // a copy of the storage of earlier
	notes string // a file of three checkpoints
	sizes [3]int
	ids   []string // of licenses
}

func makeHistory(t *testing.T, by backups) *logHistory {
	t.Helper()
	h := &logHistory{by: by, data: by.data(t), old: filepath.Join(t.TempDir(), "old")}
	server, c := serveDev(t, h.data)
	var notes string
	for i := range h.sizes {
		for range 50 {
			id, err := c.issue()
			if err != nil {
				t.Fatal(err)
			}
			h.ids = append(h.ids, id)
		}
		want := 3 + 50*(i+1) // a product and two plans
		note, size := sign(t, h.data, want-1)
		if notes += note; size != want {
			t.Fatalf("%d entries are logged, want %d", size, want)
		}
		h.sizes[i] = size
		if i == 0 {
			by.take(t, h.data, h.old)
		}
	}
	if err := server.stop(); err != nil {
		t.Fatal(err)
	}
	h.notes = filepath.Join(t.TempDir(), "notes")
	if err := os.WriteFile(h.notes, []byte(notes), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// issue issues a license.
func (c client) issue() (id string, err error) {
	var data struct{ IssueLicense struct{ License license } }
	err = c.ask(`mutation { issueLicense(input: {plan: "acme/professional"}) { license { id } } }`, nil, &data)
	return data.IssueLicense.License.ID, err
}

// restore has the old copy in the place of what a data directory keeps, and
// setBack under servers that run on this one.
func (h *logHistory) restore(t *testing.T, data string) {
	t.Helper()
	h.by.restore(t, data, h.old)
}

func (h *logHistory) setBack(t *testing.T) {
	t.Helper()
	h.by.setBack(t, h.data, h.old)
}

// change does what who has the database can do, where that is a file.
func (h *logHistory) change(t *testing.T, data, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "keywright.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	result, err := db.Exec(statement, args...)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		t.Fatalf("%s changes nothing: %v", statement, err)
	}
}

// copied gives a copy of the data directory.
func (h *logHistory) copied(t *testing.T) string {
	t.Helper()
	data := t.TempDir()
	err := os.CopyFS(data, os.DirFS(h.data))
	if err == nil {
		err = os.Chmod(filepath.Join(data, "checkpoint-key"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Each of these is done to the database of a server that has stopped, as
// somebody would who has its password, and is found with checkpoints that were
// signed before.
func TestWhatIsDoneToTheJournalIsFound(t *testing.T) {
	openSources(t)
	h := makeHistory(t, ofFile{})
	stdout, stderr, err := keywright(t, h.data, "journal", "verify", "--checkpoint="+h.notes, "--records")
	if want := fmt.Sprintf("It continues the checkpoint at %d entries. %d records are", h.sizes[2], h.sizes[2]); err != nil || !strings.Contains(stdout, want) || stderr != "" {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	for name, test := range map[string]struct {
		do   func(t *testing.T, data string)
		want string // a pattern
	}{
		"a byte flipped": {func(t *testing.T, data string) {
			h.change(t, data, "UPDATE chunk SET data = CAST(substr(data, 1, 200) || char(unicode(substr(hex(data), 402, 1)) + 1) || substr(data, 202) AS BLOB) WHERE first = 64")
		}, `entry (5[3-9]|6\d|[78]\d|9[0-5])\b`},
		"a chunk deleted": {func(t *testing.T, data string) {
			h.change(t, data, "DELETE FROM chunk WHERE first = 64")
		}, `(the journal is whole before )?entry (5[3-9]|6[0-4])\b`},
		"the first chunk deleted": {func(t *testing.T, data string) {
			h.change(t, data, "DELETE FROM chunk WHERE first = 0")
		}, `entry 0\b`},
		"the tail cut off": {func(t *testing.T, data string) {
			h.change(t, data, "DELETE FROM chunk WHERE first > 100")
		}, `entry 128: (the log ends here, and a checkpoint has 153 entries|it is missing)`},
		"an old copy restored": {func(t *testing.T, data string) {
			h.restore(t, data)
		}, `entry 53: the log ends here, and a checkpoint has 153 entries: the last 100 were cut off, or an old copy was restored`},
		"an old copy restored, and grown again": {func(t *testing.T, data string) {
			h.restore(t, data)
			for _, name := range []string{"checkpoint", "checkpoint-key"} { // which the forger has not
				if err := os.Rename(filepath.Join(data, name), filepath.Join(data, name+".kept")); err != nil {
					t.Fatal(err)
				}
			}
			server, c := serveDev(t, data)
			for range 70 {
				if _, err := c.issue(); err != nil {
					t.Fatal(err)
				}
			}
			sign(t, data, 120)
			if err := server.stop(); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(data, "checkpoint-key.kept"), filepath.Join(data, "checkpoint-key")); err != nil {
				t.Fatal(err)
			}
		}, `entry 53: the log was rewritten from here on or later, but before entry 103: the checkpoint at 103 entries has another root`},
		"what an event is found by deleted": {func(t *testing.T, data string) {
			h.hideEvents(t, data, h.ids[7])
		}, `entry 10: a filter that it passes does not find it`},
		"what events are found by deleted, and a license changed": {func(t *testing.T, data string) {
			h.hideEvents(t, data, h.ids[7])
			h.change(t, data, "UPDATE record SET ends = ends + 86400000 WHERE id = ?", h.ids[9])
		}, `entry 10: a filter that it passes does not find it.*\nkeywright: ` + h.ids[9] + `: it is not what entry 12, its last, left`},
		"what an event is found by forged": {func(t *testing.T, data string) {
			h.change(t, data, "INSERT INTO tag VALUES (1, 64)")
		}, `entry 64: storage says that something is found in the entries 64 to 95`},
		"the time that events are found by changed": {func(t *testing.T, data string) {
			h.change(t, data, "UPDATE chunk SET at = at + 86400000 WHERE first = 64")
		}, `entry 64: a filter by time takes it to be of another time`},
		"a license changed": {func(t *testing.T, data string) {
			h.change(t, data, "UPDATE record SET ends = ends + 86400000 WHERE id = ?", h.ids[7])
		}, h.ids[7] + `: it is not what entry 10, its last, left: it was changed without an entry`},
		"a license deleted": {func(t *testing.T, data string) {
			h.change(t, data, "DELETE FROM record WHERE id = ?", h.ids[7])
		}, h.ids[7] + `: it is not in storage, and entry 10, its last, does not say that it was removed`},
		"a license made": {func(t *testing.T, data string) {
			h.change(t, data, `INSERT INTO record SELECT (SELECT max(row) + 1 FROM record), 'lic_forged', kind, version, revision, attempt, product, plan, state,
				created, starts, ends, due, NULL, NULL, NULL, NULL, done, body FROM record WHERE id = ?`, h.ids[7])
		}, `lic_forged: no entry of the journal names it`},
	} {
		t.Run(name, func(t *testing.T) {
			data := h.copied(t)
			test.do(t, data)
			stdout, stderr, err := keywright(t, data, "journal", "verify", "--records", "--checkpoint="+h.notes)
			if err == nil || stdout != "" || !regexp.MustCompile(`(?m)^keywright: .*`+test.want).MatchString(stderr) {
				t.Errorf("%v: %s%s", err, stdout, stderr)
			}
		})
	}
}

// hideEvents deletes the look-ups that lead to the events of a license.
func (h *logHistory) hideEvents(t *testing.T, data, license string) {
	t.Helper()
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, "subject\x00"+license)
	h.change(t, data, "DELETE FROM tag WHERE hash = ?", int64(sum.Sum64())>>16)
}

func TestAServerWhoseJournalDoesNotGoOnIsNotReadyAndSaysSo(t *testing.T) {
	openSources(t)
	h := makeHistory(t, ofFile{})
	h.restore(t, h.data)
	server, err := start("", devEnv(), append(devArgs(h.data), "--ops-listen=127.0.0.1:0")...)
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, server)
	probes, err := server.probes()
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(probes + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(body), "the journal does not continue its last checkpoint") {
		t.Errorf("%v: %d %s", err, answer.StatusCode, body)
	}
	if err := server.logs(regexp.MustCompile(`level=ERROR .*the log ends here`)); err != nil {
		t.Error(err)
	}
	_, stderr, err := keywright(t, h.data, "journal", "checkpoint", "--checkpoint-file="+filepath.Join(h.data, "checkpoint"))
	if err == nil || !strings.Contains(stderr, "Nothing is signed any more") {
		t.Errorf("a checkpoint is signed: %v, %s", err, stderr)
	}
}

func TestCheckpointsAreLinesOfTheStandardOutputAndAreSent(t *testing.T) {
	openSources(t)
	home := t.TempDir()
	h := makeHistory(t, ofFile{}) // for its database
	sent := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent <- string(body)
	}))
	t.Cleanup(receiver.Close)
	env := map[string]string{
		"STORAGE": "sqlite://" + filepath.Join(h.data, "keywright.db"), "SECRET_FILE": filepath.Join(h.data, "secret"),
		"CHECKPOINT_KEY": filepath.Join(h.data, "checkpoint-key"), "CHECKPOINT_FILE": filepath.Join(home, "checkpoint"),
		"CHECKPOINT_URL": receiver.URL, "LISTEN": "127.0.0.1:0", "OPS_LISTEN": "off",
	}
	all := devEnv()
	for _, name := range slices.Sorted(maps.Keys(env)) {
		all = append(all, "KEYWRIGHT_"+name+"="+env[name])
	}
	server, err := start(home, all, "serve")
	if err != nil {
		t.Fatal(err)
	}
	stopAfter(t, server)
	line, err := server.await(regexp.MustCompile(`(?m)^\{"checkpoint":".*"\}$`))
	if err != nil {
		t.Fatal(err)
	}
	lines := filepath.Join(home, "lines")
	if err := os.WriteFile(lines, []byte(line[0]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, err := keywright(t, h.data, "journal", "verify", "--checkpoint="+lines)
	if err != nil || !strings.Contains(stdout, "It continues the checkpoint at 153 entries.") {
		t.Errorf("%v: %s%s", err, stdout, stderr)
	}
	kept, err := os.ReadFile(filepath.Join(home, "checkpoint"))
	select {
	case note := <-sent:
		if err != nil || note != string(kept) {
			t.Errorf("%v: %q was sent, %q kept", err, note, kept)
		}
	case <-time.After(readyWithin):
		t.Error("no checkpoint was sent")
	}
}
