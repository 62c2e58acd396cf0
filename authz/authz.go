// Package authz says what a caller may do: which actions, on which products.
// It knows products by their codes and nothing of licenses. What is not
// allowed is denied.
package authz

import (
	"context"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
)

// Enforcer decides. It answers from memory and is safe for concurrent use.
type Enforcer interface {
	// Scope gives the products on which a may do the action. Nobody, an
	// unknown actor and an unknown action have the zero Scope: none.
	Scope(ctx context.Context, a actor.Actor, action Action) Scope
}

// Scope is a set of products, by code. The zero Scope is none; all products
// include those that do not exist yet.
type Scope struct {
	all   bool
	codes []string
}

// AllProducts is the Scope that a policy writes as *.
func AllProducts() Scope { return Scope{all: true} }

// Products is the Scope of the products of these codes.
func Products(codes ...string) Scope { return Scope{codes: codes} }

// All reports whether s is all products.
func (s Scope) All() bool { return s.all }

// None reports whether s is no product at all.
func (s Scope) None() bool { return !s.all && len(s.codes) == 0 }

// Codes lists the products of a Scope that is not all of them.
func (s Scope) Codes() []string { return s.codes }

// Has reports whether the product of this code is in s.
func (s Scope) Has(code string) bool {
	if s.all {
		return true
	}
	for _, c := range s.codes {
		if c == code {
			return true
		}
	}
	return false
}

// Authorize gives the Scope in which whoever calls in ctx may do the action.
// Errors: Unauthenticated for nobody, Denied where the Scope is none.
func Authorize(ctx context.Context, e Enforcer, action Action) (Scope, error) {
	who := actor.From(ctx)
	if who.Nobody() {
		return Scope{}, fault.Errorf(fault.Unauthenticated, "log in first: %s needs a credential", action)
	}
	scope := e.Scope(ctx, who, action)
	if scope.None() {
		return Scope{}, Refuse(action)
	}
	return scope, nil
}

// Refuse makes the Denied that names the action.
func Refuse(action Action) error {
	err := fault.Errorf(fault.Denied, "you lack the permission %s", action)
	err.Action = string(action)
	return err
}
