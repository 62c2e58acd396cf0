package storage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

func TestCheckTakesAWellFormedChange(t *testing.T) {
	if err := wellFormed().Check(); err != nil {
		t.Fatal(err)
	}
	atTheBounds := wellFormed()
	atTheBounds.Record.ID = strings.Repeat("x", storage.MaxID)
	atTheBounds.Record.Version = 7
	for n := range storage.MaxWords {
		word := strings.Repeat("w", storage.MaxWord-1) + string(rune('A'+n))
		atTheBounds.Record.Index.Words = append(atTheBounds.Record.Index.Words, word)
	}
	atTheBounds.Entries[0].Body = make([]byte, storage.MaxEntry)
	if err := atTheBounds.Check(); err != nil {
		t.Fatal(err)
	}
}

func TestCheckRefusesWhatIsNotWellFormed(t *testing.T) {
	long := strings.Repeat("x", storage.MaxID+1)
	words := func(words ...string) func(*storage.Change) {
		return func(c *storage.Change) { c.Record.Index.Words = words }
	}
	tooMany := make([]string, storage.MaxWords+1)
	for n := range tooMany {
		tooMany[n] = fmt.Sprintf("%03d", n)
	}
	for name, spoil := range map[string]func(c *storage.Change){
		"no kind":                func(c *storage.Change) { c.Record.Kind = "" },
		"no id":                  func(c *storage.Change) { c.Record.ID = "" },
		"a long id":              func(c *storage.Change) { c.Record.ID = long },
		"a negative version":     func(c *storage.Change) { c.Record.Version = -1 },
		"no attempt":             func(c *storage.Change) { c.Attempt = "" },
		"an id with NUL":         func(c *storage.Change) { c.Record.ID = "a\x00b" },
		"an index that is bytes": func(c *storage.Change) { c.Record.Index.ExternalID = "\xff" },
		"an operation with NUL":  func(c *storage.Change) { c.Record.Done = []storage.Operation{{Name: "\x00"}} },
		"a body that is a list":  func(c *storage.Change) { c.Record.Body = []byte("[]") },
		"a body of two objects":  func(c *storage.Change) { c.Record.Body = []byte("{}{}") },
		"a body that is bytes":   func(c *storage.Change) { c.Record.Body = []byte("{\"a\":\"\xff\"}") },
		"a seat of no JSON":      func(c *storage.Change) { c.Put[0].Body = []byte("{") },
		"a seat with NUL":        func(c *storage.Change) { c.Put[0].ID = "\x00" },
		"a removal with NUL":     func(c *storage.Change) { c.Remove[0].ID = "\x00" },
		"an actor with NUL":      func(c *storage.Change) { c.Entries[0].Actor = "\x00" },
		"a subject with NUL":     func(c *storage.Change) { c.Entries[0].Subjects = []string{"\x00"} },
		"no body":                func(c *storage.Change) { c.Record.Body = nil },
		"too many words":         words(tooMany...),
		"a long word":            words(strings.Repeat("x", storage.MaxWord+1)),
		"an empty word":          words("", "x"),
		"a word twice":           words("x", "x"),
		"words out of order":     words("y", "x"),
		"a word of two lines":    words("x\ny"),
		"a word that is no text": words("x\xff"),
		"a seat without id":      func(c *storage.Change) { c.Put[0].ID = "" },
		"a seat with a long id":  func(c *storage.Change) { c.Put[0].ID = long },
		"a seat without body":    func(c *storage.Change) { c.Put[0].Body = nil },
		"a seat put twice":       func(c *storage.Change) { c.Put = append(c.Put, c.Put[0]) },
		"a seat removed twice":   func(c *storage.Change) { c.Remove = append(c.Remove, c.Remove[0]) },
		"put and removed":        func(c *storage.Change) { c.Remove[0].ID = c.Put[0].ID },
		"a removal without id":   func(c *storage.Change) { c.Remove[0].ID = "" },
		"a kind with NUL":        func(c *storage.Change) { c.Record.Kind = "\x00" },
		"an attempt with NUL":    func(c *storage.Change) { c.Attempt = "\x00" },
		"an actor that is long":  func(c *storage.Change) { c.Entries[0].Actor = strings.Repeat("x", storage.MaxName+1) },
		"a type that is long":    func(c *storage.Change) { c.Entries[0].Type = strings.Repeat("x", storage.MaxName+1) },
		"an entry without type":  func(c *storage.Change) { c.Entries[0].Type = "" },
		"an entry's product":     func(c *storage.Change) { c.Entries[0].Product = long },
		"many subjects":          func(c *storage.Change) { c.Entries[0].Subjects = tooMany[:storage.MaxSubjects+1] },
		"subjects out of order":  func(c *storage.Change) { c.Entries[0].Subjects = []string{"b", "a"} },
		"a subject twice":        func(c *storage.Change) { c.Entries[0].Subjects = []string{"a", "a"} },
		"a subject that is none": func(c *storage.Change) { c.Entries[0].Subjects = []string{""} },
		"a subject that is long": func(c *storage.Change) { c.Entries[0].Subjects = []string{long} },
		"an entry without id":    func(c *storage.Change) { c.Entries[0].ID = "" },
		"an entry's long id":     func(c *storage.Change) { c.Entries[0].ID = long },
		"an empty entry":         func(c *storage.Change) { c.Entries[0].Body = nil },
		"a large entry":          func(c *storage.Change) { c.Entries[0].Body = make([]byte, storage.MaxEntry+1) },
	} {
		t.Run(name, func(t *testing.T) {
			c := wellFormed()
			spoil(&c)
			if err := c.Check(); !fault.Is(err, fault.InvalidInput) {
				t.Fatalf("got %v, want %s", err, fault.InvalidInput)
			}
		})
	}
}

func wellFormed() storage.Change {
	return storage.Change{
		Record:  storage.Record{Kind: storage.License, ID: "lic_a", Body: []byte("{}")},
		Attempt: "a",
		Put:     []storage.Seat{{ID: "act_a", Body: []byte("{}")}},
		Remove:  []storage.Removal{{ID: "act_b"}},
		Entries: []storage.Entry{{ID: "evt_a", Type: "t", Body: []byte("e")}},
	}
}
