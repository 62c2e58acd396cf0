package engines_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

func TestADiskIsFullUntilItIsEmptied(t *testing.T) {
	disk := engines.NewDisk(t, 1<<20)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	file, page := filepath.Join(disk.Directory, "file"), make([]byte, 1<<16)
	must(disk.Fill(1 << 17))
	must(os.WriteFile(file, page, 0o600))
	must(disk.Fill(0))
	if err := os.WriteFile(file+"2", page, 0o600); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
	must(disk.Empty())
	must(os.WriteFile(file+"2", page, 0o600))
}
