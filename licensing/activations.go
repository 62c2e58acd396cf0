package licensing

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/page"
)

// ActivationView is a seat as staff see it.
type ActivationView struct {
	License *LicenseView
	seat    license.Activation
	place   string // among the seats of the license
}

// ActivationConnection is a page of seats.
type ActivationConnection = page.Connection[*ActivationView]

// ID is the seat's id.
func (v *ActivationView) ID() string { return v.seat.ID }

// Kind is what holds the seat.
func (v *ActivationView) Kind() license.SeatKind { return v.seat.Kind }

// Subject is the machine's fingerprint or the domain, as the client sent it.
func (v *ActivationView) Subject() string { return v.seat.Subject }

// Holder is the subject as the domain compares it.
func (v *ActivationView) Holder() license.Subject { return v.seat.Holder() }

// Name is what the program called the machine.
func (v *ActivationView) Name() *string { return orNull(v.seat.Name) }

// Platform is what the program said it runs on.
func (v *ActivationView) Platform() *string { return orNull(v.seat.Platform) }

// CreatedAt is when the seat was taken.
func (v *ActivationView) CreatedAt() time.Time { return v.seat.CreatedAt }

// LastSeenAt is when the seat was last taken or renewed.
func (v *ActivationView) LastSeenAt() time.Time { return v.seat.LastSeenAt }

// LeaseUntil is when the seat is free again by itself.
func (v *ActivationView) LeaseUntil() *time.Time { return timeOrNull(v.seat.LeaseUntil) }

// OfflineUntil is how long a signed license is out for the seat.
func (v *ActivationView) OfflineUntil() *time.Time { return timeOrNull(v.seat.OfflineUntil) }

// Activations lists the seats that are held, of one kind or of both, in the
// order in which they were taken.
func (v *LicenseView) Activations(kind *license.SeatKind, first int, after *string) (*ActivationConnection, error) {
	question := "activations of " + v.ID()
	if kind != nil {
		question += " of kind " + string(*kind)
	}
	most, from, err := page.Args{First: first, After: after}.Start(question)
	if err != nil {
		return nil, err
	}
	held := make([]*ActivationView, 0, len(v.License.Seats))
	for _, seat := range v.License.Seats {
		one := &ActivationView{License: v, seat: seat, place: seatPlace(seat)}
		if (kind == nil || seat.Kind == *kind) && seat.HeldAt(v.Plan.Plan, v.At) && one.place > from {
			held = append(held, one)
		}
	}
	slices.SortFunc(held, func(a, b *ActivationView) int { return cmp.Compare(a.place, b.place) })
	shown, end := held[:min(most, len(held))], ""
	if len(shown) > 0 {
		end = shown[len(shown)-1].place
	}
	return page.New(question, shown, end, len(held) > len(shown)), nil
}

// seatPlace is where a seat stands among those of its license.
func seatPlace(a license.Activation) string {
	return fmt.Sprintf("%016x%s", a.CreatedAt.UnixMilli(), strings.TrimPrefix(a.ID, license.ActivationPrefix))
}

// RemoveActivationInput is the input of removeActivation.
type RemoveActivationInput struct {
	License        string
	Activation     string
	IdempotencyKey *string
}

// RemoveActivationPayload is the result of removeActivation.
type RemoveActivationPayload struct {
	License             *LicenseView
	RemovedActivationID string
}

// RemoveActivation frees a seat, whoever holds it and whatever is out for it.
// Errors: NotFound where the license has no such seat.
func (s *Service) RemoveActivation(ctx context.Context, in RemoveActivationInput) (*RemoveActivationPayload, error) {
	view, err := s.changeLicense(ctx, edit{
		action: authz.LicenseUpdate, operation: "removeActivation", id: in.License, input: in,
		idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.License], _ *LicenseView) (journal.Type, error) {
		seat := d.entity.RemoveSeat(in.Activation)
		if seat == nil {
			return "", fault.Errorf(fault.NotFound, "activation not found")
		}
		d.seats.freed(*seat, nil)
		return "", nil
	})
	if err != nil {
		return nil, err
	}
	return &RemoveActivationPayload{License: view, RemovedActivationID: in.Activation}, nil
}
