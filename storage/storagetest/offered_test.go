package storagetest_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

var errUnavailable = fault.Errorf(fault.Unavailable, "storage is unavailable; a newer keywright made it")

// damaged is the model with a block that cannot be read.
type damaged struct {
	*storagetest.Model
	first   int64 // of that block; below zero there is none
	tell    func(before, behind []storage.Block) ([]storage.Block, error)
	entries error // of a page in which the block would be
	check   error
}

func newDamaged() *damaged {
	return &damaged{
		Model: storagetest.NewModel(), first: -1, entries: errUnavailable, check: errUnavailable,
		tell: func(before, _ []storage.Block) ([]storage.Block, error) { return before, errUnavailable },
	}
}

func (d *damaged) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	all, err := d.Model.Blocks(ctx, from, limit)
	i := slices.IndexFunc(all, func(b storage.Block) bool { return b.First == d.first })
	if err != nil || i < 0 {
		return all, err
	}
	return d.tell(all[:i], all[i+1:])
}

func (d *damaged) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	page, err := d.Model.Entries(ctx, q)
	if slices.ContainsFunc(page.Entries, func(e storage.Logged) bool { return e.Index == d.first }) {
		err = d.entries
	}
	return page, err
}

func (d *damaged) CheckEntries(context.Context) (*storage.Misfit, error) { return nil, d.check }

func TestClausesTellADriverThatHidesDamage(t *testing.T) {
	for name, test := range map[string]struct {
		clause string
		spoil  func(d *damaged)
	}{
		"the end of the log": {"EndsTheBlocksBeforeIt", func(d *damaged) {
			d.tell = func(before, _ []storage.Block) ([]storage.Block, error) { return before, nil }
		}},
		"passed over": {"EndsTheBlocksBeforeIt", func(d *damaged) {
			d.tell = func(before, behind []storage.Block) ([]storage.Block, error) {
				return slices.Concat(before, behind), errUnavailable
			}
		}},
		"with those before it": {"EndsTheBlocksBeforeIt", func(d *damaged) {
			d.tell = func(_, _ []storage.Block) ([]storage.Block, error) { return nil, errUnavailable }
		}},
		"of the last": {"OfTheLastBlockIsNoEndOfTheLog", func(d *damaged) {
			d.tell = func(before, _ []storage.Block) ([]storage.Block, error) { return before, nil }
		}},
		"on a page":  {"IsNotPassedOver", func(d *damaged) { d.entries = nil }},
		"in a check": {"IsNotPassedOver", func(d *damaged) { d.check = nil }},
	} {
		t.Run(name, func(t *testing.T) {
			fails := func(d *damaged) []string {
				return storagetest.DamageFails(t, test.clause, d, func(first int64) { d.first = first })
			}
			mustTell(t, fails, newDamaged, test.spoil)
		})
	}
}

// mustTell fails unless a test passes as long as what it tests is not spoiled.
func mustTell[T any](t *testing.T, fails func(T) []string, whole func() T, spoil func(T)) {
	t.Helper()
	if said := fails(whole()); len(said) > 0 {
		t.Fatalf("it fails before anything is broken: %q", said)
	}
	broken := whole()
	spoil(broken)
	if len(fails(broken)) == 0 {
		t.Fatal("the clause lets it pass")
	}
}

// newer is the model, migrated by a newer program.
type newer struct {
	*storagetest.Model
	ready, migrate error
	migrated       bool // whether Migrate has it be ready
}

func newNewer() *newer {
	return &newer{Model: storagetest.NewModel(), ready: errUnavailable, migrate: errUnavailable}
}

func (n *newer) Ready(context.Context) error { return n.ready }

func (n *newer) Migrate(context.Context) error {
	if n.migrated {
		n.ready = nil
	}
	return n.migrate
}

func TestAClauseTellsADriverThatDoesNotMindANewerSchema(t *testing.T) {
	for name, spoil := range map[string]func(n *newer){
		"ready":         func(n *newer) { n.ready = nil },
		"silent":        func(n *newer) { n.ready = fault.Errorf(fault.Unavailable, "storage is unavailable") },
		"migrated":      func(n *newer) { n.migrate = nil },
		"migrated back": func(n *newer) { n.migrated = true },
	} {
		t.Run(name, func(t *testing.T) {
			mustTell(t, func(n *newer) []string { return storagetest.NewerFails(t, n) }, newNewer, spoil)
		})
	}
}

// bulky is the model as a Bulk.
type bulky struct {
	*spoiled
	end func(err error) error
}

func newBulky() *bulky {
	return &bulky{&spoiled{Model: storagetest.NewModel()}, func(err error) error { return err }}
}

func (b *bulky) BeginLoad(ctx context.Context) error { return b.state(ctx) }
func (b *bulky) EndLoad(ctx context.Context) error   { return b.end(b.state(ctx)) }

func (b *bulky) state(ctx context.Context) error {
	_, err := b.Model.Get(ctx)
	return err
}

func TestClausesTellABulkThatIsBroken(t *testing.T) {
	lost := func(b *bulky) {
		b.page = func(p *storage.Page) {
			p.Records = slices.DeleteFunc(p.Records, func(r *storage.Stored) bool { return r.ID == storagetest.LicenseID(7) })
		}
	}
	for name, test := range map[string]struct {
		clause string
		spoil  func(b *bulky)
	}{
		"lists":           {"LoadsManyOfWhichEachIsWhereItBelongs", lost},
		"words":           {"LoadsManyOfWhichEachIsWhereItBelongs", func(b *bulky) { b.search = func(q *storage.SearchQuery) { q.First = min(q.First, 9) } }},
		"words of two":    {"LoadsWhatIsListedSearchedAndChangedLikeTheRest", func(b *bulky) { b.search = func(q *storage.SearchQuery) { q.Prefix += "x" } }},
		"words of none":   {"LoadsNothing", func(b *bulky) { b.search = func(q *storage.SearchQuery) { q.Prefix += "x" } }},
		"its end":         {"IsUnavailableOnceClosed", func(b *bulky) { b.end = func(error) error { return nil } }},
		"its end in time": {"IsUnavailableToACallerWhoseContextEnded", func(b *bulky) { b.end = func(error) error { return nil } }},
	} {
		t.Run(name, func(t *testing.T) {
			mustTell(t, func(b *bulky) []string { return storagetest.BulkFails(t, test.clause, b) }, newBulky, test.spoil)
		})
	}
}

// copying is the model as a Copier, whose copies are beside their files.
type copying struct {
	*storagetest.Model
	copies map[string]storage.Store
	spoils func(w *storage.Whole) // what is copied
	mode   fs.FileMode
	flag   int  // how a file is made
	early  bool // whether it is made before all else
}

func newCopying() *copying {
	return &copying{storagetest.NewModel(), map[string]storage.Store{}, func(*storage.Whole) {}, 0o600, os.O_EXCL, false}
}

func (c *copying) CopyTo(ctx context.Context, file string) error {
	if c.early {
		_ = c.make(file)
	}
	records, err := c.Dump(ctx, "", 1<<20)
	if err != nil {
		return err
	}
	for i := range records {
		c.spoils(&records[i])
	}
	blocks, err := c.Blocks(ctx, 0, 1<<20)
	if err != nil {
		return err
	}
	if err := c.make(file); err != nil {
		return err
	}
	copied := storagetest.NewModel()
	c.copies[file] = copied
	for _, b := range blocks {
		if err := copied.AppendBlock(ctx, b); err != nil {
			return err
		}
	}
	return copied.Load(ctx, records)
}

func (c *copying) make(file string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|c.flag, c.mode)
	switch {
	case errors.Is(err, fs.ErrExist):
		return fault.Wrap(fault.Conflict, err, "the file is there already")
	case err != nil:
		return fault.Wrap(fault.Unavailable, err, "the copy cannot be written")
	}
	return f.Close()
}

func TestClausesTellACopierThatIsBroken(t *testing.T) {
	for name, test := range map[string]struct {
		clause string
		spoil  func(c *copying)
	}{
		"for others to read": {"CopiesAllIntoAFileOfItsOwnersThatIsAStore", func(c *copying) { c.mode = 0o644 }},
		"without seats":      {"CopiesAllIntoAFileOfItsOwnersThatIsAStore", func(c *copying) { c.spoils = func(w *storage.Whole) { w.Seats = nil } }},
		"a change in part":   {"CopiesWhatTheStoreHoldsAtOneMoment", func(c *copying) { c.spoils = func(w *storage.Whole) { w.Seats = nil } }},
		"one that is missing": {"CopiesWhatTheStoreHoldsAtOneMoment", func(c *copying) {
			c.spoils = func(w *storage.Whole) {
				if w.ID == "lic_2_7" {
					w.ID = "other"
				}
			}
		}},
		"over another file": {"OverwritesNothing", func(c *copying) { c.flag = os.O_TRUNC }},
		"begun and left":    {"LeavesNothingAfterAnError", func(c *copying) { c.early = true }},
	} {
		t.Run(name, func(t *testing.T) {
			fails := func(c *copying) []string {
				return storagetest.CopierFails(t, test.clause, c, func(file string) storage.Store { return c.copies[file] })
			}
			mustTell(t, fails, newCopying, test.spoil)
		})
	}
}
