package licensing

import (
	"context"
	"fmt"
	"runtime/debug"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
)

// MaxBatch bounds the licenses of one issueLicenses.
const MaxBatch = 1_000

// maxIssuing bounds the licenses of a batch that are made at once: drivers
// group commits that wait together.
const maxIssuing = 256

// IssueLicensesInput is the input of issueLicenses.
type IssueLicensesInput struct {
	Licenses       []IssueLicenseInput
	IdempotencyKey *string
}

// IssueLicensesPayload is the result of issueLicenses.
type IssueLicensesPayload struct {
	Results []*IssueLicenseResult // in the order of the input
	Issued  int
	Failed  int
}

// IssueLicenseResult is one license of a batch and its key, or why there is
// none.
type IssueLicenseResult struct {
	License *LicenseView
	Key     *string
	Error   *IssueLicenseError
}

// IssueLicenseError says why a license of a batch was not issued. Of several
// bad fields it is about the first.
type IssueLicenseError struct {
	Code    string
	Message string
	Field   *string // its path in the license's own input
}

// IssueLicenses makes up to MaxBatch licenses, each for itself, as
// IssueLicense does. The idempotency key of one counts; one without makes do
// with the batch's, by its place in it. Once ctx has ended no further license
// is begun, and the answer tells what became of each. Errors: InvalidInput for
// none or too many.
func (s *Service) IssueLicenses(ctx context.Context, in IssueLicensesInput) (*IssueLicensesPayload, error) {
	who, err := s.authorize(ctx, authz.LicenseIssue)
	if err != nil {
		return nil, err
	}
	key, err := checkIdempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	if len(in.Licenses) == 0 || len(in.Licenses) > MaxBatch {
		return nil, fault.Invalid("licenses", "issue from 1 to %d licenses at once", MaxBatch)
	}
	b := batch{Service: s, who: who, key: key, plans: map[string]batchPlan{}}
	b.readPlans(ctx, in.Licenses)
	payload := &IssueLicensesPayload{Results: make([]*IssueLicenseResult, len(in.Licenses))}
	var group errgroup.Group
	group.SetLimit(maxIssuing)
	for i, one := range in.Licenses {
		group.Go(func() error {
			payload.Results[i] = b.result(ctx, one, i)
			return nil
		})
	}
	_ = group.Wait() // each result has its own error
	for _, r := range payload.Results {
		if r.Error == nil {
			payload.Issued++
		} else {
			payload.Failed++
		}
	}
	return payload, nil
}

// batch is what the licenses of one call have in common. It is not changed
// while they are made.
type batch struct {
	*Service
	who   caller
	key   string               // the batch's idempotency key
	plans map[string]batchPlan // by how they are referred to
}

// batchPlan is a plan, or why it could not be read.
type batchPlan struct {
	view *PlanView
	err  error
}

// readPlans reads the plan of each reference once.
func (b batch) readPlans(ctx context.Context, licenses []IssueLicenseInput) {
	for _, one := range licenses {
		if _, read := b.plans[one.Plan]; !read {
			view, err := b.readPlan(ctx, b.who, planID(one.Plan))
			b.plans[one.Plan] = batchPlan{view, err}
		}
	}
}

// result issues one license. A panic fails it alone: the others may have been
// committed, which is to be told.
func (b batch) result(ctx context.Context, in IssueLicenseInput, position int) (r *IssueLicenseResult) {
	defer func() {
		if p := recover(); p != nil {
			r = b.failed(ctx, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	payload, err := b.issueOne(ctx, in, position)
	if err != nil {
		return b.failed(ctx, err)
	}
	return &IssueLicenseResult{License: payload.License, Key: &payload.Key}
}

func (b batch) issueOne(ctx context.Context, in IssueLicenseInput, position int) (*IssueLicensePayload, error) {
	if ctx.Err() != nil {
		return nil, gaveUp(ctx)
	}
	own, err := checkIdempotencyKey(in.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	made := making{key: own}
	if own == "" {
		made = making{key: b.key, position: position}
	}
	plan := b.plans[in.Plan]
	if plan.err != nil {
		return nil, plan.err
	}
	in.Plan = plan.view.ID
	return b.issue(ctx, issue{caller: b.who, input: in, plan: plan.view, making: made})
}

// failed tells the caller why a license was not issued, and the log what is
// not the caller's to know.
func (b batch) failed(ctx context.Context, err error) *IssueLicenseResult {
	first := fault.All(err)[0]
	told := &IssueLicenseError{Code: string(first.Code), Message: first.Message}
	if first.Field != "" {
		told.Field = &first.Field
	}
	switch first.Code {
	case fault.Internal:
		told.Message = "internal error"
		b.log.ErrorContext(ctx, "internal error", "error", err.Error())
	case fault.Unavailable:
		b.log.WarnContext(ctx, "unavailable", "error", err.Error())
	}
	return &IssueLicenseResult{Error: told}
}
