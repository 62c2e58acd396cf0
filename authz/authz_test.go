package authz_test

import (
	"context"
	"testing"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
)

func TestSingleAdminMayDoEverythingAndNobodyElseAnything(t *testing.T) {
	ctx := context.Background()
	policy := authz.SingleAdmin{Admin: authz.DevAdmin}
	others := []actor.Actor{
		{},
		{Kind: actor.User, ID: "dev|other"},
		{Kind: actor.Token, ID: authz.DevAdmin.ID},
	}
	for _, action := range authz.Actions() {
		if !policy.Scope(ctx, authz.DevAdmin, action).All() {
			t.Errorf("the admin lacks %s", action)
		}
		for _, other := range others {
			if !policy.Scope(ctx, other, action).None() {
				t.Errorf("%v has %s", other, action)
			}
		}
		if !(authz.SingleAdmin{}).Scope(ctx, actor.Actor{}, action).None() {
			t.Errorf("the zero policy lets nobody do %s", action)
		}
	}
	if !policy.Scope(ctx, authz.DevAdmin, "license:unheard-of").None() {
		t.Error("an unknown action is allowed")
	}
}

func TestAuthorizeTellsNobodyFromRefused(t *testing.T) {
	policy := authz.SingleAdmin{Admin: authz.DevAdmin}
	tests := []struct {
		name string
		who  actor.Actor
		want fault.Code
	}{
		{"nobody", actor.Actor{}, fault.Unauthenticated},
		{"another user", actor.Actor{Kind: actor.User, ID: "dev|other"}, fault.Denied},
		{"the admin", authz.DevAdmin, ""},
	}
	for _, tt := range tests {
		ctx := actor.With(context.Background(), tt.who)
		if _, err := authz.Authorize(ctx, policy, authz.LicenseRead); fault.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestScopeHasItsProductsOnly(t *testing.T) {
	scope := authz.Products("acme")
	if !scope.Has("acme") || scope.Has("other") || scope.All() || scope.None() {
		t.Errorf("a scope of acme is %+v", scope)
	}
	if none := authz.Products(); !none.None() || none.Has("") {
		t.Errorf("a scope of no product is %+v", none)
	}
	if all := authz.AllProducts(); !all.Has("not made yet") || all.None() {
		t.Errorf("all products are %+v", all)
	}
}
