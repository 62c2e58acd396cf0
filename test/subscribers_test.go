package test_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

// Many subscribers, half of them over each transport, are each given all
// events, in order.
func TestManySubscribersAreGivenAllEvents(t *testing.T) {
	openSources(t)
	for _, load := range []struct{ subscribers, rate, events int }{{50, 200, 400}, {1_000, 10, 20}} {
		t.Run(fmt.Sprintf("%d at %d a second", load.subscribers, load.rate), func(t *testing.T) {
			s, c := serveDev(t, t.TempDir())
			start := c.lastEvent(t)
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			given := make([][]int64, load.subscribers)
			var all errgroup.Group
			for n := range load.subscribers {
				subscribe := c.overSocket
				if n%2 == 1 {
					subscribe = c.overEvents
				}
				next, end, err := subscribe(ctx, start.Cursor)
				if err != nil {
					t.Fatal(n, err)
				}
				defer end()
				all.Go(func() error {
					for range load.events {
						index, err := next()
						if err != nil {
							return fmt.Errorf("subscriber %d: %w", n, err)
						}
						given[n] = append(given[n], index)
					}
					return nil
				})
			}
			if err := c.issueAtRate(load.events, load.rate); err != nil {
				t.Fatal(err)
			}
			if err := all.Wait(); err != nil {
				t.Fatal(err)
			}
			var want []int64
			for _, one := range c.eventsAfter(t, start) {
				want = append(want, one.Index)
			}
			for n, got := range given {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("subscriber %d (-made +given):\n%s", n, diff)
				}
			}
			if err := errors.Join(s.stop(), quiet(s)); err != nil {
				t.Error(err)
			}
		})
	}
}

// issueAtRate issues licenses, each of which is one event.
func (c client) issueAtRate(events, rate int) error {
	ticks := time.NewTicker(time.Second / time.Duration(rate))
	defer ticks.Stop()
	var calls errgroup.Group
	calls.SetLimit(32)
	for range events {
		<-ticks.C
		calls.Go(func() error {
			var data struct {
				IssueLicense struct{ License struct{ ID string } }
			}
			return c.ask(`mutation { issueLicense(input: {plan: "acme/floating"}) { license { id } } }`, nil, &data)
		})
	}
	return calls.Wait()
}

// indexes asks for the indexes of events.
func indexes(after string) []byte {
	text, _ := json.Marshal(map[string]any{ // of texts
		"query": `subscription($after: String) { events(after: $after) { index } }`, "variables": map[string]string{"after": after},
	})
	return text
}

type indexed struct {
	Data struct{ Events struct{ Index int64 } }
}

func (c client) overSocket(ctx context.Context, after string) (next func() (int64, error), end func(), err error) {
	conn, answer, err := websocket.Dial(ctx, c.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return nil, nil, err
	}
	if answer.Body != nil {
		answer.Body.Close()
	}
	for _, text := range []string{
		`{"type":"connection_init","payload":{"Authorization":"Bearer ` + c.token + `"}}`,
		`{"id":"1","type":"subscribe","payload":` + string(indexes(after)) + `}`,
	} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return nil, nil, err
		}
	}
	if _, text, err := conn.Read(ctx); err != nil || string(text) != `{"type":"connection_ack"}` {
		return nil, nil, fmt.Errorf("%w: %s", err, text)
	}
	return func() (int64, error) {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return 0, err
		}
		var one struct {
			ID, Type string
			Payload  indexed
		}
		err = decodeAll(text, &one)
		return one.Payload.Data.Events.Index, err
	}, func() { _ = conn.CloseNow() }, nil
}

func (c client) overEvents(ctx context.Context, after string) (next func() (int64, error), end func(), err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/graphql", bytes.NewReader(indexes(after)))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "text/event-stream")
	r.Header.Set("Authorization", "Bearer "+c.token)
	answer, err := http.DefaultClient.Do(r) //nolint:bodyclose // what end does
	if err != nil {
		return nil, nil, err
	}
	from := bufio.NewReader(answer.Body)
	return func() (int64, error) {
		for {
			line, err := from.ReadString('\n')
			if err != nil {
				return 0, err
			}
			if data, is := strings.CutPrefix(line, "data: "); is {
				var one indexed
				err := decodeAll([]byte(data), &one)
				return one.Data.Events.Index, err
			}
		}
	}, func() { answer.Body.Close() }, nil
}

// decodeAll fails for what it does not know: an error, say.
func decodeAll(text []byte, to any) error {
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if err := in.Decode(to); err != nil {
		return fmt.Errorf("%w: %s", err, text)
	}
	return nil
}
