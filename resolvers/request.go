package resolvers

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"github.com/keywright/keywright/actor"
)

// The media types of answers.
const (
	mediaGraphQL = "application/graphql-response+json"
	mediaJSON    = "application/json"
)

// negotiate gives the media type of the answer that the Accept headers ask
// for, and nothing where there is none: application/json where anything goes.
func negotiate(accept []string) string {
	best, media := 0.0, ""
	if len(accept) == 0 {
		return mediaJSON
	}
	for _, one := range strings.Split(strings.Join(accept, ","), ",") {
		kind, params, err := mime.ParseMediaType(one)
		if err != nil {
			continue
		}
		quality := 1.0
		if q, given := params["q"]; given {
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
			continue
		}
		if kind == "*/*" || kind == "application/*" {
			kind = mediaJSON
		}
		if (kind == mediaGraphQL || kind == mediaJSON) && quality > best {
			best, media = quality, kind
		}
	}
	return media
}

// readRequest reads a GraphQL request; problem is empty where it is one.
func readRequest(w http.ResponseWriter, r *http.Request) (params *graphql.RawParams, status int, problem string) {
	if r.Method == http.MethodGet {
		return readQuery(r)
	}
	kind, options, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := options["charset"]
	if err != nil || kind != mediaJSON || charset != "" && !strings.EqualFold(charset, "utf-8") {
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
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	if err := dec.Decode(params); err != nil || dec.More() {
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
		text := values.Get(name)
		if text == "" {
			continue
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if err := dec.Decode(to); err != nil || dec.More() {
			return nil, http.StatusBadRequest, name + " must be a JSON object"
		}
	}
	return checked(params)
}

func checked(params *graphql.RawParams) (*graphql.RawParams, int, string) {
	if params.Query == "" {
		return nil, http.StatusBadRequest, "the request lacks query, the text of a GraphQL document"
	}
	return params, http.StatusOK, ""
}
