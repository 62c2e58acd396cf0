package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/keywright/keywright/actor"
)

// Authenticate tells who holds a bearer token: by a context that is made of
// ctx, tells actor.From, and ends with the token, where that has an end which
// comes before the request's. It gives false for a token that is no good.
type Authenticate func(ctx context.Context, token string) (context.Context, bool)

// AdminToken makes an Authenticate that knows one token, which admin holds. It
// keeps the token's hash and compares in constant time.
func AdminToken(token string, admin actor.Actor) Authenticate {
	want := sha256.Sum256([]byte(token))
	return func(ctx context.Context, given string) (context.Context, bool) {
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			return nil, false
		}
		return actor.With(ctx, admin), true
	}
}

// Credential is Authenticate for what an Authorization header holds. Without
// an Authenticate no credential is good.
func (a Authenticate) Credential(ctx context.Context, header string) (context.Context, bool) {
	scheme, token, _ := strings.Cut(header, " ")
	token = strings.TrimSpace(token)
	if a == nil || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, false
	}
	return a(ctx, token)
}

// caller gives a context that tells who calls: nobody where no credential came
// along. It reports false for a credential that is no good, or is none that
// this server takes.
func (s *Server) caller(ctx context.Context, r *http.Request) (context.Context, bool) {
	given := r.Header.Values("Authorization")
	if len(given) == 0 {
		return actor.With(ctx, actor.Actor{}), true
	}
	if len(given) > 1 {
		return nil, false
	}
	return s.Authenticate.Credential(ctx, given[0])
}
