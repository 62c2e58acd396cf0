package mongodb

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// order is how a list is sorted: by a time, and by id between equal times.
type order struct {
	mark   string // at the head of a place, so that one order's is refused by another
	field  string
	newest bool
}

func orderOf(o storage.Order) (order, error) {
	switch o {
	case storage.CreatedNewest:
		return order{mark: "mn", field: "created", newest: true}, nil
	case storage.CreatedOldest:
		return order{mark: "mo", field: "created"}, nil
	case storage.EndsSoonest:
		return order{mark: "me", field: "ends"}, nil
	case storage.DueSoonest:
		return order{mark: "md", field: "due"}, nil
	}
	return order{}, fault.Invalid("orderBy", "there is no order %q", string(o))
}

func (o order) sort() bson.D {
	if o.newest {
		return by("-" + o.field + " -_id")
	}
	return by(o.field + " _id")
}

// behind is the operator of what lies behind a value.
func (o order) behind() string {
	if o.newest {
		return "$lt"
	}
	return "$gt"
}

// place is where a record stands in an order.
type place struct {
	time int64
	id   string
}

func (o order) placeOf(d recordDocument) place {
	switch o.field {
	case "ends":
		return place{d.Ends, d.ID}
	case "due":
		return place{d.Due, d.ID}
	}
	return place{d.Created, d.ID}
}

func (o order) compare(p, other place) int {
	if o.newest {
		p, other = other, p
	}
	return cmp.Or(cmp.Compare(p.time, other.time), strings.Compare(p.id, other.id))
}

func (o order) encode(p place) storage.Place {
	return storage.Place(o.mark + strconv.FormatInt(p.time, 36) + "." + base64.RawURLEncoding.EncodeToString([]byte(p.id)))
}

// decode gives the place of a text, and whether there is any.
func (o order) decode(text storage.Place) (place, bool, error) {
	if text == "" {
		return place{}, false, nil
	}
	rest, marked := strings.CutPrefix(string(text), o.mark)
	time, id, cut := strings.Cut(rest, ".")
	millis, errTime := strconv.ParseInt(time, 36, 64)
	raw, errID := base64.RawURLEncoding.DecodeString(id)
	p := place{millis, string(raw)}
	if !marked || !cut || errTime != nil || errID != nil || !storage.IsText(p.id) || o.encode(p) != text {
		return place{}, false, fault.Invalid("after", "after is not a place of this list")
	}
	return p, true, nil
}
