package resolvers

import (
	"context"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/limit"
	"github.com/keywright/keywright/resolvers/wire"
)

// endpoint speaks GraphQL over HTTP (the GraphQL Foundation's draft of that
// name): queries and subscriptions by POST, and by GET where they neither name
// a @public field nor ask for a license by key; mutations by POST only. A
// subscription is answered by an event stream, and anything that is asked for
// by WebSocket or event stream by that. A refusal names what is wrong with a
// request and never tells a value of it.
type endpoint struct {
	exec      *executor.Executor
	within    time.Duration
	schema    *ast.Schema
	public    map[string]bool // the root fields
	documents documents
	streams   *wire.Transport
}

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		refuse(w, mediaJSON, http.StatusMethodNotAllowed, "use POST, or GET for queries")
		return
	}
	if wire.IsUpgrade(r) {
		if err := e.streams.ServeSocket(w, r); err != nil {
			refuseStream(w, err)
		}
		return
	}
	accepted := negotiate(r.Header.Values("Accept"))
	if accepted.best == "" {
		refuse(w, mediaJSON, http.StatusNotAcceptable, "this server answers "+mediaGraphQL+", "+mediaJSON+" and, as a stream, "+wire.MediaType)
		return
	}
	asked, status, problem := readRequest(w, r)
	if problem != "" {
		refuse(w, accepted.plain, status, problem)
		return
	}
	operation, errs := e.prepare(actor.From(r.Context()), asked)
	if err := checkOrigin(r, accepted, len(errs) == 0 && isLasting(operation)); err != nil {
		refuseStream(w, err)
		return
	}
	switch {
	case len(errs) > 0:
		writeErrors(w, accepted.best, statusOf(accepted.best), errs)
	case r.Method == http.MethodGet && !e.readable(operation):
		w.Header().Set("Allow", "POST")
		refuse(w, accepted.plain, http.StatusMethodNotAllowed, "this operation is to be sent by POST")
	case isLasting(operation):
		e.stream(w, r, accepted, operation)
	default:
		if answer := e.begin(r.Context(), operation)(r.Context()); answer != nil { // else the client is gone
			write(w, accepted.best, http.StatusOK, answer)
		}
	}
}

// prepare gives the operation that is asked for, once it is known to be within
// the limits of whoever asks.
func (e endpoint) prepare(who actor.Actor, asked request) (*graphql.OperationContext, gqlerror.List) {
	doc, errs := e.documents.open(who, asked.query)
	if len(errs) > 0 {
		return nil, errs
	}
	operation := doc.Operations.ForName(asked.operationName)
	if operation == nil {
		return nil, gqlerror.List{refused("the document has no operation of the name that operationName gives", "")}
	}
	variables, err := validator.VariableValues(e.schema, operation, asked.variables)
	if err != nil {
		return nil, gqlerror.List{badVariable(doc.QueryDocument, operation, err)}
	}
	if err := limit.Of(who).CheckPrice(doc.prices[operation], variables); err != nil {
		return nil, gqlerror.List{refused(err.Error(), "")}
	}
	return &graphql.OperationContext{
		RawQuery: asked.query, OperationName: asked.operationName, Variables: variables,
		Doc: doc.QueryDocument, Operation: operation,
		RecoverFunc:            recovered,
		ResolverMiddleware:     func(ctx context.Context, next graphql.Resolver) (any, error) { return next(ctx) },
		RootResolverMiddleware: func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler { return next(ctx) },
	}, nil
}

func recovered(_ context.Context, p any) error { return panicked(p) }

// readable reports whether an operation may be sent by GET, where addresses
// end up in logs and histories.
func (e endpoint) readable(o *graphql.OperationContext) bool {
	return o.Operation.Operation != ast.Mutation && !e.sensitive(o.Doc, o.Operation.SelectionSet, map[string]bool{})
}

func (e endpoint) sensitive(doc *ast.QueryDocument, selections ast.SelectionSet, seen map[string]bool) bool {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			if e.public[s.Name] || s.Arguments.ForName("key") != nil {
				return true
			}
		case *ast.InlineFragment:
			if e.sensitive(doc, s.SelectionSet, seen) {
				return true
			}
		case *ast.FragmentSpread:
			if seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			if e.sensitive(doc, doc.Fragments.ForName(s.Name).SelectionSet, seen) {
				return true
			}
		}
	}
	return false
}

// bodyLimit bounds a request's body, in bytes.
func bodyLimit(who actor.Actor) int64 {
	if who.Nobody() {
		return 64 << 10
	}
	return 1 << 20
}
