package wire_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/wire"
)

// keeper opens streams for anyone and keeps them open.
type keeper struct {
	t         *testing.T
	transport *wire.Transport
	ends      []func()
}

func newKeeper(t *testing.T, most int) *keeper {
	k := &keeper{t: t, transport: &wire.Transport{Streams: wire.NewStreams(most), Patience: wire.DefaultPatience()}}
	t.Cleanup(func() {
		for i := range k.ends {
			k.close(i)
		}
	})
	return k
}

// open wants a stream to be opened, or refused with a status.
func (k *keeper) open(who actor.Actor, from string, status int) {
	k.t.Helper()
	ctx, end := context.WithCancel(actor.WithAddress(actor.With(k.t.Context(), who), netip.MustParseAddr(from)))
	begun, done := make(chan struct{}), make(chan error, 1)
	go func() {
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
		done <- k.transport.ServeEvents(patient{httptest.NewRecorder()}, r, func(ctx context.Context) wire.Answers {
			close(begun)
			return func(context.Context) []byte { <-ctx.Done(); return nil }
		})
	}()
	select {
	case <-begun:
		if status != http.StatusOK {
			k.t.Errorf("from %s one more is opened", from)
		}
		k.ends = append(k.ends, func() {
			end()
			<-done
		})
	case err := <-done:
		end()
		var refusal *wire.RefusalError
		if !errors.As(err, &refusal) || refusal.Status != status || refusal.Fault.RetryAfter != 5*time.Second || strings.Contains(err.Error(), from) {
			k.t.Errorf("from %s: %v, want the status %d", from, err, status)
		}
	}
}

func (k *keeper) close(i int) {
	if k.ends[i] != nil {
		k.ends[i]()
		k.ends[i] = nil
	}
}

// patient is a recorder that takes deadlines.
type patient struct{ *httptest.ResponseRecorder }

func (patient) SetReadDeadline(time.Time) error  { return nil }
func (patient) SetWriteDeadline(time.Time) error { return nil }
