package resolvers

import (
	"context"
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/strict"
)

// Open gives what a handler makes of a document whose operation is asked for
// with variables.
func Open(h http.Handler, who actor.Actor, document, operation string, variables map[string]any) (*ast.QueryDocument, gqlerror.List) {
	o, errs := h.(endpoint).prepare(who, request{query: document, operationName: operation, variables: variables})
	if len(errs) > 0 {
		return nil, errs
	}
	return o.Doc, nil
}

// Subscribe gives the responses of an operation as it is asked for by whoever
// calls in ctx; each is good until the next.
func Subscribe(ctx context.Context, h http.Handler, document string, variables map[string]any) (next func() *graphql.Response, errs gqlerror.List) {
	e := h.(endpoint)
	o, errs := e.prepare(actor.From(ctx), request{query: document, variables: variables})
	if len(errs) > 0 {
		return nil, errs
	}
	responses, ctx := e.exec.DispatchOperation(ctx, o)
	return func() *graphql.Response { return responses(ctx) }, nil
}

// ParseRequest reads the query and the variables of a request's JSON.
func ParseRequest(text []byte, values int) (query string, variables map[string]any, problem string) {
	r, problem := parseRequest(text, strict.Bounds{Values: values, Levels: strict.MaxLevels})
	return r.query, r.variables, problem
}

// Remembered gives the bytes that a handler's documents take up: those of
// callers without a credential, and of others.
func Remembered(h http.Handler) (anyone, staff int) {
	e := h.(endpoint)
	return e.documents.anyone.Bytes(), e.documents.staff.Bytes()
}
