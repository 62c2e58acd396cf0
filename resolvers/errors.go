package resolvers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/resolvers/limit"
)

// presenter makes of an error what its caller may see, and logs the rest: no
// stack, SQL or internal text leaves the server.
func presenter(log *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		var located *gqlerror.Error
		if !errors.As(graphql.AddFieldLocationToError(ctx, err), &located) {
			located = &gqlerror.Error{Path: graphql.GetPath(ctx)}
		}
		var f *fault.Error
		if !errors.As(err, &f) {
			f = fault.Wrap(fault.Internal, err, "internal error")
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
// answer's field and that of the input's.
func splitPath(ctx context.Context, path ast.Path) (ast.Path, string) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || len(path) <= len(fc.Path()) {
		return path, ""
	}
	answer, input := path[:len(fc.Path())], path[len(fc.Path()):]
	if name, ok := input[0].(ast.PathName); ok {
		return answer, string(argumentPath(string(name)).joinPath(input[1:]))
	}
	return answer, ""
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

// refused is an error of a request that was not executed. It names fields and
// variables, and never tells a value, which may be a key.
func refused(message, field string, at ...gqlerror.Location) *gqlerror.Error {
	extensions := map[string]any{"code": fault.InvalidInput}
	if field != "" {
		extensions["field"] = field
	}
	return &gqlerror.Error{Message: message, Locations: at, Extensions: extensions}
}

// unparsed tells why a document did not parse.
func unparsed(limits limit.Limits, err error) *gqlerror.Error {
	var located *gqlerror.Error
	if !errors.As(err, &located) {
		return refused("the document does not parse", "")
	}
	if strings.HasPrefix(located.Message, "exceeded token limit") {
		return refused(limits.TooManyTokens().Error(), "")
	}
	return refused(withoutToken(located.Message), "", located.Locations...)
}

// badVariable tells which variable is not of its type, and where it is used.
func badVariable(doc *ast.QueryDocument, o *ast.OperationDefinition, err error) *gqlerror.Error {
	var located *gqlerror.Error
	if !errors.As(err, &located) || len(located.Path) < 2 {
		return refused("the variables are not of their types", "")
	}
	message := located.Message
	if i := strings.LastIndex(message, " is not a valid "); i >= 0 {
		message = "is not a valid " + message[i+len(" is not a valid "):]
	}
	variable, _ := located.Path[1].(ast.PathName)
	at := variablePath(doc, o, string(variable)).joinPath(located.Path[2:])
	return refused("variable $"+string(variable)+": "+message, string(at))
}

// withoutToken cuts from a message of the parser what it quotes of the
// document.
func withoutToken(message string) string {
	for _, quote := range []string{": ", ` "`, " but got"} {
		message, _, _ = strings.Cut(message, quote)
	}
	return strings.TrimSuffix(message, ".")
}
