package fault_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/fault"
)

func TestTheMessageIsForTheCallerAndTheCauseForTheLog(t *testing.T) {
	err := fault.Wrap(fault.Unavailable, io.ErrUnexpectedEOF, "storage is unavailable")
	if err.Message != "storage is unavailable" || err.Code != fault.Unavailable {
		t.Errorf("%+v", err)
	}
	if err.Error() != "storage is unavailable: unexpected EOF" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the log would say %q", err)
	}
	if got := fault.Errorf(fault.NotFound, "%s not found", "license").Error(); got != "license not found" {
		t.Errorf("without a cause it is %q", got)
	}
}

func TestWhatKindOfErrorItIs(t *testing.T) {
	var (
		invalid = fault.Invalid("customer.email", "an email has at most %d characters", 320)
		clash   = fault.Clash(fault.Taken, "lic_1", "the key is taken")
	)
	want := &fault.Error{Code: fault.InvalidInput, Field: "customer.email", Message: "an email has at most 320 characters"}
	if diff := cmp.Diff(want, invalid, cmpopts.IgnoreUnexported(fault.Error{})); diff != "" {
		t.Error(diff)
	}
	want = &fault.Error{Code: fault.Conflict, Reason: fault.Taken, ID: "lic_1", Message: "the key is taken"}
	if diff := cmp.Diff(want, clash, cmpopts.IgnoreUnexported(fault.Error{})); diff != "" {
		t.Error(diff)
	}

	tests := []struct {
		err  error
		code fault.Code
	}{
		{nil, ""},
		{clash, fault.Conflict},
		{fmt.Errorf("while issuing: %w", clash), fault.Conflict},
		{errors.Join(io.EOF, invalid, clash), fault.InvalidInput},
		{fault.Wrap(fault.Unavailable, clash, "no luck"), fault.Unavailable},
		{io.EOF, fault.Internal},
	}
	for _, test := range tests {
		if got := fault.CodeOf(test.err); got != test.code {
			t.Errorf("CodeOf(%v) = %q, want %q", test.err, got, test.code)
		}
		if fault.Is(test.err, test.code) != (test.err != nil) || fault.Is(test.err, fault.RateLimited) {
			t.Errorf("Is does not agree with CodeOf on %v", test.err)
		}
	}
}

func TestAllListsEachFault(t *testing.T) {
	one, two := fault.Invalid("name", "a name is needed"), fault.Invalid("code", "a code is needed")
	tests := map[string]struct {
		err  error
		want []*fault.Error
	}{
		"nil":               {nil, nil},
		"alone":             {one, []*fault.Error{one}},
		"wrapped":           {fmt.Errorf("while issuing: %w", one), []*fault.Error{one}},
		"joined":            {errors.Join(one, nil, two), []*fault.Error{one, two}},
		"joined twice":      {errors.Join(errors.Join(two), one), []*fault.Error{two, one}},
		"joined, wrapped":   {fmt.Errorf("while issuing: %w", errors.Join(one, two)), []*fault.Error{one, two}},
		"joined as a cause": {fault.Wrap(fault.NotFound, errors.Join(one, two), "no"), []*fault.Error{{Code: fault.NotFound, Message: "no"}}},
		"another":           {io.EOF, []*fault.Error{{Code: fault.Internal, Message: "internal error"}}},
		"another among":     {errors.Join(one, io.EOF), []*fault.Error{one, {Code: fault.Internal, Message: "internal error"}}},
	}
	for name, test := range tests {
		got := fault.All(test.err)
		if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(fault.Error{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if !errors.Is(fault.All(fmt.Errorf("read: %w", io.EOF))[0], io.EOF) {
		t.Error("the cause is lost to the log")
	}
}
