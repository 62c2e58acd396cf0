// Command bench prints the table of Keywright's figures: each beside its aim
// where it has one, and as a ratio to a reference that was measured in the
// same run, since machines differ and are shared.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	sizes := flag.String("sizes", "1000,100000,1000000", "numbers of licenses to measure storage with")
	count := flag.Int("count", 20_000, "operations of each measurement")
	dir := flag.String("dir", "", "where databases are made; a temporary directory if empty")
	entries := flag.Bool("entries", false, "measure storage with a pending journal entry beside each license")
	only := flag.String("only", "", "measure this part alone: documents, validate, issue, announce, seats, subscriptions, changes, storage, engines, log or journal; engines is left out unless it is named")
	engine := flag.String("engine", "", "measure this engine alone: sqlite, postgres or mongodb")
	match := flag.String("match", "", "measure only those operations on storage whose name contains this")
	flag.Parse()
	scratch, err := os.MkdirTemp(*dir, "keywright-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	numbers, err := parseSizes(*sizes)
	if err != nil {
		return err
	}
	fmt.Printf("%s, %s/%s, %d processors\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	b := bench{dir: scratch, count: *count, entries: *entries, match: *match}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"documents", b.documents}, {"validate", b.validate}, {"issue", b.issue}, {"announce", b.announce}, {"seats", b.seats}, {"subscriptions", b.subscriptions}, {"changes", b.journalled},
		{"storage", func(ctx context.Context) error { return b.storage(ctx, numbers) }}, {"log", b.log},
		{"journal", b.journal}, {"engines", func(ctx context.Context) error { return b.engines(ctx, *engine, numbers) }},
	} {
		if part.name == "engines" && *only != part.name { // takes servers and half an hour
			continue
		}
		if *only != "" && *only != part.name || b.match != "" && part.name != "storage" && part.name != "engines" {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// bench is what all parts measure by.
type bench struct {
	dir     string // for databases
	count   int    // operations of each measurement
	entries bool   // beside each license
	match   string // in the names of the operations on storage, and then of nothing else
}

func parseSizes(text string) (sizes []int, err error) {
	for _, one := range strings.Split(text, ",") {
		n, err := strconv.Atoi(one)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-sizes: %q is no number of licenses", one)
		}
		sizes = append(sizes, n)
	}
	return sizes, nil
}
