package engines_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/keywright/keywright/internal/engines"
)

func TestMain(m *testing.M) { engines.Main(m) }

// What a server wrote goes with it, whatever the test did to it.
func TestNothingIsLeftBehind(t *testing.T) {
	directory := t.TempDir()
	if err := os.Chmod(filepath.Dir(directory), 0o755); err != nil { // the servers' user comes by
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", directory)
	t.Run("test", func(t *testing.T) {
		s := engines.NewPostgres(t, engines.PostgresOptions{})
		if err := s.Kill(); err != nil {
			t.Error(err)
		}
	})
	if left, err := os.ReadDir(directory); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
