package licensing

import (
	"context"
	"encoding/base64"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// Journal is the log of all changes, as *journal.Log is.
type Journal interface {
	Committed()
	Sync(ctx context.Context) (journal.State, error)
	State() journal.State
	Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error)
	Follow(f storage.EntryFilter, after int64) *journal.Follower
	Place(ctx context.Context, cursor string) (int64, error)
	CursorAt(index int64) string
}

var _ Journal = (*journal.Log)(nil)

// EventConnection is a page of events.
type EventConnection = page.Connection[*EventView]

// EventOrder is an order of events.
type EventOrder string

// The orders of events: by their place in the journal.
const (
	NewestFirst EventOrder = "NEWEST_FIRST"
	OldestFirst EventOrder = "OLDEST_FIRST"
)

// Events lists events. Those of what the caller has just changed are among
// them. Errors: InvalidInput for a filter that makes no sense and for a cursor
// that was not given out, NotFound for a product or license that the caller
// cannot see.
func (s *Service) Events(ctx context.Context, filter *EventFilter, order EventOrder, args page.Args) (*EventConnection, error) {
	narrowed, err := s.askEvents(ctx, filter, (*EventFilter).check)
	if err != nil {
		return nil, err
	}
	return s.eventPage(ctx, narrowed, order, args)
}

// askEvents opens a use-case that shows events: it gives the filter, which may
// be nil, as the storage's and within what the caller may see.
func (s *Service) askEvents(ctx context.Context, filter *EventFilter, check func(*EventFilter) error) (storage.EntryFilter, error) {
	who, err := s.authorizeEvents(ctx)
	if err != nil {
		return storage.EntryFilter{}, err
	}
	if filter == nil {
		filter = &EventFilter{}
	}
	if err := check(filter); err != nil {
		return storage.EntryFilter{}, err
	}
	return s.eventFilter(ctx, who, filter)
}

// EventsOf lists the events of a license and its seats.
func (s *Service) EventsOf(ctx context.Context, v *LicenseView, order EventOrder, args page.Args) (*EventConnection, error) {
	who, err := s.authorizeEvents(ctx)
	if err != nil {
		return nil, err
	}
	if !who.sees(v.License.ProductID) {
		return nil, s.refuse(ctx, authz.EventRead, v.License.ProductID)
	}
	return s.eventPage(ctx, storage.EntryFilter{Products: who.products, Subjects: []string{v.ID()}}, order, args)
}

func (s *Service) authorizeEvents(ctx context.Context) (caller, error) {
	who, err := s.authorize(ctx, authz.EventRead)
	if err == nil && s.journal == nil {
		err = errNoJournal()
	}
	return who, err
}

func errNoJournal() error {
	return fault.Errorf(fault.Unavailable, "this server keeps no journal")
}

// eventPage gives a page of the log. An entry that cannot be decoded is left
// out: what lies behind it is shown all the same.
func (s *Service) eventPage(ctx context.Context, filter storage.EntryFilter, order EventOrder, args page.Args) (*EventConnection, error) {
	q := storage.EntryQuery{Filter: filter, Newest: order == NewestFirst}
	var err error
	if q.First, q.After, err = s.eventPlace(ctx, args); err != nil {
		return nil, err
	}
	if q.After == nil || !q.Newest {
		if _, err := s.journal.Sync(ctx); err != nil {
			return nil, err
		}
	}
	found, err := s.journal.Entries(ctx, q)
	if err != nil {
		return nil, err
	}
	c := &EventConnection{Nodes: s.eventViews(ctx, found.Entries), PageInfo: page.Info{HasNextPage: found.More}}
	if n := len(found.Entries); n > 0 {
		end := s.journal.CursorAt(found.Entries[n-1].Index)
		c.PageInfo.EndCursor = &end
	}
	return c, nil
}

// eventPlace gives the size of a page and the index that it begins behind. The
// cursors of events are places in the log, whatever the question.
func (s *Service) eventPlace(ctx context.Context, args page.Args) (first int, after *int64, err error) {
	first, _, err = page.Args{First: args.First}.Start("")
	if err != nil || args.After == nil {
		return first, nil, err
	}
	index, err := s.journal.Place(ctx, *args.After)
	return first, &index, err
}

func (s *Service) eventViews(ctx context.Context, entries []storage.Logged) []*EventView {
	views := make([]*EventView, 0, len(entries))
	var ids []string
	for _, one := range entries {
		entry, err := journal.Decode(one.Entry)
		if err != nil {
			s.log.ErrorContext(ctx, "an entry of the journal cannot be read", "index", one.Index, "error", err)
			continue
		}
		views = append(views, &EventView{Entry: entry, Index: one.Index, LoggedAt: one.At, journal: s.journal})
		ids = append(ids, entry.Record())
	}
	whole := s.look(ctx, ids...)
	for _, v := range views {
		v.look = func(context.Context) *glance { return whole }
	}
	return views
}

// JournalView is the journal as a whole.
type JournalView struct {
	Size       int64
	RootHash   string // base64
	Checkpoint *string
}

// Journal shows the journal with all that was committed before it is asked
// for. It is of all products, and for callers of all of them.
func (s *Service) Journal(ctx context.Context) (*JournalView, error) {
	who, err := s.authorize(ctx, authz.JournalRead)
	switch {
	case err != nil:
		return nil, err
	case !who.scope.All():
		return nil, s.refuse(ctx, authz.JournalRead, "")
	case s.journal == nil:
		return nil, errNoJournal()
	}
	state, err := s.journal.Sync(ctx)
	if err != nil {
		return nil, err
	}
	v := &JournalView{Size: state.Size, RootHash: base64.StdEncoding.EncodeToString(state.Root[:])}
	if s.checkpoint != nil {
		v.Checkpoint = orNull(s.checkpoint())
	}
	return v, nil
}
