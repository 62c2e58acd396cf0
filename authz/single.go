package authz

import (
	"context"
	"slices"

	"github.com/keywright/keywright/actor"
)

// DevAdmin is who holds the admin token of a --dev server.
var DevAdmin = actor.Actor{Kind: actor.User, ID: "dev|admin"}

// SingleAdmin lets one actor do everything on all products and everybody else
// nothing. It is the whole policy of a --dev server. With the zero value
// nobody may do anything: an actor that is nobody is never asked for.
type SingleAdmin struct {
	Admin actor.Actor
}

var _ Enforcer = SingleAdmin{}

// Scope implements Enforcer.
func (s SingleAdmin) Scope(_ context.Context, a actor.Actor, action Action) Scope {
	if a.Nobody() || a != s.Admin || !slices.Contains(Actions(), action) {
		return Scope{}
	}
	return AllProducts()
}
