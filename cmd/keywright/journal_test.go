package main_test

import (
	"os"
	"strings"
	"testing"
)

// aKey signs checkpoints of tests, and aVerifier is its public half.
const (
	aKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPFJc2Urus/oihSlKY89mYIw7+UOPsnNpsvwTpIWc+6p
-----END PRIVATE KEY-----
`
	aVerifier = "keywright/journal+e39533dc+ASCsPZmiQbaOzGdXEjBHy5y/L45r41jFejtyPBwTzJEt"
)

func TestTheVerifierKeyIsPrinted(t *testing.T) {
	for _, w := range []world{
		{args: "journal checkpoint --public --checkpoint-key=key"},
		{args: "journal checkpoint --public --config=c.yaml"},
		{args: "journal checkpoint --public", environ: []string{"KEYWRIGHT_CHECKPOINT_KEY=key"}},
	} {
		w.files = map[string]string{"key": aKey, "c.yaml": "checkpointKey: key\ncheckpointURL: https://example.com\nlisten: :80\n"}
		if got, err := w.run(t); err != nil || got != aVerifier+"\n" {
			t.Errorf("%s: %v, %s", w.args, err, got)
		}
	}
}

func TestAKeyThatOthersMayReadIsRefused(t *testing.T) {
	for mode, refused := range map[os.FileMode]bool{
		0o600: false, 0o400: false, 0o640: false, 0o644: true, 0o604: true, 0o620: true, 0o602: true, 0o601: true,
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("key", []byte(aKey), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod("key", mode); err != nil {
			t.Fatal(err)
		}
		err := inPlace("journal checkpoint --public --checkpoint-key=key")
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "checkpointKey (--checkpoint-key): read key: others than its owner may") {
			t.Errorf("%o: %v", mode, err)
		}
	}
}

func TestTheJournalsCommandsNameWhatTheyLack(t *testing.T) {
	note := "keywright/journal/log_0/1\n5\nAQL/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— x AAAAAAAA\n"
	for args, want := range map[string]string{
		"journal verify":           "storage: not set; name a database, such as sqlite:///var/lib/keywright/data.db",
		"journal verify --records": "secretFile: not set; name a file with a secret",
		"journal verify --storage=sqlite:x.db --checkpoint=note":                                 "verifier: not set; name the key that the checkpoint must be signed by",
		"journal verify --storage=sqlite:x.db --checkpoint=note --verifier=" + aVerifier:         "checkpoint (--checkpoint): read note: the note is not signed by the verifier key",
		"journal verify --storage=sqlite:x.db --checkpoint=nowhere --checkpoint-key=key":         "checkpoint (--checkpoint): open nowhere: no such file",
		"journal verify --storage=sqlite:x.db --checkpoint-file=nowhere --verifier=" + aVerifier: "checkpointFile (--checkpoint-file): open nowhere: no such file",
		"journal verify --storage=sqlite:x.db --checkpoint=note --verifier=x":                    "verifier (--verifier): it must be a verifier key as keywright journal checkpoint --public prints it",
		"journal verify --storage=sqlite:x.db":                                                   "run keywright migrate",
		"journal export":                                                                         "storage: not set",
		"journal export --storage=sqlite:x.db --from=x":                                          "--from",
		"journal checkpoint":                      "checkpointKey: not set; name the file of a private key",
		"journal checkpoint --checkpoint-key=key": "storage: not set",
	} {
		w := world{args: args, files: map[string]string{"note": note, "key": aKey}}
		if stdout, err := w.run(t); err == nil || !strings.Contains(err.Error(), want) || stdout != "" {
			t.Errorf("%s: %v, %s", args, err, stdout)
		}
	}
}

func TestTheURLOfCheckpointsIsShownWithoutItsToken(t *testing.T) {
	for url, want := range map[string]string{
		"https://user:hunter2@example.com":       "https://example.com/xxxxx",
		"https://example.com/hunter2":            "https://example.com/xxxxx",
		"https://example.com?hunter2":            "https://example.com/xxxxx",
		"http://localhost:8000/?token=hunter2":   "http://localhost:8000/xxxxx",
		"https://checkpoints.example.com:8443":   "https://checkpoints.example.com:8443",
		"http://127.0.0.1:8000":                  "http://127.0.0.1:8000",
		"http://[::1]:8000/a/hunter2/b?c=d#hunt": "http://[::1]:8000/xxxxx",
	} {
		w := world{args: "config check --checkpoint-key=key --checkpoint-file=last --checkpoint-url=" + url, environ: enough, files: map[string]string{"key": aKey}}
		if got, err := w.run(t); err != nil || strings.Contains(got, "hunter") || !strings.Contains(got, "checkpointURL: "+want+" # ") {
			t.Errorf("%s: %v, %s", url, err, got)
		}
	}
}
