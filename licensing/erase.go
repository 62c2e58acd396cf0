package licensing

import (
	"context"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// maxErasures is how often the licenses of a customer are looked for, since
// more may be issued meanwhile.
const maxErasures = 10

// EraseCustomerInput is the input of eraseCustomer: exactly one of them.
type EraseCustomerInput struct {
	Email      *string
	ExternalID *string
	License    *string
}

// EraseCustomerPayload is the result of eraseCustomer.
type EraseCustomerPayload struct {
	Licenses int
}

// EraseCustomer empties the customer of a license, or of every license of a
// customer, one after another; the license stays what it is. Whoever may not
// on the product of one of them is Denied, and nothing is erased. After an
// error some may be done already, and the same call does the rest.
func (s *Service) EraseCustomer(ctx context.Context, in EraseCustomerInput) (*EraseCustomerPayload, error) {
	who, err := s.authorize(ctx, authz.CustomerErase)
	if err != nil {
		return nil, err
	}
	of, err := in.customer()
	if err != nil {
		return nil, err
	}
	if in.License == nil {
		return s.eraseAll(ctx, who, of)
	}
	if _, err := s.read(ctx, who, storage.License, *in.License); err != nil {
		return nil, err
	}
	erased, err := s.eraseOne(ctx, who, *in.License, of)
	if err != nil {
		return nil, err
	}
	return &EraseCustomerPayload{Licenses: erased}, nil
}

// customer gives the filter of the customer's licenses; it names nobody where
// one license is named instead.
func (in EraseCustomerInput) customer() (storage.Filter, error) {
	if count(in.Email != nil, in.ExternalID != nil, in.License != nil) != 1 {
		return storage.Filter{}, fault.Invalid("email", "give exactly one of email, externalId and license")
	}
	if err := notEmpty("email", in.Email); err != nil {
		return storage.Filter{}, err
	}
	if err := notEmpty("externalId", in.ExternalID); err != nil {
		return storage.Filter{}, err
	}
	return storage.Filter{CustomerEmail: indexedEmail(text(in.Email)), CustomerExternalID: text(in.ExternalID)}, nil
}

// eraseAll erases until none of the customer's licenses is found any more.
func (s *Service) eraseAll(ctx context.Context, who caller, of storage.Filter) (*EraseCustomerPayload, error) {
	payload := &EraseCustomerPayload{}
	for range maxErasures {
		ids, err := s.licensesOf(ctx, who, of)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return payload, nil
		}
		for _, id := range ids {
			erased, err := s.eraseOne(ctx, who, id, of)
			if err != nil {
				return nil, err
			}
			payload.Licenses += erased
		}
	}
	return nil, fault.Errorf(fault.Unavailable, "licenses of this customer are being issued meanwhile: stop that, and ask again")
}

// licensesOf gives the ids of all licenses of a customer, whatever their
// product. Errors: Denied where the caller may not erase on one of these.
func (s *Service) licensesOf(ctx context.Context, who caller, of storage.Filter) ([]string, error) {
	var ids []string
	q := storage.Query{Kind: storage.License, Filter: of, Order: storage.CreatedOldest, First: page.MaxFirst}
	for {
		found, err := s.store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, stored := range found.Records {
			if !who.sees(stored.Index.Product) {
				return nil, s.refuse(ctx, authz.CustomerErase, stored.Index.Product)
			}
			ids = append(ids, stored.ID)
		}
		if !found.More {
			return ids, nil
		}
		q.After = found.End
	}
}

// eraseOne empties the customer of a license, unless it has none, or is by now
// another's than the filter names. It says how many licenses that were.
func (s *Service) eraseOne(ctx context.Context, who caller, id string, of storage.Filter) (erased int, err error) {
	err = retry(ctx, func() error {
		stored, err := s.read(ctx, who, storage.License, id)
		if err != nil {
			return err
		}
		l, err := decodeLicense(stored)
		if err != nil {
			return err
		}
		x := stored.Index
		another := of.CustomerEmail != "" && x.CustomerEmail != of.CustomerEmail ||
			of.CustomerExternalID != "" && x.CustomerExternalID != of.CustomerExternalID
		if another || l.Customer == (license.Customer{}) {
			return nil
		}
		d := draft[license.License]{Stored: stored, entity: l, by: who, at: s.now(), seats: &seatChanges{}}
		err = applyOnce(ctx, s, licenses, operation{}, d, func(d draft[license.License]) (journal.Type, error) {
			d.entity.Customer = license.Customer{}
			return journal.LicenseErased, nil
		})
		if err == nil {
			erased = 1
		}
		return err
	})
	return erased, err
}
