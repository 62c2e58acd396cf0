package sqlstore

import "github.com/keywright/keywright/fault"

// CheckSchema fails with Unavailable where a store has an older schema than a
// program's, or a newer one.
func CheckSchema(stored, current int64) error {
	if stored < current {
		return fault.Errorf(fault.Unavailable, "storage has schema %d and this program needs %d: run keywright migrate",
			stored, current)
	}
	return CheckMigratable(stored, current)
}

// CheckMigratable fails with Unavailable where a store has a newer schema than a
// program's.
func CheckMigratable(stored, current int64) error {
	if stored > current {
		return fault.Errorf(fault.Unavailable, "storage has schema %d and this program knows %d: run a newer keywright",
			stored, current)
	}
	return nil
}
