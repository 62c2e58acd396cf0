package mongodb

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/storage"
)

// Touch implements storage.Committer. Leases of one record are moved in their
// order and by one write, those of several records side by side.
func (s *Store) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	ends := make([]time.Time, len(leases))
	byRecord := map[string][]int{}
	for i, l := range leases {
		if storage.IsText(l.Record) {
			byRecord[l.Record] = append(byRecord[l.Record], i)
		}
	}
	var groups [][]int
	for _, group := range byRecord {
		groups = append(groups, group)
	}
	err = sideBySide(ctx, groups, func(ctx context.Context, group []int) error {
		moves := make([]move, len(group))
		for n, i := range group {
			moves[n] = newMove(leases[i])
		}
		if err := s.touch(ctx, leases[group[0]].Record, moves); err != nil {
			return err
		}
		for n, i := range group {
			ends[i] = moment(moves[n].end)
		}
		return nil
	})
	if err != nil {
		return nil, translate(err)
	}
	return ends, nil
}

// move is a lease to be moved, and its stored end after that.
type move struct {
	seat, path     string
	at, until, end int64
}

func newMove(l storage.Lease) move {
	return move{seat: l.Seat, path: seatPath(l.Seat), at: millis(l.At, before0), until: millis(l.Until, before0), end: before0}
}

// touch moves leases of one record. To move one once more does nothing, so any
// write of it may be sent twice. A lone lease, which is what most calls are
// for, moves without being read first wherever it is held and moves forward.
func (s *Store) touch(ctx context.Context, record string, moves []move) error {
	if len(moves) == 1 {
		m := &moves[0]
		held := bson.M{"$or": bson.A{bson.M{m.path + ".lease": before0}, bson.M{m.path + ".lease": bson.M{"$gt": m.at}}}}
		moved, err := s.moveLeases(ctx, bson.M{"_id": record, "$and": bson.A{held, bson.M{m.path + ".lease": bson.M{"$lte": m.until}}}},
			bson.M{m.path + ".lease": m.until, m.path + ".seen": m.at})
		if moved {
			m.end = m.until
		}
		if moved || err != nil {
			return err
		}
	}
	for {
		seats, err := s.seats(ctx, record, moves)
		if err != nil {
			return err
		}
		filter, greatest := moveAll(seats, moves)
		if len(greatest) == 0 {
			return nil
		}
		filter["_id"] = record
		if moved, err := s.moveLeases(ctx, filter, greatest); moved || err != nil {
			return err
		}
	}
}

// moveAll gives each move its end, and says what is to be stored where the
// leases are still what they were.
func moveAll(seats seatDocuments, moves []move) (filter, greatest bson.M) {
	filter, greatest = bson.M{}, bson.M{}
	for i := range moves {
		m := &moves[i]
		seat, found := seats.get(m.seat)
		if !found || seat.Lease != before0 && seat.Lease <= m.at {
			m.end = before0
			continue
		}
		if _, again := filter[m.path+".lease"]; !again {
			filter[m.path+".lease"] = seat.Lease
			seat.Seen = before0 // whatever was read: the filter does not ask for it, and a commit may have set it back
		}
		seat.Lease, seat.Seen = max(seat.Lease, m.until), max(seat.Seen, m.at)
		greatest[m.path+".lease"], greatest[m.path+".seen"] = seat.Lease, seat.Seen
		seats.set(m.seat, seat)
		m.end = seat.Lease
	}
	return filter, greatest
}

// moveLeases moves leases forward only, as it does when their seats were seen,
// if the filter matches, and says whether it did.
func (s *Store) moveLeases(ctx context.Context, filter, greatest bson.M) (bool, error) {
	matched := false
	_, err := repeat(ctx, func() error {
		result, err := s.records.UpdateOne(ctx, filter, bson.M{"$max": greatest})
		matched = err == nil && result.MatchedCount > 0
		return err
	})
	return matched, err
}

// seats reads the leases that are to be moved.
func (s *Store) seats(ctx context.Context, record string, moves []move) (seatDocuments, error) {
	projection := bson.M{}
	for _, m := range moves {
		projection[m.path+".lease"] = 1
	}
	var d recordDocument
	err := s.surely.records.FindOne(ctx, bson.M{"_id": record}, options.FindOne().SetProjection(projection)).Decode(&d)
	if isNone(err) {
		return nil, nil
	}
	return d.Seats, err
}
