package test_test

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"testing"

	"github.com/anishathalye/porcupine"
)

// What one license does about its seats, one call after the other. A history
// of calls that overlapped must be one that this could have answered.

// seatCall asks for something about the seats of one license.
type seatCall struct {
	what    string // activate, deactivate or read
	license int    // each is checked by itself
	limit   int    // of the license
	machine int    // less than 32
}

// seatOutcome is the answer to a seatCall.
type seatOutcome struct {
	says string // created, found or refused; removed or none; read
	held seats  // of read
	// count of the machines after the call, by the answer.
	count int
}

// unknown is the outcome of a call that nothing is known of.
var unknown = seatOutcome{says: "in doubt"}

// seats are the machines that hold one.
type seats uint32

func (s seats) of(c seatCall) seats { return s & (1 << c.machine) }
func (s seats) count() int          { return bits.OnesCount32(uint32(s)) }

// answer gives what a call comes to, and the seats after it.
func (s seats) answer(c seatCall) (seats, seatOutcome) {
	own := seats(1) << c.machine
	after := s
	var says string
	switch {
	case c.what == "read":
		return s, seatOutcome{says: "read", held: s, count: s.count()}
	case c.what == "deactivate" && s.of(c) != 0:
		after, says = s&^own, "removed"
	case c.what == "deactivate":
		says = "none"
	case s.of(c) != 0:
		says = "found"
	case s.count() < c.limit:
		after, says = s|own, "created"
	default:
		says = "refused"
	}
	return after, seatOutcome{says: says, count: after.count()}
}

// seatModel is that of porcupine. A call in doubt may have been served, at any
// time since, or not at all.
func seatModel() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: byLicense,
		Init:      func() []any { return []any{seats(0)} },
		Step: func(state, input, output any) []any {
			before := state.(seats)
			after, want := before.answer(input.(seatCall))
			switch output {
			case unknown:
				return []any{before, after}
			case want:
				return []any{after}
			}
			return nil
		},
		Equal: func(a, b any) bool { return a == b },
	}
	return model.ToModel()
}

func byLicense(history []porcupine.Operation) [][]porcupine.Operation {
	var parts [][]porcupine.Operation
	place := map[int]int{}
	for _, one := range history {
		id := one.Input.(seatCall).license
		if _, known := place[id]; !known {
			place[id] = len(parts)
			parts = append(parts, nil)
		}
		parts[place[id]] = append(parts[place[id]], one)
	}
	return parts
}

// linearizable fails unless each license could have answered its part of a
// history, and shows the part where one could not.
func linearizable(history []porcupine.Operation) error {
	for _, part := range byLicense(history) {
		if porcupine.CheckOperations(seatModel(), part) {
			continue
		}
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		text := ""
		for _, one := range part {
			text += fmt.Sprintf("%12d to %20d client %d: %+v: %+v\n", one.Call, one.Return, one.ClientId, one.Input, one.Output)
		}
		return fmt.Errorf("no order of these calls gives these answers:\n%s", text)
	}
	return nil
}

// past gives the history of calls that follow each other, save that those in
// doubt never end.
func past(calls ...porcupine.Operation) []porcupine.Operation {
	for i := range calls {
		calls[i].Call, calls[i].Return = int64(2*i), int64(2*i+1)
		if calls[i].Output == unknown {
			calls[i].Return = math.MaxInt64
		}
	}
	return calls
}

func TestTheModelOfSeatsRefusesWhatMustNotBe(t *testing.T) {
	of := func(what string, limit, machine int, out seatOutcome) porcupine.Operation {
		return porcupine.Operation{Input: seatCall{what: what, limit: limit, machine: machine}, Output: out}
	}
	says := func(text string, count int) seatOutcome { return seatOutcome{says: text, count: count} }
	created, found, refused := says("created", 1), says("found", 1), says("refused", 1)
	removed, none := says("removed", 0), says("none", 0)
	holds := func(held seats) seatOutcome { return seatOutcome{says: "read", held: held, count: held.count()} }
	for name, c := range map[string]struct {
		calls []porcupine.Operation
		want  bool
	}{
		"a whole life": {past(
			of("activate", 1, 0, created), of("activate", 1, 1, refused), of("activate", 1, 0, found), of("read", 1, 0, holds(1)),
			of("deactivate", 1, 1, says("none", 1)), of("deactivate", 1, 0, removed), of("activate", 1, 1, created)), true},
		"two machines on one seat":       {past(of("activate", 1, 0, created), of("activate", 1, 1, created)), false},
		"two on one seat, by the counts": {past(of("activate", 1, 0, created), of("activate", 1, 1, says("created", 2))), false},
		"a seat that was removed, found": {past(of("activate", 1, 0, created), of("deactivate", 1, 0, removed), of("activate", 1, 0, found)), false},
		"a seat that was lost":           {past(of("activate", 1, 0, created), of("read", 1, 0, holds(0))), false},
		"one subject created twice":      {past(of("activate", 2, 0, created), of("activate", 2, 0, says("created", 2))), false},
		"a seat freed twice":             {past(of("activate", 1, 0, created), of("deactivate", 1, 0, removed), of("deactivate", 1, 0, removed)), false},
		"refused though there is room":   {past(of("activate", 2, 0, created), of("activate", 2, 1, refused)), false},
		"a wrong count":                  {past(of("activate", 2, 0, created), of("activate", 2, 1, says("created", 1))), false},
		"in doubt, and done":             {past(of("activate", 1, 0, unknown), of("activate", 1, 1, refused)), true},
		"in doubt, and not done":         {past(of("activate", 1, 0, unknown), of("activate", 1, 1, created)), true},
		"in doubt, and done later":       {past(of("activate", 1, 0, unknown), of("read", 1, 0, holds(0)), of("read", 1, 0, holds(1))), true},
		"in doubt, done and undone":      {past(of("activate", 1, 0, unknown), of("read", 1, 0, holds(1)), of("read", 1, 0, holds(0))), false},
		"a release in doubt":             {past(of("activate", 1, 0, created), of("deactivate", 1, 0, unknown), of("activate", 1, 1, created), of("deactivate", 1, 0, none)), false},
	} {
		if err := linearizable(c.calls); (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	overlapped := past(of("activate", 1, 1, refused), of("activate", 1, 0, created))
	overlapped[0].Return = overlapped[1].Return
	if err := linearizable(overlapped); err != nil {
		t.Errorf("what overlapped may be in any order: %v", err)
	}
	other := of("activate", 1, 1, created)
	other.Input = seatCall{what: "activate", license: 1, limit: 1, machine: 1}
	if err := linearizable(past(of("activate", 1, 0, created), other)); err != nil {
		t.Errorf("each license is for itself: %v", err)
	}
}
