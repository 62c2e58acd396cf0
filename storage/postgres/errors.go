package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/keywright/keywright/fault"
)

// The codes of PostgreSQL that are told apart here.
const (
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	statementMissing     = "26000"
	statementTaken       = "42P05"
	staleDescription     = "0A000" // a table changed under a prepared statement
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503" // a record was swept meanwhile
	undefinedTable       = "42P01"
	tooLong              = "54000" // an index does not hold a text as long
	diskFull             = "53100"
	tooManyConnections   = "53300"
	wrongPassword        = "28P01"
	wrongUser            = "28000"
	noDatabase           = "3D000"
	readOnly             = "25006"
	starting             = "57P03"
)

// codeOf gives PostgreSQL's code of an error, empty where it is not of the
// server's making.
func codeOf(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return ""
}

// translate is the one place that says what PostgreSQL's errors mean.
func translate(err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.Wrap(fault.Unavailable, err, "storage is unavailable")
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return onlyRead(err)
	}
	switch codeOf(err) {
	case tooLong:
		return fault.Wrap(fault.InvalidInput, err, "a text is longer than storage can find again")
	case diskFull:
		return fault.Wrap(fault.Unavailable, err, "storage is full")
	case tooManyConnections:
		return fault.Wrap(fault.Unavailable, err, "storage is busy")
	case wrongPassword, wrongUser, noDatabase:
		return fault.Wrap(fault.Unavailable, err, "storage does not let this program in")
	case readOnly:
		return onlyRead(err)
	case starting:
		return fault.Wrap(fault.Unavailable, err, "storage is starting or stopping")
	}
	return fault.Wrap(fault.Unavailable, err, "storage is unavailable")
}

func onlyRead(err error) error {
	return fault.Wrap(fault.Unavailable, err, "storage can be read only")
}

func errClosed() error { return fault.Errorf(fault.Unavailable, "storage is closed") }
