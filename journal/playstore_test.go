package journal_test

import (
	"context"
	"errors"
	"slices"

	"github.com/keywright/keywright/storage"
)

// What follows is storage as a player sees it: it stands still before each call.

// Pending reads entry by entry, each server in an order of its own, and what
// is committed or settled meanwhile may be there or not.
func (p *player) Pending(ctx context.Context, limit int) (found []storage.Pending, _ error) {
	if !p.migrates {
		p.history = []string{p.log.Memory()}
	}
	p.shown = map[string]bool{}
	if p.reads++; p.reads > 1 && p.migrates && p.wrong == laterReadsOfPending {
		return nil, nil
	}
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
			(p.wrong != settlesOfWhatACutReadDidNotShow || p.own[e.ID] || p.shown[e.ID]) &&
			(p.wrong != settlesOfARestoredCopy || !p.migrates)
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
		if p.epoch && !p.migrates && p.begunIn < p.restored {
			p.play.broken = "a server of before the storage was restored goes on in the next epoch"
		}
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

// Entries is asked for what never changes, so nobody stands still before it.
func (p *player) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if p.wrong == lookingForWhatIsPending {
		return storage.EntryPage{}, nil
	}
	return p.model.Entries(ctx, q)
}

func (p *player) CheckEntries(context.Context) (*storage.Misfit, error) {
	panic("nobody verifies")
}
