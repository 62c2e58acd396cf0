package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// A play is two servers that sync one store, and commits beside them. The
// servers are the real code; each stands still before every call of storage,
// until it is told to make it, to fail at it, or to crash.

// scope is how large a play is.
type scope struct {
	entries int // each of a record of its own, committed in order
	syncs   int // that each server completes
	crashes int // after which a server starts again and knows nothing
	faults  int // calls that fail, before or after they had their effect, or when they had half of it
	pending int // entries of one read of pending
	block   int // entries of a block
	wrong   wrong
}

// wrong is what is left out, so that the checker has something to find.
type wrong int

const (
	nothing wrong = iota
	everySettle
	settlesOfTheLastBlock // that another process appended
	settlesOfWhatACutReadDidNotShow
	failuresOfSettle // that was done for some
	allButOneAppend
)

type play struct {
	scope
	model     *storagetest.Model
	committed int
	written   []storage.Block // the log
	crashes   int
	faults    int
	players   [2]*player
	broken    string // what is wrong, once something is
}

type player struct {
	*play
	number  int
	log     *journal.Log
	next    func() (string, bool)
	stop    func()
	yield   func(string) bool
	gone    bool
	at      string   // what it stands still before
	fault   string   // of the call that it is told to make
	history []string // what it was told since it last remembered no more than its Memory
	begun   int      // what was committed when its Sync began
	done    int
	own     map[string]bool // entries that it appended
	shown   map[string]bool // entries that the last read of pending has shown
}

var errCrashed = errors.New("the process has ended")

func begin(s scope) *play {
	p := &play{scope: s, model: storagetest.NewModel()}
	for i := range p.players {
		p.players[i] = &player{play: p, number: i}
		p.players[i].start()
	}
	return p
}

func (p *play) end() {
	for _, one := range p.players {
		one.stop()
	}
}

// start starts the server's process.
func (p *player) start() {
	p.gone, p.history, p.own, p.shown = false, nil, map[string]bool{}, map[string]bool{}
	clock := func() time.Time { return noon.Add(-time.Duration(p.number) * time.Hour) }
	p.log = journal.NewLog(journal.Config{Store: p, Now: clock, Random: random(byte(p.number)), Pace: 1}).Within(p.pending, p.block)
	p.next, p.stop = iter.Pull(p.run)
	p.step("")
}

// step lets the player go on to its next call.
func (p *player) step(fault string) {
	p.fault = fault
	p.at, _ = p.next()
}

// run is the player's process.
func (p *player) run(yield func(string) bool) {
	p.yield = yield
	for p.done < p.syncs {
		if p.halt("sync") != nil {
			return
		}
		p.begun = p.committed
		state, err := p.log.Sync(context.Background())
		if p.gone {
			return
		}
		if err == nil {
			p.completed(int(state.Size))
		}
		p.history = []string{p.log.Memory()}
	}
}

// completed judges a Sync that has read so many entries of the log.
func (p *player) completed(size int) {
	p.done++
	for i := range p.begun {
		if place := slices.Index(p.logged(), name(i)); place < 0 || place >= size {
			p.broken = fmt.Sprintf("a Sync that began after %s was committed has not read it", name(i))
		}
	}
}

func name(i int) string { return fmt.Sprint("evt_", i) }

// halt stands still before a call, and says how the call fails before it has
// any effect.
func (p *player) halt(call string) error {
	if p.gone || !p.yield(call) {
		p.gone = true
		return errCrashed
	}
	if p.fault == "before" {
		p.note("failed")
		return errors.New("no answer")
	}
	return nil
}

// answer is how a call ends that had its effect.
func (p *player) answer(err error, told ...any) error {
	if p.fault == "after" {
		p.note("failed")
		return errors.New("no answer")
	}
	p.note(fmt.Sprint(append(told, err)...))
	return err
}

func (p *player) note(told string) { p.history = append(p.history, told) }

// Pending reads entry by entry, each server in an order of its own, and what
// is committed or settled meanwhile may be there or not.
func (p *player) Pending(ctx context.Context, limit int) (found []storage.Pending, _ error) {
	p.history, p.shown = []string{p.log.Memory()}, map[string]bool{}
	for i := range p.entries {
		if p.number > 0 {
			i = p.entries - 1 - i
		}
		if err := p.halt("pending " + name(i)); err != nil {
			return nil, err
		}
		all, err := p.model.Pending(ctx, p.entries)
		at := slices.IndexFunc(all, func(e storage.Pending) bool { return e.ID == name(i) })
		if at >= 0 {
			found = append(found, all[at])
			p.shown[name(i)] = true
		}
		if err := p.answer(err, at >= 0); err != nil {
			return nil, err
		}
		if len(found) == limit {
			break
		}
	}
	return found, nil
}

// Settle goes by the record, as a store may, and entry by entry, each server in
// an order of its own. It may leave some out, and fails then.
func (p *player) Settle(ctx context.Context, entries []storage.Pending) error {
	if err := p.halt("settle"); err != nil {
		return err
	}
	var half error
	for i := range p.entries {
		if p.number > 0 {
			i = p.entries - 1 - i
		}
		if !p.settles(i, entries) {
			continue
		}
		if err := p.halt("settle " + name(i)); err != nil {
			return err
		}
		if p.fault == "without" {
			half = errors.New("no answer")
			if p.wrong == failuresOfSettle {
				half = nil
			}
			p.note("left out")
			continue
		}
		one := storage.Pending{Entry: storage.Entry{ID: name(i)}}
		if err := p.answer(p.model.Settle(ctx, []storage.Pending{one})); err != nil {
			return err
		}
	}
	return half
}

// settles reports whether the settling of these entries settles the entry i.
func (p *player) settles(i int, entries []storage.Pending) bool {
	all, err := p.model.Pending(context.Background(), p.entries)
	if err != nil {
		panic(err)
	}
	return slices.ContainsFunc(all, func(e storage.Pending) bool {
		named := slices.ContainsFunc(entries, func(s storage.Pending) bool { return s.ID == e.ID && s.Record == e.Record })
		return e.ID == name(i) && named && p.wrong != everySettle && (p.wrong != settlesOfTheLastBlock || p.own[e.ID]) &&
			(p.wrong != settlesOfWhatACutReadDidNotShow || p.own[e.ID] || p.shown[e.ID])
	})
}

func (p *player) AppendBlock(ctx context.Context, b storage.Block) error {
	if err := p.halt("append"); err != nil {
		return err
	}
	err := p.model.AppendBlock(ctx, b)
	if err == nil {
		p.written = append(p.written, b)
		for _, e := range b.Entries {
			p.own[e.ID] = true
		}
		p.judge()
		if p.wrong == allButOneAppend {
			p.completed(p.entries)
			return errors.New("this is enough")
		}
	}
	return p.answer(err)
}

func (p *player) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	if err := p.halt("blocks"); err != nil {
		return nil, err
	}
	blocks, err := p.model.Blocks(ctx, from, limit)
	return blocks, p.answer(err, len(p.written))
}

func (p *player) Entries(context.Context, storage.EntryQuery) (storage.EntryPage, error) {
	panic("nobody follows")
}

func (p *player) CheckEntries(context.Context) (*storage.Misfit, error) {
	panic("nobody verifies")
}

// logged gives the ids of the entries in the log.
func (p *play) logged() (ids []string) {
	for _, b := range p.written {
		for _, e := range b.Entries {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// judge looks at the log as it is.
func (p *play) judge() {
	var was storage.Block
	for _, b := range p.written {
		if b.First != was.Next() || b.At.Before(was.At) {
			p.broken = fmt.Sprintf("a block at %d of %v behind one that ends at %d of %v", b.First, b.At, was.Next(), was.At)
		}
		was = b
	}
	ids := p.logged()
	slices.Sort(ids)
	if len(slices.Compact(slices.Clone(ids))) < len(ids) {
		p.broken = "an entry is in the log twice"
	}
}

// commit commits the next entry.
func (p *play) commit() {
	id := name(p.committed)
	p.committed++
	record := fmt.Sprint("lic_", id)
	err := p.model.Commit(context.Background(), storage.Change{
		Record: storage.Record{Kind: storage.License, ID: record, Body: []byte(`{}`)}, Attempt: id,
		Entries: []storage.Entry{{ID: id, Type: "a.b", Subjects: []string{record, "plan_0"}, Body: []byte(id)}},
	})
	if err != nil {
		panic(err)
	}
}

// moves gives all that may happen next.
func (p *play) moves() (moves []func()) {
	if p.committed < p.entries {
		moves = append(moves, p.commit)
	}
	for _, one := range p.players {
		if one.at == "" {
			continue
		}
		moves = append(moves, func() { one.step("") })
		if p.crashes < p.scope.crashes && one.at != "sync" {
			moves = append(moves, func() { p.crashes++; one.stop(); one.start() })
		}
		if p.faults < p.scope.faults && one.at != "sync" {
			moves = append(moves, func() { p.faults++; one.step("before") }, func() { p.faults++; one.step("after") })
			if strings.HasPrefix(one.at, "settle ") {
				moves = append(moves, func() { p.faults++; one.step("without") })
			}
		}
	}
	return moves
}

// situation tells all that what may happen depends on.
func (p *play) situation() string {
	var b bytes.Buffer
	all, _ := p.model.Pending(context.Background(), p.entries)
	fmt.Fprint(&b, p.committed, p.crashes, p.faults, len(all))
	for _, e := range all {
		fmt.Fprint(&b, e.ID)
	}
	for _, block := range p.written {
		fmt.Fprint(&b, "|", block.First, block.At.Unix(), block.Entries[0].ID, len(block.Entries))
	}
	fmt.Fprint(&b, p.logged())
	for _, one := range p.players {
		fmt.Fprint(&b, "\n", one.at, one.begun, one.done, len(one.own), strings.Join(one.history, ","))
	}
	return b.String()
}
