package resolvers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/keywright/keywright/fault"
)

// presenter makes of an error what its caller may see, and logs the rest: no
// stack, SQL or internal text leaves the server.
func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		var located *gqlerror.Error
		if !errors.As(err, &located) {
			located = &gqlerror.Error{Path: graphql.GetPath(ctx)}
		}
		var f *fault.Error
		if !errors.As(err, &f) {
			if located.Err == nil && located.Message != "" {
				// From the parser or the validation of the document.
				return &gqlerror.Error{
					Message: located.Message, Path: located.Path, Locations: located.Locations,
					Extensions: map[string]any{"code": fault.InvalidInput},
				}
			}
			f = fault.Wrap(fault.Internal, err, "")
		}
		logFault(ctx, log, f)
		path, field := splitPath(ctx, located.Path)
		return &gqlerror.Error{
			Message: message(f), Path: path, Locations: located.Locations, Extensions: extensions(f, field),
		}
	}
}

func message(f *fault.Error) string {
	if f.Code == fault.Internal {
		return "internal error"
	}
	return f.Message
}

// extensions are those of common.graphqls.
func extensions(f *fault.Error, field string) map[string]any {
	all := map[string]any{"code": f.Code}
	set := func(name, value string) {
		if value != "" {
			all[name] = value
		}
	}
	set("reason", string(f.Reason))
	set("id", f.ID)
	set("action", f.Action)
	set("field", f.Field)
	if f.Code == fault.InvalidInput && f.Field == "" {
		set("field", field)
	}
	if f.Code == fault.RateLimited || f.Code == fault.Unavailable {
		all["retryAfterSeconds"] = max(1, int(math.Ceil(f.RetryAfter.Seconds())))
	}
	return all
}

// splitPath parts where an argument's value was refused into the path of the
// answer's field and that of the input's: what is behind the answer's field,
// without the argument's own name where that is input.
func splitPath(ctx context.Context, path ast.Path) (ast.Path, string) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || len(path) <= len(fc.Path()) {
		return path, ""
	}
	answer, input := path[:len(fc.Path())], path[len(fc.Path()):]
	var parts []string
	for i, element := range input {
		switch e := element.(type) {
		case ast.PathName:
			if i > 0 || e != "input" {
				parts = append(parts, string(e))
			}
		case ast.PathIndex:
			parts = append(parts, strconv.Itoa(int(e)))
		}
	}
	return answer, strings.Join(parts, ".")
}

func logFault(ctx context.Context, log *slog.Logger, f *fault.Error) {
	switch f.Code {
	case fault.Internal:
		log.ErrorContext(ctx, "internal error", "error", f.Error())
	case fault.Unavailable:
		log.WarnContext(ctx, "unavailable", "error", f.Error())
	}
}

// panicked is the error of a resolver that panicked. Its text goes to the log
// alone. What was being answered is not in it: only where.
func panicked(p any) error {
	return fault.Wrap(fault.Internal, fmt.Errorf("panic: %v\n%s", p, debug.Stack()), "internal error")
}
