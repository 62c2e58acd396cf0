// Package wire carries GraphQL operations whose answers come one after the
// other, over connections that stay open: the protocol graphql-transport-ws on
// WebSockets, and graphql-sse in its mode of distinct connections. It knows
// neither schema nor documents; what an operation is, it is told.
package wire

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/keywright/keywright/fault"
)

// Answers gives the answers to an operation one after the other, each a JSON
// object, and nil at the end and soon after ctx has ended. The next is asked
// for once the last was taken by the client, so none waits in memory.
type Answers func(ctx context.Context) []byte

// Operation is one that was begun. What lasts goes on until somebody ends it: a
// shutdown does so at once, and waits for the answer to anything else.
type Operation struct {
	Answers Answers
	Lasts   bool
}

// Open begins an operation for whoever calls in ctx, which ends when nobody
// listens any more. request is the JSON of query, operationName and variables.
// Errors: MalformedError, RefusedErrors.
type Open func(ctx context.Context, request []byte) (Operation, error)

// MalformedError tells why a text is no request. It repeats nothing of it.
type MalformedError string

// Error implements error.
func (m MalformedError) Error() string { return string(m) }

// RefusedErrors is the JSON list of the errors for which an operation was not begun.
type RefusedErrors []byte

// Error implements error.
func (RefusedErrors) Error() string { return "the operation was refused" }

// RefusalError is the failure of a request that no stream was made of. Nothing was
// answered yet.
type RefusalError struct {
	Status int // of HTTP
	Fault  *fault.Error
}

// Error implements error.
func (r *RefusalError) Error() string { return r.Fault.Error() }

// Unwrap gives the fault.
func (r *RefusalError) Unwrap() error { return r.Fault }

func refusal(status int, code fault.Code, message string) *RefusalError {
	return &RefusalError{Status: status, Fault: fault.Errorf(code, "%s", message)}
}

// Transport answers operations over streams. All of it is needed; for event
// streams Open and Credential are not.
type Transport struct {
	Open Open
	// Credential tells who holds a credential in the form of an Authorization
	// header: by a context that is made of ctx, tells actor.From and ends, at
	// the latest, with the credential. It gives false for a bad one. It is
	// asked about what a WebSocket's first message brings, since browsers set
	// no headers on a WebSocket.
	Credential func(ctx context.Context, header string) (context.Context, bool)
	Streams    *Streams
	Log        *slog.Logger
	Patience   Patience
}

// Patience is how long a stream waits.
type Patience struct {
	Greeting time.Duration // for connection_init
	Message  time.Duration // for the end of a message that has begun
	Beat     time.Duration // between signs of life
	Progress time.Duration // for a client to take what is written, or to answer a ping
	Farewell time.Duration // for a client to take the rest of an event stream that has ended
}

// DefaultPatience is that of the protocol's users: a proxy that cuts off what
// is silent waits for 30 s or more.
func DefaultPatience() Patience {
	return Patience{
		Greeting: 5 * time.Second, Message: 15 * time.Second, Beat: 25 * time.Second, Progress: time.Minute, Farewell: 5 * time.Second,
	}
}

// CheckOrigin fails where a browser asks on behalf of a page that is not this
// server's own: a browser opens a WebSocket, or an event stream, to any server.
// Programs send no Origin.
func CheckOrigin(r *http.Request) error {
	if fromOwnPage(r) {
		return nil
	}
	return refusal(http.StatusForbidden, fault.Denied, "a page of another origin may not open streams")
}

// internalErrors are those of an operation that broke.
const internalErrors = `[{"message":"internal error","extensions":{"code":"INTERNAL"}}]`

// calmly turns a panic of what it calls into false, and logs it.
func (t *Transport) calmly(ctx context.Context, call func()) (whole bool) {
	defer func() {
		if p := recover(); p != nil {
			t.Log.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	call()
	return true
}
