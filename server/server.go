// Package server is what stands at the address: routes, who is calling, one
// line in the log for each request, probes for operators, and an orderly end.
package server

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"path"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/server/graphiql"
)

// Config is what a Server is made of. GraphQL, Ready and Log are needed.
type Config struct {
	// GraphQL is the handler of /graphql. actor.From tells it who calls,
	// actor.AddressFrom from where, and actor.RequestFrom the request's id.
	GraphQL http.Handler
	// Ready fails where requests cannot be answered now.
	Ready func(context.Context) error
	// Clock gives storage's own time. A server whose clock is more than a
	// second off that one is not ready, and goes on answering. If nil, it is
	// not asked.
	Clock        func(context.Context) (time.Time, error)
	Now          func() time.Time // time.Now if nil
	Log          *slog.Logger
	Authenticate Authenticate // if nil, no token is good
	// EndStreams asks what GraphQL answers for as long as somebody listens to
	// end soon. It is called when a shutdown begins; nothing if nil.
	EndStreams func()
	// Dev refuses requests that were sent to another name than localhost.
	Dev bool
	// TrustedProxies are believed as to whom they speak for.
	TrustedProxies []netip.Prefix
	TLS            *tls.Config   // plain HTTP if nil
	Drain          time.Duration // DefaultDrain if zero
	Patience       Patience      // DefaultPatience() if zero
}

// DefaultDrain is how long a shutdown waits for what is in flight.
const DefaultDrain = 30 * time.Second

// Patience is how long a connection may take: to send a request's headers, to
// send all of it, to be answered and take the answer, and to send the next.
type Patience struct{ Header, Read, Answer, Idle time.Duration }

// DefaultPatience reads no longer than a shutdown waits.
func DefaultPatience() Patience {
	return Patience{Header: 5 * time.Second, Read: 15 * time.Second, Answer: time.Minute, Idle: 2 * time.Minute}
}

// Server answers requests. It is safe for concurrent use.
type Server struct {
	Config
	routes   *http.ServeMux
	stopping atomic.Bool
	inFlight sync.WaitGroup // requests, of connections that net/http has given away too
}

// New makes a Server.
func New(c Config) *Server {
	if c.EndStreams == nil {
		c.EndStreams = func() {}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Drain == 0 {
		c.Drain = DefaultDrain
	}
	if c.Patience == (Patience{}) {
		c.Patience = DefaultPatience()
	}
	s := &Server{Config: c, routes: http.NewServeMux()}
	s.routes.Handle("/graphql", c.GraphQL)
	if c.Dev {
		s.routes.HandleFunc("GET /{$}", index)
		s.routes.Handle("GET "+graphiql.Root, graphiql.Handler())
		s.routes.Handle("GET "+graphiql.Root+"/", graphiql.Handler())
	}
	return s
}

// ServeHTTP answers one request. It authenticates before it routes: a
// credential that is no good is refused everywhere, and no credential is
// nobody.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.inFlight.Add(1)
	began, id := time.Now(), rand.Text()
	out := &recorder{ResponseWriter: w}
	ctx, l := s.lasting(r, out, began)
	ctx = actor.WithRequest(actor.WithAddress(ctx, s.clientOf(r)), id)
	caller, known := s.caller(ctx, r)
	if known {
		ctx = caller
	}
	out.Header().Set("X-Request-Id", id)
	out.Header().Set("X-Content-Type-Options", "nosniff")
	defer func() {
		broken := s.recovered(ctx, out, recover())
		if !l.leave() {
			s.logRequest(ctx, s.lineOf(r, out), began)
			s.inFlight.Done()
		}
		if broken {
			panic(http.ErrAbortHandler)
		}
	}()
	l.is(ctx)
	switch {
	case s.Dev && !IsLoopback(r.Host):
		// A page from elsewhere may have had its own name point here.
		http.Error(out, "This server runs with --dev and answers to localhost or a loopback address only.", http.StatusMisdirectedRequest)
	case !known:
		out.Header().Set("WWW-Authenticate", `Bearer realm="keywright", error="invalid_token"`)
		refuse(out, http.StatusUnauthorized, fault.Errorf(fault.Unauthenticated, "the bearer token is not valid"))
	default:
		asWritten(s.routes).ServeHTTP(out, r.WithContext(ctx))
	}
}

// asWritten answers NotFound where a ServeMux would send the client on to the
// clean form of its path: that would echo a text and a query of the client's
// making, which may hold a key.
func asWritten(routes *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if clean := path.Clean("/" + r.URL.Path); r.URL.Path != clean && (clean == "/" || r.URL.Path != clean+"/") {
			http.NotFound(w, r)
			return
		}
		routes.ServeHTTP(w, r)
	})
}

// recovered logs a panic and answers in its place. It reports true where the
// answer had begun, so that the connection must be broken off.
func (s *Server) recovered(ctx context.Context, out *recorder, p any) bool {
	if p == nil {
		return false
	}
	if p != http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
		s.Log.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
		if out.status == 0 {
			refuse(out, http.StatusInternalServerError, fault.Errorf(fault.Internal, "internal error"))
			return false
		}
	}
	return true
}

// refuse answers as GraphQL does where nothing was executed.
func refuse(w http.ResponseWriter, status int, err *fault.Error) {
	type extensions struct {
		Code fault.Code `json:"code"`
	}
	type problem struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string][]problem{ // the client may be gone
		"errors": {{Message: err.Message, Extensions: extensions{err.Code}}},
	})
}

func index(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, `Keywright, a license server, running with --dev.

/graphql    the API: GraphQL by POST, most queries by GET too, subscriptions
            over WebSocket (graphql-transport-ws) or as text/event-stream.
            Staff send "Authorization: Bearer" and the admin token, which was
            printed at start and is kept in the file admin-token beside the
            data. Validating a key needs no token: the key is the credential.
/graphiql   a page to try it on, with the schema and a tour.
`)
}
