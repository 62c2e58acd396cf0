package license_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/keywright/keywright/license"
)

// object gives {"k0":0,...} with n names.
func object(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = `"k` + itoa(i) + `":0`
	}
	return "{" + strings.Join(members, ",") + "}"
}

// sized gives an object of n bytes.
func sized(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }

func TestMetadataWithinTheBoundsPasses(t *testing.T) {
	for _, text := range []string{
		"", "{}", ` {"a": 1} `, `{"a":"line\nbreak","b":null,"c":[1,2.5,-1e300,true]}`,
		`{"a":{"b":{"c":{}}}}`, `{"a":[[["deep"]]]}`, object(64), sized(16 << 10),
		`{"a":{"x":1},"b":{"x":1}}`, `{"smile":"\ud83d\ude00 \\ud83d"}`, `{"a":"\u0001\\u0000"}`,
	} {
		if err := license.CheckMetadata(license.Metadata(text)); err != nil {
			t.Errorf("%.60s: %v", text, err)
		}
	}
}

func TestMetadataBeyondTheBoundsIsRefused(t *testing.T) {
	for _, text := range []string{
		"null", "[]", `"text"`, "1", " ", "{", `{"a":1}{}`, `{'a':1}`, "{\"a\":\"\xff\"}",
		`{"a":{"b":{"c":{"d":{}}}}}`, `{"a":[[[[]]]]}`, object(65), `{"a":` + object(64) + `}`,
		sized(16<<10 + 1), sized(17 << 10),
		`{"a":1,"a":2}`, `{"a":{"x":1,"\u0078":2}}`,
		`{"a":"\u0000"}`, `{"\u0000":1}`, `{"a":"\ud83d"}`, `{"a":"\ude00\ud83d"}`, `{"a":"\ud83dx"}`, `{"a":"\\\ud83d\\ude00"}`,
		`{"a":1e400}`, `{"a":1e-400}`,
	} {
		wantFields(t, license.CheckMetadata(license.Metadata(text)), "metadata")
	}
}

// The oracle measures what encoding/json reads.
func FuzzMetadata(f *testing.F) {
	for _, text := range []string{`{"a":[1,{"b":"\ud83d\ude00"}]}`, `{"a":{"b":{"c":{"d":1}}}}`, `{"a":1,"a":2}`, `{"a":"\\ud800"}`, "null", `{"a":1e999}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" || license.CheckMetadata(license.Metadata(text)) != nil {
			return
		}
		var value map[string]any
		if err := json.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("%q passes: %v", text, err)
		}
		if depth, names := measure(value); depth > 4 || names > 64 || len(text) > 16<<10 {
			t.Fatalf("%q passes with %d levels and %d names", text, depth, names)
		}
		if !strings.Contains(text, "\ufffd") && !strings.Contains(strings.ToLower(text), `\ufffd`) {
			if again, _ := json.Marshal(value); strings.Contains(string(again), "\ufffd") || strings.Contains(string(again), `\u0000`) {
				t.Fatalf("%q passes and is read as %s", text, again)
			}
		}
	})
}

func measure(value any) (depth, names int) {
	switch v := value.(type) {
	case map[string]any:
		names = len(v)
		for _, member := range v {
			d, n := measure(member)
			depth, names = max(depth, d), names+n
		}
		return depth + 1, names
	case []any:
		for _, member := range v {
			d, n := measure(member)
			depth, names = max(depth, d), names+n
		}
		return depth + 1, names
	}
	return 0, 0
}
