// Package openurl opens what a URL names, by its scheme: a database, a
// signer. URLs come from the configuration and may hold a password, so no
// error here shows any part of one but its parameters' names.
package openurl

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/keywright/keywright/fault"
)

// Mux opens a T by the scheme of its URL. The zero Mux knows no scheme. Open
// is safe for concurrent use once nothing is registered any more.
type Mux[T any] struct {
	open map[string]func(context.Context, *url.URL) (T, error)
}

// Handle registers open for the URLs of a scheme, written in lower case.
// Registering a scheme twice panics: the program was put together wrongly.
func (m *Mux[T]) Handle(scheme string, open func(context.Context, *url.URL) (T, error)) {
	if _, taken := m.open[scheme]; taken {
		panic(fmt.Sprintf("openurl: the scheme %s is registered twice", scheme))
	}
	if m.open == nil {
		m.open = make(map[string]func(context.Context, *url.URL) (T, error))
	}
	m.open[scheme] = open
}

// Schemes lists what Open knows, in order.
func (m *Mux[T]) Schemes() []string { return slices.Sorted(maps.Keys(m.open)) }

// Open opens what rawURL names. A text that is no URL or whose scheme is not
// registered is InvalidInput; every other error is the scheme's own.
func (m *Mux[T]) Open(ctx context.Context, rawURL string) (T, error) {
	var none T
	u, err := url.Parse(rawURL)
	if err != nil {
		// Not wrapped: the cause quotes the text, and it would be logged.
		return none, fault.Errorf(fault.InvalidInput, "this is not a URL; one begins with %s", m.known())
	}
	open, ok := m.open[u.Scheme]
	if !ok {
		return none, fault.Errorf(fault.InvalidInput, "the URL does not begin with %s", m.known())
	}
	return open(ctx, u)
}

func (m *Mux[T]) known() string {
	schemes := m.Schemes()
	for i, scheme := range schemes {
		schemes[i] = scheme + ":"
	}
	return strings.Join(schemes, " or ")
}

// Params refuses a URL whose query holds a parameter that is not known, or
// does not parse, by InvalidInput. A driver that let one pass would leave it to
// its user to find out that it does nothing.
func Params(u *url.URL, known ...string) error {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return fault.Errorf(fault.InvalidInput, "the parameters of the %s URL are malformed", u.Scheme)
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(known, name) {
			unknown = append(unknown, fmt.Sprintf("%q", name))
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	knows := "it takes none"
	if len(known) > 0 {
		knows = "it takes " + strings.Join(slices.Sorted(slices.Values(known)), ", ")
	}
	return fault.Errorf(fault.InvalidInput, "the %s URL does not take %s; %s", u.Scheme, strings.Join(unknown, ", "), knows)
}
