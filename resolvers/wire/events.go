package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/keywright/keywright/fault"
)

// MediaType is that of an event stream.
const MediaType = "text/event-stream"

// The parts of an event stream. A line that begins with a colon says nothing.
const (
	nextEvent     = "event: next\ndata: "
	completeEvent = "event: complete\ndata:\n\n"
	beatComment   = ":\n\n"
	endOfEvent    = "\n\n"
)

// events is an event stream.
type events struct {
	to sink
	mu sync.Mutex // held by whoever writes
}

// WriteEvents answers an operation that has a single answer, or was refused.
func WriteEvents(w http.ResponseWriter, answer []byte) {
	text := append(event(answer), completeEvent...)
	header(w.Header())
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	_, _ = w.Write(text) // the client may be gone
}

func header(h http.Header) {
	h.Set("Content-Type", MediaType+"; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // or proxies of nginx's kind keep it to themselves
}

// event makes an event of an answer. A line ends only where JSON has white
// space.
func event(answer []byte) []byte {
	text := make([]byte, 0, len(nextEvent)+len(answer)+len(endOfEvent)+len(completeEvent))
	text = append(text, nextEvent...)
	for _, b := range answer {
		if b == '\r' || b == '\n' {
			b = ' '
		}
		text = append(text, b)
	}
	return append(text, endOfEvent...)
}

// ServeEvents answers an operation that lasts by an event stream, until either
// ends: where the request has a Keeper, and HTTP/1 gives its connection away,
// beside the handler. begin is called once there is a place for the stream. The
// error, a RefusalError, says that there is none.
func (t *Transport) ServeEvents(w http.ResponseWriter, r *http.Request, begin func(context.Context) Answers) error {
	stream, ctx, err := t.Streams.enter(r.Context(), nil)
	if err != nil {
		return err
	}
	if conn := t.takeEvents(ctx, w, r); conn != nil {
		t.run(ctx, stream, func() {
			defer conn.watch(stream)()
			t.serveEvents(ctx, stream, conn, begin)
		})
		return nil
	}
	defer stream.leave()
	if to, err := openResponse(w, t.Patience); err == nil { // else the client is gone
		t.serveEvents(ctx, stream, to, begin)
	}
	return nil
}

func (t *Transport) serveEvents(ctx context.Context, stream *stream, to sink, begin func(context.Context) Answers) {
	e := &events{to: to}
	defer to.end()
	defer context.AfterFunc(ctx, to.hurry)()
	stop := every(t.Patience.Beat, func() {
		if err := e.write([]byte(beatComment)); err != nil {
			stream.end(err)
		}
	})
	defer stop()
	if !t.calmly(ctx, func() { e.answer(ctx, begin(ctx)) }) {
		_ = e.next([]byte(`{"errors":` + internalErrors + `}`))
		_ = e.write([]byte(completeEvent)) // the client may be gone
	}
}

// answer gives the client one answer after the other. A stream that ends
// without the event complete is one that the client may open again.
func (e *events) answer(ctx context.Context, answers Answers) {
	for {
		one := answers(ctx)
		if ctx.Err() != nil {
			if farewell := farewell(context.Cause(ctx)); farewell != nil {
				_ = e.next(farewell)
				_ = e.write([]byte(completeEvent)) // the client may be gone
			}
			return
		}
		if one == nil {
			_ = e.write([]byte(completeEvent)) // the client may be gone
			return
		}
		if e.next(one) != nil {
			return
		}
	}
}

// farewell is the last answer of a stream whose caller may listen no longer,
// and nil of any other that ended.
func farewell(why error) []byte {
	var f *fault.Error
	if !errors.As(why, &f) || errors.Is(why, errEnding) {
		return nil
	}
	type extensions struct {
		Code fault.Code `json:"code"`
	}
	type problem struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	text, err := json.Marshal(map[string][]problem{"errors": {{f.Message, extensions{f.Code}}}})
	if err != nil {
		return nil
	}
	return text
}

// next writes an answer.
func (e *events) next(answer []byte) error { return e.write(event(answer)) }

// write writes text and sends it off.
func (e *events) write(text []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.to.send(text)
}
