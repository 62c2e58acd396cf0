package graph_test

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/keywright/keywright/graph"
)

// load reads the schema in a folder, which must not be empty.
func load(t *testing.T, files fs.FS, folder string) *ast.Schema {
	t.Helper()
	names, err := fs.Glob(files, path.Join(folder, "*.graphqls"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no schema in %s: %v", folder, err)
	}
	var sources []*ast.Source
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	return load(t, graph.Schema, "schema")
}

// own are the types of a schema that GraphQL does not bring along.
func own(s *ast.Schema) []*ast.Definition {
	var all []*ast.Definition
	for _, d := range s.Types {
		if !d.BuiltIn {
			all = append(all, d)
		}
	}
	return all
}

// fields are a type's own, without those of introspection.
func fields(d *ast.Definition) []*ast.FieldDefinition {
	var all []*ast.FieldDefinition
	for _, f := range d.Fields {
		if !strings.HasPrefix(f.Name, "__") {
			all = append(all, f)
		}
	}
	return all
}

func TestEverythingIsDescribed(t *testing.T) {
	s := schema(t)
	described := func(description string, path ...string) {
		t.Helper()
		if strings.TrimSpace(description) == "" {
			t.Errorf("%s has no description", strings.Join(path, "."))
		}
	}
	for _, d := range own(s) {
		described(d.Description, d.Name)
		for _, f := range fields(d) {
			described(f.Description, d.Name, f.Name)
			for _, a := range f.Arguments {
				if a.Name != "input" { // its type says what it is
					described(a.Description, d.Name, f.Name, a.Name)
				}
			}
		}
		for _, v := range d.EnumValues {
			described(v.Description, d.Name, v.Name)
		}
	}
	for _, name := range []string{"hasPermission", "public"} {
		described(s.Directives[name].Description, "@"+name)
	}
}
