package engines

import (
	"bytes"
	"sync/atomic"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// loseAnswers is one toxic for all connections of a proxy.
type loseAnswers struct {
	Having string `json:"having"`
	Times  int64  `json:"times"`

	lost atomic.Int64
}

func (l *loseAnswers) count() int64 { return min(l.lost.Load(), l.Times) }

// Pipe takes what comes at once for one answer. It closes the connection in
// place of one that it loses.
func (l *loseAnswers) Pipe(stub *toxics.ToxicStub) {
	for {
		select {
		case <-stub.Interrupt:
			return
		case answer := <-stub.Input:
			if answer == nil || bytes.Contains(answer.Data, []byte(l.Having)) && l.lost.Add(1) <= l.Times {
				stub.Close()
				return
			}
			stub.Output <- answer
		}
	}
}
