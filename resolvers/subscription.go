package resolvers

import (
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/graph"
	"github.com/keywright/keywright/licensing"
)

type subscription root

var _ graph.SubscriptionResolver = subscription{}

// Events gives events one by one, each no earlier than it is asked for: it is
// judged then whether the caller may see it. Its goroutine ends with ctx.
func (s subscription) Events(ctx context.Context, filter *licensing.EventFilter, after *string) (<-chan *licensing.EventView, error) {
	watch, err := s.Licensing.WatchEvents(ctx, filter, after)
	if err != nil {
		return nil, err
	}
	return run(ctx, watch.Next), nil
}

// feed is what the resolver of a subscription shares with whoever asks for
// its responses.
type feed struct {
	asked chan struct{}         // has one in it while a response is waited for
	field *graphql.FieldContext // of the subscription
	ended error                 // why no more comes, set before the resolver's channel is closed
}

type feedKey struct{}

// run gives what next does, as it is asked for, until that fails.
func run[T any](ctx context.Context, next func(context.Context) (T, error)) <-chan T {
	shared := ctx.Value(feedKey{}).(*feed) //nolint:forcetypeassert // feeds put it there
	shared.field = graphql.GetFieldContext(ctx)
	given := make(chan T)
	go func() {
		defer close(given)
		defer func() {
			if p := recover(); p != nil { // where a panic would end the program
				shared.ended = panicked(p)
			}
		}()
		shared.ended = fill(ctx, given, shared.asked, next)
	}()
	return given
}

// fill gives one for each time that it is asked. It ends with ctx without an
// error.
func fill[T any](ctx context.Context, given chan<- T, asked <-chan struct{}, next func(context.Context) (T, error)) error {
	for {
		select {
		case <-asked:
		case <-ctx.Done():
			return nil
		}
		v, err := next(ctx)
		if err != nil {
			return err
		}
		select {
		case given <- v:
		case <-ctx.Done():
			return nil
		}
	}
}

// feeds has the executor say why a subscription ended, which it does not by
// itself, and where in its answer an error is. A subscription that ends by
// itself ends with a response that has its error.
type feeds struct{ present graphql.ErrorPresenterFunc }

var _ graphql.OperationInterceptor = feeds{}

// ExtensionName implements graphql.HandlerExtension.
func (feeds) ExtensionName() string { return "feeds" }

// Validate implements graphql.HandlerExtension.
func (feeds) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptOperation implements graphql.OperationInterceptor.
func (f feeds) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	if graphql.GetOperationContext(ctx).Operation.Operation != ast.Subscription {
		return next(ctx)
	}
	shared := &feed{asked: make(chan struct{}, 1)}
	responses := next(context.WithValue(ctx, feedKey{}, shared))
	return func(ctx context.Context) *graphql.Response {
		if shared.field != nil {
			ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: shared.field.Object, Field: shared.field.Field})
		}
		select {
		case shared.asked <- struct{}{}:
		default: // the last was not answered
		}
		response := responses(ctx)
		if response != nil || ctx.Err() != nil || shared.ended == nil {
			return response
		}
		err := shared.ended
		shared.ended = nil
		return f.last(ctx, shared.field.Field.Alias, err)
	}
}

// last is the response of a subscription that ended with an error.
func (f feeds) last(ctx context.Context, alias string, err error) *graphql.Response {
	ctx = graphql.WithResponseContext(ctx, f.present, recovered)
	graphql.AddError(ctx, err)
	data, _ := json.Marshal(map[string]any{alias: nil}) // a name
	return &graphql.Response{Data: data, Errors: graphql.GetErrors(ctx)}
}
