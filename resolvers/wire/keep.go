package wire

import (
	"context"
	"net/http"
	"strings"
)

// Keeper lets a request outlast its handler, whose connection was taken over:
// net/http then gives back all that it holds for it, which is more than the
// stream itself takes. The request's context must not end with the handler.
type Keeper interface {
	// Keep says that the request goes on, until what it gives is called.
	Keep() (over func())
}

type keeperKey struct{}

// WithKeeper gives a context in which a handler may keep its request.
func WithKeeper(ctx context.Context, k Keeper) context.Context {
	return context.WithValue(ctx, keeperKey{}, k)
}

// MayLast reports whether a request may be one for a stream.
func MayLast(r *http.Request) bool {
	return IsUpgrade(r) || strings.Contains(strings.Join(r.Header.Values("Accept"), ","), MediaType)
}

// run serves a stream whose connection was taken over: beside the handler,
// which returns, if there is a Keeper.
func (t *Transport) run(ctx context.Context, stream *stream, serve func()) {
	whole := func() {
		defer stream.leave()
		t.calmly(ctx, serve)
	}
	keeper, _ := ctx.Value(keeperKey{}).(Keeper)
	if keeper == nil {
		whole()
		return
	}
	over := keeper.Keep() // waited for by whoever keeps requests
	go func() {
		defer over()
		whole()
	}()
}
