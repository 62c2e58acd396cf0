package journal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// shelf is a store whose log a test may rewrite.
type shelf struct {
	*store
	rewrite func([]storage.Block) []storage.Block
}

func (s *shelf) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	all, err := s.store.Blocks(ctx, 0, 1<<20)
	if err != nil {
		return nil, err
	}
	if s.rewrite != nil {
		all = s.rewrite(all)
	}
	if n := len(all); from == storage.LastBlock && n > 0 {
		from = all[n-1].First
	}
	var found []storage.Block
	for _, b := range all {
		if b.Next() > from && len(found) < limit {
			found = append(found, b)
		}
	}
	return found, nil
}

// blockHead is a head as it stands in a block.
type blockHead struct {
	Log   string   `json:"log"`
	Epoch int64    `json:"epoch"`
	Size  int64    `json:"size"`
	Edge  []string `json:"edge"`
	Sums  []byte   `json:"sums"`
}

// headed changes the head of a block.
func headed(b storage.Block, change func(*blockHead)) storage.Block {
	var h blockHead
	if err := json.Unmarshal(b.Head, &h); err != nil {
		panic(err)
	}
	change(&h)
	var err error
	if b.Head, err = json.Marshal(h); err != nil {
		panic(err)
	}
	return b
}

// rewritten are the ways in which a log of three blocks, of which a server has
// read two, may not continue.
var rewritten = map[string]func([]storage.Block) []storage.Block{
	"all is gone":     func([]storage.Block) []storage.Block { return nil },
	"its end is gone": func(all []storage.Block) []storage.Block { return all[:1] },
	"a block is missing": func(all []storage.Block) []storage.Block {
		all[2].First += 5
		return all
	},
	"two blocks overlap": func(all []storage.Block) []storage.Block {
		all[2].First--
		return all
	},
	"another block is in its place": func(all []storage.Block) []storage.Block {
		all[1] = headed(all[1], func(h *blockHead) { h.Epoch = 2 })
		return all
	},
	"an entry that was read is another": func(all []storage.Block) []storage.Block {
		all[1].Entries[0].Body = []byte("{}")
		return all
	},
	"a time that was read is another": func(all []storage.Block) []storage.Block {
		all[1].At = all[1].At.Add(1)
		return all
	},
	"an entry is not the tree's": func(all []storage.Block) []storage.Block {
		all[2].Entries[0].Body = []byte("{}")
		return all
	},
	"a tree that does not continue": func(all []storage.Block) []storage.Block {
		all[2] = headed(all[2], func(h *blockHead) { h.Edge[0] = h.Edge[1] })
		return all
	},
	"a check sum is another": func(all []storage.Block) []storage.Block {
		all[2] = headed(all[2], func(h *blockHead) { h.Sums = make([]byte, 4) })
		return all
	},
	"a head that cannot be read": func(all []storage.Block) []storage.Block {
		all[2].Head = []byte("{")
		return all
	},
	"another log": func(all []storage.Block) []storage.Block {
		all[2] = headed(all[2], func(h *blockHead) { h.Log = "log_0" })
		return all
	},
	"another epoch": func(all []storage.Block) []storage.Block {
		all[2] = headed(all[2], func(h *blockHead) { h.Epoch = 2 })
		return all
	},
	"a time before the last": func(all []storage.Block) []storage.Block {
		all[2].At = all[2].At.Add(-seconds(9))
		return all
	},
}

func TestALogThatDoesNotContinueStopsTheServer(t *testing.T) {
	for name, rewrite := range rewritten {
		t.Run(name, func(t *testing.T) {
			s := &shelf{store: newStore()}
			var said bytes.Buffer
			l := journal.NewLog(journal.Config{Store: s, Log: slog.New(slog.NewTextHandler(&said, nil))})
			for n := range 2 {
				commitMany(t, s, n, n+1)
				mustSync(t, l)
			}
			read, changed := l.Watch()
			if err := l.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			commitMany(t, s, 2, 3)
			mustSync(t, journal.NewLog(journal.Config{Store: s.Model}))
			commitMany(t, s, 3, 4)
			s.rewrite = rewrite
			s.told()
			for range 2 {
				if _, err := l.Sync(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "does not continue") {
					t.Errorf("Sync ended with %v", err)
				}
			}
			if calls := strings.Join(s.told(), " "); calls != "pending blocks" {
				t.Errorf("it went on: %s", calls)
			}
			if err := l.Ready(t.Context()); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "does not continue") {
				t.Errorf("Ready is %v", err)
			}
			if strings.Count(said.String(), "level=ERROR") != 1 {
				t.Errorf("it said %s", &said)
			}
			if l.State() != read {
				t.Errorf("%+v was read, and now it is %+v", read, l.State())
			}
			select {
			case <-changed:
			default:
				t.Error("who waits was not told")
			}
			if _, err := l.Follow(storage.EntryFilter{}, -1).Next(t.Context()); !fault.Is(err, fault.Unavailable) {
				t.Errorf("a follower was given %v", err)
			}
			if _, err := l.Place(t.Context(), l.CursorAt(0)); !fault.Is(err, fault.Unavailable) {
				t.Errorf("a place was given, %v", err)
			}
		})
	}
}

// What a server did not read it takes as it stands, if it makes sense.
func TestAServerThatStartsReadsTheLastBlock(t *testing.T) {
	for name, test := range map[string]struct {
		rewrite func([]storage.Block) []storage.Block
		broken  bool
	}{
		"as it is": {func(all []storage.Block) []storage.Block { return all }, false},
		"of a greater epoch that no entry begins": {func(all []storage.Block) []storage.Block {
			all[2] = headed(all[2], func(h *blockHead) { h.Epoch = 7 })
			return all
		}, true},
		"of a smaller epoch": {func(all []storage.Block) []storage.Block {
			all[1] = headed(all[1], func(h *blockHead) { h.Epoch = 7 })
			return all
		}, true},
		"of another log": {func(all []storage.Block) []storage.Block {
			all[1] = headed(all[1], func(h *blockHead) { h.Log = "log_0" })
			return all
		}, true},
		"behind none": {func(all []storage.Block) []storage.Block { return all[2:] }, true},
		"behind one whose head cannot be read": {func(all []storage.Block) []storage.Block {
			all[1].Head = []byte("{")
			return all
		}, true},
		"without a head": {func(all []storage.Block) []storage.Block {
			all[2].Head = []byte("{}")
			return all
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := &shelf{store: newStore()}
			writer := journal.NewLog(journal.Config{Store: s.Model})
			for n := range 3 {
				commitMany(t, s, n, n+1)
				mustSync(t, writer)
			}
			s.rewrite = test.rewrite
			l := journal.NewLog(journal.Config{Store: s})
			got, err := l.Sync(t.Context())
			if test.broken != (err != nil) || test.broken != (l.Ready(t.Context()) != nil) {
				t.Fatalf("%v", err)
			}
			if want := writer.State(); err == nil && (got.Size != want.Size || got.Root != want.Root || got.Log != want.Log) {
				t.Errorf("%+v, blockHead was %+v", got, want)
			}
			if err == nil { // and it goes on in that epoch
				commitMany(t, s, 3, 4)
				if again := mustSync(t, l); again.Size != 4 || again.Epoch != got.Epoch {
					t.Errorf("%+v after %+v", again, got)
				}
			}
		})
	}
}
