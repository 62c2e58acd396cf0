package licensing

import (
	"context"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// maxFound bounds a search: who sees more types on.
const maxFound = 50

// SearchLicenses gives the licenses that are found by what begins with the
// text, best first: those for which it is the whole of that, then the rest in
// the order of the alphabet, and of what several have the newest. Errors:
// InvalidInput for a text that is too short or too long, NotFound for a product
// that the caller cannot see.
func (s *Service) SearchLicenses(ctx context.Context, text string, product *string) ([]*LicenseView, error) {
	who, err := s.authorize(ctx, authz.LicenseRead)
	if err != nil {
		return nil, err
	}
	prefix, err := license.SearchText(text)
	if err != nil {
		return nil, err
	}
	q := storage.SearchQuery{Kind: storage.License, Prefix: prefix, Products: who.products, First: maxFound}
	if product != nil {
		if q.Products, err = s.oneProduct(ctx, who, *product); err != nil {
			return nil, err
		}
	}
	now := s.now()
	stored, err := s.store.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	found := make([]*license.License, len(stored))
	for i := range stored {
		if found[i], err = decodeLicense(stored[i]); err != nil {
			return nil, err
		}
	}
	return s.views(ctx, now, found...)
}

// oneProduct narrows what is asked for to a product, by its id or code.
func (s *Service) oneProduct(ctx context.Context, who caller, given string) ([]string, error) {
	id := productID(given)
	if _, err := s.read(ctx, who, storage.Product, id); err != nil {
		return nil, err
	}
	return []string{id}, nil
}
