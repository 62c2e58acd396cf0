package main_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	main "github.com/keywright/keywright/journal/eventgen"
)

func TestWhatIsInTheRepositoryIsWhatIsMade(t *testing.T) {
	text, err := os.ReadFile("../events.json")
	if err != nil {
		t.Fatal(err)
	}
	made, err := main.Made(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{"../events.generated.go", "../../docs/events.d.ts", "../../docs/events.md"} {
		there, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(made[i], string(there)); diff != "" {
			t.Errorf("%s is out of date: go generate ./journal\n%s", path, diff)
		}
	}
}

func TestASourceThatSaysTooLittleOrTooMuchIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no JSON":                {`{`, "EOF"},
		"an unknown keyword":     {`{"$defs":{"a":{"type":"string","maxLength":3}}}`, "maxLength"},
		"one further in":         {`{"$defs":{"a":{"properties":{"b":{"zone":1}}}}}`, "zone"},
		"a $ref to nothing":      {`{"$defs":{"a":{"$ref":"#/$defs/b"}}}`, "#/$defs/b"},
		"one in a list":          {`{"$defs":{"a":{"items":{"anyOf":[{"$ref":"#/$defs/b"}]}}}}`, "#/$defs/b"},
		"one in an event":        {`{"events":{"a.b":{"version":1,"description":"A.","data":{"$ref":"#/$defs/b"}}}}`, "#/$defs/b"},
		"no version":             {`{"events":{"a.b":{"description":"A.","data":{}}}}`, "a.b"},
		"no description":         {`{"events":{"a.b":{"version":1,"data":{}}}}`, "a.b"},
		"what is no list either": {`{"$defs":{"a":{"type":7}}}`, "a"},
	} {
		if _, err := main.Parse([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
