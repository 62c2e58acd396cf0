package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// sink is where the text of an event stream goes, and goes at once.
type sink interface {
	send(text []byte) error
	hurry() // bounds the time of all that is sent from then on
	end()   // comes after all else
}

// response is the answer to a request that keeps its handler.
type response struct {
	*pace
	w          http.ResponseWriter
	controller *http.ResponseController
}

// openResponse sends the head of an answer.
func openResponse(w http.ResponseWriter, patience Patience) (*response, error) {
	to := &response{w: w, controller: http.NewResponseController(w)}
	to.pace = &pace{patience: patience, set: to.controller.SetWriteDeadline}
	// The server's limits are for requests that are answered at once.
	if err := to.controller.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	header(w.Header())
	w.WriteHeader(http.StatusOK)
	return to, to.send(nil)
}

// send implements sink. In between there is no deadline: with HTTP/2 one would
// end the stream.
func (to *response) send(text []byte) error {
	_, err := to.write(to.w, text)
	if err == nil {
		err = to.extend()
	}
	if err == nil {
		err = to.controller.Flush()
	}
	return errors.Join(err, to.controller.SetWriteDeadline(time.Time{}))
}

// ownConn is a connection of HTTP/1 that was taken over. Its answer ends with it.
type ownConn struct{ *pacedConn }

// takeEvents takes the connection of a request over and sends the head of its
// answer. It gives nothing where there is no Keeper, or no connection to be had.
func (t *Transport) takeEvents(ctx context.Context, w http.ResponseWriter, r *http.Request) *ownConn {
	if ctx.Value(keeperKey{}) == nil || r.ProtoMajor != 1 {
		return nil
	}
	header(w.Header())
	w.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Connection", "close")
	var head bytes.Buffer
	fmt.Fprintf(&head, "HTTP/1.1 %d %s\r\n", http.StatusOK, http.StatusText(http.StatusOK))
	_ = w.Header().Write(&head) // to memory
	head.WriteString("\r\n")
	conn, err := takeOver(w, t.Patience)
	if err != nil {
		w.Header().Del("Connection")
		return nil
	}
	own := &ownConn{conn}
	_ = own.send(head.Bytes()) // watch finds out
	return own
}

// send implements sink.
func (c *ownConn) send(text []byte) error {
	_, err := c.Write(text)
	return err
}

// watch ends the stream when the client has gone. What it gives closes the
// connection and waits for the end of that.
func (c *ownConn) watch(stream *stream) (stop func()) {
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		var err error
		for ignored := make([]byte, 64); err == nil; {
			_, err = c.Read(ignored)
		}
		stream.end(err)
	}()
	return func() {
		_ = c.Close() // there is nothing more to say
		<-gone
	}
}
