package graphiql_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/server/graphiql"
)

func get(path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "http://localhost:8080"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	graphiql.Handler().ServeHTTP(w, r)
	return w
}

// built lists the files that the page is made of.
func built(t *testing.T) []string {
	t.Helper()
	packed, err := filepath.Glob("assets/*.gz")
	if err != nil || len(packed) == 0 {
		t.Fatalf("%v, %v", packed, err)
	}
	for i, name := range packed {
		packed[i] = strings.TrimSuffix(filepath.Base(name), ".gz")
	}
	return packed
}

func TestThePageRefersToWhatIsThere(t *testing.T) {
	references := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(get("/graphiql").Body.String(), -1)
	if len(references) < 2 {
		t.Fatalf("only %q", references)
	}
	for _, found := range references {
		if found[1] == "data:," { // no icon
			continue
		}
		if w := get(found[1]); !strings.HasPrefix(found[1], "/graphiql/") || w.Code != http.StatusOK {
			t.Errorf("%s: %d", found[1], w.Code)
		}
	}
}

func TestOnlyWhatWasBuiltIsServed(t *testing.T) {
	for _, path := range []string{
		"/graphiql/nope.js", "/graphiql/index.html.gz", "/graphiql/sources.sha256", "/graphiql/assets/index.html",
		"/graphiql/../graphiql.go", "/graphiql/%2e%2e/graphiql.go", "/graphiql/.", "/graphiql//", "/graphiqlnope",
	} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestEveryFileHasItsType(t *testing.T) {
	kinds := map[string]string{
		"css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8",
		"ttf": "font/ttf", "txt": "text/plain; charset=utf-8",
	}
	for _, name := range built(t) {
		want := kinds[strings.TrimPrefix(filepath.Ext(name), ".")]
		if got := get("/graphiql/" + name).Header().Get("Content-Type"); want == "" || got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestFilesAreSentAsTheClientTakesThem(t *testing.T) {
	for _, name := range built(t) {
		packed, plain := get("/graphiql/"+name, "Accept-Encoding", "deflate, gzip;q=0.5"), get("/graphiql/"+name)
		in, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unpacked, err := io.ReadAll(in)
		if err != nil || !bytes.Equal(unpacked, plain.Body.Bytes()) || len(unpacked) == 0 {
			t.Errorf("%s: %d bytes and %d, %v", name, len(unpacked), plain.Body.Len(), err)
		}
		if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" ||
			packed.Header().Get("Vary") != "Accept-Encoding" || plain.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %v and %v", name, packed.Header(), plain.Header())
		}
		if packed.Header().Get("ETag") == plain.Header().Get("ETag") {
			t.Errorf("%s: one tag for two encodings", name)
		}
	}
	for _, refused := range []string{"gzip;q=0", "gzip; q=0.000", "br", "identity", "gzipped", ""} {
		if got := get("/graphiql", "Accept-Encoding", refused).Header().Get("Content-Encoding"); got != "" {
			t.Errorf("%q is sent %s", refused, got)
		}
	}
}

func TestABrowserKeepsWhatCannotChange(t *testing.T) {
	for _, name := range built(t) {
		want := "public, max-age=31536000, immutable"
		if name == "index.html" || name == "licenses.txt" {
			want = "no-cache"
		}
		first := get("/graphiql/"+name, "Accept-Encoding", "gzip").Header()
		if got := first.Get("Cache-Control"); got != want {
			t.Errorf("%s: %s", name, got)
		}
		again := get("/graphiql/"+name, "Accept-Encoding", "gzip", "If-None-Match", first.Get("ETag"))
		if first.Get("ETag") == "" || again.Code != http.StatusNotModified {
			t.Errorf("%s again: %d", name, again.Code)
		}
	}
}

// loads is what stands before an address that a browser loads by itself. A link
// that a person may follow is none.
var loads = regexp.MustCompile(`(?i)(?:\b(?:import|importScripts|fetch|Worker|WebSocket|EventSource|sendBeacon|url)\(\s*|` +
	`@?\bimport\s*|\bfrom\s*|\.(?:src|href)\s*=\s*|\bsrc\s*[=:]\s*|<link[^>]*href=)["'` + "`" + `]?(?:(?:https?|wss?):)?$`)

// elsewhere gives the places where a text loads from another host.
func elsewhere(text string) []string {
	var found []string
	for at := 0; ; at += 2 {
		next := strings.Index(text[at:], "//")
		if next < 0 {
			return found
		}
		at += next
		if before := text[max(at-60, 0):at]; loads.MatchString(before) {
			found = append(found, before+text[at:min(at+60, len(text))])
		}
	}
}

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	for _, load := range []string{
		`import("https://esm.sh/react")`, `import x from"//cdn.example/x.js"`, `importScripts("http://a.b/c")`, `@import "//a.b/c.css"`,
		`new Worker('https://a.b/c')`, `fetch(` + "`https://a.b`" + `)`, `url(https://a.b/font.woff2)`, `e.src = "//a.b/c"`,
		`<script src="https://a.b/c">`, `<link rel="stylesheet" href="https://a.b/c">`, `new WebSocket("wss://a.b")`,
	} {
		if len(elsewhere(load)) != 1 {
			t.Errorf("%s is not found", load)
		}
	}
	for _, name := range built(t) {
		if found := elsewhere(get("/graphiql/" + name).Body.String()); found != nil {
			t.Errorf("%s: %q", name, found)
		}
	}
}

// What the files do, the browser keeps to the page's policy.
func TestThePolicyNamesNoOtherHost(t *testing.T) {
	for _, name := range append(built(t), "") {
		directives := map[string][]string{}
		for directive := range strings.SplitSeq(get("/graphiql/"+name).Header().Get("Content-Security-Policy"), ";") {
			words := strings.Fields(directive)
			directives[words[0]] = words[1:]
		}
		want := map[string][]string{
			"default-src": {"'none'"}, "script-src": {"'self'"}, "worker-src": {"'self'"}, "connect-src": {"'self'"}, "font-src": {"'self'"},
			"img-src": {"'self'", "data:"}, "style-src": {"'self'", "'unsafe-inline'"},
			"base-uri": {"'none'"}, "form-action": {"'none'"}, "frame-ancestors": {"'none'"},
		}
		if diff := cmp.Diff(want, directives); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestTheLicensesOfItsPartsComeWithIt(t *testing.T) {
	text := get("/graphiql/licenses.txt").Body.String()
	for _, part := range []string{
		"graphiql 5.4.0", "react 19.3.1", "react-dom 19.3.1", "monaco-editor 0.52.2", "monaco-graphql ", "graphql 16.15.0", "prettier ",
	} {
		if !strings.Contains(text, "\n"+part) {
			t.Errorf("no %s", part)
		}
	}
	if !strings.Contains(text, "Permission is hereby granted") {
		t.Error("no license's text")
	}
}

// make web writes down what it builds from.
func TestTheAssetsAreBuiltFromTheSources(t *testing.T) {
	var sources []string
	err := fs.WalkDir(os.DirFS("app"), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.Name() == "node_modules":
			return fs.SkipDir
		case entry.IsDir():
			return nil
		}
		text, err := os.ReadFile(filepath.Join("app", path))
		sources = append(sources, fmt.Sprintf("%x  %s\n", sha256.Sum256(text), path))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile("assets/sources.sha256")
	if err != nil {
		t.Fatal(err)
	}
	noted := slices.Collect(strings.Lines(string(written)))
	slices.Sort(sources)
	slices.Sort(noted)
	if diff := cmp.Diff(noted, sources); diff != "" {
		t.Errorf("run make web (-built +now): %s", diff)
	}
}
