package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReportCountsAndShowsWhatFailed(t *testing.T) {
	for name, tc := range map[string]struct {
		in      string
		summary string
		shown   string // a part of what is printed
		hidden  string // a text that is not printed
		fails   bool
	}{
		"subtests count, and what passed is quiet": {
			in: `{"Action":"output","Package":"p","Test":"TestA/s","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA/s"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":0.5}
`,
			summary: "2 passed, 0 failed\n", shown: "2 passed  p\n", hidden: "chatter",
		},
		"a skipped test is named and says why": {
			in: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:12: no disk: see README.md\n"}
{"Action":"output","Package":"p","Test":"TestC","Output":"--- SKIP: TestC (0.00s)\n"}
{"Action":"skip","Package":"p","Test":"TestC"}
{"Action":"pass","Package":"p"}
`,
			summary: "1 passed, 0 failed\nskipped: p TestB\nskipped: p TestC: no disk: see README.md\n",
		},
		"a failed test shows its output": {
			in: `{"Action":"output","Package":"p","Test":"TestA","Output":"want 1, got 2\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p"}
`,
			summary: "0 passed, 1 failed\n", shown: "want 1, got 2\n", fails: true,
		},
		"a package that does not build is a failure": {
			in: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p"}
{"ImportPath":"q","Action":"build-output","Output":"undefined: x\n"}
{"Action":"fail","Package":"q","FailedBuild":"q"}
`,
			summary: "1 passed, 1 failed\n", shown: "undefined: x\n", fails: true,
		},
		"a crash shows the test that never ended": {
			in: `{"Action":"output","Package":"p","Test":"TestA","Output":"about to crash\n"}
{"Action":"fail","Package":"p"}
`,
			summary: "0 passed, 1 failed\n", shown: "about to crash\n", fails: true,
		},
		"no test at all is a failure": {
			in:      `{"Action":"skip","Package":"p"}` + "\n",
			summary: "0 passed, 0 failed\n", fails: true,
		},
		"words of the go command are passed on": {
			in: "go: updates to go.mod needed\n", summary: "0 passed, 0 failed\n", shown: "go: updates", fails: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "summary")
			var out strings.Builder
			err := run([]string{file}, strings.NewReader(tc.in), &out)
			if (err != nil) != tc.fails {
				t.Errorf("run: %v, want an error: %t", err, tc.fails)
			}
			summary, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if string(summary) != tc.summary {
				t.Errorf("summary %q, want %q", summary, tc.summary)
			}
			if !strings.Contains(out.String(), tc.shown) {
				t.Errorf("printed %q without %q", out.String(), tc.shown)
			}
			if tc.hidden != "" && strings.Contains(out.String(), tc.hidden) {
				t.Errorf("printed %q with %q", out.String(), tc.hidden)
			}
		})
	}
}
