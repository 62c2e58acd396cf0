package archtest_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestEveryPackageKeepsToItsRoom(t *testing.T) {
	tree, err := read(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	// One that every room stands on: the walk began in the right place.
	if _, ok := tree.imports["fault"]; !ok {
		t.Fatal("the walk did not come by fault")
	}
	for _, violation := range tree.violations() {
		t.Error(violation)
	}
}

func TestAWalkThatFindsNothingFails(t *testing.T) {
	for name, fsys := range map[string]fstest.MapFS{
		"an empty tree": {},
		"no package of the module": {
			"go.mod":                 {},
			"README.md":              {},
			"fault/fault_test.go":    {Data: []byte("package fault_test\n")},
			"tools/go.mod":           {},
			"tools/tools.go":         {Data: []byte("package tools\n")},
			"fault/testdata/main.go": {Data: []byte("package main\n")},
			".tools/main.go":         {Data: []byte("package main\n")},
		},
	} {
		if tree, err := read(fsys); err == nil {
			t.Errorf("%s: read %v", name, tree)
		}
	}
	if _, err := read(fstest.MapFS{"fault/fault.go": {Data: []byte("package")}}); err == nil {
		t.Error("a file that does not parse was passed over")
	}
}

func TestImportsAreReadFromEveryFile(t *testing.T) {
	tree, err := read(fstest.MapFS{
		"fault/a.go":      {Data: []byte("package fault\n\nimport \"errors\"\n")},
		"fault/b.go":      {Data: []byte("//go:build windows\n\npackage fault\n\nimport (\n\t\"errors\"\n\t_ `embed`\n)\n")},
		"fault/b_test.go": {Data: []byte("package fault_test\n\nimport \"testing\"\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]string{"fault": {"errors", "embed"}}, tree.imports); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]int{"fault/a.go": 3, "fault/b.go": 8}, tree.lines); diff != "" {
		t.Error(diff)
	}
}

func TestImportsThatTheTablesRefuse(t *testing.T) {
	tests := []struct{ from, to string }{
		{"fault", "page"},
		{"license", "storage"},
		{"license", "licensing"}, // not a package of license
		{"license/key", "fault"},
		{"license/key", "license"},
		{"license/key", "internal/id"},
		{"license/token", "license/key"},
		{"internal/id", "fault"},
		{"console", "fault"},
		{"journal", "license"},
		{"storage", "storage/sqlite"},
		{"storage/sqlite", "storage/storagetest"},
		{"storage/mongodb", "internal/sqlstore"},
		{"licensing", "storage/sqlite"},
		{"licensing", "storage/storagetest"},
		{"licensing", "validation"},
		{"resolvers", "storage"},
		{"server", "authz/casbin"},
		{"authz/casbin", "license"},
		{"validation", "cmd/keywright"},
		{"validation", "nowhere"},
	}
	for _, test := range tests {
		want := []string{test.from + " imports " + test.to}
		if diff := cmp.Diff(want, judge(test.from, module+"/"+test.to)); diff != "" {
			t.Errorf("%s, %s: %s", test.from, test.to, diff)
		}
	}
}

func TestImportsThatTheTablesAdmit(t *testing.T) {
	tests := []struct{ from, to string }{
		{"cmd/keywright", module + "/storage/sqlite"},
		{"internal/bench", module + "/storage/sqlite"},
		{"test", module + "/signer/local"},
		{"licensing", module + "/license/key"},
		{"licensing", module + "/storage"},
		{"graph", module + "/graph/scalar"},
		{"graph/scalar", module + "/license"},
		{"storage/sqlite", module + "/internal/sqlstore"},
		{"storage/mongodb", module + "/storage"},
		{"storage/storagetest", module + "/fault"},
		{"authz/oidc", module + "/authz"},
		{"secret", module + "/internal/id"},
		{"storage/sqlite", "modernc.org/sqlite"},
		{"storage/sqlite", "modernc.org/sqlite/lib"},
		{"resolvers", "github.com/99designs/gqlgen/graphql"},
		{"license", "golang.org/x/net/idna"},
		{"license/key", "unicode/utf8"},
	}
	for _, test := range tests {
		if found := judge(test.from, test.to); found != nil {
			t.Errorf("%s: %v", test.from, found)
		}
	}
}

func TestDependenciesOutOfTheirPlace(t *testing.T) {
	tests := []struct{ from, to string }{
		{"storage", "modernc.org/sqlite"},
		{"test", "modernc.org/sqlite"},
		{"licensing", "github.com/99designs/gqlgen/graphql"},
		{"license", "golang.org/x/net/http2"},
		{"license", "golang.org/x/net/idnaother"},
		{"server", "go.yaml.in/yaml/v3"},
		{"fault", "example.com/new"},
	}
	for _, test := range tests {
		want := []string{test.from + " imports " + test.to + ", which has another place or none"}
		if diff := cmp.Diff(want, judge(test.from, test.to)); diff != "" {
			t.Errorf("%s, %s: %s", test.from, test.to, diff)
		}
	}
}

func TestAPackageInNoRoomIsFound(t *testing.T) {
	for _, pkg := range []string{".", "utils", "internal", "internal/utils", "cmd", "cmd/other", "faults"} {
		if diff := cmp.Diff([]string{pkg + " stands in no room"}, judge(pkg, "errors")); diff != "" {
			t.Error(diff)
		}
	}
}

func TestFilesAreNoLongerThanTheyMay(t *testing.T) {
	const name = "cmd/keywright/main.go"
	tests := map[string]struct {
		lines map[string]int
		want  []string
	}{
		"as long as it may": {map[string]int{name: 40}, nil},
		"longer":            {map[string]int{name: 41}, []string{name + " has 41 lines, more than 40"}},
		"not there":         {map[string]int{"main.go": 1}, []string{name + " is not there"}},
	}
	for what, test := range tests {
		imports := map[string][]string{"cmd/keywright": nil}
		if diff := cmp.Diff(test.want, tree{imports: imports, lines: test.lines}.violations()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

// judge gives what a package breaks by one import.
func judge(from, to string) []string {
	lines := map[string]int{}
	for name, most := range longest {
		lines[name] = most
	}
	return tree{imports: map[string][]string{from: {to}}, lines: lines}.violations()
}

// The tables name each room and dependency once, and no room that is misspelt.
func TestTheTablesAgreeWithThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rooms {
		if seen[r.path] {
			t.Errorf("%s has two rows", r.path)
		}
		seen[r.path] = true
	}
	for _, r := range rooms {
		for _, to := range strings.Fields(r.imports) {
			if !seen[to] && to != anything {
				t.Errorf("%s may import %s, which has no row", r.path, to)
			}
		}
	}
	for _, d := range dependencies {
		if seen[d.path] {
			t.Errorf("%s has two places", d.path)
		}
		seen[d.path] = true
		for _, at := range strings.Fields(d.rooms) {
			if _, ok := roomOf(at); !ok {
				t.Errorf("the place of %s is in no room: %s", d.path, at)
			}
		}
	}
}
