package mongodb

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// Commit implements storage.Committer. It is one write of one document, and
// one more of its words where they change.
func (s *Store) Commit(ctx context.Context, c storage.Change) error {
	if err := c.Check(); err != nil {
		return err
	}
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	r := c.Record
	r.Version, r.Attempt = r.Version+1, c.Attempt
	d, err := newDocument(r)
	if err != nil {
		return fault.Wrap(fault.InvalidInput, err, "an operation cannot be stored")
	}
	if c.Record.Version == 0 {
		return translate(s.insert(ctx, c, d))
	}
	return translate(s.update(ctx, c, d))
}

func (s *Store) insert(ctx context.Context, c storage.Change, d recordDocument) error {
	for _, seat := range c.Put {
		d.Seats.put(seat)
	}
	if len(c.Entries) > 0 {
		d.Pending, d.Dirty = pendingOf(d.Version, c.Entries), 1
	}
	var err error
	if d.Edition, err = s.putWords(ctx, d); err != nil {
		return err
	}
	raw, err := encoded(d)
	if err == nil {
		_, err = repeat(ctx, func() error {
			_, err := s.records.InsertOne(ctx, raw)
			return err
		})
	}
	if isTooLarge(err) {
		s.dropWords(ctx, d.ID, d.Edition)
	}
	if !mongo.IsDuplicateKeyError(err) {
		return err
	}
	stored, found, err := s.head(ctx, d.ID)
	if err != nil {
		return err
	}
	if found && stored.Born == d.Born { // it was sent twice
		return nil
	}
	s.dropWords(ctx, d.ID, d.Edition)
	return fault.Clash(fault.Taken, d.ID, "the id is taken")
}

// update takes it that the words stay as they are, which the filter asks for,
// and looks only where it matched nothing.
func (s *Store) update(ctx context.Context, c storage.Change, d recordDocument) error {
	filter, change := conditions(c), changes(c, d)
	filter["wordSum"] = d.WordSum
	if matched, err := s.apply(ctx, d, filter, change); matched || err != nil {
		return err
	}
	stored, found, err := s.head(ctx, d.ID)
	if err != nil {
		return err
	}
	if !found || stored.Version != c.Record.Version || stored.Kind != d.Kind {
		return fault.Errorf(fault.Conflict, "%s was changed meanwhile", d.Kind)
	}
	if stored.WordSum == d.WordSum {
		return fault.Errorf(fault.Conflict, "a lease was moved meanwhile")
	}
	return s.reword(ctx, stored, d, filter, change)
}

// reword makes an update that changes words.
func (s *Store) reword(ctx context.Context, stored, d recordDocument, filter bson.M, change bson.M) error {
	d.Born = stored.Born
	edition, err := s.putWords(ctx, d)
	if err != nil {
		return err
	}
	filter["wordSum"], filter["edition"] = stored.WordSum, stored.Edition
	set := change["$set"].(bson.M)
	set["edition"], set["oldEdition"] = edition, stored.Edition
	matched, err := s.apply(ctx, d, filter, change)
	switch {
	case matched:
		s.dropAllWords(ctx, d.ID, stored.Edition, stored.OldEdition)
	case err == nil:
		s.dropWords(ctx, d.ID, edition)
		return fault.Errorf(fault.Conflict, "%s was changed meanwhile", d.Kind)
	case isTooLarge(err):
		s.dropWords(ctx, d.ID, edition)
	}
	return err
}

// conditions is the filter that matches the record if a change may be applied.
// A removal's lease is as it was read, or its seat is not there.
func conditions(c storage.Change) bson.M {
	filter := bson.M{"_id": c.Record.ID, "kind": string(c.Record.Kind), "version": c.Record.Version}
	for _, r := range c.Remove {
		if r.IfLease != nil {
			filter[seatPath(r.ID)+".lease"] = bson.M{"$in": bson.A{millis(*r.IfLease, before0), nil}}
		}
	}
	return filter
}

// changes is the update that applies a change.
func changes(c storage.Change, d recordDocument) bson.M {
	set, unset := d.own()
	greatest := bson.M{}
	for _, r := range c.Remove {
		unset[seatPath(r.ID)] = ""
	}
	for _, put := range c.Put {
		path, seat := seatPath(put.ID), newSeat(put)
		set[path+".seen"], set[path+".body"] = seat.Seen, seat.Body
		greatest[path+".lease"] = seat.Lease
	}
	for name, entry := range pendingOf(d.Version, c.Entries) {
		set["pending."+name], set["dirty"] = entry, 1
	}
	change := bson.M{"$set": set}
	if len(unset) > 0 {
		change["$unset"] = unset
	}
	if len(greatest) > 0 {
		change["$max"] = greatest
	}
	return change
}

// apply updates a record and says whether the filter matched. Where it had to
// send the update twice, the first may be why the second did not match.
func (s *Store) apply(ctx context.Context, d recordDocument, filter, change bson.M) (bool, error) {
	raw, err := encoded(change)
	if err != nil {
		return false, err
	}
	matched := false
	repeated, err := repeat(ctx, func() error {
		result, err := s.records.UpdateOne(ctx, filter, raw)
		matched = err == nil && result.MatchedCount > 0
		return err
	})
	if err != nil || matched || !repeated {
		return matched, err
	}
	stored, found, err := s.head(ctx, d.ID)
	switch {
	case err != nil:
		return false, err
	case found && stored.Version == d.Version && stored.Attempt == d.Attempt:
		return true, nil
	case found && stored.Version > d.Version:
		return false, fault.Errorf(fault.Unavailable, "storage lost an answer, and %s was changed since", d.Kind)
	}
	return false, nil
}

// head reads what says whether a change may be applied, or was.
func (s *Store) head(ctx context.Context, id string) (recordDocument, bool, error) {
	var d recordDocument
	err := s.surely.records.FindOne(ctx, bson.M{"_id": id}, options.FindOne().SetProjection(
		fields("kind", "version", "attempt", "born", "wordSum", "edition", "oldEdition"))).Decode(&d)
	if isNone(err) {
		return d, false, nil
	}
	return d, err == nil, err
}
