package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
)

// aimOfDocument is the CPU time that no document may pass.
const aimOfDocument = 20 * time.Millisecond

// documents measures the CPU time of the worst requests that we could think
// of, for callers without a credential and with one: those that the limits let
// through, and those that they refuse. No text is sent twice, so none is
// remembered.
func (b bench) documents(ctx context.Context) error {
	w, err := wireNew(ctx, filepath.Join(b.dir, "documents.db"))
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	if _, err := w.keys(ctx, 200); err != nil {
		return err
	}
	fmt.Printf("\nthe worst documents, CPU time of a request; aim at most %s\n", short(aimOfDocument))
	for _, who := range []struct {
		name string
		as   actor.Actor
		size sizes
	}{
		{"without a credential", actor.Actor{}, sizes{tokens: 600, bytes: 63 << 10, text: 60 << 10, values: 2_000}},
		{"staff", authz.DevAdmin, sizes{tokens: 5_000, bytes: 1_000 << 10, text: 256 << 10, values: 40_000}},
	} {
		var worst costs
		for _, request := range slices.Concat(who.size.documents(), who.size.bodies(), who.size.answers()) {
			c, err := w.cost(ctx, who.as, request)
			if err != nil {
				return fmt.Errorf("%s: %w", request.name, err)
			}
			fmt.Printf("%-22s %-46s %9s %10s  %s\n", who.name, request.name, short(c.cpu), strconv.FormatUint(c.allocated>>10, 10)+" KiB", c.outcome)
			if !request.data && c.cpu > worst.cpu {
				worst = c
			}
		}
		fmt.Printf("%-22s %-46s %9s\n", who.name, "THE WORST: "+worst.name, short(worst.cpu))
	}
	return nil
}

// bad is a request that is made to cost much. In its document, NUL stands for
// a number that makes it a new one.
type bad struct {
	name, document string
	variables      string // JSON
	data           bool   // costs what its variables carry: no document is to blame
}

type costs struct {
	name, outcome string
	cpu           time.Duration
	allocated     uint64
}

// cost gives the median of some rounds, each of several requests with all that
// they leave to the garbage collector.
func (w *wired) cost(ctx context.Context, who actor.Actor, request bad) (costs, error) {
	const perRound = 10
	c := costs{name: request.name}
	var rounds []time.Duration
	for round := range 5 {
		var ready []*http.Request
		for n := range perRound {
			r, err := request.make(actor.With(ctx, who), round*perRound+n)
			if err != nil {
				return c, err
			}
			ready = append(ready, r)
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start, err := cpuTime()
		if err != nil {
			return c, err
		}
		var out *httptest.ResponseRecorder
		for _, r := range ready {
			out = httptest.NewRecorder()
			w.graphql.ServeHTTP(out, r)
		}
		runtime.GC()
		end, err := cpuTime()
		if err != nil {
			return c, err
		}
		runtime.ReadMemStats(&after)
		rounds = append(rounds, (end-start)/perRound)
		c.allocated = (after.TotalAlloc - before.TotalAlloc) / perRound
		if c.outcome, err = outcome(out); err != nil {
			return c, err
		}
	}
	slices.Sort(rounds)
	c.cpu = rounds[len(rounds)/2]
	return c, nil
}

// make makes a request that was not sent before.
func (b bad) make(ctx context.Context, n int) (*http.Request, error) {
	document, err := json.Marshal(strings.ReplaceAll(b.document, "\x00", strconv.Itoa(1000+n)))
	if err != nil {
		return nil, err
	}
	body := `{"query":` + string(document) + `}`
	if b.variables != "" {
		body = `{"query":` + string(document) + `,"variables":` + b.variables + `}`
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/graphql", strings.NewReader(body))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// outcome says what came of a request.
func outcome(out *httptest.ResponseRecorder) (string, error) {
	var answer struct {
		Data   any
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(out.Body.Bytes(), &answer); err != nil {
		return "", errors.Join(fmt.Errorf("the handler answered %d", out.Code), err)
	}
	if len(answer.Errors) > 0 {
		return answer.Errors[0].Message[:min(60, len(answer.Errors[0].Message))], nil
	}
	return fmt.Sprintf("answered with %d bytes", out.Body.Len()), nil
}

func cpuTime() (time.Duration, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0, err
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano()), nil
}
