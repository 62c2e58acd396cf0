package storage

import (
	"context"

	"github.com/keywright/keywright/fault"
)

// One gives the record of this id and kind; NotFound says that there is none.
func One(ctx context.Context, r Reader, kind Kind, id string) (*Stored, error) {
	found, err := r.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if found[0] == nil || found[0].Kind != kind {
		return nil, fault.Errorf(fault.NotFound, "%s not found", kind)
	}
	return found[0], nil
}
