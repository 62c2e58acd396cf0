package validation

import (
	"context"
	"time"
)

// ExplainInput is the input of explain.
type ExplainInput struct {
	At           *time.Time
	Product      *string
	Fingerprint  *string
	Domain       *string
	Entitlements []string
}

// Explain answers staff what Validate would say of a license, now or at
// another time. It counts nothing and notes no first use. Errors: those of
// licensing's License, and InvalidInput.
func (s *Service) Explain(ctx context.Context, id string, in *ExplainInput) (*Validation, error) {
	if in == nil {
		in = &ExplainInput{}
	}
	asOf := s.now()
	at := asOf
	if in.At != nil {
		at = in.At.UTC().Truncate(time.Millisecond)
	}
	v, err := s.Licenses.License(ctx, &id, nil)
	if err != nil {
		return nil, err
	}
	request, err := asked{in.Product, in.Fingerprint, in.Domain, in.Entitlements}.request()
	if err != nil {
		return nil, err
	}
	found := Snapshot{License: v.License, Plan: v.Plan.Plan, Product: v.Product}
	return s.validation(found, found.decide(request, at), at, asOf, false), nil
}
