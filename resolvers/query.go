package resolvers

import (
	"context"

	"github.com/keywright/keywright/graph"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/validation"
)

type query root

var _ graph.QueryResolver = query{}

func (q query) Product(ctx context.Context, id string) (*license.Product, error) {
	return q.Licensing.Product(ctx, id)
}

func (q query) Products(ctx context.Context, archived bool, first int, after *string) (*licensing.ProductConnection, error) {
	return q.Licensing.Products(ctx, archived, page.Args{First: first, After: after})
}

func (q query) Plan(ctx context.Context, id string) (*licensing.PlanView, error) {
	return q.Licensing.Plan(ctx, id)
}

func (q query) License(ctx context.Context, id, key *string) (*licensing.LicenseView, error) {
	return q.Licensing.License(ctx, id, key)
}

func (q query) Licenses(ctx context.Context, filter *licensing.LicenseFilter, orderBy licensing.LicenseOrder, first int, after *string) (*licensing.LicenseConnection, error) {
	return q.Licensing.Licenses(ctx, filter, orderBy, page.Args{First: first, After: after})
}

func (q query) SearchLicenses(ctx context.Context, text string, product *string) ([]*licensing.LicenseView, error) {
	return q.Licensing.SearchLicenses(ctx, text, product)
}

func (q query) Events(ctx context.Context, filter *licensing.EventFilter, order licensing.EventOrder, first int, after *string) (*licensing.EventConnection, error) {
	return q.Licensing.Events(ctx, filter, order, page.Args{First: first, After: after})
}

func (q query) Journal(ctx context.Context) (*licensing.JournalView, error) {
	return q.Licensing.Journal(ctx)
}

func (q query) Validate(ctx context.Context, in validation.ValidateInput) (*validation.Validation, error) {
	return q.Validation.Validate(ctx, in)
}

func (q query) Explain(ctx context.Context, license string, in *validation.ExplainInput) (*validation.Validation, error) {
	return q.Validation.Explain(ctx, license, in)
}
