package graph_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/graph/scalar"
)

// reads makes an enum's values texts again.
func reads[T ~string](unmarshal func(any) (T, error)) func(any) (string, error) {
	return func(v any) (string, error) {
		read, err := unmarshal(v)
		return string(read), err
	}
}

// gqlparser checks literals, but takes variables in any case.
func TestEnumsTakeExactlyTheirValues(t *testing.T) {
	unmarshal := map[string]func(any) (string, error){
		"ActivationKind": reads(scalar.UnmarshalActivationKind),
		"ActorKind":      reads(scalar.UnmarshalActorKind),
		"EventOrder":     reads(scalar.UnmarshalEventOrder),
		"ExpiryBasis":    reads(scalar.UnmarshalExpiryBasis),
		"LicenseField":   reads(scalar.UnmarshalLicenseField),
		"LicenseOrder":   reads(scalar.UnmarshalLicenseOrder),
		"LicenseStatus":  reads(scalar.UnmarshalLicenseStatus),
		"PlanField":      reads(scalar.UnmarshalPlanField),
		"RenewalBasis":   reads(scalar.UnmarshalRenewalBasis),
	}
	for _, d := range own(schema(t)) {
		if d.Kind != ast.Enum {
			continue
		}
		read := unmarshal[d.Name]
		if read == nil {
			t.Errorf("nothing here reads %s", d.Name)
			continue
		}
		for _, v := range d.EnumValues {
			if got, err := read(v.Name); err != nil || got != v.Name {
				t.Errorf("%s.%s is read as %q, %v", d.Name, v.Name, got, err)
			}
			for _, other := range []any{strings.ToLower(v.Name), v.Name + " ", []byte(v.Name)} {
				if got, err := read(other); err == nil {
					t.Errorf("%s takes %q as %q", d.Name, other, got)
				}
			}
		}
		for _, none := range []any{"", "NONE", 1, nil, true} {
			if got, err := read(none); err == nil {
				t.Errorf("%s takes %v as %q", d.Name, none, got)
			}
		}
	}
}
