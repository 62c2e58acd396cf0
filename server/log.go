package server

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/keywright/keywright/actor"
)

// LogHandler adds to each record the id of the request in whose context it was
// made: the one that the answer's X-Request-Id gives.
func LogHandler(to slog.Handler) slog.Handler { return logHandler{to} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := actor.RequestFrom(ctx); id != "" {
		r.AddAttrs(slog.String("request", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }

// line is what the log tells of a request. It holds nothing that a client made
// up but addresses: a path, a query, a body or a header may hold a key.
type line struct {
	method, path string
	status       int
	bytes        int64
}

func (s *Server) lineOf(r *http.Request, out *recorder) line {
	l := line{method: methodOf(r), path: s.pathOf(r), status: out.status, bytes: out.bytes}
	if l.status == 0 {
		l.status = http.StatusOK
	}
	return l
}

// logRequest writes the line of a request.
func (s *Server) logRequest(ctx context.Context, l line, began time.Time) {
	s.Log.LogAttrs(ctx, slog.LevelInfo, "request",
		slog.String("method", l.method),
		slog.String("path", l.path),
		slog.Int("status", l.status),
		slog.Int64("bytes", l.bytes),
		slog.Float64("ms", float64(time.Since(began).Microseconds())/1000),
		slog.String("actor", actor.From(ctx).String()),
		slog.String("client", actor.AddressFrom(ctx).String()))
}

// other stands in the log for a method or path that the server does not know.
const other = "other"

func methodOf(r *http.Request) string {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return r.Method
	}
	return other
}

// pathOf gives the path of the route that a request takes.
func (s *Server) pathOf(r *http.Request) string {
	_, pattern := s.routes.Handler(r)
	if _, path, known := strings.Cut(pattern, "/"); known {
		return "/" + strings.TrimSuffix(path, "{$}")
	}
	return other
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int // 0 until the answer begins
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && (status >= http.StatusOK || status == http.StatusSwitchingProtocols) {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(p)
	r.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
