package sqlstore

import (
	"math"
	"strconv"
	"strings"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Order is how a list is sorted: by a time, and by row between equal times.
type Order struct {
	mark   string // at the head of a place, so that one order's is refused by another
	Column string // of the time
	Newest bool   // the last first
}

// OrderOf gives an order of the driver of this mark, a letter of its own.
func OrderOf(driver string, o storage.Order) (Order, error) {
	switch o {
	case storage.CreatedNewest:
		return Order{mark: driver + "n", Column: "created", Newest: true}, nil
	case storage.CreatedOldest:
		return Order{mark: driver + "o", Column: "created"}, nil
	case storage.EndsSoonest:
		return Order{mark: driver + "e", Column: "ends"}, nil
	case storage.DueSoonest:
		return Order{mark: driver + "d", Column: "due"}, nil
	}
	return Order{}, fault.Invalid("orderBy", "there is no order %q", string(o))
}

// Place is where a record stands in an order.
type Place struct{ Time, Row int64 }

// Before reports whether p comes before other.
func (o Order) Before(p, other Place) bool {
	if o.Newest {
		p, other = other, p
	}
	return p.Time < other.Time || p.Time == other.Time && p.Row < other.Row
}

// start is a place before all records.
func (o Order) start() Place {
	if o.Newest {
		return Place{math.MaxInt64, math.MaxInt64}
	}
	return Place{math.MinInt64, math.MinInt64}
}

// later gives the one of two places that comes later in the order.
func (o Order) later(p, other Place) Place {
	if o.Before(p, other) {
		return other
	}
	return p
}

// Encode gives a place as the caller of a list keeps it.
func (o Order) Encode(p Place) storage.Place {
	return storage.Place(o.mark + strconv.FormatInt(p.Time, 36) + "." + strconv.FormatInt(p.Row, 36))
}

// Decode reads what Encode made; the empty text is a place before all records.
func (o Order) Decode(text storage.Place) (Place, error) {
	if text == "" {
		return o.start(), nil
	}
	rest, marked := strings.CutPrefix(string(text), o.mark)
	time, row, cut := strings.Cut(rest, ".")
	var p Place
	var errTime, errRow error
	p.Time, errTime = strconv.ParseInt(time, 36, 64)
	p.Row, errRow = strconv.ParseInt(row, 36, 64)
	if !marked || !cut || errTime != nil || errRow != nil || o.Encode(p) != text {
		return Place{}, fault.Invalid("after", "after is not a place of this list")
	}
	return p, nil
}
