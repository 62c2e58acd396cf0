package license

import "time"

// tellLimitEvery is how often it is told of a license that a limit of seats
// was reached.
const tellLimitEvery = time.Hour

// LimitTold says when it was last told that the limit of a kind was reached.
type LimitTold struct {
	Machines time.Time `json:"machines,omitzero"`
	Domains  time.Time `json:"domains,omitzero"`
}

// TellLimit reports whether it is to be told that the limit of a kind was
// reached, and notes that it was. Clocks that differ do not have it told more
// often, and one that was set back does not silence it.
func (l *License) TellLimit(kind SeatKind, now time.Time) bool {
	told := &l.LimitTold.Machines
	if kind == Domain {
		told = &l.LimitTold.Domains
	}
	if !told.IsZero() && now.Sub(*told).Abs() < tellLimitEvery {
		return false
	}
	*told = stored(now)
	return true
}

// LacksSeat lists the kinds of which no seat is left, where nothing else keeps
// the subject from taking one.
func (d Decision) LacksSeat(s Subject) []SeatKind {
	var kinds []SeatKind
	for _, r := range d.Reasons {
		switch {
		case r.Code == CodeMachineLimitReached:
			kinds = append(kinds, Machine)
		case r.Code == CodeDomainLimitReached:
			kinds = append(kinds, Domain)
		case s.blockedBy(r):
			return nil
		}
	}
	return kinds
}
