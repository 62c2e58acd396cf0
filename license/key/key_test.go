package key_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/keywright/keywright/license/key"
)

func TestKeysAreWrittenAndReadAsTheVectorsSay(t *testing.T) {
	v := load(t)
	for _, want := range append(v.Keys, v.Derived...) {
		if want.Prefix == "" {
			want.Prefix = "KW" // of the derived ones
		}
		k, err := key.New(want.Prefix, want.Data)
		if err != nil {
			t.Fatalf("%s: %v", want.Key, err)
		}
		if got := k.String(); got != want.Key {
			t.Errorf("New(%s) is %s, want %s", want.Prefix, got, want.Key)
		}
		if got := key.Read(want.Key, nil); got != (key.Reading{Kind: key.Ours, Key: k}) {
			t.Errorf("Read(%s) = %+v", want.Key, got)
		}
		if k.Prefix() != want.Prefix {
			t.Errorf("%s has the prefix %s", want.Key, k.Prefix())
		}
		body := strings.ReplaceAll(strings.TrimPrefix(want.Key, want.Prefix), "-", "")
		if k.Data() != body[:key.Length] {
			t.Errorf("%s has the data %s", want.Key, k.Data())
		}
		if k.Hint() != body[len(body)-5:] {
			t.Errorf("%s has the hint %s", want.Key, k.Hint())
		}
	}
}

func TestNewRefusesWhatNoKeyHas(t *testing.T) {
	for _, prefix := range []string{"", "K", "kw", "K-", "KÉ", "KW ", "K\x00", "TOOLONG89"} {
		if k, err := key.New(prefix, [key.Length]byte{}); err == nil {
			t.Errorf("New(%q) = %v", prefix, k)
		}
	}
	for i := range key.Length {
		var data [key.Length]byte
		data[i] = 32
		if k, err := key.New("KW", data); err == nil {
			t.Errorf("New with 32 as value %d = %v", i, k)
		}
	}
}

func TestALogHoldsTheHintAlone(t *testing.T) {
	k, err := key.New("KW", [key.Length]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("seen", "key", k)
	if !strings.Contains(log.String(), "key=KW-*-"+k.Hint()) || strings.Contains(log.String(), k.Data()[:5]) {
		t.Errorf("the log says %s", log.String())
	}
}

func BenchmarkString(b *testing.B) {
	k, err := key.New("ACME", [key.Length]byte{31, 1, 2})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = k.String()
	}
}
