package licensing

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

// The bounds of an EventFilter.
const (
	maxEventTypes = 20
	maxEventType  = 100 // bytes
)

// EventFilter narrows events; all that it names must hold.
type EventFilter struct {
	Types   []string
	Product *string
	License *string
	Subject *string
	Actor   *string
	From    *time.Time
	To      *time.Time
}

// eventType is a type's name, or a family of them.
var eventType = regexp.MustCompile(`^[a-z][a-z0-9_]*\.(\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?)$`)

func (f *EventFilter) check() error {
	bad := []error{
		notEmpty("filter.product", f.Product), notEmpty("filter.license", f.License),
		checkName("filter.subject", f.Subject, storage.MaxID), checkName("filter.actor", f.Actor, storage.MaxName),
	}
	switch n := len(f.Types); {
	case f.Types != nil && n == 0:
		bad = append(bad, fault.Invalid("filter.types", "filter.types must not be empty: leave it out"))
	case n > maxEventTypes:
		bad = append(bad, fault.Invalid("filter.types", "filter.types has at most %d types", maxEventTypes))
	default:
		for i, name := range f.Types {
			if len(name) > maxEventType || !eventType.MatchString(name) {
				bad = append(bad, fault.Invalid(fmt.Sprintf("filter.types.%d", i), "a type is such as license.created, or license.* for all of a family"))
			}
		}
	}
	return errors.Join(bad...)
}

// checkName refuses what nothing can have as its name.
func checkName(field string, given *string, longest int) error {
	if given != nil && len(*given) > longest {
		return fault.Invalid(field, "%s has at most %d bytes", field, longest)
	}
	return notEmpty(field, given)
}

// checkLive refuses what makes no sense for events that are yet to come.
func (f *EventFilter) checkLive() error {
	bad := []error{f.check()}
	for field, given := range map[string]*time.Time{"filter.from": f.From, "filter.to": f.To} {
		if given != nil {
			bad = append(bad, fault.Invalid(field, "%s is not for subscriptions: give after, the cursor of an event", field))
		}
	}
	return errors.Join(bad...)
}

// eventFilter is a filter that was checked as storage takes it, within what
// the caller may see.
func (s *Service) eventFilter(ctx context.Context, who caller, f *EventFilter) (storage.EntryFilter, error) {
	narrowed := storage.EntryFilter{
		Types: f.Types, Products: who.products, Actor: text(f.Actor), From: orZero(f.From), To: orZero(f.To),
	}
	if f.Product != nil {
		var err error
		if narrowed.Products, err = s.oneProduct(ctx, who, *f.Product); err != nil {
			return narrowed, err
		}
	}
	if f.License != nil {
		if _, err := s.read(ctx, who, storage.License, *f.License); err != nil {
			return narrowed, err
		}
	}
	for _, id := range []*string{f.License, f.Subject} {
		if id != nil && !slices.Contains(narrowed.Subjects, *id) {
			narrowed.Subjects = append(narrowed.Subjects, *id)
		}
	}
	return narrowed, nil
}
