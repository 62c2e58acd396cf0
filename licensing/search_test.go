package licensing_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/licensing"
)

// found gives the ids that a search finds, in their order.
func (s *shop) found(t testing.TB, text string, product *string) []string {
	t.Helper()
	ids := []string{}
	for _, l := range must(s.SearchLicenses(as(ada), text, product))(t) {
		ids = append(ids, l.ID())
	}
	return ids
}

func TestALicenseIsFoundByTheBeginningOfEachOfItsNames(t *testing.T) {
	s := newShop(t)
	s.issue(t, nil)
	made := s.issue(t, func(in *licensing.IssueLicenseInput) { ofAda(in); in.ExternalID = ptr("Order-1001") })
	id := made.License.ID()
	for _, text := range []string{
		"ada", "ADA@EXAMPLE.COM", "ada@ex", "ada king", "king", "Lovelace", " love ", "c-9", "ORDER-1", "order-1001",
		id, strings.ToUpper(id[:12]), made.License.KeyHint(), strings.ToLower(made.License.KeyHint()), made.License.KeyHint()[:3],
	} {
		if diff := same([]string{id}, s.found(t, text, nil)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for _, text := range []string{"example.com", "velace", "ada%", "___", "%@%", "*da", "order-10011", made.Key} {
		if got := s.found(t, text, nil); len(got) != 0 {
			t.Errorf("%q finds %q", text, got)
		}
	}
}

func TestASearchTakes3To320Characters(t *testing.T) {
	s := newShop(t)
	for _, text := range []string{"", "ab", "  a ", strings.Repeat("x", 321)} {
		_, err := s.SearchLicenses(as(ada), text, nil)
		wantFields(t, err, "text")
	}
	s.found(t, strings.Repeat("x", 320), nil)
}

func TestASearchGivesTheBest50(t *testing.T) {
	s := newShop(t)
	name := func(name string) string {
		s.now = s.now.Add(time.Minute)
		return s.issue(t, func(in *licensing.IssueLicenseInput) { in.Customer = &licensing.CustomerInput{Name: &name} }).License.ID()
	}
	var want []string
	for n := range 60 {
		want = append(want, name(fmt.Sprintf("Lovelock %02d", n)))
	}
	older, newer := name("Love"), name("LOVE")
	want = slices.Concat([]string{newer, older}, want[:48])
	if diff := same(want, s.found(t, "love", nil)); diff != "" {
		t.Error(diff)
	}
}

func TestASearchShowsWhatTheCallerMaySee(t *testing.T) {
	s := newShop(t)
	s.product(t, "other", "OTHER")
	s.plan(t, "other", "pro")
	mine := s.issue(t, ofAda).License.ID()
	theirs := s.issue(t, func(in *licensing.IssueLicenseInput) { ofAda(in); in.Plan = "other/pro" }).License.ID()
	for name, tt := range map[string]struct {
		product *string
		want    []string
	}{
		"all":       {nil, []string{theirs, mine}},
		"a product": {ptr("acme"), []string{mine}},
		"by its id": {ptr(license.ProductID("other")), []string{theirs}},
	} {
		if diff := same(tt.want, s.found(t, "ada", tt.product)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	s.policy.allow([]authz.Action{authz.LicenseRead}, "acme")
	if diff := same([]string{mine}, s.found(t, "ada", nil)); diff != "" {
		t.Error(diff)
	}
	for _, product := range []string{"other", license.ProductID("other"), "none", ""} {
		_, err := s.SearchLicenses(as(ada), "ada", &product)
		wantCode(t, err, fault.NotFound)
	}
}

func TestASuspendedLicenseIsFoundAndAnErasedCustomerIsNot(t *testing.T) {
	s := newShop(t)
	id := s.issue(t, func(in *licensing.IssueLicenseInput) { ofAda(in); in.ExternalID = ptr("order-7") }).License.ID()
	must(s.SuspendLicense(as(ada), licensing.SuspendLicenseInput{License: id}))(t)
	if diff := same([]string{id}, s.found(t, "lovelace", nil)); diff != "" {
		t.Error(diff)
	}
	must(s.EraseCustomer(as(ada), licensing.EraseCustomerInput{License: &id}))(t)
	for text, want := range map[string][]string{"ada": {}, "lovelace": {}, "c-9": {}, "order-7": {id}, id: {id}} {
		if diff := same(want, s.found(t, text, nil)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}
