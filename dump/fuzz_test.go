package dump_test

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/dump"
)

// Whatever a stream is, the reader ends without a panic, gives only what
// storage takes, and what it gives is the same once it is written anew.
func FuzzReader(f *testing.F) {
	var whole bytes.Buffer
	if _, err := dump.Write(f.Context(), filled(f, 2), &whole, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add(whole.Bytes()[:whole.Len()/2])
	f.Add([]byte(`{"format":"keywright dump 1","made":"2026-11-27T12:00:00Z"}` + "\n"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		h, items := readAll(t, stream)
		if len(items) == 0 {
			return
		}
		var again bytes.Buffer
		w, err := dump.NewWriter(&again, h)
		must(t, err)
		for _, i := range items {
			if i.Record != nil {
				must(t, w.Record(*i.Record))
			} else {
				must(t, w.Block(*i.Block))
			}
		}
		must(t, w.End())
		_, second := readAll(t, again.Bytes())
		if diff := cmp.Diff(items, second, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(dump.Item{}, "Size")); diff != "" {
			t.Error(diff)
		}
	})
}

// readAll gives what a stream has up to its end, or up to what is wrong.
func readAll(t *testing.T, stream []byte) (dump.Header, []dump.Item) {
	t.Helper()
	r, err := dump.NewReader(bytes.NewReader(stream))
	if err != nil {
		return dump.Header{}, nil
	}
	var items []dump.Item
	for {
		i, err := r.Next()
		if err != nil {
			return r.Header, items
		}
		must(t, check(i))
		items = append(items, i)
	}
}

func check(i dump.Item) error {
	if i.Record != nil {
		return i.Record.Check()
	}
	return i.Block.Check()
}
