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

// array adds a list whose length the planner is not to see: it takes that of a
// short one for a reason to plan each statement anew, which costs more than what
// the statement does. In ANY it has to be cast, or it were a list of rows.
func (s *statement) array(values any, kind string) string {
	return "(SELECT " + s.arg(values) + "::" + kind + "[])"
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
