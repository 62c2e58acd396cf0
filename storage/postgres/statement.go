package postgres

import (
	"strconv"
	"strings"
)

// statement is put together from parts, with the values of its parameters.
type statement struct {
	parts []string
	args  []any
}

// arg adds a parameter's value and gives its name.
func (s *statement) arg(value any) string {
	s.args = append(s.args, value)
	return "$" + strconv.Itoa(len(s.args))
}

// list adds several.
func (s *statement) list(values ...any) string {
	names := make([]string, len(values))
	for i, value := range values {
		names[i] = s.arg(value)
	}
	return strings.Join(names, ", ")
}

func (s *statement) add(part string) { s.parts = append(s.parts, part) }
