package licensing

import (
	"context"
	"errors"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// LicenseConnection is a page of licenses.
type LicenseConnection = page.Connection[*LicenseView]

// LicenseOrder is an order of licenses.
type LicenseOrder string

// The orders of licenses.
const (
	CreatedNewest  LicenseOrder = "CREATED_NEWEST"
	CreatedOldest  LicenseOrder = "CREATED_OLDEST"
	ExpiresSoonest LicenseOrder = "EXPIRES_SOONEST"
)

// LicenseFilter narrows a list of licenses; see check for what goes together.
type LicenseFilter struct {
	Product            *string
	Plan               *string
	Status             *license.Status
	ExternalID         *string
	CustomerEmail      *string
	CustomerExternalID *string
	ExpiresAfter       *time.Time
	ExpiresBefore      *time.Time
	CreatedAfter       *time.Time
	CreatedBefore      *time.Time
}

// License gives the license of this id, or of this key: exactly one of them.
func (s *Service) License(ctx context.Context, id, keyText *string) (*LicenseView, error) {
	who, err := s.authorize(ctx, authz.LicenseRead)
	if err != nil {
		return nil, err
	}
	if (id == nil) == (keyText == nil) {
		return nil, fault.Invalid("id", "give exactly one of id and key")
	}
	if keyText != nil {
		return s.licenseByKey(ctx, who, *keyText)
	}
	stored, err := s.read(ctx, who, storage.License, *id)
	if err != nil {
		return nil, err
	}
	return s.viewOf(ctx, stored)
}

// licenseByKey serves support, when a customer reads a key out.
func (s *Service) licenseByKey(ctx context.Context, who caller, text string) (*LicenseView, error) {
	reading, err := s.ReadKey(ctx, text)
	if err != nil {
		return nil, err
	}
	if reading.Kind == key.Malformed || reading.Kind == key.Refused {
		return nil, fault.Invalid("key", "the key is mistyped")
	}
	for _, lookup := range Lookups(s.secrets, reading) {
		v, err := s.ByLookup(ctx, lookup)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if Counts(v.License, v.Product, reading, lookup, v.At) && who.sees(v.License.ProductID) {
			return v, nil
		}
	}
	return nil, fault.Errorf(fault.NotFound, "license not found")
}

// viewOf gives a license that is stored, with its plan and product, as of now.
func (s *Service) viewOf(ctx context.Context, stored *storage.Stored) (*LicenseView, error) {
	l, err := decodeLicense(stored)
	if err != nil {
		return nil, err
	}
	return s.view(ctx, l)
}

// view adds plan and product to a license as of now.
func (s *Service) view(ctx context.Context, l *license.License) (*LicenseView, error) {
	views, err := s.views(ctx, s.now(), l)
	if err != nil {
		return nil, err
	}
	return views[0], nil
}

// Licenses lists licenses. Errors: InvalidInput for a filter or an order that
// no index serves, NotFound for a product or plan that the caller cannot see.
func (s *Service) Licenses(ctx context.Context, filter *LicenseFilter, order LicenseOrder, args page.Args) (*LicenseConnection, error) {
	who, err := s.authorize(ctx, authz.LicenseRead)
	if err != nil {
		return nil, err
	}
	if filter == nil {
		filter = &LicenseFilter{}
	}
	if err := filter.check(order); err != nil {
		return nil, err
	}
	now := s.now()
	q, err := s.licenseQuery(ctx, who, filter, order, now)
	if err != nil {
		return nil, err
	}
	// The clock is no part of the question: the pages of a list by status go
	// by the time at which each is asked for.
	question := licenseQuestion{Filter: *filter, Order: order, Products: who.products}
	found, err := list(ctx, s, question, q, args, decodeLicense)
	if err != nil {
		return nil, err
	}
	views, err := s.views(ctx, now, found.Nodes...)
	if err != nil {
		return nil, err
	}
	return &LicenseConnection{Nodes: views, PageInfo: found.PageInfo}, nil
}

// check refuses what no index serves, and says what to ask for.
func (f *LicenseFilter) check(order LicenseOrder) error {
	if err := errors.Join(
		notEmpty("filter.externalId", f.ExternalID),
		notEmpty("filter.customerEmail", f.CustomerEmail),
		notEmpty("filter.customerExternalId", f.CustomerExternalID),
	); err != nil {
		return err
	}
	ends := f.ExpiresAfter != nil || f.ExpiresBefore != nil
	created := f.CreatedAfter != nil || f.CreatedBefore != nil
	names := count(f.ExternalID != nil, f.CustomerEmail != nil, f.CustomerExternalID != nil)
	switch {
	case f.Product != nil && f.Plan != nil:
		return fault.Invalid("filter.plan", "a plan belongs to one product: filter by plan or by product")
	case names > 1:
		return fault.Invalid("filter", "filter by one of externalId, customerEmail and customerExternalId")
	case names == 1 && (f.Plan != nil || f.Status != nil || ends || created):
		return fault.Invalid("filter", "externalId, customerEmail and customerExternalId go alone or with product")
	case order == ExpiresSoonest && (names > 0 || created):
		return fault.Invalid("orderBy", "EXPIRES_SOONEST goes with product, plan, status ACTIVE or EXPIRED, expiresAfter and expiresBefore; ask in order CREATED_NEWEST")
	case order != ExpiresSoonest && ends:
		return fault.Invalid("orderBy", "expiresAfter and expiresBefore go with the order EXPIRES_SOONEST")
	case f.Status != nil && created:
		return fault.Invalid("filter", "createdAfter and createdBefore go alone, with product or with plan")
	case f.Status != nil:
		return f.checkStatus(order)
	}
	return nil
}

// notEmpty refuses an empty text: to storage it is no filter, and everybody's
// licenses would be listed.
func notEmpty(field string, given *string) error {
	if given != nil && *given == "" {
		return fault.Invalid(field, "%s must not be empty: leave it out", field)
	}
	return nil
}

func (f *LicenseFilter) checkStatus(order LicenseOrder) error {
	switch *f.Status {
	case license.StatusSuspended, license.StatusRevoked:
		if order == ExpiresSoonest {
			return fault.Invalid("filter.status", "status %s goes with the orders CREATED_NEWEST and CREATED_OLDEST", *f.Status)
		}
	case license.StatusActive, license.StatusExpired:
		if order != ExpiresSoonest {
			return fault.Invalid("filter.status", "status %s goes with the order EXPIRES_SOONEST", *f.Status)
		}
	default:
		return fault.Invalid("filter.status", "there is no list of licenses by status %s", *f.Status)
	}
	return nil
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}

// licenseQuestion is what a cursor of licenses belongs to.
type licenseQuestion struct {
	Filter   LicenseFilter
	Order    LicenseOrder
	Products []string // that the caller may see; nil is all
}

var storageOrders = map[LicenseOrder]storage.Order{
	CreatedNewest:  storage.CreatedNewest,
	CreatedOldest:  storage.CreatedOldest,
	ExpiresSoonest: storage.EndsSoonest,
}

// licenseQuery is the filter at a time as storage takes it, within what the
// caller may see.
func (s *Service) licenseQuery(ctx context.Context, who caller, f *LicenseFilter, order LicenseOrder, now time.Time) (storage.Query, error) {
	q := storage.Query{Kind: storage.License, Order: storageOrders[order], Filter: storage.Filter{
		Products:           who.products,
		ExternalID:         text(f.ExternalID),
		CustomerEmail:      indexedEmail(text(f.CustomerEmail)),
		CustomerExternalID: text(f.CustomerExternalID),
		CreatedAfter:       orZero(f.CreatedAfter),
		CreatedBefore:      orZero(f.CreatedBefore),
		EndsAfter:          orZero(f.ExpiresAfter),
		EndsBefore:         orZero(f.ExpiresBefore),
	}}
	if f.Product != nil {
		var err error
		if q.Filter.Products, err = s.oneProduct(ctx, who, *f.Product); err != nil {
			return q, err
		}
	}
	if f.Plan != nil {
		q.Filter.Plan = planID(*f.Plan)
		if _, err := s.read(ctx, who, storage.Plan, q.Filter.Plan); err != nil {
			return q, err
		}
		q.Filter.Products = nil // the plan's own, which the caller sees
	}
	f.byStatus(&q.Filter, now)
	return q, nil
}

// byStatus adds the status to a query: it follows from the stored state and
// the clock.
func (f *LicenseFilter) byStatus(to *storage.Filter, now time.Time) {
	if f.Status == nil {
		return
	}
	switch *f.Status {
	case license.StatusSuspended:
		to.State = string(license.Suspended)
	case license.StatusRevoked:
		to.State = string(license.Revoked)
	case license.StatusActive:
		to.State, to.OpenAt = string(license.Issued), now
	case license.StatusExpired:
		to.State = string(license.Issued)
		if ended := now.Add(time.Millisecond); to.EndsBefore.IsZero() || ended.Before(to.EndsBefore) {
			to.EndsBefore = ended
		}
	}
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
