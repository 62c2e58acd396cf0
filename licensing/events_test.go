package licensing_test

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

var most = page.Args{First: page.MaxFirst}

// events lists all that somebody finds, oldest first.
func (s *shop) events(t testing.TB, who actor.Actor, filter *licensing.EventFilter) []*licensing.EventView {
	t.Helper()
	return must(s.Events(as(who), filter, licensing.OldestFirst, most))(t).Nodes
}

// commitEntry commits an entry of no product, with a record of its own.
func (s *shop) commitEntry(t testing.TB, subject string) {
	t.Helper()
	entry := journal.Entry{
		ID: must(journal.NewID(s.now, s.config.Random))(t), Type: "policy.loaded", Version: 1, At: s.now,
		Actor: actor.Actor{Kind: actor.System, ID: "policy"}, Subject: subject, Digest: []byte("d"),
	}
	s.commitStored(t, subject, must(entry.Encode())(t))
}

func (s *shop) commitStored(t testing.TB, record string, entry storage.Entry) {
	t.Helper()
	err := s.store.Model.Commit(context.Background(), storage.Change{
		Record: storage.Record{Kind: storage.Alias, ID: record, Body: []byte("{}")}, Attempt: record, Entries: []storage.Entry{entry},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func typesOf(events []*licensing.EventView) []string {
	types := []string{}
	for _, e := range events {
		types = append(types, e.Type())
	}
	return types
}

func TestEventsTellWhatTheEntriesDo(t *testing.T) {
	s := newShop(t)
	s.issue(t, ofAda)
	entries := s.entries(t, 0)
	s.now = s.now.Add(time.Hour) // when they come into the log
	got := s.events(t, ben, nil)
	if len(got) != 3 || len(entries) != 3 {
		t.Fatalf("%d events of %d entries", len(got), len(entries))
	}
	for i, e := range got {
		if diff := cmp.Diff(entries[i], e.Entry); diff != "" || e.Index != int64(i) || !e.LoggedAt.Equal(s.now) {
			t.Errorf("event %d, logged at %v: %s", e.Index, e.LoggedAt, diff)
		}
	}
	made, issued := got[0], got[2]
	if made.ID() != entries[0].ID || made.Type() != "product.created" || made.Version() != 1 || !made.At().Equal(noon) || *made.Actor() != ada ||
		*made.Subject() != s.acme.ID || *made.Revision() != 1 || *made.ProductID() != s.acme.ID || made.LicenseID() != nil || made.RequestID() != nil {
		t.Errorf("%+v", made)
	}
	if l := must(s.EventLicense(as(ben), made))(t); l != nil {
		t.Errorf("a product has the license %s", l.ID())
	}
	data := string(must(s.EventData(as(ben), issued))(t))
	if !strings.Contains(data, `{"customer.email":{"to":"Ada@Example.com"}`) || strings.Contains(data, "hmac") {
		t.Errorf("the data of %+v are %s", issued.Entry, data)
	}
	if l := must(s.EventLicense(as(ben), issued))(t); l.ID() != *issued.LicenseID() || l.Customer() == nil || l.Product.ID != s.acme.ID {
		t.Errorf("the license of %+v is %+v", issued.Entry, l)
	}
}

func TestEventsOfWhatWasJustCommittedAreListedFromBothEnds(t *testing.T) {
	s := newShop(t)
	for range 3 {
		id := s.issue(t, nil).License.ID()
		for order, place := range map[licensing.EventOrder]func([]*licensing.EventView) *licensing.EventView{
			licensing.NewestFirst: func(all []*licensing.EventView) *licensing.EventView { return all[0] },
			licensing.OldestFirst: func(all []*licensing.EventView) *licensing.EventView { return all[len(all)-1] },
		} {
			if last := place(must(s.Events(as(ada), nil, order, most))(t).Nodes); *last.Subject() != id {
				t.Errorf("%s: the last event is %+v", order, last.Entry)
			}
		}
	}
}

func TestPagesOfEventsJoinWithoutGap(t *testing.T) {
	s := newShop(t)
	for range 5 {
		s.issue(t, nil)
	}
	whole := typesOf(s.events(t, ada, nil))
	for _, order := range []licensing.EventOrder{licensing.NewestFirst, licensing.OldestFirst} {
		var got []string
		args := page.Args{First: 2}
		for more := true; more; {
			c := must(s.Events(as(ada), nil, order, args))(t)
			got = append(got, typesOf(c.Nodes)...)
			args.After, more = c.PageInfo.EndCursor, c.PageInfo.HasNextPage
			if last := c.Nodes[len(c.Nodes)-1]; last.Cursor() != *args.After {
				t.Errorf("%s: a page ends at %s, its last event at %s", order, *args.After, last.Cursor())
			}
		}
		if order == licensing.NewestFirst {
			slices.Reverse(got)
		}
		if diff := cmp.Diff(whole, got); diff != "" {
			t.Errorf("%s: %s", order, diff)
		}
	}
	if c := must(s.Events(as(ada), &licensing.EventFilter{Actor: &ben.ID}, licensing.NewestFirst, most))(t); c.PageInfo.EndCursor != nil || c.Nodes == nil {
		t.Errorf("an empty page is %+v", c)
	}
}

func TestTheCursorOfAnEventIsGoodUnderAnyFilterAndOrder(t *testing.T) {
	s := newShop(t)
	s.issue(t, nil)
	s.issue(t, nil)
	product := s.events(t, ada, &licensing.EventFilter{Types: []string{"product.*"}})[0].Cursor()
	licenses := must(s.Events(as(ada), &licensing.EventFilter{Types: []string{"license.*"}}, licensing.OldestFirst, page.Args{First: 1, After: &product}))(t)
	if len(licenses.Nodes) != 1 || licenses.Nodes[0].Index != 2 || !licenses.PageInfo.HasNextPage {
		t.Fatalf("%+v", licenses)
	}
	back := must(s.Events(as(ben), nil, licensing.NewestFirst, page.Args{First: 9, After: licenses.PageInfo.EndCursor}))(t)
	if diff := cmp.Diff([]string{"plan.created", "product.created"}, typesOf(back.Nodes)); diff != "" {
		t.Error(diff)
	}
}

func TestAPageOfEventsThatMakesNoSenseIsRefused(t *testing.T) {
	s := newShop(t)
	other := newShop(t)
	other.issue(t, nil)
	theirs := other.events(t, ada, nil)[0].Cursor()
	future := s.config.Journal.CursorAt(s.events(t, ada, nil)[1].Index + 1)
	for name, c := range map[string]struct {
		args page.Args
		want string
	}{
		"none":           {page.Args{First: 0}, "first"},
		"too many":       {page.Args{First: page.MaxFirst + 1}, "first"},
		"no cursor":      {page.Args{First: 1, After: ptr("x")}, "after"},
		"empty":          {page.Args{First: 1, After: ptr("")}, "after"},
		"the future":     {page.Args{First: 1, After: &future}, "after"},
		"of other pages": {page.Args{First: 1, After: must(s.Products(as(ada), false, most))(t).PageInfo.EndCursor}, "after"},
		"another log":    {page.Args{First: 1, After: &theirs}, "after"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.Events(as(ada), nil, licensing.OldestFirst, c.args)
			wantFields(t, err, c.want)
		})
	}
}

func TestEventsAreNarrowedByWhatAFilterNames(t *testing.T) {
	s := newShop(t)
	one := s.issue(t, nil)
	s.now = s.now.Add(time.Hour)
	s.events(t, ada, nil) // what was committed so far is in the log
	s.now = s.now.Add(time.Hour)
	must(s.Activate(context.Background(), s.claim(t, one.Key, "m-1")))(t)
	must(s.SuspendLicense(as(ben), licensing.SuspendLicenseInput{License: one.License.ID()}))(t)
	s.product(t, "other", "OTHER")
	s.commitEntry(t, "pol_1")
	later, id := s.now, one.License.ID()
	for name, c := range map[string]struct {
		filter licensing.EventFilter
		want   []string
	}{
		"nothing":          {licensing.EventFilter{}, []string{"product.created", "plan.created", "license.created", "license.activated", "activation.created", "license.suspended", "product.created", "policy.loaded"}},
		"a type":           {licensing.EventFilter{Types: []string{"product.created"}}, []string{"product.created", "product.created"}},
		"types":            {licensing.EventFilter{Types: []string{"plan.updated", "plan.created", "license.*"}}, []string{"plan.created", "license.created", "license.activated", "license.suspended"}},
		"no such type":     {licensing.EventFilter{Types: []string{"license.unheard_of"}}, []string{}},
		"a code":           {licensing.EventFilter{Product: ptr("other")}, []string{"product.created"}},
		"a product's id":   {licensing.EventFilter{Product: &s.acme.ID, Types: []string{"plan.*"}}, []string{"plan.created"}},
		"a license":        {licensing.EventFilter{License: &id}, []string{"license.created", "license.activated", "activation.created", "license.suspended"}},
		"a subject":        {licensing.EventFilter{Subject: &s.pro.ID}, []string{"plan.created"}},
		"none":             {licensing.EventFilter{Subject: ptr("tok_1")}, []string{}},
		"of no product":    {licensing.EventFilter{Subject: ptr("pol_1")}, []string{"policy.loaded"}},
		"twice the same":   {licensing.EventFilter{License: &id, Subject: &id}, []string{"license.created", "license.activated", "activation.created", "license.suspended"}},
		"two that differ":  {licensing.EventFilter{License: &id, Subject: &s.pro.ID}, []string{}},
		"somebody":         {licensing.EventFilter{Actor: &ben.ID}, []string{"license.suspended"}},
		"a holder":         {licensing.EventFilter{Actor: &id}, []string{"license.activated", "activation.created"}},
		"a kind and an id": {licensing.EventFilter{Actor: ptr(ben.String())}, []string{}},
		"from":             {licensing.EventFilter{From: &later}, []string{"license.activated", "activation.created", "license.suspended", "product.created", "policy.loaded"}},
		"to":               {licensing.EventFilter{To: &later}, []string{"product.created", "plan.created", "license.created"}},
		"between":          {licensing.EventFilter{From: ptr(noon), To: ptr(noon.Add(time.Minute))}, []string{}},
		"all at once": {licensing.EventFilter{Types: []string{"license.*"}, Product: ptr("acme"), License: &id, Subject: &id, Actor: &ben.ID, From: &later, To: ptr(later.Add(1))},
			[]string{"license.suspended"}},
	} {
		if diff := cmp.Diff(c.want, typesOf(s.events(t, ada, &c.filter))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if diff := cmp.Diff([]string{"license.suspended", "activation.created", "license.activated", "license.created"},
		typesOf(must(s.EventsOf(as(ada), one.License, licensing.NewestFirst, most))(t).Nodes)); diff != "" {
		t.Errorf("of the license: %s", diff)
	}
}

func TestAFilterOfEventsThatMakesNoSenseIsRefused(t *testing.T) {
	s := newShop(t)
	long := strings.Repeat("x", storage.MaxName+1)
	for _, c := range []struct {
		filter licensing.EventFilter
		want   []string
	}{
		{licensing.EventFilter{Types: []string{}}, []string{"filter.types"}},
		{licensing.EventFilter{Types: slices.Repeat([]string{"a.b"}, 21)}, []string{"filter.types"}},
		{licensing.EventFilter{Types: []string{"license.*", "license", "*", "license.", ".created", "lic*", "license.*.x", "License.created", "a b.c", "", "a." + long[:99]}},
			[]string{"filter.types.1", "filter.types.2", "filter.types.3", "filter.types.4", "filter.types.5", "filter.types.6", "filter.types.7", "filter.types.8", "filter.types.9", "filter.types.10"}},
		{licensing.EventFilter{Product: ptr(""), License: ptr(""), Subject: ptr(""), Actor: ptr("")},
			[]string{"filter.product", "filter.license", "filter.subject", "filter.actor"}},
		{licensing.EventFilter{Subject: &long, Actor: &long}, []string{"filter.subject", "filter.actor"}},
	} {
		_, err := s.Events(as(ada), &c.filter, licensing.NewestFirst, most)
		wantFields(t, err, c.want...)
		_, err = s.WatchEvents(as(ada), &c.filter, nil)
		wantFields(t, err, c.want...)
	}
	_, err := s.WatchEvents(as(ada), &licensing.EventFilter{From: ptr(noon), To: ptr(noon)}, nil)
	wantFields(t, err, "filter.from", "filter.to")
	must(s.Events(as(ada), &licensing.EventFilter{Types: slices.Repeat([]string{"a.b.c_1.*"}, 20)}, licensing.NewestFirst, most))(t)
}

func TestEventsOfOtherProductsAreNeitherShownNorThere(t *testing.T) {
	s := newAcmeShop(t)
	s.commitEntry(t, "pol_1")
	s.policy.allow([]authz.Action{authz.EventRead}, "other")
	if diff := cmp.Diff([]string{"product.created", "plan.created"}, typesOf(s.events(t, ada, nil))); diff != "" {
		t.Error(diff)
	}
	for _, subject := range []string{"pol_1", s.id(), s.acme.ID, s.seat} {
		if got := s.events(t, ada, &licensing.EventFilter{Subject: &subject}); len(got) > 0 {
			t.Errorf("of %s: %v", subject, typesOf(got))
		}
	}
	for _, hidden := range []licensing.EventFilter{
		{Product: ptr("acme")}, {Product: &s.acme.ID}, {Product: ptr("nowhere")}, {License: ptr(s.id())}, {License: ptr("lic_1")}, {License: &s.acme.ID},
	} {
		_, err := s.Events(as(ada), &hidden, licensing.NewestFirst, most)
		wantCode(t, err, fault.NotFound)
		_, err = s.WatchEvents(as(ada), &hidden, nil)
		wantCode(t, err, fault.NotFound)
	}
	_, err := s.EventsOf(as(ada), s.issued.License, licensing.NewestFirst, most)
	wantDenied(t, err, authz.EventRead)
}

func TestTheLicenseAndTheDataOfAnEventNeedLicenseReadOnItsProduct(t *testing.T) {
	s := newAcmeShop(t)
	s.commitEntry(t, "pol_1")
	all := s.events(t, ada, nil)
	none := all[len(all)-1]
	for _, c := range []struct {
		scope authz.Scope
		event *licensing.EventView
		ok    bool
	}{
		{authz.Products("acme"), s.event, true},
		{authz.Products("other"), s.event, false},
		{authz.Scope{}, s.event, false},
		{authz.Products("acme", "other"), none, false},
		{authz.AllProducts(), none, true},
	} {
		s.policy.scope = func(_ actor.Actor, action authz.Action) authz.Scope {
			if action == authz.LicenseRead {
				return c.scope
			}
			return authz.AllProducts()
		}
		_, noLicense := s.EventLicense(as(ada), c.event)
		_, noData := s.EventData(as(ada), c.event)
		for _, err := range []error{noLicense, noData} {
			if c.ok && err != nil {
				t.Errorf("%v: %v", c.scope, err)
			}
			if !c.ok {
				wantDenied(t, err, authz.LicenseRead)
			}
		}
	}
}

func TestThePageOfEventsReadsWhatTheyAreAboutOnce(t *testing.T) {
	s := newShop(t)
	for range 20 {
		s.issue(t, nil)
	}
	events := s.events(t, ada, nil)
	reads := 0
	s.store.get = func(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
		reads++
		return s.store.Model.Get(ctx, ids...)
	}
	for _, e := range events {
		must(s.EventLicense(as(ada), e))(t)
		must(s.EventData(as(ada), e))(t)
	}
	if reads != 2 { // what they are about, and its products and plans
		t.Errorf("%d reads for %d events", reads, len(events))
	}
}

func TestAnEntryThatCannotBeDecodedIsLeftOutAndLogged(t *testing.T) {
	s := newShop(t)
	s.commitStored(t, "rec_1", storage.Entry{ID: "evt_1", Type: "license.created", Actor: "x", Subjects: []string{"rec_1"}, Body: []byte(`{"id":"evt_1"}`)})
	s.issue(t, nil)
	if diff := cmp.Diff([]string{"product.created", "plan.created", "license.created"}, typesOf(s.events(t, ada, nil))); diff != "" {
		t.Error(diff)
	}
	if log := s.log.text.String(); !strings.Contains(log, `"msg":"an entry of the journal cannot be read","index":2`) {
		t.Errorf("the log is %s", log)
	}
	alone := must(s.Events(as(ada), &licensing.EventFilter{Subject: ptr("rec_1")}, licensing.OldestFirst, page.Args{First: 1}))(t)
	if len(alone.Nodes) != 0 || alone.PageInfo.EndCursor == nil {
		t.Errorf("a page of it alone cannot be gone on from: %+v", alone)
	}
}

func TestEventsAreUnavailableWithoutAJournalOrStorage(t *testing.T) {
	s := newAcmeShop(t)
	ask := func() (errs []error) {
		for _, u := range useCases() {
			if u.action == authz.EventRead || u.action == authz.JournalRead {
				_, err := u.call(as(ada), s)
				errs = append(errs, err)
			}
		}
		return errs
	}
	s.store.broken = func() error { return fault.Errorf(fault.Unavailable, "storage is unavailable") }
	for _, err := range ask() {
		wantCode(t, err, fault.Unavailable)
	}
	s.store.broken = nil
	s.config.Journal = nil
	s.restart(t, oldSecret)
	for _, err := range ask() {
		wantCode(t, err, fault.Unavailable)
	}
	s.issue(t, nil) // is not
}

func TestTheJournalIsShownToWhoMayReadAllOfIt(t *testing.T) {
	s := newShop(t)
	note := ""
	s.config.Checkpoint = func() string { return note }
	s.restart(t, oldSecret)
	before := must(s.Journal(as(ada)))(t)
	if before.Size != 2 || before.Checkpoint != nil {
		t.Errorf("%+v", before)
	}
	s.issue(t, nil)
	note = "a note"
	after := must(s.Journal(as(ada)))(t)
	root, err := base64.StdEncoding.DecodeString(after.RootHash)
	if after.Size != 3 || *after.Checkpoint != note || err != nil || len(root) != 32 || after.RootHash == before.RootHash {
		t.Errorf("%+v, %v", after, err)
	}
	s.policy.allow([]authz.Action{authz.JournalRead}, "acme")
	_, err = s.Journal(as(ada))
	wantDenied(t, err, authz.JournalRead)
}

// counted counts what a log is told.
type counted struct {
	licensing.Journal
	times int
}

func (j *counted) Committed() { j.times++ }

func TestTheJournalIsToldOfWhatMayHaveBeenCommitted(t *testing.T) {
	s := newShop(t)
	j := &counted{Journal: s.config.Journal}
	s.config.Journal = j
	s.restart(t, oldSecret)
	for name, c := range map[string]struct {
		err  error
		want int
	}{
		"done":     {nil, 1},
		"unknown":  {errors.New("connection reset"), 1},
		"conflict": {fault.Errorf(fault.Conflict, "changed"), 0},
		"refused":  {fault.Errorf(fault.InvalidInput, "too large"), 0},
	} {
		j.times = 0
		tries := 0
		s.store.commit = func(ctx context.Context, change storage.Change) error {
			if tries++; tries > 1 {
				return fault.Errorf(fault.InvalidInput, "enough")
			}
			if c.err == nil {
				return s.store.Model.Commit(ctx, change)
			}
			return c.err
		}
		_, _ = s.IssueLicense(as(ada), proLicense(nil))
		if j.times != c.want {
			t.Errorf("%s: told %d times, want %d", name, j.times, c.want)
		}
	}
}
