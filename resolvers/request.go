package resolvers

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/resolvers/strict"
	"github.com/keywright/keywright/resolvers/wire"
)

// The media types of answers.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// accepted says how an answer may be written.
type accepted struct {
	best   string // a media type; empty if none will do
	plain  string // that of what is no stream
	events bool   // an event stream may be, even where best is another type
}

// negotiate reads the Accept headers. What they like best counts. Of equals it
// is the type of GraphQL if that is named, and application/json where anything
// goes; an event stream only where it is named and liked more than both.
func negotiate(accept []string) accepted {
	if len(accept) == 0 {
		return accepted{best: mediaJSON, plain: mediaJSON}
	}
	ranges := strings.Split(strings.Join(accept, ","), ",")
	asGraphQL, named := quality(ranges, mediaGraphQL)
	asJSON, _ := quality(ranges, mediaJSON)
	asEvents, namesEvents := quality(ranges, wire.MediaType)
	to := accepted{best: mediaJSON, plain: mediaJSON, events: namesEvents && asEvents > 0}
	if asGraphQL > asJSON || asGraphQL == asJSON && named && asGraphQL > 0 {
		to.best, to.plain = mediaGraphQL, mediaGraphQL
	}
	switch {
	case to.events && asEvents > max(asGraphQL, asJSON):
		to.best = wire.MediaType
	case asGraphQL == 0 && asJSON == 0:
		to.best = ""
	}
	return to
}

// quality gives how much a media type is liked, from 0 for not at all to 1,
// by the range that fits it best, and whether that names it.
func quality(ranges []string, media string) (liked float64, named bool) {
	family, _, _ := strings.Cut(media, "/")
	best := -1
	for _, one := range ranges {
		kind, params, err := mime.ParseMediaType(one)
		fit := slices.Index([]string{"*/*", family + "/*", media}, kind)
		if err != nil || fit <= best || !isUTF8(params["charset"]) {
			continue
		}
		q := 1.0
		if text, given := params["q"]; given {
			if q, err = strconv.ParseFloat(text, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		best, liked, named = fit, q, kind == media
	}
	return liked, named
}

// isUTF8 reports whether a charset parameter is UTF-8, or not given.
func isUTF8(charset string) bool { return charset == "" || strings.EqualFold(charset, "utf-8") }

// request is a GraphQL request.
type request struct {
	query, operationName string
	variables            map[string]any
}

// readRequest reads a GraphQL request; problem is empty where it is one.
func readRequest(w http.ResponseWriter, r *http.Request) (asked request, status int, problem string) {
	if r.Method == http.MethodGet {
		return readQuery(r)
	}
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != mediaJSON || !isUTF8(options["charset"]) {
		return request{}, http.StatusUnsupportedMediaType, "send the request as " + mediaJSON + " in UTF-8"
	}
	who := actor.From(r.Context())
	limit := bodyLimit(who)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return request{}, http.StatusRequestEntityTooLarge, "the request is larger than " + strconv.FormatInt(limit>>10, 10) + " KiB"
	case err != nil:
		return request{}, http.StatusBadRequest, "the request did not arrive whole"
	}
	asked, wrong := parseRequest(body, bounds(who))
	if wrong != "" {
		return request{}, http.StatusBadRequest, "the request " + wrong
	}
	return checked(asked)
}

// parseRequest reads the JSON of a request. The problem is empty where it is
// one. Members of other names are passed over.
func parseRequest(text []byte, within strict.Bounds) (asked request, problem string) {
	if wrong := strict.Check(text, within); wrong != "" {
		return request{}, wrong
	}
	var extensions map[string]any
	err := strict.Members(text, map[string]any{
		"query": &asked.query, "operationName": &asked.operationName, "variables": &asked.variables, "extensions": &extensions,
	})
	if err != nil {
		return request{}, "is one JSON object in UTF-8 with query, and where needed operationName, variables and extensions"
	}
	return asked, ""
}

// readQuery reads a request from the address.
func readQuery(r *http.Request) (request, int, string) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return request{}, http.StatusBadRequest, "the query of the address is malformed"
	}
	asked := request{query: values.Get("query"), operationName: values.Get("operationName")}
	var extensions map[string]any
	for name, to := range map[string]any{"query": nil, "operationName": nil, "variables": &asked.variables, "extensions": &extensions} {
		if len(values[name]) > 1 {
			return request{}, http.StatusBadRequest, name + " is given twice"
		}
		text := values.Get(name)
		if to == nil || text == "" {
			continue
		}
		if wrong := strict.Decode([]byte(text), bounds(actor.From(r.Context())), to); wrong != "" {
			return request{}, http.StatusBadRequest, name + " " + wrong
		}
	}
	return checked(asked)
}

func checked(asked request) (request, int, string) {
	if asked.query == "" {
		return request{}, http.StatusBadRequest, "the request lacks query, the text of a GraphQL document"
	}
	return asked, http.StatusOK, ""
}

// bounds are those of the JSON of a request.
func bounds(who actor.Actor) strict.Bounds {
	if who.Nobody() {
		return strict.Bounds{Values: 2_000, Levels: strict.MaxLevels}
	}
	return strict.Bounds{Values: 40_000, Levels: strict.MaxLevels}
}
