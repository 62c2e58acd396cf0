package mongodb

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver"

	"github.com/keywright/keywright/fault"
)

// translate is the one place that says what MongoDB's errors mean.
func translate(err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case isTooLarge(err):
		return fault.Wrap(fault.InvalidInput, err, "a record with its seats and pending entries has more than the 16 MB that MongoDB keeps of one")
	}
	return fault.Wrap(fault.Unavailable, err, "storage is unavailable")
}

// The codes of a document that is too large: as it is sent, and after an
// update.
const (
	codeTooLarge      = 10334
	codeTooLargeAfter = 17419
)

// The most that MongoDB keeps of a document. Not every server refuses more.
const maxDocument = 16 << 20

func isNone(err error) bool { return errors.Is(err, mongo.ErrNoDocuments) }

func isTooLarge(err error) bool {
	var said mongo.ServerError
	return errors.Is(err, driver.ErrDocumentTooLarge) ||
		errors.As(err, &said) && (said.HasErrorCode(codeTooLarge) || said.HasErrorCode(codeTooLargeAfter))
}

// encoded is a document or an update as it is sent.
func encoded(document any) (bson.Raw, error) {
	raw, err := bson.Marshal(document)
	if err == nil && len(raw) > maxDocument {
		err = driver.ErrDocumentTooLarge
	}
	return raw, err
}

// What a server says that is not the primary any more or is going down, and a
// router of a shard's server that is: the codes of MongoDB's specification
// "Retryable Writes" and those of a node that is recovering.
func codesOfGoing() []int {
	return []int{6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}
}

// repeat sends a write, and once more where the first answer was lost or came
// from a server that is going. It says whether it did: the first may have been
// applied. A call that took all of its time is not made to take twice as much.
func repeat(ctx context.Context, send func() error) (bool, error) {
	err := send()
	if err == nil || ctx.Err() != nil || !isLost(err) {
		return false, err
	}
	return true, send()
}

// neverLeft reports whether a call ended before it had a connection, because
// that of all others was lost.
func neverLeft(err error) bool {
	var pool driver.RetryablePoolError
	return errors.As(err, &pool) && pool.Retryable()
}

func isLost(err error) bool {
	if neverLeft(err) {
		return true
	}
	if mongo.IsNetworkError(err) {
		return !mongo.IsTimeout(err)
	}
	var said mongo.ServerError
	if !errors.As(err, &said) {
		return false
	}
	for _, code := range codesOfGoing() {
		if said.HasErrorCode(code) {
			return true
		}
	}
	return false
}
