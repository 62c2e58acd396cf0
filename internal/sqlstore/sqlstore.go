// Package sqlstore is what the SQL drivers of storage share: how lists are
// ordered, and in what form that which is no column is kept. It knows no SQL and no
// driver.
package sqlstore

// What stands for no time where an order needs one.
const (
	NeverCreated int64 = -1 << 62
	NeverEnds    int64 = 1 << 62
)
