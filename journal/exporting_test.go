package journal_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

func noted(t *testing.T, c journal.Checkpoint) journal.Note {
	t.Helper()
	return journal.Note{Checkpoint: c, Text: signed(t, key(t), c)}
}

func export(t *testing.T, x journal.Export) (string, journal.Exported) {
	t.Helper()
	var out bytes.Buffer
	done, err := x.Write(t.Context(), &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), done
}

// thirdParty runs the program that verifies an export with the verifier key
// alone, and gives what it prints, or why it refuses.
func thirdParty(t *testing.T, text, verifier string) (printed, refused string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "export")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, problem bytes.Buffer
	node := exec.CommandContext(t.Context(), "node", "testdata/verify-export.mjs", path, verifier)
	node.Stdout, node.Stderr = &out, &problem
	var ended *exec.ExitError
	if err := node.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatalf("node is needed: %v", err)
	}
	return strings.TrimSpace(out.String()), strings.TrimSpace(problem.String())
}

func wantAccepted(t *testing.T, what, text, want string) {
	t.Helper()
	got, refused := thirdParty(t, text, theVerifier)
	if got != want || refused != "" {
		t.Errorf("%s: the third party says %s %s, want %s", what, got, refused, want)
	}
}

func TestAThirdPartyVerifiesAnExportWithTheVerifierKeyAlone(t *testing.T) {
	log := newLog(t, 3, 1, 9, 24, 63)
	for name, test := range map[string]struct {
		from, to   int64
		checkpoint int // which block's end
		want       string
	}{
		"all":                     {0, 0, 4, `{"entries":100,"from":0,"to":100,"covered":100}`},
		"the end is newer":        {0, 0, 3, `{"entries":100,"from":0,"to":100,"covered":37}`},
		"from within a block":     {5, 0, 3, `{"entries":95,"from":5,"to":100,"covered":37}`},
		"to within a block":       {0, 20, 2, `{"entries":20,"from":0,"to":20,"covered":13}`},
		"led to by a proof":       {0, 20, 4, `{"entries":20,"from":0,"to":20,"covered":20}`},
		"within one block":        {7, 11, 3, `{"entries":4,"from":7,"to":11,"covered":11}`},
		"one entry":               {12, 13, 2, `{"entries":1,"from":12,"to":13,"covered":13}`},
		"none":                    {50, 50, 4, `{"entries":0,"from":50,"to":50,"covered":50}`},
		"older than what is here": {40, 0, 3, `{"entries":60,"from":40,"to":100,"covered":0}`},
	} {
		text, done := export(t, journal.Export{
			Store: log.store, From: test.from, To: test.to, Note: noted(t, log.checkpoints[test.checkpoint]),
		})
		wantAccepted(t, name, text, test.want)
		var told struct{ From, To, Covered int64 }
		if err := json.Unmarshal([]byte(test.want), &told); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(journal.Exported{From: told.From, To: told.To, Covered: told.Covered}, done); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	text, _ := export(t, journal.Export{Store: log.store})
	wantAccepted(t, "without a checkpoint", text, `{"entries":100,"from":0,"to":100,"covered":0}`)
}

func TestAProofLeadsFromAnySizeToAnyOther(t *testing.T) {
	log := newLog(t)
	for range 12 {
		log.grow(1)
	}
	for _, to := range []int64{1, 4, 7, 10} {
		for size := to + 1; size <= 12; size += 2 {
			text, _ := export(t, journal.Export{Store: log.store, To: to, Note: noted(t, log.checkpoints[size-1])})
			if _, refused := thirdParty(t, text, theVerifier); refused != "" {
				t.Errorf("from %d to %d: %s", to, size, refused)
			}
		}
	}
}

func TestAThirdPartyRefusesAnExportThatWasChanged(t *testing.T) {
	log := newLog(t, 3, 4)
	text, _ := export(t, journal.Export{Store: log.store, From: 1, To: 5, Note: noted(t, log.checkpoint())})
	lines := strings.SplitAfter(text, "\n")
	forged := newLog(t)
	forged.variant = "x"
	forged.grow(3, 4)
	rewritten, _ := export(t, journal.Export{Store: forged.store, From: 1, To: 5})
	// The forged entries with the checkpoint and the proof of the true ones.
	_, note, _ := strings.Cut(text, `,"checkpoint"`)
	graft := strings.TrimSuffix(rewritten, "}\n") + `,"checkpoint"` + note
	// The entry that is hashed stands beside the one that is read.
	before, entry, _ := strings.Cut(lines[2], `,"entry":`)
	entry = strings.TrimSuffix(entry, "}\n")
	beside := before + `,"base64":"` + base64.StdEncoding.EncodeToString([]byte(entry)) + `","entry":` + strings.Replace(entry, "R2", "R3", 1) + "}\n"
	for name, test := range map[string]struct{ text, want string }{
		"cut in a line":       {text[:len(text)-5], "in the middle of a line"},
		"the last line cut":   {strings.Join(lines[:len(lines)-2], ""), "it has no last line"},
		"an entry less":       {strings.Join(slices.Delete(slices.Clone(lines), 2, 3), ""), "stands where 2 should"},
		"entries swapped":     {lines[0] + lines[2] + lines[1] + strings.Join(lines[3:], ""), "stands where 1 should"},
		"an entry changed":    {strings.Replace(text, `"request":"R2"`, `"request":"R3"`, 1), "entry 2 has another hash"},
		"two entries in one":  {strings.Replace(text, lines[2], beside, 1), "entry 2 stands there twice"},
		"an entry in spaces":  {strings.Replace(text, `"entry":{`, `"entry": {`, 1), "has another hash"},
		"another edge":        {strings.Replace(text, `"edge":["`, `"edge":["AAAA`, 1), "the root in the last line"},
		"rewritten":           {graft, "the log was rewritten"},
		"another log":         {strings.Replace(text, logID, "log_1", 1), "of another log or epoch"},
		"a size in the note":  {strings.Replace(text, `\n7\n`, `\n6\n`, 1), "not signed by the verifier key"},
		"a proof too long":    {strings.Replace(text, `"proof":[`, `"proof":["`+base64.StdEncoding.EncodeToString(make([]byte, 32))+`",`, 1), "the proof is too long"},
		"another root at end": {strings.Replace(text, `"root":"`, `"root":"AAAA`, 1), "the root in the last line"},
	} {
		if got, refused := thirdParty(t, test.text, theVerifier); !strings.Contains(refused, test.want) {
			t.Errorf("%s: %s %s, want %s", name, got, refused, test.want)
		}
	}
	if got, refused := thirdParty(t, text, otherKey(t).Verifier().String()); !strings.Contains(refused, "not signed by the verifier key") {
		t.Errorf("another key: %s %s", got, refused)
	}
	wantAccepted(t, "unchanged", text, `{"entries":4,"from":1,"to":5,"covered":5}`)
}

func TestAnEntryIsExportedByteForByte(t *testing.T) {
	log := newLog(t, 2)
	for _, body := range []string{"\xff\x00", `{"a": 1 }`, "{\"a\":\n1}", `"` + "\u2028" + `"`, "{", `{"entry":{},"x":",\"entry\":"}`} {
		e := log.entry(log.entries)
		e.Body = []byte(body)
		log.block([]storage.Entry{e})
		log.entries++
	}
	text, _ := export(t, journal.Export{Store: log.store, Note: noted(t, log.checkpoint())})
	wantAccepted(t, "odd entries", text, `{"entries":8,"from":0,"to":8,"covered":8}`)
	lines := strings.Split(text, "\n")
	var got []bool
	for _, line := range lines[1:9] {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatal(err)
		}
		got = append(got, fields["base64"] != nil)
	}
	if diff := cmp.Diff([]bool{false, false, true, false, true, false, true, false}, got); diff != "" {
		t.Errorf("in base64: %s", diff)
	}
}

func TestAnExportOfWhatIsNotThereIsRefused(t *testing.T) {
	log := newLog(t, 3, 4)
	for _, x := range []journal.Export{{From: -1}, {From: 8}, {From: 3, To: 2}, {To: 8}} {
		x.Store = log.store
		if _, err := x.Write(t.Context(), &bytes.Buffer{}); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%d to %d: %v", x.From, x.To, err)
		}
	}
	if _, err := (journal.Export{Store: newLog(t).store}).Write(t.Context(), &bytes.Buffer{}); !fault.Is(err, fault.InvalidInput) {
		t.Errorf("empty: %v", err)
	}
}

func TestAnExportOfALogThatIsNotWholeIsAFinding(t *testing.T) {
	log := newLog(t, 3, 4)
	changed := log.replace(func(b []storage.Block) []storage.Block {
		b[1].Entries[2].Body[5] ^= 1
		return b
	})
	other := newLog(t)
	other.log = "log_other"
	other.grow(9)
	for name, x := range map[string]journal.Export{
		"changed":    {Store: changed, From: 1},
		"cut":        {Store: newLog(t, 3).store, Note: noted(t, log.checkpoint())},
		"other":      {Store: other.store, Note: noted(t, log.checkpoint())},
		"rewritten":  {Store: log.store, Note: noted(t, journal.Checkpoint{Log: logID, Epoch: 1, Size: 2})},
		"after that": {Store: log.store, To: 2, Note: noted(t, journal.Checkpoint{Log: logID, Epoch: 1, Size: 5})},
	} {
		var out bytes.Buffer
		var f *journal.Finding
		if _, err := x.Write(t.Context(), &out); !errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
		}
		if _, refused := thirdParty(t, out.String(), theVerifier); refused == "" {
			t.Errorf("%s: the third party takes it", name)
		}
	}
}

func TestAnExportGoesOnOverEpochs(t *testing.T) {
	before, log := newLog(t, 10, 10), newLog(t, 10)
	log.restored()
	log.grow(9)
	for name, test := range map[string]struct {
		from, to   int64
		checkpoint journal.Checkpoint
		want       string
	}{
		"of the first":        {0, 0, log.checkpoints[0], `{"entries":20,"from":0,"to":20,"covered":10}`},
		"of the next":         {0, 0, log.checkpoints[2], `{"entries":20,"from":0,"to":20,"covered":20}`},
		"led to over both":    {3, 7, log.checkpoints[2], `{"entries":4,"from":3,"to":7,"covered":7}`},
		"from its first on":   {10, 0, log.checkpoints[1], `{"entries":10,"from":10,"to":20,"covered":11}`},
		"from the first's on": {9, 10, log.checkpoints[0], `{"entries":1,"from":9,"to":10,"covered":10}`},
	} {
		text, _ := export(t, journal.Export{Store: log.store, From: test.from, To: test.to, Note: noted(t, test.checkpoint)})
		wantAccepted(t, name, text, test.want)
	}
	text, _ := export(t, journal.Export{Store: log.store})
	wantAccepted(t, "without a checkpoint", text, `{"entries":20,"from":0,"to":20,"covered":0}`)

	misnamed := log.checkpoints[2]
	misnamed.Epoch++
	for words, c := range map[string]journal.Checkpoint{
		"10 entries of the checkpoint's log are gone": before.checkpoint(), "has another root": misnamed,
	} {
		_, err := journal.Export{Store: log.store, Note: noted(t, c)}.Write(t.Context(), io.Discard)
		var f *journal.Finding
		if !errors.As(err, &f) || !strings.Contains(f.Problem, words) {
			t.Errorf("%v, want ...%s...", err, words)
		}
	}
}
