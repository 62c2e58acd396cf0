package licensing_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/journal/journaltest"
	"github.com/keywright/keywright/licensing"
)

func TestThatTheStorageWasRestoredIsAnEventForThoseOfAllProducts(t *testing.T) {
	s := newShop(t)
	cursor := must(s.Events(as(ada), nil, licensing.OldestFirst, most))(t).PageInfo.EndCursor
	done := must(journal.Restore(t.Context(), journal.Config{Store: s.store, Now: s.config.Now}))(t)
	s.config.Journal = journal.NewLog(journal.Config{Store: s.store, Now: s.config.Now}) // a server that is started anew
	s.restart(t, oldSecret)
	got := s.events(t, ada, &licensing.EventFilter{Types: []string{"journal.*"}})
	if len(got) != 1 {
		t.Fatalf("%d events", len(got))
	}
	journaltest.Check(t, must(got[0].Entry.Encode())(t))
	data := must(s.EventData(as(ada), got[0]))(t)
	var shown map[string]any
	if err := json.Unmarshal(data, &shown); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"epoch": float64(done.Epoch), "size": 2.0, "root": done.Root.String()}, shown); diff != "" {
		t.Error(diff)
	}
	if e := got[0]; *e.Subject() != done.Log || e.ProductID() != nil || e.LicenseID() != nil || *e.Actor() != (actor.Actor{Kind: actor.System, ID: "migrate"}) {
		t.Errorf("%+v", e.Entry)
	}
	page := most
	page.After = cursor
	_, err := s.Events(as(ada), nil, licensing.OldestFirst, page)
	if !fault.Is(err, fault.InvalidInput) || !strings.Contains(err.Error(), "from before it was restored") {
		t.Errorf("a cursor of before is taken: %v", err)
	}

	s.policy.scope = func(actor.Actor, authz.Action) authz.Scope { return authz.Products("acme") }
	if got := s.events(t, ben, &licensing.EventFilter{Types: []string{"journal.*"}}); len(got) != 0 {
		t.Errorf("who may see one product sees %d", len(got))
	}
}
