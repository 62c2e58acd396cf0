package storagetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/anishathalye/porcupine"
)

const (
	seatsOfOne   = 3
	judgedWithin = time.Minute
)

// historyCall is a call about one record, and what it was answered.
type historyCall struct {
	what     string // read, commit, touch or use
	record   int
	from, to int64

	version              int64 // commit: that was read
	stamp                int
	put, remove          int // a seat; -1 is none
	lease, ifLease       int
	onlyIf               bool // whether the removal has ifLease
	seat, at, until, end int  // touch
	used                 int64

	state    recordState // read
	conflict bool
	unknown  bool // what it was answered, if anything
}

// recordState is a record as it stands.
type recordState struct {
	version int64
	stamp   int
	used    int64
	seats   [seatsOfOne]seatState
}

type seatState struct {
	there              bool
	lease, seen, stamp int
}

// after gives the state that a call leaves, and whether it would be answered as
// it was.
func (s recordState) after(c historyCall) (recordState, bool) {
	switch c.what {
	case "read":
		return s, s == c.state
	case "use":
		s.used += c.used
		return s, true
	case "touch":
		seat := &s.seats[c.seat]
		if !seat.there || seat.lease != 0 && seat.lease <= c.at {
			return s, c.unknown || c.end == 0
		}
		seat.lease, seat.seen = max(seat.lease, c.until), max(seat.seen, c.at)
		return s, c.unknown || c.end == seat.lease
	}
	if c.applies(s) == c.conflict {
		return s, false
	}
	if c.conflict {
		return s, true
	}
	s.version, s.stamp = s.version+1, c.stamp
	if c.remove >= 0 {
		s.seats[c.remove] = seatState{}
	}
	if c.put >= 0 {
		s.seats[c.put] = seatState{there: true, lease: max(s.seats[c.put].lease, c.lease), stamp: c.stamp}
	}
	return s, true
}

// applies reports whether a commit is not a conflict.
func (c historyCall) applies(s recordState) bool {
	moved := c.remove >= 0 && c.onlyIf && s.seats[c.remove].there && s.seats[c.remove].lease != c.ifLease
	return s.version == c.version && !moved
}

// linearizable says of calls about one record, which began at version 1, why
// none that come one after the other could be answered so.
func linearizable(calls []historyCall) error {
	operations := make([]porcupine.Operation, len(calls))
	for i, c := range calls {
		operations[i] = porcupine.Operation{Input: c, Call: c.from, Return: c.to}
	}
	model := porcupine.Model{
		Init: func() any { return recordState{} },
		Step: func(state, call, _ any) (bool, any) {
			next, ok := state.(recordState).after(call.(historyCall))
			return ok, next
		},
	}
	switch porcupine.CheckOperationsTimeout(model, operations, judgedWithin) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return errors.New("could not be judged in time:\n" + describe(calls))
	default:
		return errors.New("no order of these calls explains their answers:\n" + describe(calls))
	}
}

func (c historyCall) String() string {
	says := ""
	switch {
	case c.unknown:
		says = " -> unknown"
	case c.conflict:
		says = " -> conflict"
	}
	switch c.what {
	case "read":
		return fmt.Sprintf("read -> %+v", c.state)
	case "use":
		return fmt.Sprintf("use %d%s", c.used, says)
	case "touch":
		return fmt.Sprintf("touch seat %d at %d until %d -> %d%s", c.seat, c.at, c.until, c.end, says)
	}
	text := fmt.Sprintf("commit %d on version %d", c.stamp, c.version)
	if c.put >= 0 {
		text += fmt.Sprintf(", put seat %d until %d", c.put, c.lease)
	}
	if c.remove >= 0 {
		text += fmt.Sprintf(", remove seat %d", c.remove)
		if c.onlyIf {
			text += fmt.Sprintf(" if until %d", c.ifLease)
		}
	}
	return text + says
}
