package resolvers

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/resolvers/wire"
)

// maxErrors bounds the errors of an answer.
const maxErrors = 10

// internalErrors stand for errors that cannot be written.
const internalErrors = `[{"message":"internal error","extensions":{"code":"INTERNAL"}}]`

// statusOf gives the status of an answer without data: other media types than
// GraphQL's own are for clients that look at the body alone.
func statusOf(media string) int {
	if media == mediaGraphQL {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// refuse answers a request that is no GraphQL request.
func refuse(w http.ResponseWriter, media string, status int, problem string) {
	writeErrors(w, media, status, gqlerror.List{refused(problem, "")})
}

// refuseStream answers a request that no stream was made of.
func refuseStream(w http.ResponseWriter, err error) {
	refusal := &wire.RefusalError{Status: http.StatusInternalServerError, Fault: fault.Wrap(fault.Internal, err, "internal error")}
	errors.As(err, &refusal)
	if wait := refusal.Fault.RetryAfter; wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	}
	writeErrors(w, mediaJSON, refusal.Status, gqlerror.List{{Message: message(refusal.Fault), Extensions: extensions(refusal.Fault, "")}})
}

// writeErrors answers a request that was not executed: there is no data.
func writeErrors(w http.ResponseWriter, media string, status int, errs gqlerror.List) {
	write(w, media, status, encodeErrors(errs))
}

func write(w http.ResponseWriter, media string, status int, answer []byte) {
	if media == wire.MediaType {
		wire.WriteEvents(w, answer)
		return
	}
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	_, _ = w.Write(answer) // the client may be gone
}

// encode gives an answer as JSON. One of a subscription that did not begin has
// no data, not even null.
func encode(answer *graphql.Response, lasts bool) []byte {
	if lasts && answer.Data == nil {
		return encodeErrors(answer.Errors)
	}
	var body bytes.Buffer
	body.WriteString(`{"data":`)
	if answer.Data == nil {
		body.WriteString("null")
	}
	body.Write(answer.Data)
	if len(answer.Errors) > 0 {
		body.WriteString(`,"errors":`)
		body.Write(listErrors(answer.Errors))
	}
	body.WriteString("}")
	return body.Bytes()
}

func encodeErrors(errs gqlerror.List) []byte {
	return append(append([]byte(`{"errors":`), listErrors(errs)...), '}')
}

// listErrors gives errors as a list in JSON.
func listErrors(errs gqlerror.List) []byte {
	list, err := json.Marshal(errs[:min(len(errs), maxErrors)])
	if err != nil {
		return []byte(internalErrors)
	}
	return list
}
