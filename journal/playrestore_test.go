package journal_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// In some plays storage is set back to a copy that was made of it. Of servers
// that are not stopped nothing is promised where the copy's records are older
// than its blocks: who has read all of these sees nothing that it could tell by.

// restoring is how large that part of a play is.
type restoring struct {
	migrations   int  // that run at once after a copy was restored; 0: none is
	recordsFirst bool // the copy has the records of one moment and the blocks of a later one
	goesOn       bool // servers are not stopped, and their calls fail when storage is set back
	fewer        int  // servers than two
}

// copies is what is there to be restored, and what came of it.
type copies struct {
	records  []string // whose entries are pending, as copied
	blocks   []storage.Block
	copied   int // how much of the copy is made: nothing, the records, all
	restored int
	lost     map[string]bool // entries that storage does not hold any more
	mended   bool            // a Restore has succeeded
	epoch    bool            // and has begun an epoch
}

func (c *copies) situation() string {
	return fmt.Sprint(c.copied, c.records, len(c.blocks), c.restored, len(c.lost), c.mended, c.epoch)
}

// copyMoves gives what may happen next to the copy.
func (p *play) copyMoves() (moves []func()) {
	switch {
	case p.migrations == 0 || p.restored > 0:
	case p.copied == 0:
		moves = append(moves, func() {
			p.copyRecords()
			if !p.recordsFirst {
				p.copyBlocks()
			}
		})
	case p.copied == 1:
		moves = append(moves, p.copyBlocks)
	default:
		moves = append(moves, p.restore)
	}
	return moves
}

func (p *play) copyRecords() {
	all, _ := p.model.Pending(context.Background(), p.entries)
	for _, e := range all {
		p.records = append(p.records, e.ID)
	}
	p.copied = 1
}

func (p *play) copyBlocks() { p.blocks, p.copied = slices.Clone(p.written), 2 }

// restore sets storage back to the copy, and begins the migrations.
func (p *play) restore() {
	kept := map[string]bool{}
	p.model = storagetest.NewModel()
	for _, id := range p.records {
		commitNamed(p.model, id)
		kept[id] = true
	}
	for _, b := range p.blocks {
		if err := p.model.AppendBlock(context.Background(), b); err != nil {
			panic(err)
		}
		for _, e := range b.Entries {
			kept[e.ID] = true
		}
	}
	p.written, p.lost = slices.Clone(p.blocks), map[string]bool{}
	for i := range p.committed {
		p.lost[name(i)] = !kept[name(i)]
	}
	p.restored++
	for _, one := range p.players {
		if one.clean = false; !p.goesOn {
			one.stop()
			one.start()
		} else if one.at != "sync" && one.at != "" {
			one.step("before")
		}
	}
	for i := range p.migrations {
		p.enter(&player{play: p, number: i, migrates: true})
	}
}

// seenTo reports whether the copy was seen to, and nobody is at it any more.
func (p *play) seenTo() bool {
	return p.mended && !slices.ContainsFunc(p.players, func(one *player) bool { return one.migrates && one.at != "" })
}

// migrate is the process of who has restored the copy.
func (p *player) migrate(yield func(string) bool) {
	p.yield = yield
	clock := func() time.Time { return noon.Add(time.Duration(p.number) * time.Second) }
	done, err := journal.Restore(context.Background(), journal.Config{Store: p, Now: clock, Random: random(byte(100 + p.number))})
	if err == nil && !p.gone {
		p.mended, p.epoch = true, p.epoch || done.Log != ""
	}
}
