// Package actor says who does something: a person, a service token, the
// holder of a license key, or a part of the server. An actor is never known
// by an e-mail address, which can change hands.
package actor

import "context"

// Kind is the kind of an actor.
type Kind string

// The kinds of actors.
const (
	User          Kind = "USER"
	Token         Kind = "TOKEN"
	LicenseHolder Kind = "LICENSE_HOLDER"
	System        Kind = "SYSTEM"
)

// Actor is who did it. ID is the issuer and the subject joined by | for a
// User, the token's id for a Token, the license's for a LicenseHolder, and
// the part of the server for System. The zero Actor is nobody.
type Actor struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
}

// Nobody reports whether nobody is calling: no credential came along.
func (a Actor) Nobody() bool { return a == Actor{} }

// String gives kind and id, for logs.
func (a Actor) String() string {
	if a.Nobody() {
		return "nobody"
	}
	return string(a.Kind) + " " + a.ID
}

type contextKey struct{}

// With gives a context in which a is calling.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, contextKey{}, a)
}

// From gives who is calling in ctx, nobody where nothing was said.
func From(ctx context.Context) Actor {
	a, _ := ctx.Value(contextKey{}).(Actor)
	return a
}
