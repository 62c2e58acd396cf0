package resolvers

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/wire"
)

func isLasting(o *graphql.OperationContext) bool { return o.Operation.Operation == ast.Subscription }

// checkOrigin holds event streams to pages of this server's own, as WebSockets
// are.
func checkOrigin(r *http.Request, to accepted, lasts bool) error {
	if to.best != wire.MediaType && !lasts {
		return nil
	}
	return wire.CheckOrigin(r)
}

// stream answers a subscription that came by HTTP.
func (e endpoint) stream(w http.ResponseWriter, r *http.Request, accepted accepted, o *graphql.OperationContext) {
	if !accepted.events {
		refuse(w, accepted.plain, http.StatusNotAcceptable, "a subscription is answered over WebSocket, or as "+wire.MediaType)
		return
	}
	err := e.streams.ServeEvents(w, r, func(ctx context.Context) wire.Answers { return e.begin(ctx, o) })
	if err != nil {
		refuseStream(w, err)
	}
}

// open begins an operation of a WebSocket, within the limits of all others.
func (e endpoint) open(ctx context.Context, text []byte) (wire.Operation, error) {
	who := actor.From(ctx)
	asked, problem := parseRequest(text, bounds(who))
	if problem != "" {
		return wire.Operation{}, wire.MalformedError("the request " + problem)
	}
	if asked, _, problem = checked(asked); problem != "" {
		return wire.Operation{}, wire.MalformedError(problem)
	}
	o, errs := e.prepare(who, asked)
	if len(errs) > 0 {
		return wire.Operation{}, wire.RefusedErrors(listErrors(errs))
	}
	return wire.Operation{Answers: e.begin(ctx, o), Lasts: isLasting(o)}, nil
}

// begin executes an operation. One that is answered once has the time for it
// that e.within gives.
func (e endpoint) begin(ctx context.Context, o *graphql.OperationContext) wire.Answers {
	lasts, done, end := isLasting(o), false, func() {}
	if !lasts {
		ctx, end = context.WithTimeout(ctx, e.within)
	}
	responses, inner := e.exec.DispatchOperation(ctx, o)
	return func(context.Context) []byte {
		if done {
			return nil
		}
		done = !lasts
		defer end()
		answer := responses(inner)
		if answer == nil {
			return nil
		}
		return encode(answer, lasts)
	}
}
