package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

const (
	prefix     = "KEYWRIGHT_"
	secretsVar = prefix + "SECRETS"
	configKey  = "config"
	byDefault  = "default"
)

// settings are the sources of the configuration beside the command line, and
// what came from where: a flag wins over a variable, that over the file, and
// that over the default.
type settings struct {
	variables map[string]string // those that begin with KEYWRIGHT_
	file      string
	inFile    map[string]yaml.Node
	origin    map[string]string // of each key: a flag, a variable, a line of the file, or byDefault
}

func newSettings(environ []string) *settings {
	s := &settings{variables: map[string]string{}, origin: map[string]string{}}
	for _, one := range environ {
		if name, value, _ := strings.Cut(one, "="); strings.HasPrefix(name, prefix) {
			s.variables[name] = value
		}
	}
	return s
}

// fill gives each flag of the command that the command line left open what a
// variable or the file says. Kong itself would let its resolvers win over its
// variables, and name neither in an error.
func (s *settings) fill(parsed *kong.Context) error {
	given := map[string]bool{}
	for _, path := range parsed.Path {
		if path.Flag != nil {
			given[path.Flag.Name] = true
		}
	}
	var problems []error
	flags := parsed.Flags()
	// The file's own name comes first.
	slices.SortStableFunc(flags, func(a, b *kong.Flag) int { return rank(a) - rank(b) })
	for _, flag := range flags {
		if flag.Name == "help" {
			continue
		}
		err := s.settle(flag, given[flag.Name])
		if err == nil && flag.Name == configKey && flag.Target.String() != "" {
			err = s.read(flag.Target.String())
		}
		problems = append(problems, err)
	}
	if len(flags) > 1 { // every command has --help
		problems = append(problems, s.strangers(keysOf(parsed.Model)))
	}
	return errors.Join(problems...)
}

func rank(f *kong.Flag) int {
	if f.Name == configKey {
		return 0
	}
	return 1
}

// settle sets one flag, and remembers where its value came from.
func (s *settings) settle(flag *kong.Flag, given bool) error {
	key := keyOf(flag.Name)
	s.origin[key] = byDefault
	var text, origin string
	var found bool
	var err error
	if !isOnce(flag) {
		text, origin, found, err = s.find(flag)
	}
	switch {
	case given:
		s.origin[key] = "--" + flag.Name
		if kind := flag.Target.Kind(); (kind == reflect.String || kind == reflect.Slice) && flag.Target.Len() == 0 {
			return s.problem(key, "empty")
		}
		return s.checkEnum(flag, key)
	case !found:
		return nil
	}
	s.origin[key] = origin
	switch {
	case err != nil:
		return s.problem(key, "%w", err)
	case strings.TrimSpace(text) == "":
		return s.problem(key, "empty")
	}
	if flag.Target.Kind() == reflect.Slice {
		flag.Target.SetZero() // kong would add to the default
	}
	scan := kong.ScanAsType(kong.FlagValueToken, text)
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, flag.Target); err != nil {
		return s.problem(key, "%w", err)
	}
	return s.checkEnum(flag, key)
}

// find gives the text of a variable or, where there is none, of the file.
func (s *settings) find(flag *kong.Flag) (text, origin string, found bool, err error) {
	name := variableOf(flag.Name)
	if text, ok := s.variables[name]; ok {
		return text, name, true, nil
	}
	node, ok := s.inFile[keyOf(flag.Name)]
	if !ok {
		return "", "", false, nil
	}
	text, err = textOf(node, flag.IsSlice())
	return text, fmt.Sprintf("%s:%d", s.file, node.Line), true, err
}

// checkEnum is for values that kong has not seen.
func (s *settings) checkEnum(flag *kong.Flag, key string) error {
	if flag.Enum == "" || slices.Contains(flag.EnumSlice(), flag.Target.String()) {
		return nil
	}
	return s.problem(key, "must be one of %s", strings.Join(flag.EnumSlice(), ", "))
}

// set reports whether a key has another source than its default.
func (s *settings) set(key string) bool {
	origin, ok := s.origin[key]
	return ok && origin != byDefault
}

// problem makes an error that names a key and where its value came from.
func (s *settings) problem(key, format string, args ...any) error {
	name := key
	if s.set(key) {
		name += " (" + s.origin[key] + ")"
	}
	return fmt.Errorf("%s: %w", name, fmt.Errorf(format, args...))
}

// problems collects what is wrong with a configuration.
type problems struct {
	*settings
	list []error
}

func (p *problems) add(key, format string, args ...any) {
	p.list = append(p.list, p.problem(key, format, args...))
}

func (p *problems) err() error { return errors.Join(p.list...) }

// read reads the file.
func (s *settings) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return s.problem(configKey, "%w", err)
	}
	defer f.Close()
	s.file = path
	dec := yaml.NewDecoder(f)
	if err := dec.Decode(&s.inFile); err != nil && !errors.Is(err, io.EOF) {
		return s.problem(configKey, "not a YAML file of keys and values: %w", err)
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return s.problem(configKey, "more than one YAML document")
	}
	return nil
}

// strangers finds keys of the file that there are not, and variables that are
// nearly a key's. Other variables pass: KEYWRIGHT_ is also what Kubernetes
// begins the variables of a service of that name with.
func (s *settings) strangers(known []string) error {
	var problems []error
	for _, key := range slices.Sorted(maps.Keys(s.inFile)) {
		if !slices.Contains(known, key) {
			near := hint(key, known, "; there are "+strings.Join(known, ", "))
			problems = append(problems, fmt.Errorf("%s (%s:%d): no such key%s", key, s.file, s.inFile[key].Line, near))
		}
	}
	variables := []string{secretsVar, prefix + "CONFIG"}
	for _, key := range known {
		variables = append(variables, variableOf(key))
	}
	for _, name := range slices.Sorted(maps.Keys(s.variables)) {
		if near := hint(name, variables, ""); near != "" && !slices.Contains(variables, name) {
			problems = append(problems, fmt.Errorf("%s: no such variable%s", name, near))
		}
	}
	return errors.Join(problems...)
}

// textOf gives what a key of the file says, a list joined by commas.
func textOf(node yaml.Node, list bool) (string, error) {
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return "", nil
	case node.Kind == yaml.ScalarNode:
		return node.Value, nil
	case node.Kind != yaml.SequenceNode || !list:
		return "", errors.New("must be a single value")
	}
	var parts []string
	for _, one := range node.Content {
		if one.Kind != yaml.ScalarNode || one.Value == "" || strings.Contains(one.Value, ",") {
			return "", errors.New("must be a list of single values")
		}
		parts = append(parts, one.Value)
	}
	return strings.Join(parts, ","), nil
}
