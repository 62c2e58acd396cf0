package licensing

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/secret"
)

// facts are a record's fields as the journal tells of them, without those
// that are empty.
type facts map[string]fact

// fact is the value of a field. One that is personal, or may be because
// somebody wrote it freely, reaches the journal as a keyed digest only.
type fact struct {
	value    json.RawMessage
	personal bool
}

func (f facts) set(name string, value any, personal bool) {
	text, err := json.Marshal(value)
	if err != nil {
		panic("licensing: a field that was checked does not encode: " + name)
	}
	f[name] = fact{value: text, personal: personal}
}

// known notes a value that is not personal.
func (f facts) known(name string, value any) { f.set(name, value, false) }

// text notes a text that is not personal.
func (f facts) text(name, value string) {
	if value != "" {
		f.known(name, value)
	}
}

// hidden notes a text that may be personal.
func (f facts) hidden(name, value string) {
	if value != "" {
		f.set(name, value, true)
	}
}

// metadata notes what may be anything.
func (f facts) metadata(value license.Metadata) {
	if len(value) > 0 {
		f.set("metadata", value, true)
	}
}

func (f facts) time(name string, t time.Time) {
	if !t.IsZero() {
		f.known(name, t)
	}
}

func (f facts) flag(name string, on bool) {
	if on {
		f.known(name, true)
	}
}

// diff tells which fields differ, and how.
func diff(s *secret.Secret, record string, before, after facts) (journal.Changes, error) {
	names := facts{}
	maps.Copy(names, before)
	maps.Copy(names, after)
	changes := journal.Changes{}
	for name := range names {
		was, is := before[name], after[name]
		if bytes.Equal(was.value, is.value) {
			continue
		}
		from, err := was.shown(s, record, name)
		if err != nil {
			return nil, err
		}
		to, err := is.shown(s, record, name)
		if err != nil {
			return nil, err
		}
		changes[name] = journal.Change{From: from, To: to}
	}
	return changes, nil
}

func (f fact) shown(s *secret.Secret, record, name string) (json.RawMessage, error) {
	if f.value == nil || !f.personal {
		return f.value, nil
	}
	return journal.Hidden(s, record, name, f.value)
}

func productFacts(p *license.Product) facts {
	f := facts{}
	f.text("code", p.Code)
	f.text("name", p.Name)
	f.text("keyPrefix", p.KeyPrefix)
	f.metadata(p.Metadata)
	f.flag("archived", p.Archived)
	return f
}

func planFacts(p *license.Plan) facts {
	f := facts{}
	f.text("code", p.Code)
	f.text("name", p.Name)
	optional(f, "duration", p.Duration)
	f.text("expiryBasis", string(p.ExpiryBasis))
	f.text("renewalBasis", string(p.RenewalBasis))
	optional(f, "grace", p.Grace)
	optional(f, "maxMachines", p.MaxMachines)
	optional(f, "maxDomains", p.MaxDomains)
	if p.OveragePercent != 0 {
		f.known("overagePercent", p.OveragePercent)
	}
	optional(f, "leaseDuration", p.LeaseDuration)
	optional(f, "requireFingerprint", p.RequireFingerprint)
	optional(f, "requireDomain", p.RequireDomain)
	f.flag("requireProduct", p.RequireProduct)
	optional(f, "checkInInterval", p.CheckInInterval)
	optional(f, "maxOfflineDuration", p.MaxOfflineDuration)
	entitlements(f, p.Entitlements)
	f.metadata(p.Metadata)
	f.flag("archived", p.Archived)
	return f
}

func licenseFacts(l *license.License) facts {
	f := facts{}
	f.text("plan", l.PlanID)
	f.text("state", string(l.State))
	f.hidden("statusReason", l.Reason)
	f.hidden("externalId", l.ExternalID)
	f.hidden("customer.email", l.Customer.Email)
	f.hidden("customer.name", l.Customer.Name)
	f.hidden("customer.externalId", l.Customer.ExternalID)
	f.time("startsAt", l.StartsAt)
	f.time("expiresAt", l.ExpiresAt)
	f.time("activatedAt", l.ActivatedAt)
	f.flag("awaitsActivation", l.AwaitsActivation)
	optional(f, "maxMachines", l.Overrides.MaxMachines)
	optional(f, "maxDomains", l.Overrides.MaxDomains)
	optional(f, "grace", l.Overrides.Grace)
	entitlements(f, l.Overrides.Entitlements)
	if l.AllowedDomains != nil {
		f.set("allowedDomains", l.AllowedDomains, true)
	}
	f.metadata(l.Metadata)
	f.known("keys", len(l.Keys))
	f.time("oldKeysEndAt", l.OldKeysEnd())
	return f
}

// optional notes a value where there is one.
func optional[T any](f facts, name string, value *T) {
	if value != nil {
		f.known(name, value)
	}
}

func entitlements(f facts, granted []license.Entitlement) {
	if len(granted) > 0 {
		f.known("entitlements", granted)
	}
}
