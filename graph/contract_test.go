package graph_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// The public contract is in testdata/contract. What of it is built is exactly
// as it says, and nothing else is there.
func TestTheSchemaKeepsTheContract(t *testing.T) {
	c := comparison{contract: load(t, os.DirFS("."), "testdata/contract"), ours: schema(t)}
	c.compare()
	slices.Sort(c.broken)
	for _, problem := range c.broken {
		t.Error(problem)
	}
	slices.Sort(c.missing)
	t.Logf("not there yet: %s", strings.Join(c.missing, ", "))
}

type comparison struct {
	contract, ours  *ast.Schema
	broken, missing []string
}

func (c *comparison) breaks(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

func (c *comparison) same(what, want, got string) {
	if want != got {
		c.breaks("%s is %s, in the contract %s", what, got, want)
	}
}

func (c *comparison) compare() {
	for _, d := range own(c.ours) {
		theirs := c.contract.Types[d.Name]
		if theirs == nil {
			c.breaks("%s is not in the contract", d.Name)
			continue
		}
		c.same("the kind of "+d.Name, string(theirs.Kind), string(d.Kind))
		c.fields(theirs, d)
		c.values(theirs, d)
	}
	for _, d := range own(c.contract) {
		if c.ours.Types[d.Name] == nil {
			c.missing = append(c.missing, d.Name)
		}
	}
	for name, d := range c.ours.Directives {
		if d.Position != nil && d.Position.Src.BuiltIn {
			continue
		}
		theirs := c.contract.Directives[name]
		if theirs == nil {
			c.breaks("@%s is not in the contract", name)
			continue
		}
		c.same("where @"+name+" stands", fmt.Sprint(theirs.Locations), fmt.Sprint(d.Locations))
		c.arguments("@"+name, theirs.Arguments, d.Arguments)
	}
}

func (c *comparison) fields(theirs, ours *ast.Definition) {
	for _, f := range fields(ours) {
		name := ours.Name + "." + f.Name
		their := theirs.Fields.ForName(f.Name)
		if their == nil {
			c.breaks("%s is not in the contract", name)
			continue
		}
		c.same("the type of "+name, their.Type.String(), f.Type.String())
		c.same("the default of "+name, value(their.DefaultValue), value(f.DefaultValue))
		c.same("what guards "+name, directives(their), directives(f))
		c.arguments(name, their.Arguments, f.Arguments)
	}
	for _, f := range fields(theirs) {
		if ours.Fields.ForName(f.Name) == nil {
			c.missing = append(c.missing, ours.Name+"."+f.Name)
		}
	}
}

func (c *comparison) arguments(of string, theirs, ours ast.ArgumentDefinitionList) {
	for _, a := range ours {
		name := of + "(" + a.Name + ")"
		their := theirs.ForName(a.Name)
		if their == nil {
			c.breaks("%s is not in the contract", name)
			continue
		}
		c.same("the type of "+name, their.Type.String(), a.Type.String())
		c.same("the default of "+name, value(their.DefaultValue), value(a.DefaultValue))
	}
	for _, a := range theirs {
		if ours.ForName(a.Name) == nil {
			c.missing = append(c.missing, of+"("+a.Name+")")
		}
	}
}

func (c *comparison) values(theirs, ours *ast.Definition) {
	for _, v := range ours.EnumValues {
		if theirs.EnumValues.ForName(v.Name) == nil {
			c.breaks("%s.%s is not in the contract", ours.Name, v.Name)
		}
	}
	for _, v := range theirs.EnumValues {
		if ours.EnumValues.ForName(v.Name) == nil {
			c.missing = append(c.missing, ours.Name+"."+v.Name)
		}
	}
}

func value(v *ast.Value) string {
	if v == nil {
		return "none"
	}
	return v.String()
}

func directives(f *ast.FieldDefinition) string {
	var all []string
	for _, d := range f.Directives {
		for _, a := range d.Arguments {
			all = append(all, "@"+d.Name+"("+a.Name+": "+a.Value.String()+")")
		}
	}
	return strings.Join(all, " ")
}

// A comparison that finds nothing in schemas that differ holds nothing.
func TestTheComparisonFindsWhatDiffers(t *testing.T) {
	contract := load(t, os.DirFS("."), "testdata/contract")
	ours := schema(t)
	ours.Types["License"].Fields.ForName("status").Type.NonNull = false
	ours.Types["Query"].Fields.ForName("licenses").Arguments.ForName("first").DefaultValue.Raw = "51"
	ours.Types["Query"].Fields.ForName("plan").Directives[0].Arguments[0].Value.Raw = "plan:write"
	ours.Types["CreatePlanInput"].Fields.ForName("overagePercent").DefaultValue = nil
	ours.Types["LicenseStatus"].EnumValues[0].Name = "BEGUN"
	ours.Types["Seat"] = &ast.Definition{Kind: ast.Object, Name: "Seat"}
	ours.Types["Limit"].Fields[0].Name = "most"
	c := comparison{contract: contract, ours: ours}
	c.compare()
	if len(c.broken) != 7 {
		t.Errorf("found %q", c.broken)
	}
}
