package license

import (
	"fmt"
	"strings"

	"github.com/keywright/keywright/fault"
)

// Check gives every bad field of a product, by its path in the API.
func (p *Product) Check() error {
	var bad problems
	bad.code("code", p.Code)
	bad.text("name", p.Name, needed, maxName)
	if !madeOf(p.KeyPrefix, 2, 8, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") {
		bad.add("keyPrefix", "keyPrefix must have 2 to 8 characters of A-Z and 0-9")
	}
	bad.take(CheckMetadata(p.Metadata))
	return bad.err()
}

// Check gives every bad field of a plan, by its path in the API.
func (p *Plan) Check() error {
	var bad problems
	bad.code("code", p.Code)
	bad.text("name", p.Name, needed, maxName)
	bad.duration("duration", p.Duration, leastDuration)
	bad.duration("leaseDuration", p.LeaseDuration, leastLease)
	bad.duration("checkInInterval", p.CheckInInterval, leastDuration)
	bad.duration("maxOfflineDuration", p.MaxOfflineDuration, leastDuration)
	if p.ExpiryBasis != FromCreation && p.ExpiryBasis != FromFirstActivation {
		bad.add("expiryBasis", "expiryBasis must be %s or %s", FromCreation, FromFirstActivation)
	}
	if p.RenewalBasis != FromExpiry && p.RenewalBasis != FromLaterOfExpiryAndNow {
		bad.add("renewalBasis", "renewalBasis must be %s or %s", FromExpiry, FromLaterOfExpiryAndNow)
	}
	bad.limit("maxMachines", p.MaxMachines)
	bad.limit("maxDomains", p.MaxDomains)
	if p.OveragePercent < 0 || p.OveragePercent > MaxOverage {
		bad.add("overagePercent", "overagePercent must be from 0 to %d", MaxOverage)
	}
	if bad == nil { // else sums mean nothing
		bad.take(checkSeats(p.MaxMachines, p.MaxDomains, p.OveragePercent))
	}
	bad.entitlements(p.Entitlements)
	bad.take(CheckMetadata(p.Metadata))
	bad.content(p.Metadata, p.Entitlements, nil)
	return bad.err()
}

// Check gives every bad field of a license, by its path in the API. What it
// overrides is judged together with its plan where that is set: see Issue and
// Update.
func (l *License) Check() error {
	var bad problems
	bad.text("externalId", l.ExternalID, optional, maxExternalID)
	bad.text("customer.name", l.Customer.Name, optional, maxName)
	bad.text("customer.externalId", l.Customer.ExternalID, optional, maxExternalID)
	bad.email("customer.email", l.Customer.Email)
	bad.text("reason", l.Reason, optional, maxReason)
	bad.time("startsAt", l.StartsAt)
	bad.time("expiresAt", l.ExpiresAt)
	if !l.ExpiresAt.IsZero() && !l.ExpiresAt.After(l.StartsAt) {
		bad.add("expiresAt", "expiresAt must be after startsAt")
	}
	bad.limit("maxMachines", l.Overrides.MaxMachines.max())
	bad.limit("maxDomains", l.Overrides.MaxDomains.max())
	bad.entitlements(l.Overrides.Entitlements)
	bad.allowedDomains(l.AllowedDomains)
	bad.take(CheckMetadata(l.Metadata))
	bad.content(l.Metadata, l.Overrides.Entitlements, l.AllowedDomains)
	return bad.err()
}

// checkSeats checks the effective limits, which no plan and no license has
// alone. Limits out of range are Check's to name.
func (l *License) checkSeats(plan *Plan) error {
	return checkSeats(l.Limit(Machine, plan), l.Limit(Domain, plan), plan.OveragePercent)
}

// checkSeats holds limits, overage included, to MaxSeats in all.
func checkSeats(machines, domains *int, overage int) error {
	sum := 0
	for _, one := range []struct {
		field string
		limit *int
	}{{"maxMachines", machines}, {"maxDomains", domains}} {
		if one.limit == nil || *one.limit < 0 || *one.limit > MaxSeats {
			continue
		}
		if sum += withOverage(*one.limit, overage); sum > MaxSeats {
			return fault.Invalid(one.field, "a license may have %d seats of both kinds, and with an overage of %d %% %s lets it have %d",
				MaxSeats, overage, one.field, sum)
		}
	}
	return nil
}

// code checks a code of the catalog: it is for ever, and stands in URLs.
func (p *problems) code(field, code string) {
	if !madeOf(code, 2, 40, "abcdefghijklmnopqrstuvwxyz0123456789-") {
		p.add(field, "%s must have 2 to 40 characters of a-z, 0-9 and -", field)
	}
}

// madeOf reports whether text has least to most characters, all of them of an
// alphabet in ASCII.
func madeOf(text string, least, most int, alphabet string) bool {
	return len(text) >= least && len(text) <= most && strings.Trim(text, alphabet) == ""
}

// email checks the shape of an address; whether it is one, only mail can tell.
func (p *problems) email(field, address string) {
	before := len(*p)
	p.text(field, address, optional, maxEmail)
	local, host, _ := strings.Cut(address, "@")
	if len(*p) > before || address == "" {
		return
	}
	if local == "" || host == "" || strings.ContainsAny(address, " ,;<>") || strings.Contains(host, "@") ||
		strings.HasPrefix(host, ".") || strings.HasSuffix(host, ".") {
		p.add(field, "%s must be an e-mail address, such as mail@example.com", field)
	}
}

func (p *problems) allowedDomains(patterns []string) {
	if len(patterns) > maxAllowedDomains {
		p.add("allowedDomains", "there may be at most %d allowed domains", maxAllowedDomains)
		return
	}
	for i, pattern := range patterns {
		normal, err := ParseDomainPattern(pattern)
		field := fmt.Sprintf("allowedDomains.%d", i)
		switch {
		case err != nil:
			p.add(field, "%s", err)
		case normal != pattern:
			p.add(field, "%s is not in normal form: %s", field, normal)
		}
	}
}
