// Package sqlstore is what the SQL drivers of storage share: how lists are
// ordered, in what form that which is no column is kept, how entries of the
// journal are packed into rows and found again, and what is done with those
// rows once they are read. It knows no SQL and no driver: a driver has the
// statements, gives rows and takes those that are to be written.
package sqlstore

// What stands for no time where an order needs one.
const (
	NeverCreated int64 = -1 << 62
	NeverEnds    int64 = 1 << 62
)
