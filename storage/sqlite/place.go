package sqlite

import (
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

// order is how a list is sorted, and what says so in a statement.
type order struct {
	sqlstore.Order
	time   int // the column's position among columns
	clause string
	equal  string // the term of what lies behind a place at its time
	beyond string // the term of what lies behind a time
}

func orderOf(o storage.Order) (order, error) {
	common, err := sqlstore.OrderOf("s", o)
	if err != nil {
		return order{}, err
	}
	column := "r." + common.Column
	by := order{
		Order: common, time: map[string]int{"created": 12, "ends": 14, "due": 15}[common.Column],
		clause: column + ", r.row", equal: column + " = ? AND r.row > ?", beyond: column + " > ?",
	}
	if by.Newest {
		by.clause, by.equal, by.beyond = column+" DESC, r.row DESC", column+" = ? AND r.row < ?", column+" < ?"
	}
	return by, nil
}
