package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/keywright/keywright/fault"
)

const (
	maxHeader   = 32 << 10 // of a request
	readyWithin = 2 * time.Second
	maxClockOff = time.Second
)

// Ops makes the handler of the operators' address: /healthz is good while the
// program runs, /readyz while it should be sent requests.
func (s *Server) Ops() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	routes.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if problem := s.unready(r.Context()); problem != "" {
			http.Error(w, problem, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return asWritten(routes)
}

// unready says why requests should go elsewhere, and nothing where they should
// not.
func (s *Server) unready(ctx context.Context) string {
	if s.stopping.Load() {
		return "shutting down"
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err := s.Ready(ctx)
	if err == nil {
		err = s.checkClock(ctx)
	}
	if err == nil {
		return ""
	}
	s.Log.WarnContext(ctx, "not ready", "error", err)
	return fault.All(err)[0].Message
}

// checkClock fails where this server's clock is too far off storage's, which
// was read about halfway between asking and the answer. Leases that several
// servers judge need clocks that agree.
func (s *Server) checkClock(ctx context.Context) error {
	if s.Clock == nil {
		return nil
	}
	asked := s.Now()
	theirs, err := s.Clock(ctx)
	if err != nil {
		return err
	}
	ours := asked.Add(s.Now().Sub(asked) / 2)
	off, where := ours.Sub(theirs), "ahead of"
	if off < 0 {
		off, where = -off, "behind"
	}
	if off <= maxClockOff {
		return nil
	}
	return fault.Errorf(fault.Unavailable, "the clock of this server is %.1f s %s storage's", off.Seconds(), where)
}

// Run answers on public, and to operators on ops unless that is nil, until ctx
// ends. Then it is no longer ready, takes no new connection, and gives what is
// in flight time to end, streams at once; /readyz is answered to the last. It
// closes both listeners. An error says that a listener broke or requests were
// cut off.
func (s *Server) Run(ctx context.Context, public, ops net.Listener) error {
	requests, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	answers, probes := s.listen(s), s.listen(s.Ops())
	answers.BaseContext = func(net.Listener) context.Context { return withRequests(requests) }
	answers.TLSConfig = s.TLS
	ended := make(chan error, 2)
	running := 1
	go func() {
		if s.TLS == nil {
			ended <- answers.Serve(public)
			return
		}
		ended <- answers.ServeTLS(public, "", "")
	}()
	if ops != nil {
		running++
		go func() { ended <- probes.Serve(ops) }()
	}

	var broken error
	select {
	case broken = <-ended:
		running--
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	s.Log.InfoContext(ctx, "shutting down", "drain", s.Drain.String())
	s.EndStreams()
	err := errors.Join(broken, s.drain(ctx, answers, cut), probes.Close())
	for range running {
		<-ended
	}
	return err
}

func (s *Server) listen(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: s.Patience.Header, ReadTimeout: s.Patience.Read, WriteTimeout: s.Patience.Answer, IdleTimeout: s.Patience.Idle,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
}

// cutWithin is how long what was cut off may take to end.
const cutWithin = time.Second

// drain waits for what is in flight, and cuts off what takes too long. Of the
// connections that it has given away net/http knows nothing.
func (s *Server) drain(ctx context.Context, answers *http.Server, cut func()) error {
	ctx = context.WithoutCancel(ctx)
	patient, cancel := context.WithTimeout(ctx, s.Drain)
	defer cancel()
	if err := answers.Shutdown(patient); err == nil && s.awaitRequests(patient) {
		return nil
	}
	cut()
	err := answers.Close()
	ctx, cancel = context.WithTimeout(ctx, cutWithin)
	defer cancel()
	s.awaitRequests(ctx)
	return errors.Join(fmt.Errorf("requests that took longer than %s were cut off", s.Drain), err)
}

// awaitRequests waits for the end of all requests, and reports whether it came
// before that of ctx. It is called when no request begins any more.
func (s *Server) awaitRequests(ctx context.Context) bool {
	ended := make(chan struct{})
	go func() {
		s.inFlight.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return true
	case <-ctx.Done():
		return false
	}
}
