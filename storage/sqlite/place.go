package sqlite

import (
	"math"
	"strconv"
	"strings"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// order is how a list is sorted: by a time, and by row between equal times.
type order struct {
	mark   string // at the head of a place, so that one order's is refused by another
	column string
	time   int // the column's position among columns
	newest bool
	clause string
	equal  string // the term of what lies behind a place at its time
	beyond string // the term of what lies behind a time
}

func orderOf(o storage.Order) (order, error) {
	switch o {
	case storage.CreatedNewest:
		return order{mark: "sn", column: "created", time: 12, newest: true,
			clause: "r.created DESC, r.row DESC", equal: "r.created = ? AND r.row < ?", beyond: "r.created < ?"}, nil
	case storage.CreatedOldest:
		return order{mark: "so", column: "created", time: 12,
			clause: "r.created, r.row", equal: "r.created = ? AND r.row > ?", beyond: "r.created > ?"}, nil
	case storage.EndsSoonest:
		return order{mark: "se", column: "ends", time: 14,
			clause: "r.ends, r.row", equal: "r.ends = ? AND r.row > ?", beyond: "r.ends > ?"}, nil
	case storage.DueSoonest:
		return order{mark: "sd", column: "due", time: 15,
			clause: "r.due, r.row", equal: "r.due = ? AND r.row > ?", beyond: "r.due > ?"}, nil
	}
	return order{}, fault.Invalid("orderBy", "there is no order %q", string(o))
}

// place is where a record stands in an order.
type place struct{ time, row int64 }

// before reports whether p comes before other.
func (o order) before(p, other place) bool {
	if o.newest {
		p, other = other, p
	}
	return p.time < other.time || p.time == other.time && p.row < other.row
}

// start is a place before all records.
func (o order) start() place {
	if o.newest {
		return place{math.MaxInt64, math.MaxInt64}
	}
	return place{math.MinInt64, math.MinInt64}
}

// later gives the one of two places that comes later in the order.
func (o order) later(p, other place) place {
	if o.before(p, other) {
		return other
	}
	return p
}

func (o order) encode(p place) storage.Place {
	return storage.Place(o.mark + strconv.FormatInt(p.time, 36) + "." + strconv.FormatInt(p.row, 36))
}

func (o order) decode(text storage.Place) (place, error) {
	if text == "" {
		return o.start(), nil
	}
	rest, marked := strings.CutPrefix(string(text), o.mark)
	time, row, cut := strings.Cut(rest, ".")
	var p place
	var errTime, errRow error
	p.time, errTime = strconv.ParseInt(time, 36, 64)
	p.row, errRow = strconv.ParseInt(row, 36, 64)
	if !marked || !cut || errTime != nil || errRow != nil || o.encode(p) != text {
		return place{}, fault.Invalid("after", "after is not a place of this list")
	}
	return p, nil
}
