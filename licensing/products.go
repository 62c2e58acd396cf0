package licensing

import (
	"context"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// ProductConnection is a page of products.
type ProductConnection = page.Connection[*license.Product]

// CreateProductInput is the input of createProduct.
type CreateProductInput struct {
	Code           string
	Name           string
	KeyPrefix      string
	Metadata       license.Metadata
	IdempotencyKey *string
}

// CreateProductPayload is the result of createProduct.
type CreateProductPayload struct {
	Product *license.Product
}

// CreateProduct makes a product. Its code makes its id, and so is unique.
func (s *Service) CreateProduct(ctx context.Context, in CreateProductInput) (*CreateProductPayload, error) {
	who, err := s.authorize(ctx, authz.ProductWrite)
	if err != nil {
		return nil, err
	}
	if !who.scope.Has(in.Code) {
		return nil, s.refuse(ctx, authz.ProductWrite, "") // there may be no such product
	}
	key, err := checkIdempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	now := s.now()
	product := &license.Product{
		ID: license.ProductID(in.Code), Code: in.Code, Name: in.Name, KeyPrefix: in.KeyPrefix,
		Metadata: in.Metadata, Revision: 1, CreatedBy: who.Actor, CreatedAt: now, UpdatedAt: now,
	}
	if err := product.Check(); err != nil {
		return nil, err
	}
	const name = "createProduct"
	if product.InputDigest, err = s.madeBy(making{key: key}, name, in); err != nil {
		return nil, err
	}
	made, err := create(ctx, s, products, who, creation[license.Product]{
		operation: name, key: key, event: journal.ProductCreated, input: in, entity: product,
	})
	if err != nil {
		return nil, err
	}
	s.prefixes.forget()
	return &CreateProductPayload{Product: made}, nil
}

// UpdateProductInput is the input of updateProduct; nil leaves a field as it
// is.
type UpdateProductInput struct {
	Product        string
	Name           *string
	Metadata       license.Metadata
	Archived       *bool
	Revision       *int
	IdempotencyKey *string
}

// UpdateProductPayload is the result of updateProduct.
type UpdateProductPayload struct {
	Product *license.Product
}

// UpdateProduct changes a product.
func (s *Service) UpdateProduct(ctx context.Context, in UpdateProductInput) (*UpdateProductPayload, error) {
	in.Product = productID(in.Product)
	changed, err := apply(ctx, s, products, edit{
		action: authz.ProductWrite, operation: "updateProduct", id: in.Product, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.Product]) (journal.Type, error) {
		replace(&d.entity.Name, in.Name)
		replace(&d.entity.Archived, in.Archived)
		if in.Metadata != nil {
			d.entity.Metadata = in.Metadata
		}
		return journal.ProductUpdated, d.entity.Check()
	})
	if err != nil {
		return nil, err
	}
	return &UpdateProductPayload{Product: changed}, nil
}

// Product gives the product of this id or code.
func (s *Service) Product(ctx context.Context, ref string) (*license.Product, error) {
	who, err := s.authorize(ctx, authz.ProductRead)
	if err != nil {
		return nil, err
	}
	return s.readProduct(ctx, who, productID(ref))
}

// readProduct gives a product that the caller may see.
func (s *Service) readProduct(ctx context.Context, who caller, id string) (*license.Product, error) {
	stored, err := s.read(ctx, who, storage.Product, id)
	if err != nil {
		return nil, err
	}
	return decodeProduct(stored)
}

// Products lists the products that are archived, or those that are not, in
// the order in which they were made.
func (s *Service) Products(ctx context.Context, isArchived bool, args page.Args) (*ProductConnection, error) {
	who, err := s.authorize(ctx, authz.ProductRead)
	if err != nil {
		return nil, err
	}
	q := storage.Query{
		Kind: storage.Product, Order: storage.CreatedOldest,
		Filter: storage.Filter{Products: who.products, State: catalogState(isArchived)},
	}
	return list(ctx, s, q, q, args, decodeProduct)
}

// productID gives the id that a reference means: an id, or a product's code.
func productID(ref string) string {
	if id.Valid(license.ProductPrefix, ref) {
		return ref
	}
	return license.ProductID(ref)
}

// replace sets a field to what an update gives, if it does.
func replace[T any](field *T, given *T) {
	if given != nil {
		*field = *given
	}
}
