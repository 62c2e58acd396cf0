package journal_test

import (
	"encoding/base64"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
)

const someLog = "log_016qtkzzr07agh12h3apy1j2hh"

func fieldOf(err error) string {
	var e *fault.Error
	if !errors.As(err, &e) || e.Code != fault.InvalidInput {
		return ""
	}
	return e.Field
}

func TestACursorIsReadAsItWasGiven(t *testing.T) {
	for _, c := range []journal.Cursor{
		{Log: someLog, Epoch: 1, Index: 0},
		{Log: someLog, Epoch: math.MaxInt64, Index: math.MaxInt64},
	} {
		text := c.String()
		if len(text) > 100 || strings.Contains(text, "log") {
			t.Errorf("%q is too long or not opaque", text)
		}
		if got, err := journal.ParseCursor(text); err != nil || got != c {
			t.Errorf("%+v became %+v, %v", c, got, err)
		}
	}
}

func TestGarbageIsNoCursor(t *testing.T) {
	good := journal.Cursor{Log: someLog, Epoch: 1, Index: 7}.String()
	plain := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	for name, text := range map[string]string{
		"empty":               "",
		"cut":                 good[:len(good)-1],
		"padded":              good + "=",
		"a line break":        good[:4] + "\n" + good[4:],
		"more than is read":   strings.Repeat("A", 101),
		"plain":               someLog + ".1.7",
		"two parts":           plain(someLog + ".1"),
		"four parts":          plain(someLog + ".1.7.7"),
		"no log":              plain("evt_016qtkzzr07agh12h3apy1j2hh.1.7"),
		"a number of others":  plain(someLog + ".1.+7"),
		"a leading zero":      plain(someLog + ".01.7"),
		"no epoch":            plain(someLog + ".0.7"),
		"a negative place":    plain(someLog + ".1.-1"),
		"beyond 64 bits":      plain(someLog + ".1.9223372036854775808"),
		"bits that are loose": good[:len(good)-1] + string(good[len(good)-1]+1),
	} {
		if got, err := journal.ParseCursor(text); fieldOf(err) != "after" || got != (journal.Cursor{}) {
			t.Errorf("%s: %q is %+v, %v", name, text, got, err)
		}
	}
}

func TestAPlaceIsOfThisLogAndEpochAndNotOfTheFuture(t *testing.T) {
	s := newStore()
	commitMany(t, s, 0, 2)
	l, other := journal.NewLog(journal.Config{Store: s}), journal.NewLog(journal.Config{Store: s})
	mustSync(t, other)
	place := func(c string) (int64, error) { return l.Place(t.Context(), c) }
	for index := range int64(2) { // the first is asked of a server that knows nothing
		if got, err := place(other.CursorAt(index)); got != index || err != nil {
			t.Errorf("the cursor of %d leads to %d, %v", index, got, err)
		}
	}
	s.told()
	if _, err := place(l.CursorAt(1)); err != nil || len(s.told()) > 0 {
		t.Errorf("%v, or storage was asked for what is known", err)
	}
	commitMany(t, s, 2, 3)
	mustSync(t, other)
	if got, err := place(other.CursorAt(2)); got != 2 || err != nil {
		t.Errorf("a cursor that another server has just given leads to %d, %v", got, err)
	}

	is := l.State()
	for name, c := range map[string]string{
		"the future":    l.CursorAt(3),
		"another log":   journal.Cursor{Log: someLog, Epoch: is.Epoch, Index: 0}.String(),
		"another epoch": journal.Cursor{Log: is.Log, Epoch: is.Epoch + 1, Index: 0}.String(),
		"garbage":       "x",
	} {
		if got, err := place(c); fieldOf(err) != "after" {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
	empty := journal.NewLog(journal.Config{Store: newStore()})
	if _, err := empty.Place(t.Context(), l.CursorAt(0)); fieldOf(err) != "after" {
		t.Errorf("a place in an empty log: %v", err)
	}
	s.hook(failingAt("pending", 1), nil)
	if _, err := place(l.CursorAt(3)); !fault.Is(err, fault.Unavailable) {
		t.Errorf("while storage is down: %v", err)
	}
}

// A cursor that is taken is the one that was given out for its place.
func FuzzCursor(f *testing.F) {
	f.Add(journal.Cursor{Log: someLog, Epoch: 1, Index: 7}.String())
	f.Add(journal.Cursor{Log: someLog, Epoch: math.MaxInt64, Index: math.MaxInt64}.String())
	f.Add(base64.RawURLEncoding.EncodeToString([]byte(someLog + ".01.+7")))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := journal.ParseCursor(text)
		switch {
		case err != nil && (fieldOf(err) != "after" || c != (journal.Cursor{})):
			t.Errorf("%q: %+v, %v", text, c, err)
		case err == nil && (c.String() != text || len(text) > 100 || c.Epoch < 1 || c.Index < 0):
			t.Errorf("%q is read as %+v, which is %q", text, c, c)
		}
	})
}
