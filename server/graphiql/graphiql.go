// Package graphiql is the page at /graphiql: GraphiQL, for whoever tries the
// server with --dev. Its sources are in app/, and what `make web` builds of
// them in assets/, compressed.
package graphiql

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets/*.gz
var assets embed.FS

// Root is where the page is.
const Root = "/graphiql"

// policy lets the page load from this server alone and ask it alone. The editor
// writes styles into the page.
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; font-src 'self'; " +
	"img-src 'self' data:; style-src 'self' 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// The kinds of files that are built. The operating system's own table is not
// asked, which may say something else.
var kinds = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".ttf":  "font/ttf",
	".txt":  "text/plain; charset=utf-8",
}

// The names of these do not change with what is in them.
const (
	page     = "index.html"
	licenses = "licenses.txt"
)

// Handler answers GET of Root and of what is below it.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, Root), "/")
		if name == "" {
			name = page
		}
		packed, err := assets.ReadFile("assets/" + name + ".gz")
		if err != nil {
			http.NotFound(w, r)
			return
		}
		describe(w.Header(), name)
		send(w, r, packed)
	})
}

func describe(h http.Header, name string) {
	h.Set("Content-Type", kinds[path.Ext(name)])
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if name == page || name == licenses {
		h.Set("Cache-Control", "no-cache")
	}
}

func send(w http.ResponseWriter, r *http.Request, packed []byte) {
	sum := sha256.Sum256(packed)
	tag := hex.EncodeToString(sum[:16])
	w.Header().Set("Vary", "Accept-Encoding")
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"`+tag+`-gzip"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(packed))
		return
	}
	plain, err := unpack(packed)
	if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(plain))
}

func unpack(packed []byte) ([]byte, error) {
	in, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(in)
}

func takesGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, quality, _ := strings.Cut(one, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return quality == "" || strings.Trim(quality, " q=0.") != ""
		}
	}
	return false
}
