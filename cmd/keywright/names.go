package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/kong"
)

// isOnce reports whether a flag is said each time anew: it is no key, and has no
// variable.
func isOnce(f *kong.Flag) bool { return f.Tag.Has("once") }

// keysOf lists the keys that any command has as a flag, the file's own aside.
func keysOf(model *kong.Application) []string {
	var keys []string
	for _, command := range model.Leaves(false) {
		for _, flag := range command.Flags {
			if key := keyOf(flag.Name); flag.Name != "help" && key != configKey && !isOnce(flag) && !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
	}
	slices.Sort(keys)
	return keys
}

// keyOf gives the key of a flag: opsListen of ops-listen.
func keyOf(flag string) string {
	parts := strings.Split(flag, "-")
	for i, part := range parts[1:] {
		if part == "url" {
			parts[i+1] = "URL"
			continue
		}
		parts[i+1] = strings.ToUpper(part[:1]) + part[1:]
	}
	return strings.Join(parts, "")
}

// variableOf gives the variable of a flag or a key: KEYWRIGHT_OPS_LISTEN of
// ops-listen and of opsListen.
func variableOf(name string) string {
	var b strings.Builder
	b.WriteString(prefix)
	inWord := false // in one of capitals: URL
	for _, r := range name {
		capital := unicode.IsUpper(r)
		switch {
		case r == '-':
			r = '_'
		case capital && !inWord:
			b.WriteByte('_')
		}
		inWord = capital
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// hint says which name was meant: the nearest, if no more than a third of it
// is wrong. Else it gives otherwise.
func hint(name string, known []string, otherwise string) string {
	nearest := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	bare := strings.TrimPrefix(nearest, prefix)
	if distance(name, nearest) > len(bare)/3 {
		return otherwise
	}
	return "; did you mean " + nearest + "?"
}

// distance counts the characters to add, drop or change in a to make b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// describe adds its variable to the help of a flag.
func describe(v *kong.Value) string {
	if v.Flag == nil || v.Name == "help" || isOnce(v.Flag) {
		return v.Help
	}
	return v.Help + " ($" + variableOf(v.Name) + ")"
}

// hinted adds where help is to an error of the command line.
func hinted(err *kong.ParseError) error {
	command := err.Context.Model.Name
	if selected := err.Context.Selected(); selected != nil {
		command = selected.FullPath()
	}
	return fmt.Errorf("%w; see %s --help", err, command)
}
