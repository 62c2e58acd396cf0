// Package fault is what every room says when something went wrong: a code for
// the program, a message for the caller, a cause for the log. A message never
// holds a secret, a key, SQL or a path of the machine; a cause may, save for
// keys and secrets, and goes to the log alone.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Code says to a program what kind of failure it is. The values are the
// extensions.code of the public contract.
type Code string

// The codes of the public contract.
const (
	InvalidInput    Code = "INVALID_INPUT"
	NotFound        Code = "NOT_FOUND"
	Conflict        Code = "CONFLICT"
	Unauthenticated Code = "UNAUTHENTICATED"
	Denied          Code = "DENIED"
	RateLimited     Code = "RATE_LIMITED"
	Unavailable     Code = "UNAVAILABLE"
	Internal        Code = "INTERNAL"
)

// Reason says which kind of Conflict it is.
type Reason string

// The reasons of a Conflict. Taken and IdempotencyMismatch name the record
// that stands in the way in Error.ID.
const (
	RevisionStale       Reason = "REVISION_STALE"
	State               Reason = "STATE"
	Taken               Reason = "TAKEN"
	IdempotencyMismatch Reason = "IDEMPOTENCY_MISMATCH"
)

// Error is a failure with what each reader of it needs. The fields beside
// Code and Message are set where their code has them.
type Error struct {
	Code       Code
	Message    string        // for the caller
	Field      string        // InvalidInput: the path of the bad field, such as customer.email
	Reason     Reason        // Conflict
	ID         string        // Conflict: what stands in the way
	Action     string        // Denied: the permission that is missing
	RetryAfter time.Duration // RateLimited, Unavailable
	cause      error
}

// Error gives the message and, for the log, the cause.
func (e *Error) Error() string {
	if e.cause == nil {
		return e.Message
	}
	return e.Message + ": " + e.cause.Error()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.cause }

// Errorf makes an Error without a cause. The text is for the caller.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error with a message for the caller and err as its cause.
func Wrap(code Code, err error, message string) *Error {
	return &Error{Code: code, Message: message, cause: err}
}

// Invalid is an InvalidInput about one field, named by its path in the input.
func Invalid(field, format string, args ...any) *Error {
	e := Errorf(InvalidInput, format, args...)
	e.Field = field
	return e
}

// Clash is a Conflict for a reason; id is what stands in the way, or empty.
func Clash(reason Reason, id, format string, args ...any) *Error {
	e := Errorf(Conflict, format, args...)
	e.Reason, e.ID = reason, id
	return e
}

// CodeOf gives the code of the first Error in err's tree, Internal where
// there is none, and the empty code for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// Is reports whether err carries the code.
func Is(err error, code Code) bool { return err != nil && CodeOf(err) == code }

// All lists the Errors that err joins, in order: one for each bad field of an
// input. An error that is none, joined or alone, stands as Internal with
// itself as the cause.
func All(err error) []*Error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		if e, ok := inner.(*Error); ok { //nolint:errorlint // the loop unwraps
			return []*Error{e}
		}
		if joined, ok := inner.(interface{ Unwrap() []error }); ok {
			var all []*Error
			for _, one := range joined.Unwrap() {
				all = append(all, All(one)...)
			}
			return all
		}
	}
	if err == nil {
		return nil
	}
	return []*Error{Wrap(Internal, err, "internal error")}
}
