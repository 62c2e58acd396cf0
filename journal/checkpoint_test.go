package journal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/note"

	"github.com/keywright/keywright/journal"
)

// theKey was made by openssl genpkey -algorithm ed25519, for tests alone.
const (
	theKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIPFJc2Urus/oihSlKY89mYIw7+UOPsnNpsvwTpIWc+6p
-----END PRIVATE KEY-----
`
	theVerifier = "keywright/journal+e39533dc+ASCsPZmiQbaOzGdXEjBHy5y/L45r41jFejtyPBwTzJEt"
)

func key(t *testing.T) *journal.CheckpointKey {
	t.Helper()
	k, err := journal.ParseCheckpointKey([]byte(theKey))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func otherKey(t *testing.T) *journal.CheckpointKey {
	t.Helper()
	text, err := journal.NewCheckpointKey()
	if err != nil {
		t.Fatal(err)
	}
	k, err := journal.ParseCheckpointKey([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func signed(t *testing.T, k *journal.CheckpointKey, c journal.Checkpoint) string {
	t.Helper()
	text, err := k.Note(c)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func someCheckpoint() journal.Checkpoint {
	return journal.Checkpoint{Log: logID, Epoch: 3, Size: 12345, Root: [32]byte{1, 2, 255}}
}

// The form is that of c2sp.org/tlog-checkpoint: logs of it are kept for years.
func TestTheFormOfANoteIsFinal(t *testing.T) {
	const want = "keywright/journal/log_0123456789abcdefghjkmnpqrs/3\n" +
		"12345\n" +
		"AQL/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" +
		"\n" +
		"— keywright/journal 45Uz3FcdVBDho9iO1+xWQ1C0A/MKW/A17kXkGkR8kYclTfidRCYtzO34rjLKvCor+lBCYgblC6ozNLzZejhY6pOz9ww=\n"
	if diff := cmp.Diff(want, signed(t, key(t), someCheckpoint())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(theVerifier, key(t).Verifier().String()); diff != "" {
		t.Error(diff)
	}
}

func TestANoteIsReadByWhoHasTheVerifierKey(t *testing.T) {
	v, err := journal.ParseVerifier(theVerifier)
	if err != nil {
		t.Fatal(err)
	}
	whole := signed(t, key(t), someCheckpoint())
	got, err := v.Checkpoint(whole)
	if err != nil || got != someCheckpoint() {
		t.Errorf("%+v, %v", got, err)
	}
	// A witness may have signed it too.
	opened, err := note.Open([]byte(whole), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(opened, otherKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := v.Checkpoint(string(cosigned)); err != nil || got != someCheckpoint() {
		t.Errorf("cosigned: %+v, %v", got, err)
	}
}

func TestANoteThatIsNotTheKeysIsRefused(t *testing.T) {
	v := key(t).Verifier()
	whole := signed(t, key(t), someCheckpoint())
	for name, test := range map[string]struct{ text, want string }{
		"another key":    {signed(t, otherKey(t), someCheckpoint()), "not signed by the verifier key"},
		"another size":   {strings.Replace(whole, "12345", "12344", 1), "its signature is wrong"},
		"another log":    {strings.Replace(whole, logID, "log_1", 1), "its signature is wrong"},
		"another root":   {strings.Replace(whole, "AQL/", "AQL+", 1), "its signature is wrong"},
		"no signature":   {strings.Split(whole, "—")[0], "damaged"},
		"nothing":        {"", "damaged"},
		"no note":        {"hello\n", "damaged"},
		"far too much":   {whole + strings.Repeat("— x AAAAAAAA\n", 2000), "more than 16384 bytes"},
		"other contents": {other(t, "keywright/journal/log_0/1\n1\n"), "not a checkpoint"},
	} {
		if c, err := v.Checkpoint(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for at := range whole {
		changed := []byte(whole)
		changed[at] ^= 1
		if c, err := v.Checkpoint(string(changed)); err == nil {
			t.Errorf("with byte %d changed: %+v", at, c)
		}
	}
}

// other signs what is no checkpoint.
func other(t *testing.T, text string) string {
	t.Helper()
	signed, err := note.Sign(&note.Note{Text: text}, key(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

func TestWhatIsSignedAndNoCheckpointIsRefused(t *testing.T) {
	const root = "AQL/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
	for _, text := range []string{
		"\n", "keywright/journal/log_0/1\n5\n" + root + "more\n", "keywright/journal/log_0/1\n05\n" + root, "keywright/journal/log_0/1\n0\n" + root,
		"keywright/journal/log_0/1\n-5\n" + root, "keywright/journal/log_0/1\n99999999999999999999\n" + root, "keywright/journal/log_0/0\n5\n" + root,
		"keywright/journal/log_0/01\n5\n" + root, "keywright/journal/log_0\n5\n" + root, "keywright/journal//1\n5\n" + root, "elsewhere/log_0/1\n5\n" + root,
		"log_0/1\n5\n" + root, "keywright/journal/log_0/1/2\n5\n" + root, "keywright/journal/log_0/1\n5\nAQL/\n", "keywright/journal/log_0/1\n5\nAQL/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
	} {
		if c, err := key(t).Verifier().Checkpoint(other(t, text)); err == nil {
			t.Errorf("%q is read as %+v", text, c)
		}
	}
}

func TestManyNotesAreReadFromOneText(t *testing.T) {
	v := key(t).Verifier()
	a, b := someCheckpoint(), someCheckpoint()
	b.Size++
	first, second := signed(t, key(t), a), signed(t, key(t), b)
	line := `{"checkpoint":"` + strings.ReplaceAll(second, "\n", `\n`) + `"}` + "\n"
	for name, text := range map[string]string{
		"one behind the other": first + second, "blank lines": "\n" + first + "\n\n" + second + "\n", "as lines": line + line, "mixed": first + line,
	} {
		got, err := v.Notes(text)
		if err != nil || len(got) != 2 || got[1].Checkpoint != b {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                            "there is no note",
		"{}\n":                        "a line that begins with {",
		first + "{\"checkpoint\":":    "a line that begins with {",
		first + "rest\n":              "note 2 of 2: the note is damaged",
		signed(t, otherKey(t), a):     "not signed by the verifier key",
		strings.TrimSpace(first):      "damaged",
		strings.Repeat("x", 64<<20+1): "more than 67108864 bytes",
	} {
		if got, err := v.Notes(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.50q: %+v, %v", text, got, err)
		}
	}
}

func TestAKeyThatOpenSSLMakesIsRead(t *testing.T) {
	text, err := exec.CommandContext(t.Context(), "openssl", "genpkey", "-algorithm", "ed25519").Output()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.ParseCheckpointKey(text); err != nil {
		t.Error(err)
	}
}

func TestAKeyOfAnotherKindIsRefusedWithoutItsText(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"empty":    {"", "one private key in PEM"},
		"no PEM":   {"MC4CAQAwBQYDK2VwBCIEIPFJ", "one private key in PEM"},
		"public":   {strings.ReplaceAll(theKey, "PRIVATE", "PUBLIC"), "one private key in PEM"},
		"two":      {theKey + theKey, "one private key in PEM"},
		"more":     {theKey + "x", "one private key in PEM"},
		"damaged":  {strings.Replace(theKey, "MC4C", "MC5C", 1), "damaged"},
		"of ECDSA": {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "none of Ed25519"},
	} {
		_, err := journal.ParseCheckpointKey([]byte(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "BCIEI") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAVerifierKeyOfAnotherNameIsRefused(t *testing.T) {
	for _, text := range []string{"", "keywright/journal", theVerifier + "A", strings.Replace(theVerifier, "e3", "e4", 1), "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"} {
		if v, err := journal.ParseVerifier(text); err == nil {
			t.Errorf("%q is read as %s", text, v)
		}
	}
}

func FuzzACheckpointKey(f *testing.F) {
	f.Add([]byte(theKey))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nproc: x\n\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		k, err := journal.ParseCheckpointKey(text)
		if err != nil {
			return
		}
		whole := signed(t, k, someCheckpoint())
		if got, err := k.Verifier().Checkpoint(whole); err != nil || got != someCheckpoint() {
			t.Fatalf("%q signs what it does not read: %v", text, err)
		}
	})
}

func FuzzNotes(f *testing.F) {
	whole := "keywright/journal/log_0/1\n5\nAQL/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— keywright/journal AAAA\n"
	f.Add(whole)
	f.Add(whole + "\n" + whole + "— x y\n")
	f.Add(`{"checkpoint":"x"}` + "\n" + whole)
	f.Fuzz(func(t *testing.T, text string) {
		notes, err := journal.SplitNotes(text)
		if err != nil {
			return
		}
		for _, one := range notes {
			if strings.TrimSpace(one) == "" {
				t.Fatalf("%q has an empty note: %q", text, notes)
			}
		}
		if c, err := journal.ParseCheckpoint(text); err == nil && c.Text() != text {
			t.Fatalf("%q is read as %+v", text, c)
		}
	})
}
