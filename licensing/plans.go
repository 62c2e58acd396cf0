package licensing

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// PlanView is a plan with its product.
type PlanView struct {
	*license.Plan
	Product *license.Product
}

// Metadata is the vendor's own.
func (v *PlanView) Metadata() license.Metadata { return license.OrEmpty(v.Plan.Metadata) }

// PlanConnection is a page of plans.
type PlanConnection = page.Connection[*PlanView]

// EntitlementInput is an entitlement as it is given.
type EntitlementInput = license.Entitlement

// CreatePlanInput is the input of createPlan.
type CreatePlanInput struct {
	Product            string
	Code               string
	Name               string
	Duration           *license.Duration
	ExpiryBasis        license.ExpiryBasis
	RenewalBasis       license.RenewalBasis
	Grace              *license.Duration
	MaxMachines        *int
	MaxDomains         *int
	OveragePercent     int
	LeaseDuration      *license.Duration
	RequireFingerprint *bool
	RequireDomain      *bool
	RequireProduct     bool
	CheckInInterval    *license.Duration
	MaxOfflineDuration *license.Duration
	Entitlements       []EntitlementInput
	Metadata           license.Metadata
	IdempotencyKey     *string
}

// CreatePlanPayload is the result of createPlan.
type CreatePlanPayload struct {
	Plan *PlanView
}

// CreatePlan makes a plan of a product. Its code, with the product, makes its
// id, and so is unique there.
func (s *Service) CreatePlan(ctx context.Context, in CreatePlanInput) (*CreatePlanPayload, error) {
	who, err := s.authorize(ctx, authz.PlanWrite)
	if err != nil {
		return nil, err
	}
	key, err := checkIdempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	in.Product = productID(in.Product)
	product, err := s.readProduct(ctx, who, in.Product)
	if err != nil {
		return nil, err
	}
	if err := s.mayRequireProduct(ctx, true, in.RequireProduct); err != nil {
		return nil, err
	}
	var refusal error
	if product.Archived {
		refusal = fault.Clash(fault.State, product.ID, "the product is archived")
	}
	now := s.now()
	plan := &license.Plan{
		ID: license.PlanID(product.ID, in.Code), ProductID: product.ID, Code: in.Code, Name: in.Name,
		Duration: in.Duration, ExpiryBasis: in.ExpiryBasis, RenewalBasis: in.RenewalBasis,
		Grace: in.Grace, MaxMachines: in.MaxMachines, MaxDomains: in.MaxDomains,
		OveragePercent: in.OveragePercent, LeaseDuration: in.LeaseDuration,
		RequireFingerprint: in.RequireFingerprint, RequireDomain: in.RequireDomain,
		RequireProduct: in.RequireProduct, CheckInInterval: in.CheckInInterval,
		MaxOfflineDuration: in.MaxOfflineDuration, Entitlements: in.Entitlements, Metadata: in.Metadata,
		Revision: 1, CreatedBy: who.Actor, CreatedAt: now, UpdatedAt: now,
	}
	if err := plan.Check(); err != nil {
		return nil, err
	}
	const name = "createPlan"
	if plan.InputDigest, err = s.madeBy(making{key: key}, name, in); err != nil {
		return nil, err
	}
	made, err := create(ctx, s, plans, who, creation[license.Plan]{
		operation: name, key: key, product: product.ID, event: journal.PlanCreated, input: in, entity: plan, refusal: refusal,
	})
	if err != nil {
		return nil, err
	}
	return &CreatePlanPayload{Plan: &PlanView{Plan: made, Product: product}}, nil
}

// PlanField names a field of a plan that can be emptied.
type PlanField string

// The fields of a plan that can be emptied.
const (
	PlanDuration           PlanField = "DURATION"
	PlanGrace              PlanField = "GRACE"
	PlanMaxMachines        PlanField = "MAX_MACHINES"
	PlanMaxDomains         PlanField = "MAX_DOMAINS"
	PlanRequireFingerprint PlanField = "REQUIRE_FINGERPRINT"
	PlanRequireDomain      PlanField = "REQUIRE_DOMAIN"
	PlanLeaseDuration      PlanField = "LEASE_DURATION"
	PlanCheckInInterval    PlanField = "CHECK_IN_INTERVAL"
	PlanMaxOfflineDuration PlanField = "MAX_OFFLINE_DURATION"
)

// UpdatePlanInput is the input of updatePlan; nil leaves a field as it is,
// and Clear empties it.
type UpdatePlanInput struct {
	Plan               string
	Name               *string
	Duration           *license.Duration
	ExpiryBasis        *license.ExpiryBasis
	RenewalBasis       *license.RenewalBasis
	Grace              *license.Duration
	MaxMachines        *int
	MaxDomains         *int
	OveragePercent     *int
	LeaseDuration      *license.Duration
	RequireFingerprint *bool
	RequireDomain      *bool
	RequireProduct     *bool
	CheckInInterval    *license.Duration
	MaxOfflineDuration *license.Duration
	Entitlements       []EntitlementInput
	Metadata           license.Metadata
	Archived           *bool
	Clear              []PlanField
	Revision           *int
	IdempotencyKey     *string
}

// UpdatePlanPayload is the result of updatePlan.
type UpdatePlanPayload struct {
	Plan *PlanView
}

// UpdatePlan changes a plan, and with it at once the terms of every license
// that does not override them.
func (s *Service) UpdatePlan(ctx context.Context, in UpdatePlanInput) (*UpdatePlanPayload, error) {
	in.Plan = planID(in.Plan)
	var view *PlanView // read before the commit, which is not to end in an error
	changed, err := apply(ctx, s, plans, edit{
		action: authz.PlanWrite, operation: "updatePlan", id: in.Plan, input: in,
		revision: in.Revision, idempotencyKey: in.IdempotencyKey,
	}, func(d draft[license.Plan]) (what journal.Type, err error) {
		if view, err = s.planView(ctx, d.entity); err != nil {
			return "", err
		}
		required, before := d.entity.RequireProduct, *d.entity
		err = errors.Join(in.applyTo(d.entity), d.entity.Check())
		if !d.entity.DueAs(&before) {
			d.entity.Due = d.at.Add(settledAfter)
		}
		if err == nil {
			err = s.mayRequireProduct(ctx, required, d.entity.RequireProduct)
		}
		return journal.PlanUpdated, err
	})
	if err == nil && view == nil { // done before
		view, err = s.planView(ctx, changed)
	}
	if err != nil {
		return nil, err
	}
	view.Plan = changed
	return &UpdatePlanPayload{Plan: view}, nil
}

// mayRequireProduct judges a change of requireProduct. Where a program need not
// say of which product it is, any other product's takes the key: to let that
// be is for whoever may write all products.
func (s *Service) mayRequireProduct(ctx context.Context, was, is bool) error {
	if is || !was {
		return nil
	}
	who, err := s.authorize(ctx, authz.ProductWrite)
	if err == nil && !who.scope.All() {
		err = s.refuse(ctx, authz.ProductWrite, "")
	}
	return err
}

func (in UpdatePlanInput) applyTo(p *license.Plan) error {
	replace(&p.Name, in.Name)
	replace(&p.ExpiryBasis, in.ExpiryBasis)
	replace(&p.RenewalBasis, in.RenewalBasis)
	replace(&p.OveragePercent, in.OveragePercent)
	replace(&p.RequireProduct, in.RequireProduct)
	replace(&p.Archived, in.Archived)
	if in.Entitlements != nil {
		p.Entitlements = in.Entitlements
	}
	if in.Metadata != nil {
		p.Metadata = in.Metadata
	}
	clear := func(f PlanField) bool { return slices.Contains(in.Clear, f) }
	ok := replaceOrClear(&p.Duration, in.Duration, clear(PlanDuration)) &&
		replaceOrClear(&p.Grace, in.Grace, clear(PlanGrace)) &&
		replaceOrClear(&p.MaxMachines, in.MaxMachines, clear(PlanMaxMachines)) &&
		replaceOrClear(&p.MaxDomains, in.MaxDomains, clear(PlanMaxDomains)) &&
		replaceOrClear(&p.RequireFingerprint, in.RequireFingerprint, clear(PlanRequireFingerprint)) &&
		replaceOrClear(&p.RequireDomain, in.RequireDomain, clear(PlanRequireDomain)) &&
		replaceOrClear(&p.LeaseDuration, in.LeaseDuration, clear(PlanLeaseDuration)) &&
		replaceOrClear(&p.CheckInInterval, in.CheckInInterval, clear(PlanCheckInInterval)) &&
		replaceOrClear(&p.MaxOfflineDuration, in.MaxOfflineDuration, clear(PlanMaxOfflineDuration))
	if !ok {
		return fault.Invalid("clear", "clear names a field that the input also sets")
	}
	return nil
}

// replaceOrClear sets an optional field to what an update gives, or empties
// it; it reports false where the update asks for both.
func replaceOrClear[T any](field **T, given *T, clear bool) bool {
	switch {
	case clear && given != nil:
		return false
	case clear:
		*field = nil
	case given != nil:
		*field = given
	}
	return true
}

// Plan gives the plan of this id, or of these codes: PRODUCT/PLAN.
func (s *Service) Plan(ctx context.Context, ref string) (*PlanView, error) {
	who, err := s.authorize(ctx, authz.PlanRead)
	if err != nil {
		return nil, err
	}
	return s.readPlan(ctx, who, planID(ref))
}

// readPlan gives a plan that the caller may see.
func (s *Service) readPlan(ctx context.Context, who caller, id string) (*PlanView, error) {
	stored, err := s.read(ctx, who, storage.Plan, id)
	if err != nil {
		return nil, err
	}
	plan, err := decodePlan(stored)
	if err != nil {
		return nil, err
	}
	return s.planView(ctx, plan)
}

// PlansOf lists a product's plans that are archived, or those that are not, in
// the order in which they were made.
func (s *Service) PlansOf(ctx context.Context, product *license.Product, isArchived bool, args page.Args) (*PlanConnection, error) {
	who, err := s.authorize(ctx, authz.PlanRead)
	if err != nil {
		return nil, err
	}
	if !who.sees(product.ID) {
		return nil, s.refuse(ctx, authz.PlanRead, product.ID)
	}
	q := storage.Query{
		Kind: storage.Plan, Order: storage.CreatedOldest,
		Filter: storage.Filter{Products: []string{product.ID}, State: catalogState(isArchived)},
	}
	return list(ctx, s, q, q, args, func(stored *storage.Stored) (*PlanView, error) {
		plan, err := decodePlan(stored)
		return &PlanView{Plan: plan, Product: product}, err
	})
}

// planID gives the id that a reference means: an id, or PRODUCT/PLAN codes.
func planID(ref string) string {
	if id.Valid(license.PlanPrefix, ref) {
		return ref
	}
	product, plan, _ := strings.Cut(ref, "/")
	return license.PlanID(productID(product), plan)
}

// planView adds a plan's product.
func (s *Service) planView(ctx context.Context, plan *license.Plan) (*PlanView, error) {
	stored, err := storage.One(ctx, s.store, storage.Product, plan.ProductID)
	if err != nil {
		return nil, err
	}
	product, err := decodeProduct(stored)
	return &PlanView{Plan: plan, Product: product}, err
}
