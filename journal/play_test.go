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
	restoring
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
	lookingForWhatIsPending // in the log, when a server starts
	settlesOfARestoredCopy  // by who restored it
	laterReadsOfPending     // by who restored it
)

type play struct {
	scope
	model     *storagetest.Model
	committed int
	written   []storage.Block // the log
	crashes   int
	faults    int
	players   []*player
	broken    string // what is wrong, once something is
	copies
}

type player struct {
	*play
	number   int
	log      *journal.Log
	next     func() (string, bool)
	stop     func()
	yield    func(string) bool
	gone     bool
	at       string   // what it stands still before
	fault    string   // of the call that it is told to make
	history  []string // what it was told since it last remembered no more than its Memory
	begun    int      // what was committed when its Sync began
	done     int
	migrates bool            // it is no server: it restores
	clean    bool            // it began on what is no restored copy, or one that was seen to
	begunIn  int             // how often storage was restored when it knew nothing yet
	reads    int             // of pending
	own      map[string]bool // entries that it appended
	shown    map[string]bool // entries that the last read of pending has shown
}

var errCrashed = errors.New("the process has ended")

func begin(s scope) *play {
	p := &play{scope: s, model: storagetest.NewModel()}
	for i := range 2 - s.fewer {
		p.enter(&player{play: p, number: i})
	}
	return p
}

func (p *play) end() {
	for _, one := range p.players {
		one.stop()
	}
}

func (p *play) enter(one *player) {
	p.players = append(p.players, one)
	one.start()
}

// start starts the server's process.
func (p *player) start() {
	p.reads = 0
	p.gone, p.history, p.own, p.shown = false, nil, map[string]bool{}, map[string]bool{}
	clock := func() time.Time { return noon.Add(-time.Duration(p.number) * time.Hour) }
	p.log = journal.NewLog(journal.Config{Store: p, Now: clock, Random: random(byte(p.number)), Pace: 1}).Within(p.pending, p.block)
	process := p.run
	if p.migrates {
		process = p.migrate
	}
	p.next, p.stop = iter.Pull(process)
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
		if !p.log.Knows() {
			p.begunIn, p.clean = p.restored, p.restored == 0 || p.seenTo()
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
		if p.log.Ready(context.Background()) != nil {
			if p.clean {
				p.play.broken = "a server has stopped without a reason"
			}
			return
		}
	}
}

// completed judges a Sync that has read so many entries of the log.
func (p *player) completed(size int) {
	p.done++
	for i := range p.begun {
		if p.lost[name(i)] {
			continue
		}
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
	commitNamed(p.model, name(p.committed))
	p.committed++
}

func commitNamed(m *storagetest.Model, id string) {
	record := fmt.Sprint("lic_", id)
	err := m.Commit(context.Background(), storage.Change{
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
	moves = append(moves, p.copyMoves()...)
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
	fmt.Fprint(&b, p.logged(), p.copies.situation())
	for _, one := range p.players {
		fmt.Fprint(&b, "\n", one.at, one.begun, one.done, len(one.own), one.clean, strings.Join(one.history, ","))
	}
	return b.String()
}
