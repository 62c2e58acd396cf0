package resolvers

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/keywright/keywright/actor"
)

// The media types of answers.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// negotiate gives the media type of the answer that the Accept headers like
// best, and nothing where they take neither. Of equals it is the type of
// GraphQL if that is named, and application/json where anything goes.
func negotiate(accept []string) string {
	if len(accept) == 0 {
		return mediaJSON
	}
	ranges := strings.Split(strings.Join(accept, ","), ",")
	asGraphQL, named := quality(ranges, mediaGraphQL)
	asJSON, _ := quality(ranges, mediaJSON)
	switch {
	case asGraphQL == 0 && asJSON == 0:
		return ""
	case asGraphQL > asJSON || asGraphQL == asJSON && named:
		return mediaGraphQL
	}
	return mediaJSON
}

// quality gives how much a media type is liked, from 0 for not at all to 1,
// by the range that fits it best, and whether that names it.
func quality(ranges []string, media string) (liked float64, named bool) {
	best := -1
	for _, one := range ranges {
		kind, params, err := mime.ParseMediaType(one)
		fit := slices.Index([]string{"*/*", "application/*", media}, kind)
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

// readRequest reads a GraphQL request; problem is empty where it is one.
func readRequest(w http.ResponseWriter, r *http.Request) (params *graphql.RawParams, status int, problem string) {
	if r.Method == http.MethodGet {
		return readQuery(r)
	}
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != mediaJSON || !isUTF8(options["charset"]) {
		return nil, http.StatusUnsupportedMediaType, "send the request as " + mediaJSON + " in UTF-8"
	}
	limit := bodyLimit(actor.From(r.Context()))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, "the request is larger than " + strconv.FormatInt(limit>>10, 10) + " KiB"
	case err != nil:
		return nil, http.StatusBadRequest, "the request did not arrive whole"
	}
	params = &graphql.RawParams{Headers: r.Header}
	if !decode(string(body), params) {
		return nil, http.StatusBadRequest, "the request is a JSON object with query, and where needed operationName, variables and extensions"
	}
	return checked(params)
}

// readQuery reads a request from the address.
func readQuery(r *http.Request) (*graphql.RawParams, int, string) {
	values := r.URL.Query()
	params := &graphql.RawParams{
		Headers: r.Header, Query: values.Get("query"), OperationName: values.Get("operationName"),
	}
	for name, to := range map[string]*map[string]any{"variables": &params.Variables, "extensions": &params.Extensions} {
		if text := values.Get(name); text != "" && !decode(text, to) {
			return nil, http.StatusBadRequest, name + " must be a JSON object"
		}
	}
	return checked(params)
}

// decode reads text, which must be one JSON value in UTF-8 and nothing more.
// encoding/json would put other characters in the place of what is no UTF-8.
func decode(text string, to any) bool {
	in := json.NewDecoder(strings.NewReader(text))
	in.UseNumber()
	if !utf8.ValidString(text) || in.Decode(to) != nil {
		return false
	}
	_, err := in.Token()
	return errors.Is(err, io.EOF)
}

func checked(params *graphql.RawParams) (*graphql.RawParams, int, string) {
	if params.Query == "" {
		return nil, http.StatusBadRequest, "the request lacks query, the text of a GraphQL document"
	}
	return params, http.StatusOK, ""
}
