package key_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/keywright/keywright/license/key"
)

// vectors are what testdata/key.json holds of keys. They were made by another
// implementation.
type vectors struct {
	Prefixes []string
	Keys     []spelled
	Derived  []spelled
	Imported []struct{ Text string }
	Accepted []struct{ Text, Key string }
	Refused  []struct {
		Text   string
		Why    string
		Result key.Kind
	}
}

type spelled struct {
	Prefix string
	Data   [key.Length]byte
	Key    string
}

func load(t testing.TB) vectors {
	t.Helper()
	text, err := os.ReadFile("testdata/key.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Keys) == 0 || len(v.Derived) == 0 || len(v.Imported) == 0 || len(v.Accepted) == 0 || len(v.Refused) == 0 {
		t.Fatal("a list of the vectors is empty")
	}
	return v
}

func (v vectors) known() key.Prefixes {
	set := key.Prefixes{}
	for _, prefix := range v.Prefixes {
		set[prefix] = true
	}
	return set
}
