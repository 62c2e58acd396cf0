package test_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
)

// What is stored is what the callers were told, and each validation that they
// were answered is counted.
func TestAShutdownUnderLoadStoresWhatWasAnsweredAndNoMore(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	server, c := serveDev(t, data)
	demo, err := c.plans()
	if err != nil {
		t.Fatal(err)
	}
	callers := newCallers(t, c, "drain", 16, 5)
	var rounds atomic.Int64
	loaded, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- each(callers, func(one *caller) error {
			for {
				err := issueAndValidate(c, one)
				if errors.Is(err, errNoAnswer) {
					return nil // it takes no more
				}
				if err != nil {
					return err
				}
				if rounds.Add(1) == 100 {
					close(loaded)
				}
			}
		})
	}()
	select {
	case <-loaded:
	case err := <-ended:
		t.Fatalf("the load ended before the server: %v\n%s", err, server.Stderr)
	}
	if err := errors.Join(server.stop(), <-ended, quiet(server)); err != nil {
		t.Fatal(err)
	}

	server, c = serveDev(t, data)
	err = errors.Join(
		exactly(c, demo, callers...),
		each(callers, func(one *caller) error { return one.checkCounts(c) }),
		server.stop(), quiet(server))
	if err != nil {
		t.Error(err)
	}
}

func issueAndValidate(c client, one *caller) error {
	issue := one.issue(one.nextID())
	if err := one.make(c, issue); err != nil {
		return err
	}
	return one.validate(c, issue.answer.Record.ID)
}

// checkCounts compares the validations that storage has counted with those
// that were answered.
func (c *caller) checkCounts(from client) error {
	for id := range c.licenses {
		var data struct {
			License struct{ ValidationCount int64 }
		}
		err := from.ask("query($id: ID!) { license(id: $id) { validationCount } }", map[string]any{"id": id}, &data)
		if err == nil && data.License.ValidationCount != c.validated[id] {
			err = fmt.Errorf("%d validations are stored, %d were answered", data.License.ValidationCount, c.validated[id])
		}
		if err != nil {
			return about("license", id, err)
		}
	}
	return nil
}
