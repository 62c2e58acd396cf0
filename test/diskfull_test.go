package test_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

// A limit on the size of files stands for a full disk: what is written beyond
// it fails.
func TestAFullDiskStopsIssuingAloneAndLosesNothing(t *testing.T) {
	openSources(t)
	data := t.TempDir()
	server, c := serveDev(t, data)
	demo, err := c.plans()
	if err != nil {
		t.Fatal(err)
	}
	callers := newCallers(t, c, "full", 8, 4)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s", err, server.Stderr)
		}
	}

	ok(fill(server, data, 256<<10))
	ok(each(callers, func(one *caller) error { return untilRefused(c, one) }))
	ok(each(callers, func(one *caller) error { return one.check(c) }))
	ok(refusedAgain(c, callers[0]))
	ok(makeRoom(server))
	ok(each(callers, func(one *caller) error { return one.settle(c) }))
	ok(exactly(c, demo, callers...))

	ok(fill(server, data, 64<<10))
	ok(each(callers, func(one *caller) error { return untilRefused(c, one) }))
	ok(server.logs(tellsOfTheDisk))
	ok(server.stop())
	server, c = serveDev(t, data)
	ok(each(callers, func(one *caller) error { return one.check(c) }))
	ok(each(callers, func(one *caller) error { return one.settle(c) }))
	ok(exactly(c, demo, callers...))
	ok(each(callers, func(one *caller) error { return one.make(c, one.next()) }))
	ok(journaled(c, demo, callers...))
	ok(errors.Join(server.stop(), quiet(server), verified(t, data)))
}

// tellsOfTheDisk is what the operator reads.
var tellsOfTheDisk = regexp.MustCompile(`(?m) level=WARN msg=unavailable error="[^"]*: storage cannot be written: the disk may be full`)

// fill lets no file of the server grow beyond the largest that there is, and a
// little.
func fill(s *server, data string, room int64) error {
	files, err := filepath.Glob(filepath.Join(data, "keywright.db*"))
	if err != nil {
		return err
	}
	largest := int64(0)
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return err
		}
		largest = max(largest, info.Size())
	}
	if largest == 0 {
		return fmt.Errorf("no database in %s", data)
	}
	return limitFiles(s, strconv.FormatInt(largest+room, 10))
}

func makeRoom(s *server) error { return limitFiles(s, "unlimited") }

func limitFiles(s *server, size string) error {
	output, err := exec.Command("prlimit", "--pid", strconv.Itoa(s.cmd.Process.Pid), "--fsize="+size+":").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("prlimit: %w\n%s", err, output)
	}
	return err
}

// untilRefused makes calls until storage takes no more.
func untilRefused(c client, one *caller) error {
	for range 5000 {
		if err := timely(c, one); err != nil {
			return refused(err)
		}
	}
	return errors.New("storage is never full")
}

// refusedAgain retries the call in doubt. What others failed to write may have
// left a little room: then it fits, and another call does not.
func refusedAgain(c client, one *caller) error {
	if err := one.make(c, one.inDoubt()); err != nil {
		return refused(err)
	}
	return untilRefused(c, one)
}

// internals are words that a caller must not read.
var internals = regexp.MustCompile(`(?i)/|\.db|\bwal\b|sql|I/O|\b(insert|update|select|begin|commit)\b`)

// refused fails unless err tells a caller to come again later, and no more.
func refused(err error) error {
	var answer *refusal
	if !errors.As(err, &answer) {
		return fmt.Errorf("no refusal: %w", err)
	}
	if answer.Extensions.Code != "UNAVAILABLE" || answer.Extensions.RetryAfterSeconds < 1 || internals.MatchString(answer.Message) {
		return fmt.Errorf("refused with %+v", *answer)
	}
	return nil
}
