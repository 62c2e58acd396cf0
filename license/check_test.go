package license_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
)

func TestAProductWithinTheBoundsPasses(t *testing.T) {
	for _, change := range []func(*license.Product){
		func(*license.Product) {},
		func(p *license.Product) { p.Code = "a1" },
		func(p *license.Product) { p.Code = strings.Repeat("a", 40) },
		func(p *license.Product) { p.Name = strings.Repeat("ü", 200) },
		func(p *license.Product) { p.KeyPrefix = "7Z" },
	} {
		p := acme()
		change(p)
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestEachBadFieldOfAProductIsNamed(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*license.Product)
	}{
		{"code", func(p *license.Product) { p.Code = "a" }},
		{"code", func(p *license.Product) { p.Code = strings.Repeat("a", 41) }},
		{"code", func(p *license.Product) { p.Code = "Acme" }},
		{"code", func(p *license.Product) { p.Code = "acme/pro" }},
		{"code", func(p *license.Product) { p.Code = "acmé" }},
		{"name", func(p *license.Product) { p.Name = "" }},
		{"name", func(p *license.Product) { p.Name = " \u00a0" }},
		{"name", func(p *license.Product) { p.Name = strings.Repeat("x", 201) }},
		{"name", func(p *license.Product) { p.Name = "a\x00b" }},
		{"name", func(p *license.Product) { p.Name = "a\nb" }},
		{"name", func(p *license.Product) { p.Name = "a\u0085b" }},
		{"name", func(p *license.Product) { p.Name = "\xff" }},
		{"keyPrefix", func(p *license.Product) { p.KeyPrefix = "A" }},
		{"keyPrefix", func(p *license.Product) { p.KeyPrefix = "ABCDEFGH9" }},
		{"keyPrefix", func(p *license.Product) { p.KeyPrefix = "acme" }},
		{"keyPrefix", func(p *license.Product) { p.KeyPrefix = "AC-ME" }},
		{"metadata", func(p *license.Product) { p.Metadata = license.Metadata(`[]`) }},
	} {
		p := acme()
		c.change(p)
		wantFields(t, p.Check(), c.field)
	}
}

func TestAllBadFieldsComeAtOnce(t *testing.T) {
	p := &license.Product{Metadata: license.Metadata("1")}
	wantFields(t, p.Check(), "code", "keyPrefix", "metadata", "name")
	plan := &license.Plan{MaxMachines: new(-1), Entitlements: []license.Entitlement{{}}}
	wantFields(t, plan.Check(), "code", "name", "expiryBasis", "renewalBasis", "maxMachines", "entitlements.0.code")
}

func TestAPlanWithinTheBoundsPasses(t *testing.T) {
	for _, change := range []func(*license.Plan){
		nil,
		func(p *license.Plan) { p.Duration = nil },
		func(p *license.Plan) {
			p.Duration, p.Grace, p.LeaseDuration = lasting("PT1M"), lasting("PT0S"), lasting("PT10S")
			p.CheckInInterval, p.MaxOfflineDuration = lasting("PT1M"), lasting("P100Y")
		},
		func(p *license.Plan) { p.MaxMachines, p.MaxDomains = new(0), new(10_000) },
		func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(909), 1000 },
		func(p *license.Plan) { p.MaxMachines, p.MaxDomains, p.OveragePercent = new(2500), new(2500), 100 },
		func(p *license.Plan) { p.Entitlements = entitlements(100) },
		func(p *license.Plan) {
			p.Entitlements = []license.Entitlement{
				{Code: strings.Repeat("ü", 64), Value: json.RawMessage(`"` + strings.Repeat("x", 1022) + `"`)},
				{Code: "b", Value: json.RawMessage("null"), ExpiresAt: noon},
			}
		},
		func(p *license.Plan) { p.Metadata, p.Entitlements = license.Metadata(sized(16<<10)), bulky(8) },
	} {
		if err := planned(change).Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestEachBadFieldOfAPlanIsNamed(t *testing.T) {
	for _, c := range []struct {
		field  string
		change func(*license.Plan)
	}{
		{"code", func(p *license.Plan) { p.Code = "Pro" }},
		{"name", func(p *license.Plan) { p.Name = "" }},
		{"duration", func(p *license.Plan) { p.Duration = lasting("P0D") }},
		{"duration", func(p *license.Plan) { p.Duration = lasting("PT59S") }},
		{"leaseDuration", func(p *license.Plan) { p.LeaseDuration = lasting("PT9S") }},
		{"checkInInterval", func(p *license.Plan) { p.CheckInInterval = lasting("PT59S") }},
		{"maxOfflineDuration", func(p *license.Plan) { p.MaxOfflineDuration = lasting("PT0S") }},
		{"expiryBasis", func(p *license.Plan) { p.ExpiryBasis = "creation" }},
		{"renewalBasis", func(p *license.Plan) { p.RenewalBasis = "" }},
		{"maxMachines", func(p *license.Plan) { p.MaxMachines = new(-1) }},
		{"maxMachines", func(p *license.Plan) { p.MaxMachines = new(10_001) }},
		{"maxMachines", func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(10_000), 1 }},
		{"maxMachines", func(p *license.Plan) { p.MaxMachines, p.OveragePercent = new(910), 1000 }},
		{"maxDomains", func(p *license.Plan) { p.MaxDomains = new(10_001) }},
		{"maxDomains", func(p *license.Plan) { p.MaxMachines, p.MaxDomains = new(1), new(10_000) }},
		{"overagePercent", func(p *license.Plan) { p.OveragePercent = -1 }},
		{"overagePercent", func(p *license.Plan) { p.OveragePercent = 1001 }},
		{"entitlements", func(p *license.Plan) { p.Entitlements = entitlements(101) }},
		{"entitlements.3.code", func(p *license.Plan) { p.Entitlements = entitlements(5); p.Entitlements[3].Code = "" }},
		{"entitlements.3.code", func(p *license.Plan) { p.Entitlements = entitlements(5); p.Entitlements[3].Code = "e1" }},
		{"entitlements.0.code", func(p *license.Plan) { p.Entitlements = []license.Entitlement{{Code: strings.Repeat("x", 65)}} }},
		{"entitlements.0.code", func(p *license.Plan) { p.Entitlements = []license.Entitlement{{Code: "a\tb"}} }},
		{"entitlements.0.value", func(p *license.Plan) {
			p.Entitlements = []license.Entitlement{{Code: "a", Value: json.RawMessage(`"` + strings.Repeat("x", 1023) + `"`)}}
		}},
		{"entitlements.0.value", func(p *license.Plan) {
			p.Entitlements = []license.Entitlement{{Code: "a", Value: json.RawMessage(`"\u0000"`)}}
		}},
		{"entitlements.0.value", func(p *license.Plan) {
			p.Entitlements = []license.Entitlement{{Code: "a", Value: json.RawMessage(`{`)}}
		}},
		{"entitlements.0.expiresAt", func(p *license.Plan) {
			p.Entitlements = []license.Entitlement{{Code: "a", ExpiresAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}}
		}},
		{"metadata", func(p *license.Plan) { p.Metadata = license.Metadata(sized(17 << 10)) }},
		{"metadata", func(p *license.Plan) { p.Metadata, p.Entitlements = license.Metadata(sized(16<<10)), bulky(9) }},
		{"entitlements", func(p *license.Plan) { p.Entitlements = bulky(25) }},
	} {
		wantFields(t, planned(c.change).Check(), c.field)
	}
}

// entitlements gives n of them.
func entitlements(n int) []license.Entitlement {
	all := make([]license.Entitlement, n)
	for i := range all {
		all[i].Code = "e" + itoa(i)
	}
	return all
}

// bulky gives n entitlements of 1,024 bytes together with their codes.
func bulky(n int) []license.Entitlement {
	all := entitlements(n)
	for i := range all {
		all[i].Value = json.RawMessage(`"` + strings.Repeat("x", 1022-len(all[i].Code)) + `"`)
	}
	return all
}

func TestEachBadFieldOfALicenseIsNamed(t *testing.T) {
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		field  string
		change func(*license.License)
	}{
		{"externalId", func(l *license.License) { l.ExternalID = long(201) }},
		{"externalId", func(l *license.License) { l.ExternalID = "a\x00" }},
		{"customer.name", func(l *license.License) { l.Customer.Name = long(201) }},
		{"customer.externalId", func(l *license.License) { l.Customer.ExternalID = "\n" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = long(309) + "@example.com" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "a\x00@example.com" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "example.com" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "@example.com" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "mail@" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "a@b@example.com" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "Ann <ann@example.com>" }},
		{"customer.email", func(l *license.License) { l.Customer.Email = "ann@example.com." }},
		{"reason", func(l *license.License) { l.Reason = long(1001) }},
		{"startsAt", func(l *license.License) { l.StartsAt = time.Date(1969, 12, 31, 23, 59, 59, 0, time.UTC) }},
		{"expiresAt", func(l *license.License) { l.ExpiresAt = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"expiresAt", func(l *license.License) { l.StartsAt, l.ExpiresAt = noon, noon }},
		{"expiresAt", func(l *license.License) { l.StartsAt, l.ExpiresAt = noon, noon.Add(-time.Millisecond) }},
		{"maxMachines", func(l *license.License) { l.Overrides.MaxMachines = &license.Limit{Max: new(-1)} }},
		{"maxDomains", func(l *license.License) { l.Overrides.MaxDomains = &license.Limit{Max: new(10_001)} }},
		{"entitlements.1.code", func(l *license.License) {
			l.Overrides.Entitlements = []license.Entitlement{{Code: "a"}, {Code: "a"}}
		}},
		{"allowedDomains", func(l *license.License) { l.AllowedDomains = make([]string, 101) }},
		{"allowedDomains.1", func(l *license.License) { l.AllowedDomains = []string{"*.example.com", "*"} }},
		{"allowedDomains.0", func(l *license.License) { l.AllowedDomains = []string{"Example.com"} }},
		{"metadata", func(l *license.License) { l.Metadata = license.Metadata(`{"a":{"b":{"c":{"d":{}}}}}`) }},
		{"entitlements", func(l *license.License) {
			l.Overrides.Entitlements, l.AllowedDomains = bulky(24), []string{"example.com"}
		}},
	} {
		l := issued(t, planned(nil), license.IssueSpec{})
		c.change(l)
		wantFields(t, l.Check(), c.field)
	}
}

func TestALicenseWithinTheBoundsPasses(t *testing.T) {
	l := issued(t, planned(nil), license.IssueSpec{})
	l.ExternalID, l.Customer = strings.Repeat("x", 200), license.Customer{Email: strings.Repeat("x", 308) + "@example.com", Name: "Ann"}
	l.Reason, l.AllowedDomains = strings.Repeat("ü", 1000), []string{"*.example.com", "localhost"}
	l.Overrides = license.Overrides{MaxMachines: &license.Limit{}, MaxDomains: &license.Limit{Max: new(0)}, Grace: lasting("PT0S"), Entitlements: bulky(23)}
	if err := l.Check(); err != nil {
		t.Error(err)
	}
}

func TestReasonsAreCheckedUnderTheirField(t *testing.T) {
	for _, text := range []string{"", "because", strings.Repeat("ü", 1000)} {
		if err := license.CheckReason("reason", text); err != nil {
			t.Error(err)
		}
	}
	for _, text := range []string{strings.Repeat("x", 1001), "a\x00", "a\r\nb"} {
		wantFields(t, license.CheckReason("why", text), "why")
	}
	if !fault.Is(license.CheckReason("why", "\x1b"), fault.InvalidInput) {
		t.Error("an escape character passes")
	}
}
