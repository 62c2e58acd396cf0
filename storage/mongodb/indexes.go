package mongodb

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// The collections. Records may be sharded by hashed _id, words and days by
// hashed record; what a program waits for (Get, Commit, Touch, adding usage)
// then goes to one shard. Blocks stay on one: a router reads each shard at a
// moment of its own, so of two blocks the later may be seen alone, and the log
// would seem to have lost one.
const (
	recordCollection = "record" // by the record's id
	wordCollection   = "word"   // by record, edition and number; see words.go
	dayCollection    = "day"    // by the record's birth and day; see usage.go
	blockCollection  = "block"  // by the index of the first entry
	metaCollection   = "meta"   // the schema's version, and the clock of many servers
)

// index is an index, named for what it is asked for. Keys go up, and down with
// a minus in front.
type index struct{ name, keys string }

// recordIndexes serve, in this order:
//
//   - List in either order of creation: all, with one product, with one plan;
//     each without a state and with one;
//   - List of what ends soonest, likewise. The start is there so that OpenAt
//     passes over a scheduled license without reading it;
//   - List of what is due soonest: all, with one product, with one plan;
//   - List by the vendor's and the customer's own names in either order of
//     creation;
//   - Pending: only records with pending entries have the field;
//   - Sweep: only deleted records with a due have the field.
func recordIndexes() []index {
	return []index{
		{"created", "kind created _id"},
		{"product_created", "kind product created _id"},
		{"plan_created", "kind plan created _id"},
		{"state_created", "kind state created _id"},
		{"product_state_created", "kind product state created _id"},
		{"plan_state_created", "kind plan state created _id"},
		{"ends", "kind ends _id starts"},
		{"product_ends", "kind product ends _id starts"},
		{"plan_ends", "kind plan ends _id starts"},
		{"state_ends", "kind state ends _id starts"},
		{"product_state_ends", "kind product state ends _id starts"},
		{"plan_state_ends", "kind plan state ends _id starts"},
		{"due", "kind due _id"},
		{"product_due", "kind product due _id"},
		{"plan_due", "kind plan due _id"},
		{"externalId_created", "kind externalId created _id"},
		{"customerEmail_created", "kind customerEmail created _id"},
		{"customerExternalId_created", "kind customerExternalId created _id"},
		{"dirty", "dirty"},
		{"gone", "gone"},
	}
}

// wordIndexes serve Search of some products, and of all.
func wordIndexes() []index {
	return []index{
		{"product_word", "kind product word -created -born record"},
		{"word", "kind word -created -born record"},
	}
}

// blockIndexes serve Blocks, and Entries by their index, by what they have, and
// from a time on.
func blockIndexes() []index {
	return []index{
		{"next", "next _id"},
		{"tags", "tags _id next"},
		{"at", "at _id"},
	}
}

func (i index) model() mongo.IndexModel {
	return mongo.IndexModel{Keys: by(i.keys), Options: options.Index().SetName(i.name)}
}

// by gives keys, or an order, from their names.
func by(names string) bson.D {
	var keys bson.D
	for _, name := range strings.Fields(names) {
		if down, ok := strings.CutPrefix(name, "-"); ok {
			keys = append(keys, bson.E{Key: down, Value: -1})
		} else {
			keys = append(keys, bson.E{Key: name, Value: 1})
		}
	}
	return keys
}
