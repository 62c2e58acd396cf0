package mongodb

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/keywright/keywright/storage"
)

// A word of a record is a document of its own, because an index over a list of
// words gives no order by the first that begins so. Word documents are hints:
// what a record is found by is said by the record, so one too many costs a
// look and one too few is what must not be.
//
// They are inserted before the commit that needs them, as an edition, which the
// record then names. Those of the edition before are deleted after it. Who
// loses a race deletes what it inserted. What a crash leaves between goes when
// the record's words change a day later, or with a sweep (see strays.go).
type wordDocument struct {
	ID      string `bson:"_id"` // the record, the edition and a number
	Kind    string `bson:"kind"`
	Product string `bson:"product"`
	Word    string `bson:"word"`
	Created int64  `bson:"created"`
	Born    string `bson:"born"` // the record's; of one time the younger comes first
	Record  string `bson:"record"`
}

// wordSum tells all that the word documents of a record say; without words it
// is empty.
func wordSum(r storage.Record) string {
	if len(r.Index.Words) == 0 {
		return ""
	}
	text, _ := json.Marshal([]any{r.Kind, r.Index.Product, millis(r.Index.Created, before0), r.Index.Words}) // never fails
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

// putWords inserts the words of a record as a new edition and gives that; none
// where there are no words.
func (s *Store) putWords(ctx context.Context, d recordDocument) (string, error) {
	if len(d.Words) == 0 {
		return "", nil
	}
	var editions []string
	_, err := repeat(ctx, func() error { // as another edition, since the first time may have been cut off
		editions = append(editions, newID())
		_, err := s.words.InsertMany(ctx, wordsUnder(d, editions[len(editions)-1]))
		return err
	})
	if err != nil {
		return "", err
	}
	last := len(editions) - 1
	s.dropWords(ctx, d.ID, editions[:last]...)
	return editions[last], nil
}

func wordsUnder(d recordDocument, edition string) []wordDocument {
	documents := make([]wordDocument, len(d.Words))
	for i, word := range d.Words {
		documents[i] = wordDocument{
			ID: wordsOf(d.ID) + edition + "." + strconv.Itoa(i), Kind: d.Kind, Product: d.Product, Word: word, Created: d.Created, Born: d.Born, Record: d.ID,
		}
	}
	return documents
}

// dropWords deletes the words of these editions, none of which the record names
// any more. The words may be personal, so it does not give up with the caller;
// but what was committed stays so, and it is no error.
func (s *Store) dropWords(ctx context.Context, record string, editions ...string) {
	s.dropWordsIn(ctx, record, rangesOf(record, editions))
}

// dropAllWords deletes the words of these editions, too, and all that are so old
// that no commit to come needs them.
func (s *Store) dropAllWords(ctx context.Context, record string, editions ...string) {
	old := bson.M{"_id": bson.M{"$gte": wordsOf(record), "$lt": wordsOf(record) + oldestMade()}}
	s.dropWordsIn(ctx, record, append(rangesOf(record, editions), old))
}

func rangesOf(record string, editions []string) bson.A {
	var ranges bson.A
	for _, edition := range editions {
		if edition != "" {
			ranges = append(ranges, bson.M{"_id": beginsWith(wordsOf(record) + edition + ".")})
		}
	}
	return ranges
}

func (s *Store) dropWordsIn(ctx context.Context, record string, ranges bson.A) {
	if len(ranges) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	_, _ = repeat(ctx, func() error {
		_, err := s.words.DeleteMany(ctx, bson.M{"record": record, "$or": ranges})
		return err
	})
}

// wordsOf is what the ids of all words of a record begin with. A key has no
// dot, so no other record's begin so.
func wordsOf(record string) string { return key(record) + "." }

// beginsWith is the range of the texts that begin with one.
func beginsWith(prefix string) bson.M {
	if end := behind(prefix); end != "" {
		return bson.M{"$gte": prefix, "$lt": end}
	}
	return bson.M{"$gte": prefix}
}

// behind gives the least text that comes behind all that begin with prefix;
// empty where none does.
func behind(prefix string) string {
	runes := []rune(prefix)
	for i := len(runes) - 1; i >= 0; i-- {
		switch r := runes[i]; r {
		case 0x10ffff:
		case 0xd7ff:
			return string(runes[:i]) + "\ue000" // those between are no characters
		default:
			return string(runes[:i]) + string(r+1)
		}
	}
	return ""
}
