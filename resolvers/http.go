package resolvers

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/executor"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/limit"
)

// maxErrors bounds the errors of an answer.
const maxErrors = 10

// endpoint speaks GraphQL over HTTP (the GraphQL Foundation's draft of that
// name): queries by POST, and by GET where they neither name a @public field
// nor ask for a license by key; mutations by POST only. A refusal names what is
// wrong with a request and never tells a value of it.
type endpoint struct {
	exec      *executor.Executor
	schema    *ast.Schema
	public    map[string]bool // the root fields
	documents documents
}

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		refuse(w, mediaJSON, http.StatusMethodNotAllowed, "use POST, or GET for queries")
		return
	}
	media := negotiate(r.Header.Values("Accept"))
	if media == "" {
		refuse(w, mediaJSON, http.StatusNotAcceptable, "this server answers "+mediaGraphQL+" and "+mediaJSON)
		return
	}
	asked, status, problem := readRequest(w, r)
	if problem != "" {
		refuse(w, media, status, problem)
		return
	}
	operation, errs := e.prepare(actor.From(r.Context()), asked)
	if len(errs) > 0 {
		status := http.StatusOK
		if media == mediaGraphQL {
			status = http.StatusBadRequest
		}
		writeErrors(w, media, status, errs)
		return
	}
	if operation.Operation.Operation == ast.Subscription {
		refuse(w, media, http.StatusNotAcceptable, "a subscription has no single answer: ask for a stream")
		return
	}
	if r.Method == http.MethodGet && !e.readable(operation) {
		w.Header().Set("Allow", "POST")
		refuse(w, media, http.StatusMethodNotAllowed, "this operation is to be sent by POST")
		return
	}
	responses, ctx := e.exec.DispatchOperation(r.Context(), operation)
	if answer := responses(ctx); answer != nil { // else the client is gone
		writeAnswer(w, media, answer)
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
	return o.Operation.Operation == ast.Query && !e.sensitive(o.Doc, o.Operation.SelectionSet, map[string]bool{})
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

// refuse answers a request that is no GraphQL request.
func refuse(w http.ResponseWriter, media string, status int, problem string) {
	writeErrors(w, media, status, gqlerror.List{refused(problem, "")})
}

// writeErrors answers a request that was not executed: there is no data.
func writeErrors(w http.ResponseWriter, media string, status int, errs gqlerror.List) {
	body, err := json.Marshal(map[string]any{"errors": errs})
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL"}}]}`)
	}
	write(w, media, status, body)
}

func writeAnswer(w http.ResponseWriter, media string, answer *graphql.Response) {
	var body bytes.Buffer
	body.WriteString(`{"data":`)
	if answer.Data == nil {
		body.WriteString("null")
	}
	body.Write(answer.Data)
	if len(answer.Errors) > 0 {
		errs, err := json.Marshal(answer.Errors[:min(len(answer.Errors), maxErrors)])
		if err != nil {
			errs = []byte(`[{"message":"internal error","extensions":{"code":"INTERNAL"}}]`)
		}
		body.WriteString(`,"errors":`)
		body.Write(errs)
	}
	body.WriteString("}")
	write(w, media, http.StatusOK, body.Bytes())
}

func write(w http.ResponseWriter, media string, status int, body []byte) {
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

// bodyLimit bounds a request's body, in bytes.
func bodyLimit(who actor.Actor) int64 {
	if who.Nobody() {
		return 64 << 10
	}
	return 1 << 20
}
