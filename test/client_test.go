package test_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// client asks a server, a --dev server as its administrator.
type client struct {
	url, token string
	headers    []string // further ones, names and values in turn
}

// errNoAnswer is a request that was not answered whole: nothing says whether
// it was served.
var errNoAnswer = errors.New("no answer")

// refusal is the first error of an answer.
type refusal struct {
	Message    string
	Extensions struct {
		Code              string
		RetryAfterSeconds int
	}
}

func (r *refusal) Error() string { return r.Extensions.Code + ": " + r.Message }

// serveDev starts a --dev server on a data directory, which other servers may
// share. It is killed when the test is over, where it has not ended by then.
func serveDev(t *testing.T, data string) (*server, client) {
	t.Helper()
	s, c, err := startDev(t, data)
	if err != nil {
		t.Fatal(err)
	}
	return s, c
}

// startDev is serveDev for any goroutine.
func startDev(t *testing.T, data string, flags ...string) (*server, client, error) {
	s, err := start("", devEnv(), append(devArgs(data), flags...)...)
	if err != nil {
		return s, client{}, err
	}
	t.Cleanup(s.kill)
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	return s, client{url: s.URL, token: strings.TrimSpace(string(token))}, err
}

func devArgs(data string) []string {
	args := []string{"serve", "--dev", "--data", data, "--listen=127.0.0.1:0", "--log-level=warn"}
	if url := engineOf(data); url != "" {
		args = append(args, "--storage="+url)
	}
	return args
}

// devEnv lets the program end at once under the race detector, too, and seats
// change hands as often as tests have them do.
func devEnv() []string {
	return append(os.Environ(), "GORACE=atexit_sleep_ms=10",
		"KEYWRIGHT_SEAT_CHANGES_PER_HOUR=off", "KEYWRIGHT_SUBJECT_CHANGES_PER_HOUR=off")
}

// ask sends a document and reads the data of its answer into data. Errors:
// errNoAnswer, *refusal.
func (c client) ask(document string, variables map[string]any, data any) error {
	request, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	status, body, err := post(c.url+"/graphql", c.token, request, c.headers...)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoAnswer, err)
	}
	var answer struct {
		Data   json.RawMessage
		Errors []*refusal
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("status %d: %w: %s", status, err, body)
	}
	if len(answer.Errors) > 0 {
		return answer.Errors[0]
	}
	return json.Unmarshal(answer.Data, data)
}

// license is what a test compares of a license; more is read with it.
type license struct {
	ID         string
	ExternalID string
	Plan       struct{ ID string }
	KeyHint    string
	Status     string
	Revision   int
	Customer   struct{ Email string }
	Metadata   map[string]string
}

// wholeLicense has every field of a license that can be stored in part.
const wholeLicense = `id externalId product { id code } plan { id code } keyHint status statusReason
	customer { email name externalId } startsAt expiresAt graceUntil maxMachines maxDomains
	entitlements { code value expiresAt }
	overrides { maxMachines { max } maxDomains { max } grace entitlements { code } }
	allowedDomains machineCount domainCount activatedAt lastValidatedAt validationCount
	metadata revision createdBy { kind id } createdAt updatedAt`

func (c client) license(id string) (license, error) {
	var data struct{ License license }
	err := c.ask("query($id: ID!) { license(id: $id) { "+wholeLicense+" } }", map[string]any{"id": id}, &data)
	return data.License, err
}

type connection[T any] struct {
	Nodes    []T
	PageInfo struct {
		HasNextPage bool
		EndCursor   string
	}
}

// licenses reads all licenses, page by page. One that is listed twice is an
// error.
func (c client) licenses() (map[string]license, error) {
	all := map[string]license{}
	return all, pages(func(after *string) (connection[license], error) {
		var data struct{ Licenses connection[license] }
		err := c.ask(`query($after: String) { licenses(first: 100, after: $after) {
			nodes { `+wholeLicense+` } pageInfo { hasNextPage endCursor } } }`, map[string]any{"after": after}, &data)
		return data.Licenses, err
	}, func(one license) error {
		if _, twice := all[one.ID]; twice {
			return fmt.Errorf("license %s is listed twice", one.ID)
		}
		all[one.ID] = one
		return nil
	})
}

// plans reads the names of all plans of the demo product, by their ids.
func (c client) plans() (map[string]string, error) {
	type plan struct{ ID, Name string }
	all := map[string]string{}
	return all, pages(func(after *string) (connection[plan], error) {
		var data struct {
			Product struct{ Plans connection[plan] }
		}
		err := c.ask(`query($after: String) { product(id: "acme") { plans(first: 200, after: $after) {
			nodes { id name code duration entitlements { code } metadata revision } pageInfo { hasNextPage endCursor } } } }`,
			map[string]any{"after": after}, &data)
		return data.Product.Plans, err
	}, func(one plan) error {
		if _, twice := all[one.ID]; twice {
			return fmt.Errorf("plan %s is listed twice", one.ID)
		}
		all[one.ID] = one.Name
		return nil
	})
}

func pages[T any](read func(after *string) (connection[T], error), each func(T) error) error {
	var after *string
	for {
		page, err := read(after)
		if err != nil {
			return err
		}
		for _, node := range page.Nodes {
			if err := each(node); err != nil {
				return err
			}
		}
		if !page.PageInfo.HasNextPage {
			return nil
		}
		after = &page.PageInfo.EndCursor
	}
}

// validate gives the code for a key and the id of its license.
func (c client) validate(key string) (code, id string, err error) {
	var data struct {
		Validate struct {
			Valid   bool
			Code    string
			License struct{ ID string }
		}
	}
	err = c.ask(`query($key: String!) { validate(input: {key: $key, product: "acme"}) { valid code license { id } } }`,
		map[string]any{"key": key}, &data)
	if err == nil && data.Validate.Valid != (data.Validate.Code == "VALID") {
		err = fmt.Errorf("valid is %t and the code %s", data.Validate.Valid, data.Validate.Code)
	}
	return data.Validate.Code, data.Validate.License.ID, err
}
