package archtest_test

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
)

// tree is what was read of a module: of each package the paths that its files
// import, tests aside, and of each file its lines.
type tree struct {
	imports map[string][]string
	lines   map[string]int
}

func read(fsys fs.FS) (tree, error) {
	t := tree{imports: map[string][]string{}, lines: map[string]int{}}
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return enter(fsys, name)
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		return t.add(fsys, name)
	})
	if err == nil && len(t.imports) == 0 {
		err = errors.New("no Go file was found")
	}
	return t, err
}

// enter skips what the go command does not take for packages of the module.
func enter(fsys fs.FS, directory string) error {
	if directory == "." {
		return nil
	}
	base := path.Base(directory)
	_, err := fs.Stat(fsys, path.Join(directory, "go.mod"))
	if err == nil || base == "testdata" || base == "vendor" || base == "node_modules" || strings.ContainsAny(base[:1], "._") {
		return fs.SkipDir
	}
	return nil
}

func (t tree) add(fsys fs.FS, name string) error {
	source, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return err
	}
	t.lines[name] = bytes.Count(source, []byte("\n"))
	imports := t.imports[path.Dir(name)]
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return err
		}
		if !slices.Contains(imports, imported) {
			imports = append(imports, imported)
		}
	}
	t.imports[path.Dir(name)] = imports
	return nil
}

// violations lists what breaks a table, in order.
func (t tree) violations() []string {
	var found []string
	for _, from := range slices.Sorted(maps.Keys(t.imports)) {
		at, ok := roomOf(from)
		if !ok {
			found = append(found, from+" stands in no room")
			continue
		}
		for _, to := range slices.Sorted(slices.Values(t.imports[from])) {
			ours, isOurs := strings.CutPrefix(to, module+"/")
			switch {
			case isOurs && !at.admits(ours):
				found = append(found, from+" imports "+ours)
			case !isOurs && !hasPlace(from, to):
				found = append(found, from+" imports "+to+", which has another place or none")
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(longest)) {
		_, due := t.imports[path.Dir(name)]
		switch lines, ok := t.lines[name]; {
		case due && !ok:
			found = append(found, name+" is not there")
		case lines > longest[name]:
			found = append(found, fmt.Sprintf("%s has %d lines, more than %d", name, lines, longest[name]))
		}
	}
	return found
}

// roomOf gives the row of a package: the longest that is its path or a parent.
func roomOf(pkg string) (at room, ok bool) {
	for _, r := range rooms {
		if within(pkg, r.path) && len(r.path) > len(at.path) {
			at, ok = r, true
		}
	}
	return at, ok
}

func (r room) admits(to string) bool {
	switch {
	case r.imports == anything:
		return true
	case r.imports == "":
		return false
	case to == leaf:
		return true
	case slices.ContainsFunc(driven, func(parent string) bool { return to != parent && within(to, parent) }):
		return false
	}
	return withinAny(to, r.path+" "+r.imports)
}

// hasPlace reports whether a package of ours may import what is not: the
// standard library, or a dependency in its place.
func hasPlace(from, to string) bool {
	if first, _, _ := strings.Cut(to, "/"); !strings.Contains(first, ".") {
		return true
	}
	return slices.ContainsFunc(dependencies, func(d dependency) bool {
		return within(to, d.path) && withinAny(from, d.rooms)
	})
}

func withinAny(pkg, list string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(parent string) bool { return within(pkg, parent) })
}

func within(pkg, parent string) bool {
	return pkg == parent || strings.HasPrefix(pkg, parent+"/")
}
