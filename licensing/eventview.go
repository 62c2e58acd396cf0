package licensing

import (
	"context"
	"encoding/json"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/journal"
)

// EventView is an entry of the journal as staff see it.
type EventView struct {
	Entry    journal.Entry
	Index    int64
	LoggedAt time.Time
	journal  Journal
	look     func(context.Context) *glance // at the record that it is about
}

// ID is the entry's id.
func (v *EventView) ID() string { return v.Entry.ID }

// Cursor is the event's place.
func (v *EventView) Cursor() string { return v.journal.CursorAt(v.Index) }

// Type says what happened.
func (v *EventView) Type() string { return string(v.Entry.Type) }

// Version is that of the shape of the data.
func (v *EventView) Version() int { return v.Entry.Version }

// At is when it happened.
func (v *EventView) At() time.Time { return v.Entry.At }

// Actor is who did it.
func (v *EventView) Actor() *actor.Actor { return &v.Entry.Actor }

// Subject is the id of what changed.
func (v *EventView) Subject() *string { return orNull(v.Entry.Subject) }

// Revision is the record's after the change.
func (v *EventView) Revision() *int {
	if v.Entry.Revision == 0 {
		return nil
	}
	n := int(v.Entry.Revision)
	return &n
}

// ProductID is the id of the product that it belongs to.
func (v *EventView) ProductID() *string { return orNull(v.Entry.Product) }

// LicenseID is the id of the license that it belongs to.
func (v *EventView) LicenseID() *string { return orNull(v.Entry.License) }

// RequestID is the id of the request that made it.
func (v *EventView) RequestID() *string { return orNull(v.Entry.Request) }

// EventLicense gives the license that an event belongs to as it is now, nil
// where there is none.
func (s *Service) EventLicense(ctx context.Context, v *EventView) (*LicenseView, error) {
	if err := s.mayRead(ctx, v); err != nil || v.Entry.License == "" {
		return nil, err
	}
	return v.look(ctx).license(v.Entry.License)
}

// EventData gives the data of an event, with personal values as they are now.
func (s *Service) EventData(ctx context.Context, v *EventView) (json.RawMessage, error) {
	if err := s.mayRead(ctx, v); err != nil {
		return nil, err
	}
	return v.look(ctx).data(v)
}

// mayRead judges what an event tells beyond that it happened.
func (s *Service) mayRead(ctx context.Context, v *EventView) error {
	who, err := s.authorize(ctx, authz.LicenseRead)
	if err == nil && !who.sees(v.Entry.Product) {
		err = s.refuse(ctx, authz.LicenseRead, v.Entry.Product)
	}
	return err
}
