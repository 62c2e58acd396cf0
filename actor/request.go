package actor

import "context"

type requestKey struct{}

// WithRequest gives a context of the request of an id.
func WithRequest(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestFrom gives the id of the request that ctx is of: empty where none
// asked. It is what the answer, the log and the journal know a request by.
func RequestFrom(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
