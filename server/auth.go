package server

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"

	"github.com/keywright/keywright/actor"
)

// AdminToken makes an Authenticate that knows one token, which admin holds. It
// keeps the token's hash and compares in constant time.
func AdminToken(token string, admin actor.Actor) func(context.Context, string) (actor.Actor, bool) {
	want := sha256.Sum256([]byte(token))
	return func(_ context.Context, given string) (actor.Actor, bool) {
		got := sha256.Sum256([]byte(given))
		if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			return actor.Actor{}, false
		}
		return admin, true
	}
}

// caller tells who calls: nobody where no credential came along. It reports
// false for a credential that is no good, or is none that this server takes.
func (s *Server) caller(r *http.Request) (actor.Actor, bool) {
	given := r.Header.Values("Authorization")
	if len(given) == 0 {
		return actor.Actor{}, true
	}
	scheme, token, _ := strings.Cut(given[0], " ")
	token = strings.TrimSpace(token)
	if len(given) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return actor.Actor{}, false
	}
	return s.Authenticate(r.Context(), token)
}
