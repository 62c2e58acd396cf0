package storagetest_test

import (
	"testing"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestModelObeysTheContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storage.Store { return storagetest.NewModel() }, storagetest.Options{})
}
