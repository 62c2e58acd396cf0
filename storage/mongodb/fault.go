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

// What a server says that is not the primary any more, or is going down.
func codesOfGoing() []int { return []int{10107, 13435, 11600, 11602, 189, 91} }

// repeat sends a write, and once more where the first answer was lost or came
// from a server that is going. It says whether it did: the first may have been
// applied.
func repeat(ctx context.Context, send func() error) (bool, error) {
	err := send()
	if err == nil || ctx.Err() != nil || !isLost(err) {
		return false, err
	}
	return true, send()
}

func isLost(err error) bool {
	if mongo.IsNetworkError(err) {
		return true
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
