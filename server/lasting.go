package server

import (
	"context"
	"net/http"
	"time"

	"github.com/keywright/keywright/resolvers/wire"
)

type requestsKey struct{}

// withRequests gives a context that tells, by itself, what ends all requests.
func withRequests(ctx context.Context) context.Context {
	return context.WithValue(ctx, requestsKey{}, ctx)
}

// lasting is a request that may outlast its handler. While it does, it must
// hold nothing of net/http's. One that may not is nil.
type lasting struct {
	server *Server
	began  time.Time
	ctx    context.Context
	line   func() line // nil once it is kept
	end    context.CancelFunc
	unbind func() bool     // from what ends the context beside end
	all    context.Context // what ends all requests, or nil
}

var _ wire.Keeper = (*lasting)(nil)

// lasting gives the context of a request, and the request if it may outlast its
// handler.
func (s *Server) lasting(r *http.Request, out *recorder, began time.Time) (context.Context, *lasting) {
	if !wire.MayLast(r) {
		return r.Context(), nil
	}
	ctx, end := context.WithCancel(context.WithoutCancel(r.Context()))
	l := &lasting{server: s, began: began, end: end, unbind: context.AfterFunc(r.Context(), end)}
	l.line = func() line { return s.lineOf(r, out) }
	l.all, _ = r.Context().Value(requestsKey{}).(context.Context)
	return wire.WithKeeper(ctx, l), l
}

// is says what the request's context became.
func (l *lasting) is(ctx context.Context) {
	if l != nil {
		l.ctx = ctx
	}
}

// Keep implements wire.Keeper.
func (l *lasting) Keep() (over func()) {
	told := l.line()
	l.line = nil
	if l.unbind() && l.all != nil {
		l.unbind = context.AfterFunc(l.all, l.end)
	}
	return func() {
		l.unbind()
		l.end()
		l.server.logRequest(l.ctx, told, l.began)
		l.server.inFlight.Done()
	}
}

// leave ends the request with its handler, and reports whether it goes on.
func (l *lasting) leave() (kept bool) {
	if l == nil {
		return false
	}
	if l.line == nil {
		return true
	}
	l.unbind()
	l.end()
	return false
}
