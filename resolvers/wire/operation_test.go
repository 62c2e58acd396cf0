package wire_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestAnswersComeOneAfterTheOther(t *testing.T) {
	h := newHouse(t)
	c := h.greeted()
	c.subscribe("a", `{"query":"lasting","variables":{"x":1}}`)
	o := h.next()
	if o.request != `{"query":"lasting","variables":{"x":1}}` || o.who != staff {
		t.Errorf("%s of %v was begun", o.request, o.who)
	}
	for n := range 3 {
		o.say(t, fmt.Sprintf(`{"data":%d}`, n))
		c.want(fmt.Sprintf(`{"id":"a","type":"next","payload":{"data":%d}}`, n))
	}
	close(o.answers)
	c.want(aEnd)
	o.wantEnded(t)

	// The id is free again.
	c.subscribe("a", whoami)
	c.want(fmt.Sprintf(aNext, staff.String()), aEnd)
}

func TestAnIDIsRepeatedAsItIs(t *testing.T) {
	c := newHouse(t).greeted()
	c.subscribe(`\u00e9\"\\<`, whoami)
	c.want(`{"id":"é\"\\\u003c","type":"next","payload":{"data":"USER test|staff"}}`, `{"id":"é\"\\\u003c","type":"complete"}`)
}

func TestWhatIsNotBegunIsAnErrorAlone(t *testing.T) {
	h := newHouse(t)
	c := h.greeted()
	for range 2 { // the id is free again
		c.subscribe("a", refused)
		c.want(`{"id":"a","type":"error","payload":[{"message":"not so"}]}`)
		for _, broken := range []string{failing, panicking, breaking} {
			c.subscribe("a", broken)
			c.want(internal)
		}
	}
	c.subscribe("a", whoami)
	c.want(fmt.Sprintf(aNext, staff.String()), aEnd)
	if log := h.log.String(); strings.Count(log, `"panic":"the cause of it"`) != 4 || !strings.Contains(log, "fixture_test.go") {
		t.Errorf("the log is %s", log)
	}
}

func TestAClientCompletesAnOperation(t *testing.T) {
	h := newHouse(t)
	c := h.greeted()
	c.subscribe("a", lasting)
	first := h.next()
	c.send(`{"type":"complete","id":"a"}`)
	first.wantEnded(t)

	c.subscribe("a", lasting)
	second := h.next()
	second.say(t, `{"data":2}`)
	c.want(`{"id":"a","type":"next","payload":{"data":2}}`)

	// A single answer is not sent either.
	c.subscribe("b", single)
	one := h.next()
	c.send(`{"type":"complete","id":"b"}`)
	one.wantEnded(t)
	c.send(`{"type":"ping"}`)
	c.want(`{"type":"pong"}`)
}

func TestAConnectionHas100OperationsAtOnce(t *testing.T) {
	h := newHouse(t)
	c := h.greeted()
	var all []*begun
	for n := range 100 {
		c.subscribe(fmt.Sprint(n), lasting)
		all = append(all, h.next())
	}
	for range 2 {
		c.subscribe("more", lasting)
		c.want(`{"id":"more","type":"error","payload":[{"message":"at most 100 operations run at once on a connection",` +
			`"extensions":{"code":"RATE_LIMITED","retryAfterSeconds":1}}]}`)
	}
	close(all[0].answers)
	c.want(`{"id":"0","type":"complete"}`)
	for begun := false; !begun; { // the place is free soon after the message
		c.subscribe("more", whoami)
		text, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		if begun = strings.Contains(text, `"next"`); begun {
			c.want(`{"id":"more","type":"complete"}`)
		}
	}
	all[99].say(t, `{"data":1}`)
	c.want(`{"id":"99","type":"next","payload":{"data":1}}`)
}

// Nothing is asked for until the client has taken what came before, and one
// client's operations are served in turn.
func TestASlowClientHoldsNothingBack(t *testing.T) {
	h := newHouse(t)
	c := h.greeted()
	c.subscribe("a", lasting)
	o := h.next()
	<-o.asked
	answer := `{"data":"` + strings.Repeat("x", 1<<20) + `"}`
	written := 0
	for stuck := false; !stuck; {
		o.say(t, answer)
		select {
		case <-o.asked: // it was written, to buffers of the kernel's
			written++
		case <-time.After(200 * time.Millisecond):
			stuck = true
		}
	}
	if written > 20 {
		t.Errorf("%d MiB were written to a client that reads nothing", written)
	}
	for range written + 1 {
		if text, err := c.read(); err != nil || len(text) < 1<<20 {
			t.Fatal(len(text), err)
		}
	}
	<-o.asked
}

func TestOperationsTakeTurns(t *testing.T) {
	h := newHouse(t)
	c := h.greeted()
	const many, rounds = 10, 50
	for n := range many {
		c.subscribe(fmt.Sprint(n), lasting)
		o := h.next()
		go func() {
			for {
				select {
				case o.answers <- `{"data":"` + strings.Repeat("x", 4<<10) + `"}`:
				case <-o.ctx.Done():
					return
				}
			}
		}()
	}
	got := map[string]int{}
	for range many * rounds {
		text, err := c.read()
		if err != nil {
			t.Fatal(err)
		}
		got[text[:9]]++
	}
	for id, count := range got {
		if count < rounds/2 || count > rounds*2 {
			t.Errorf("%s was written %d times of %d", id, count, many*rounds)
		}
	}
	if len(got) != many {
		t.Errorf("%d operations were answered", len(got))
	}
}
