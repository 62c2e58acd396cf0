package openurl_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/openurl"
)

type opened struct{ By, Host, Path string }

func mux() *openurl.Mux[opened] {
	m := &openurl.Mux[opened]{}
	for _, scheme := range []string{"sqlite", "postgres", "mongodb"} {
		m.Handle(scheme, func(_ context.Context, u *url.URL) (opened, error) {
			return opened{By: scheme, Host: u.Host, Path: u.Path}, nil
		})
	}
	return m
}

func TestAURLIsOpenedByItsScheme(t *testing.T) {
	tests := map[string]opened{
		"sqlite:///var/lib/keywright/data.db": {By: "sqlite", Path: "/var/lib/keywright/data.db"},
		"POSTGRES://db/licenses":              {By: "postgres", Host: "db", Path: "/licenses"},
		"mongodb://a:27017,b:27017/licenses":  {By: "mongodb", Host: "a:27017,b:27017", Path: "/licenses"},
	}
	for raw, want := range tests {
		got, err := mux().Open(t.Context(), raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", raw, diff)
		}
	}
}

func TestWhatIsNotKnownIsRefusedWithoutAnEcho(t *testing.T) {
	tests := map[string]string{
		"another scheme": "mysql://user:hunter2@db/licenses",
		"no scheme":      "/var/lib/hunter2",
		"empty":          "",
		"no URL":         "postgres://user:hunter2@db:port/licenses",
		"a control":      "postgres://user:hunter2@db/\x7f",
		"an escape":      "postgres://user:hunter2%zz@db/",
	}
	for name, raw := range tests {
		got, err := mux().Open(t.Context(), raw)
		if got != (opened{}) || !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		if !strings.Contains(err.Error(), "mongodb: or postgres: or sqlite:") {
			t.Errorf("%s: %v does not list what is known", name, err)
		}
		for all := err; all != nil; all = errors.Unwrap(all) {
			if strings.Contains(all.Error(), "hunter2") {
				t.Errorf("%s: %v shows the password", name, all)
			}
		}
	}
}

func TestADriversErrorIsItsOwn(t *testing.T) {
	full := errors.New("disk full")
	var m openurl.Mux[opened]
	m.Handle("sqlite", func(context.Context, *url.URL) (opened, error) { return opened{}, full })
	if _, err := m.Open(t.Context(), "sqlite:///x"); !errors.Is(err, full) {
		t.Errorf("Open: %v", err)
	}
}

func TestASchemeIsRegisteredOnce(t *testing.T) {
	m := mux()
	if diff := cmp.Diff([]string{"mongodb", "postgres", "sqlite"}, m.Schemes()); diff != "" {
		t.Error(diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second sqlite was taken")
		}
	}()
	m.Handle("sqlite", nil)
}

func TestParamsNamesWhatIsNotKnown(t *testing.T) {
	tests := []struct {
		raw   string
		known []string
		want  string
	}{
		{"sqlite:///x", nil, ""},
		{"sqlite:///x?", nil, ""},
		{"sqlite:///x?cache=1&cache=2", []string{"cache"}, ""},
		{"sqlite:///x?mode=ro&cahce=1", []string{"mode", "cache"}, `the sqlite URL does not take "cahce"; it takes cache, mode`},
		{"sqlite:///x?b=hunter2&a", nil, `the sqlite URL does not take "a", "b"; it takes none`},
		{"sqlite:///x?a=hunter2%zz", []string{"a"}, "the parameters of the sqlite URL are malformed"},
		{"sqlite:///x?a=hunter2;b", []string{"a"}, "the parameters of the sqlite URL are malformed"},
	}
	for _, test := range tests {
		u, err := url.Parse(test.raw)
		if err != nil {
			t.Fatal(err)
		}
		err = openurl.Params(u, test.known...)
		var got string
		if err != nil {
			got = err.Error()
		}
		if got != test.want || err != nil && !fault.Is(err, fault.InvalidInput) {
			t.Errorf("%s: %v, want %q", test.raw, err, test.want)
		}
	}
}
