package licensing

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// This file says how products, plans and licenses are stored. What stands in
// a record's envelope or index is not repeated in its body. Names in bodies
// are for ever; fields may be added.

type productBody struct {
	Code        string           `json:"code"`
	Name        string           `json:"name"`
	KeyPrefix   string           `json:"keyPrefix"`
	Metadata    license.Metadata `json:"metadata,omitempty"`
	InputDigest string           `json:"inputDigest,omitempty"`
	CreatedBy   actor.Actor      `json:"createdBy"`
	UpdatedAt   time.Time        `json:"updatedAt"`
}

// The Index.State of products and plans.
const (
	current  = "current"
	archived = "archived"
)

func catalogState(isArchived bool) string {
	if isArchived {
		return archived
	}
	return current
}

func encodeProduct(p *license.Product) (storage.Record, error) {
	return encode(storage.Record{
		Kind: storage.Product, ID: p.ID, Version: p.Version, Revision: int64(p.Revision),
		Index: storage.Index{Product: p.ID, State: catalogState(p.Archived), Created: p.CreatedAt},
	}, productBody{
		Code: p.Code, Name: p.Name, KeyPrefix: p.KeyPrefix, Metadata: p.Metadata,
		InputDigest: p.InputDigest, CreatedBy: p.CreatedBy, UpdatedAt: p.UpdatedAt,
	})
}

func decodeProduct(r *storage.Stored) (*license.Product, error) {
	b, err := decode[productBody](r)
	if err != nil {
		return nil, err
	}
	return &license.Product{
		ID: r.ID, Version: r.Version, Revision: int(r.Revision),
		Archived: r.Index.State == archived, CreatedAt: r.Index.Created,
		Code: b.Code, Name: b.Name, KeyPrefix: b.KeyPrefix, Metadata: b.Metadata,
		InputDigest: b.InputDigest, CreatedBy: b.CreatedBy, UpdatedAt: b.UpdatedAt,
	}, nil
}

type planBody struct {
	Code               string                `json:"code"`
	Name               string                `json:"name"`
	Duration           *license.Duration     `json:"duration,omitempty"`
	ExpiryBasis        license.ExpiryBasis   `json:"expiryBasis"`
	RenewalBasis       license.RenewalBasis  `json:"renewalBasis"`
	Grace              *license.Duration     `json:"grace,omitempty"`
	MaxMachines        *int                  `json:"maxMachines,omitempty"`
	MaxDomains         *int                  `json:"maxDomains,omitempty"`
	OveragePercent     int                   `json:"overagePercent,omitempty"`
	LeaseDuration      *license.Duration     `json:"leaseDuration,omitempty"`
	RequireFingerprint *bool                 `json:"requireFingerprint,omitempty"`
	RequireDomain      *bool                 `json:"requireDomain,omitempty"`
	RequireProduct     bool                  `json:"requireProduct,omitempty"`
	CheckInInterval    *license.Duration     `json:"checkInInterval,omitempty"`
	MaxOfflineDuration *license.Duration     `json:"maxOfflineDuration,omitempty"`
	Entitlements       []license.Entitlement `json:"entitlements,omitempty"`
	Metadata           license.Metadata      `json:"metadata,omitempty"`
	InputDigest        string                `json:"inputDigest,omitempty"`
	CreatedBy          actor.Actor           `json:"createdBy"`
	UpdatedAt          time.Time             `json:"updatedAt"`
}

func encodePlan(p *license.Plan) (storage.Record, error) {
	return encode(storage.Record{
		Kind: storage.Plan, ID: p.ID, Version: p.Version, Revision: int64(p.Revision),
		Index: storage.Index{Product: p.ProductID, State: catalogState(p.Archived), Created: p.CreatedAt, Due: p.Due},
	}, planBody{
		Code: p.Code, Name: p.Name, Duration: p.Duration, ExpiryBasis: p.ExpiryBasis,
		RenewalBasis: p.RenewalBasis, Grace: p.Grace, MaxMachines: p.MaxMachines,
		MaxDomains: p.MaxDomains, OveragePercent: p.OveragePercent, LeaseDuration: p.LeaseDuration,
		RequireFingerprint: p.RequireFingerprint, RequireDomain: p.RequireDomain,
		RequireProduct: p.RequireProduct, CheckInInterval: p.CheckInInterval,
		MaxOfflineDuration: p.MaxOfflineDuration, Entitlements: p.Entitlements, Metadata: p.Metadata,
		InputDigest: p.InputDigest, CreatedBy: p.CreatedBy, UpdatedAt: p.UpdatedAt,
	})
}

func decodePlan(r *storage.Stored) (*license.Plan, error) {
	b, err := decode[planBody](r)
	if err != nil {
		return nil, err
	}
	return &license.Plan{
		ID: r.ID, ProductID: r.Index.Product, Version: r.Version, Revision: int(r.Revision),
		Archived: r.Index.State == archived, CreatedAt: r.Index.Created, Due: r.Index.Due,
		Code: b.Code, Name: b.Name, Duration: b.Duration, ExpiryBasis: b.ExpiryBasis,
		RenewalBasis: b.RenewalBasis, Grace: b.Grace, MaxMachines: b.MaxMachines,
		MaxDomains: b.MaxDomains, OveragePercent: b.OveragePercent, LeaseDuration: b.LeaseDuration,
		RequireFingerprint: b.RequireFingerprint, RequireDomain: b.RequireDomain,
		RequireProduct: b.RequireProduct, CheckInInterval: b.CheckInInterval,
		MaxOfflineDuration: b.MaxOfflineDuration, Entitlements: b.Entitlements, Metadata: b.Metadata,
		InputDigest: b.InputDigest, CreatedBy: b.CreatedBy, UpdatedAt: b.UpdatedAt,
	}, nil
}

type licenseBody struct {
	Reason           string                `json:"reason,omitempty"`
	Email            string                `json:"email,omitempty"` // as it was written, where the index has it in lower case
	CustomerName     string                `json:"customerName,omitempty"`
	ActivatedAt      time.Time             `json:"activatedAt,omitzero"`
	AwaitsActivation bool                  `json:"awaitsActivation,omitempty"`
	MaxMachines      *license.Limit        `json:"maxMachines,omitempty"`
	MaxDomains       *license.Limit        `json:"maxDomains,omitempty"`
	Grace            *license.Duration     `json:"grace,omitempty"`
	Entitlements     []license.Entitlement `json:"entitlements,omitempty"`
	AllowedDomains   []string              `json:"allowedDomains,omitzero"` // empty is none, absent is any
	Metadata         license.Metadata      `json:"metadata,omitempty"`
	Keys             []license.Key         `json:"keys"`
	Secret           string                `json:"secret"`
	InputDigest      string                `json:"inputDigest,omitempty"`
	RevealReason     string                `json:"revealReason,omitempty"`
	LimitTold        license.LimitTold     `json:"limitTold,omitzero"`
	Announced        license.Announced     `json:"announced,omitzero"`
	CreatedBy        actor.Actor           `json:"createdBy"`
	UpdatedAt        time.Time             `json:"updatedAt"`
}

func encodeLicense(l *license.License) (storage.Record, error) {
	b := licenseBody{
		Reason: l.Reason, CustomerName: l.Customer.Name, ActivatedAt: l.ActivatedAt,
		AwaitsActivation: l.AwaitsActivation, MaxMachines: l.Overrides.MaxMachines,
		MaxDomains: l.Overrides.MaxDomains, Grace: l.Overrides.Grace,
		Entitlements: l.Overrides.Entitlements, AllowedDomains: l.AllowedDomains,
		Metadata: l.Metadata, Keys: l.Keys, Secret: l.SecretID, InputDigest: l.InputDigest,
		RevealReason: l.RevealReason, LimitTold: l.LimitTold, Announced: l.Announced, CreatedBy: l.CreatedBy, UpdatedAt: l.UpdatedAt,
	}
	indexed := indexedEmail(l.Customer.Email)
	if indexed != l.Customer.Email {
		b.Email = l.Customer.Email
	}
	return encode(storage.Record{
		Kind: storage.License, ID: l.ID, Version: l.Version, Revision: int64(l.Revision),
		Index: storage.Index{
			Product: l.ProductID, Plan: l.PlanID, State: string(l.State),
			ExternalID: l.ExternalID, CustomerEmail: indexed, CustomerExternalID: l.Customer.ExternalID,
			Created: l.CreatedAt, Starts: l.StartsAt, Ends: l.ExpiresAt, Due: l.Due, Words: l.Words(),
		},
	}, b)
}

// indexedEmail is an address as it is looked for: people do not agree on the
// case of their own.
func indexedEmail(email string) string { return strings.ToLower(email) }

func decodeLicense(r *storage.Stored) (*license.License, error) {
	b, err := decode[licenseBody](r)
	if err != nil {
		return nil, err
	}
	email := b.Email
	if email == "" {
		email = r.Index.CustomerEmail
	}
	seats, err := decodeSeats(r)
	if err != nil {
		return nil, err
	}
	return &license.License{
		ID: r.ID, ProductID: r.Index.Product, PlanID: r.Index.Plan, State: license.State(r.Index.State),
		Reason: b.Reason, ExternalID: r.Index.ExternalID,
		Customer:  license.Customer{Email: email, Name: b.CustomerName, ExternalID: r.Index.CustomerExternalID},
		StartsAt:  r.Index.Starts,
		ExpiresAt: r.Index.Ends, ActivatedAt: b.ActivatedAt, AwaitsActivation: b.AwaitsActivation,
		Overrides: license.Overrides{
			MaxMachines: b.MaxMachines, MaxDomains: b.MaxDomains, Grace: b.Grace, Entitlements: b.Entitlements,
		},
		AllowedDomains: b.AllowedDomains, Metadata: b.Metadata, Keys: b.Keys, SecretID: b.Secret,
		Seats: seats, InputDigest: b.InputDigest, RevealReason: b.RevealReason, LimitTold: b.LimitTold,
		ValidationCount: r.Total.Count, LastValidatedAt: r.Total.Last,
		Announced: b.Announced, Due: r.Index.Due,
		Version: r.Version, Revision: int(r.Revision),
		CreatedBy: b.CreatedBy, CreatedAt: r.Index.Created, UpdatedAt: b.UpdatedAt,
	}, nil
}

func encodeSeat(a license.Activation) (storage.Seat, error) {
	body, err := json.Marshal(seatBody{
		Kind: a.Kind, Subject: a.Subject, Domain: a.Domain, Name: a.Name, Platform: a.Platform,
		CreatedAt: a.CreatedAt, OfflineUntil: a.OfflineUntil,
	})
	if err != nil {
		return storage.Seat{}, fmt.Errorf("licensing: encoding seat %s: %w", a.ID, err)
	}
	return storage.Seat{ID: a.ID, Lease: a.LeaseUntil, Seen: a.LastSeenAt, Body: body}, nil
}

func decodeSeats(r *storage.Stored) ([]license.Activation, error) {
	seats := make([]license.Activation, 0, len(r.Seats))
	for _, s := range r.Seats {
		b, err := decodeSeatBody(s.Body)
		if err != nil {
			return nil, fmt.Errorf("licensing: seat %s of %s: %w", s.ID, r.ID, err)
		}
		seats = append(seats, license.Activation{
			ID: s.ID, Kind: b.Kind, Subject: b.Subject, Domain: b.Domain, Name: b.Name, Platform: b.Platform,
			CreatedAt: b.CreatedAt, LastSeenAt: s.Seen, LeaseUntil: s.Lease, OfflineUntil: b.OfflineUntil,
		})
	}
	return seats, nil
}

func encode(r storage.Record, body any) (storage.Record, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return storage.Record{}, fmt.Errorf("licensing: encoding %s: %w", r.ID, err)
	}
	r.Body = text
	return r, nil
}

func decode[Body any](r *storage.Stored) (b Body, err error) {
	if err := json.Unmarshal(r.Body, &b); err != nil {
		return b, fmt.Errorf("licensing: decoding %s: %w", r.ID, err)
	}
	return b, nil
}

// decodeFound decodes a record that another one names, and that must be there.
func decodeFound[T any](found *storage.Stored, id string, decode func(*storage.Stored) (T, error)) (T, error) {
	if found == nil {
		var none T
		return none, fmt.Errorf("licensing: %s is named, but not stored", id)
	}
	return decode(found)
}
