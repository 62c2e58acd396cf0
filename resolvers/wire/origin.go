package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// fromOwnPage reports whether a request comes from no page at all, or from one
// at the host that it asks. Over TLS a page that came without is another's.
func fromOwnPage(r *http.Request) bool {
	given := r.Header.Values("Origin")
	if len(given) == 0 {
		return true
	}
	origin, err := url.Parse(given[0])
	if err != nil || len(given) > 1 || origin.Host == "" {
		return false
	}
	return strings.EqualFold(origin.Host, r.Host) && (origin.Scheme == "https" || origin.Scheme == "http" && r.TLS == nil)
}
