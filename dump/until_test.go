package dump_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/storage/storagetest"
)

// Whoever writes the stream may be stuck, and a read of a pipe ends with nothing
// but that.
func TestALoadEndsWithItsContextThoughNothingMoreComes(t *testing.T) {
	stream := written(t, filled(t, 3))
	for name, come := range map[string]string{
		"nothing": "", "half a line": stream[:20], "some records": stream[:len(stream)/2],
	} {
		ctx, cancel := context.WithCancel(t.Context())
		pipe, writer := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			_, err := dump.Load(ctx, storagetest.NewModel(), pipe, nil)
			ended <- err
		}()
		if _, err := io.Copy(writer, strings.NewReader(come)); err != nil {
			t.Fatal(err)
		}
		cancel()
		select {
		case err := <-ended:
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: got %v", name, err)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it goes on waiting", name)
		}
		writer.Close()
	}
}
