// Command eventgen writes what is made of journal/events.json: Go types,
// TypeScript declarations and a page of the documentation. It runs in the
// directory of that file, by go generate.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
)

const source = "events.json"

// outputs are the files that are made, by their paths.
var outputs = []struct {
	path  string
	write func(*out, *document)
}{
	{"events.generated.go", writeGo},
	{"../docs/events.d.ts", writeTypeScript},
	{"../docs/events.md", writeMarkdown},
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "eventgen:", err)
		os.Exit(1)
	}
}

func run() error {
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	doc, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", source, err)
	}
	for _, o := range outputs {
		var w out
		o.write(&w, doc)
		made := w.Bytes()
		if o.path == "events.generated.go" {
			if made, err = format.Source(made); err != nil {
				return fmt.Errorf("%s: %w", o.path, err)
			}
		}
		if err := os.WriteFile(o.path, made, 0o644); err != nil { //nolint:gosec // source code, for all to read
			return err
		}
	}
	return nil
}

// out is a file in the making.
type out struct{ bytes.Buffer }

func (w *out) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
