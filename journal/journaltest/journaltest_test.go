package journaltest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/journal/journaltest"
)

// listener is a test that hears of failures.
type listener struct {
	testing.TB
	heard []string
}

func (*listener) Helper() {}

func (l *listener) Errorf(format string, args ...any) {
	l.heard = append(l.heard, fmt.Sprintf(format, args...))
}

func entry(what journal.Type, data string) journal.Entry {
	return journal.Entry{
		ID: "evt_016qtkzzr07agh12h3apy1j2hh", Type: what, Version: 1, At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Actor: actor.Actor{Kind: actor.User, ID: "dev|admin"}, Subject: "lic_1", Digest: make([]byte, 16),
		Data: json.RawMessage(data),
	}
}

const digest = `{"hmac":"AAAAAAAAAAAAAAAA"}`

func TestAnEntryIsHeldToItsTypesSchema(t *testing.T) {
	for name, tt := range map[string]struct {
		entry journal.Entry
		bad   string // what the failure tells; empty: there is none
	}{
		"good":             {entry(journal.LicenseErased, `{"changes":{"customer.email":{"from":`+digest+`}}}`), ""},
		"no changes":       {entry(journal.LicenseUpdated, ""), ""},
		"changes missing":  {entry(journal.LicenseErased, ""), "changes"},
		"a personal value": {entry(journal.LicenseErased, `{"changes":{"customer.email":{"from":"ada@example.com"}}}`), "email"},
		"withheld":         {entry(journal.LicenseErased, `{"changes":{"customer.email":{"from":{"withheld":true}}}}`), "email"},
		"a digest where nothing is personal": {
			entry(journal.LicenseSuspended, `{"changes":{"state":{"to":`+digest+`}}}`), "state",
		},
		"another type's field": {entry(journal.LicenseErased, `{"changes":{"state":{"from":"issued"}}}`), "state"},
		"an unknown field":     {entry(journal.LicenseErased, `{"changes":{"zone":{"from":"a"}}}`), "zone"},
		"an unknown member":    {entry(journal.LicenseErased, `{"by":1,"changes":{"customer.email":{"from":`+digest+`}}}`), "by"},
		"an unknown end":       {entry(journal.LicenseErased, `{"changes":{"customer.email":{"was":`+digest+`}}}`), "was"},
		"no end":               {entry(journal.LicenseErased, `{"changes":{"customer.email":{}}}`), "customer.email"},
		"a bad time":           {entry(journal.LicenseExpired, `{"expiresAt":"tomorrow"}`), "date-time"},
		"an unknown type":      {entry("license.lost", ""), "not in events.json"},
		"another version": {func() journal.Entry {
			e := entry(journal.LicenseUpdated, "")
			e.Version = 2
			return e
		}(), "version 2"},
		"a short digest": {func() journal.Entry {
			e := entry(journal.LicenseUpdated, "")
			e.Digest = e.Digest[:8]
			return e
		}(), "digest"},
	} {
		stored, err := tt.entry.Encode()
		if err != nil {
			t.Fatal(err)
		}
		l := &listener{}
		journaltest.Check(l, stored)
		if heard := strings.Join(l.heard, "\n"); (heard == "") != (tt.bad == "") || !strings.Contains(heard, tt.bad) {
			t.Errorf("%s: heard %q", name, heard)
		}
	}
}

func TestWhatIsShownHoldsValuesAndNoDigests(t *testing.T) {
	for data, bad := range map[string]bool{
		`{}`: true,
		`{"changes":{"customer.email":{"from":"ada@example.com"}}}`: false,
		`{"changes":{"customer.email":{"from":{"withheld":true}}}}`: false,
		`{"changes":{"customer.email":{"from":` + digest + `}}}`:    true,
		`{"changes":{"customer.email":{"from":7}}}`:                 true,
	} {
		l := &listener{}
		journaltest.CheckShown(l, entry(journal.LicenseErased, ""), json.RawMessage(data))
		if bad != (len(l.heard) > 0) {
			t.Errorf("%s: heard %q", data, l.heard)
		}
	}
}

func TestWhatWasCheckedIsSeen(t *testing.T) {
	stored, err := entry(journal.LicenseUpdated, "").Encode()
	if err != nil {
		t.Fatal(err)
	}
	journaltest.Check(t, stored)
	for _, missing := range journaltest.NotSeen() {
		if missing == journal.LicenseUpdated {
			t.Error("an entry that was checked is not seen")
		}
	}
	if len(journaltest.NotSeen()) == 0 {
		t.Error("entries were seen that were never checked")
	}
}
