package sqlite

import (
	"context"
	"time"

	"github.com/keywright/keywright/storage"
)

const (
	selectLease = `SELECT s.row, s.lease, s.seen FROM record AS r JOIN seat AS s ON s.row = r.row
		WHERE r.id = ? AND s.id = ?`
	updateLease = "UPDATE seat SET lease = ?, seen = ? WHERE row = ? AND id = ?"
)

// Touch implements storage.Committer.
func (s *Store) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	ends := make([]time.Time, len(leases))
	err := s.write(ctx, func(w *writer) error {
		for i, l := range leases {
			end, err := w.touch(l)
			if err != nil {
				return err
			}
			ends[i] = end
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ends, nil
}

// touch moves one lease and gives its stored end.
func (w *writer) touch(l storage.Lease) (time.Time, error) {
	seat, found, err := w.conn.one(selectLease, l.Record, l.Seat)
	if err != nil || !found {
		return time.Time{}, err
	}
	lease, seen := moment(seat[1]), moment(seat[2])
	if !lease.IsZero() && !lease.After(l.At) {
		return time.Time{}, nil
	}
	end := latest(lease, l.Until)
	if end.Equal(lease) && !l.At.After(seen) {
		return end, nil
	}
	_, _, err = w.conn.exec(updateLease, millis(end), millis(latest(seen, l.At)), seat[0], l.Seat)
	return end, err
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
