package actor_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/keywright/keywright/actor"
)

func TestAContextSaysWhoIsCalling(t *testing.T) {
	if got := actor.From(t.Context()); !got.Nobody() || got.String() != "nobody" {
		t.Errorf("without a word it is %v", got)
	}
	token := actor.Actor{Kind: actor.Token, ID: "tok_1"}
	ctx := actor.With(t.Context(), token)
	if got := actor.From(ctx); got != token || got.Nobody() || got.String() != "TOKEN tok_1" {
		t.Errorf("calling is %v", got)
	}
	holder := actor.Actor{Kind: actor.LicenseHolder, ID: "lic_1"}
	if got := actor.From(actor.With(ctx, holder)); got != holder {
		t.Errorf("the inner context has %v", got)
	}
	if got := actor.From(actor.With(ctx, actor.Actor{})); !got.Nobody() {
		t.Errorf("nobody became %v", got)
	}
}

// Journals hold this form for ever.
func TestTheStoredFormOfAnActor(t *testing.T) {
	text, err := json.Marshal(actor.Actor{Kind: actor.User, ID: "https://login.example|42"})
	if want := `{"kind":"USER","id":"https://login.example|42"}`; err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

func TestAContextSaysWhichRequestItIsOf(t *testing.T) {
	if got := actor.RequestFrom(t.Context()); got != "" {
		t.Errorf("without a word it is %q", got)
	}
	ctx := actor.With(actor.WithRequest(t.Context(), "R7"), actor.Actor{Kind: actor.Token, ID: "tok_1"})
	if got := actor.RequestFrom(ctx); got != "R7" {
		t.Errorf("it is of the request %q", got)
	}
	if got := actor.RequestFrom(actor.WithRequest(ctx, "")); got != "" {
		t.Errorf("the inner context is of %q", got)
	}
}

func TestAContextSaysWhereACallComesFrom(t *testing.T) {
	if got := actor.AddressFrom(t.Context()); got.IsValid() {
		t.Errorf("without a word it is %v", got)
	}
	from := netip.MustParseAddr("2001:db8::1")
	ctx := actor.WithAddress(actor.With(t.Context(), actor.Actor{Kind: actor.Token, ID: "tok_1"}), from)
	if got := actor.AddressFrom(ctx); got != from || actor.From(ctx).ID != "tok_1" {
		t.Errorf("%v calls from %v", actor.From(ctx), got)
	}
}
