package mongodb

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// Strays are what a program that ended in between has left: words of a commit
// that did not come, words and days of a record that is gone. Nothing shows
// them, but they may be personal, so none may stay for ever.

// How much older than now a word or a day must be for nobody to be about to
// commit what needs it, by whichever server's clock it was made.
const strayAge = 24 * time.Hour

const (
	straysAtOnce = 1_000
	straysRounds = 50 // of one sweep, which goes on where the last one ended
)

// straysDocument stands in the collection meta.
type straysDocument struct {
	Word string `bson:"word"` // the ids behind which to look on
	Day  string `bson:"day"`
}

const straysID = "strays"

// sweepStrays looks through a part of the words and of the days.
func (s *Store) sweepStrays(ctx context.Context) error {
	var at straysDocument
	err := s.meta.FindOne(ctx, bson.M{"_id": straysID}).Decode(&at)
	if err != nil && !isNone(err) {
		return err
	}
	for _, some := range []struct {
		of   *mongo.Collection
		from *string
		kept func(d recordDocument, edition string) bool
	}{
		{s.words, &at.Word, func(d recordDocument, edition string) bool { return d.Edition == edition }},
		{s.days, &at.Day, func(d recordDocument, born string) bool { return d.Born == born }},
	} {
		for range straysRounds {
			if *some.from, err = s.dropStrays(ctx, some.of, *some.from, some.kept); err != nil {
				return err
			}
			if *some.from == "" { // it has come to the end
				break
			}
		}
	}
	_, err = s.meta.UpdateOne(ctx, bson.M{"_id": straysID}, bson.M{"$set": at}, options.UpdateOne().SetUpsert(true))
	return err
}

// stray is a word or a day as far as it says what it belongs to.
type stray struct {
	ID     string `bson:"_id"`
	Record string `bson:"record"`
}

// made gives what the id names beside the record, the edition of a word or the
// birth of a day's record.
func (d stray) made() string {
	parts := strings.Split(d.ID, ".")
	return parts[max(0, len(parts)-2)]
}

// oldestMade stands behind all editions and births that are old enough.
func oldestMade() string { return bson.NewObjectIDFromTimestamp(time.Now().Add(-strayAge)).Hex()[:8] }

// dropStrays deletes those of the next documents whose record does not know
// them, and gives the last id, or none at the end.
func (s *Store) dropStrays(ctx context.Context, c *mongo.Collection, behind string, kept func(d recordDocument, made string) bool) (string, error) {
	found, err := all[stray](ctx, c, bson.M{"_id": bson.M{"$gt": behind}},
		options.Find().SetSort(by("_id")).SetLimit(straysAtOnce).SetProjection(fields("record")))
	if err != nil || len(found) == 0 {
		return "", err
	}
	var ids []string
	for _, d := range found {
		ids = append(ids, d.Record)
	}
	// Those of one record mostly stand together.
	records, err := all[recordDocument](ctx, s.surely.records, bson.M{"_id": oneOf(slices.Compact(ids))}, options.Find().SetProjection(fields("born", "edition")))
	if err != nil {
		return "", err
	}
	byID := make(map[string]recordDocument, len(records))
	for _, d := range records {
		byID[d.ID] = d
	}
	var strays []string
	oldest := oldestMade()
	for _, d := range found {
		made := d.made()
		if record, ok := byID[d.Record]; made < oldest && !(ok && kept(record, made)) {
			strays = append(strays, d.ID)
		}
	}
	if len(strays) > 0 {
		if _, err := c.DeleteMany(ctx, bson.M{"_id": oneOf(strays)}); err != nil {
			return "", err
		}
	}
	if len(found) < straysAtOnce {
		return "", nil
	}
	return found[len(found)-1].ID, nil
}
