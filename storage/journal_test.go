package storage_test

import (
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

func TestCheckTakesTheLargestBlock(t *testing.T) {
	most := logBlock(storage.MaxBlock, 1)
	most.Head = make([]byte, storage.MaxHead)
	for _, b := range []storage.Block{logBlock(1, 1), most, logBlock(storage.MaxBytes/storage.MaxEntry, storage.MaxEntry)} {
		if err := b.Check(); err != nil {
			t.Errorf("%d entries: %v", len(b.Entries), err)
		}
	}
}

func TestCheckRefusesABlockThatIsNotWellFormed(t *testing.T) {
	large := logBlock(storage.MaxBytes/storage.MaxEntry+1, storage.MaxEntry)
	large.Entries[0].Body = large.Entries[0].Body[:1]
	for name, spoil := range map[string]func(*storage.Block){
		"a negative index":         func(b *storage.Block) { b.First = -1 },
		"no time":                  func(b *storage.Block) { b.At = time.Time{} },
		"no head":                  func(b *storage.Block) { b.Head = nil },
		"a large head":             func(b *storage.Block) { b.Head = make([]byte, storage.MaxHead+1) },
		"no entries":               func(b *storage.Block) { b.Entries = nil },
		"too many entries":         func(b *storage.Block) { *b = logBlock(storage.MaxBlock+1, 1) },
		"too many bytes":           func(b *storage.Block) { *b = large },
		"an entry that is no text": func(b *storage.Block) { b.Entries[0].Type = "\xff" },
	} {
		b := logBlock(2, 1)
		spoil(&b)
		if err := b.Check(); !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckRefusesAPageOfNothing(t *testing.T) {
	for first, fits := range map[int]bool{-1: false, 0: false, 1: true} {
		entries := storage.EntryQuery{First: first}.Check()
		search := storage.SearchQuery{Prefix: "x", First: first}.Check()
		for _, err := range []error{entries, search} {
			if fits != (err == nil) || !fits && fault.All(err)[0].Field != "first" {
				t.Errorf("%d: %v", first, err)
			}
		}
	}
}

func logBlock(entries, size int) storage.Block {
	b := storage.Block{At: time.UnixMilli(1), Head: []byte("h")}
	for range entries {
		b.Entries = append(b.Entries, storage.Entry{ID: "evt", Type: "t", Body: make([]byte, size)})
	}
	return b
}
