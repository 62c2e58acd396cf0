package storage_test

import (
	"strings"
	"testing"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

func TestABodyIsAnObjectThatEveryEngineGivesBack(t *testing.T) {
	nested := func(levels int) string {
		return `{"a":` + strings.Repeat("[", levels-1) + strings.Repeat("]", levels-1) + `}`
	}
	for body, fits := range map[string]bool{
		`{}`: true, `{"a": [{"b":"\n"}], "é":-0.5E+3}`: true, `{"$a.b":{"$set":null},"":[]}`: true,
		`{"n":18446744073709551617,"x":1.7e308,"small":4.9e-324,"none":[0,-0.0E-999]}`: true,
		`{"a":"\\u0000","b":"\u0001\ud83d\ude00\uffff"}`:                               true,
		`{"a":"\"\u00e9\\","b":"]}{["}`:                                                true,
		nested(storage.MaxLevels):                                                      true,
		nested(storage.MaxLevels + 1):                                                  false,

		``: false, `[]`: false, `"a"`: false, ` {}`: false, `{}{}`: false, `{`: false, `{"a":"` + "\xff" + `"}`: false,
		`{"a":"\u0000"}`: false, `{"\u0000":1}`: false, `{"a":["\\\u0000"]}`: false,
		`{"a":"\ud83d"}`: false, `{"a":"\ude00\ud83d"}`: false, `{"a":"\ud83dx"}`: false, `{"a":"\ud83d\n"}`: false,
		`{"a":"\ud83d\\ude00"}`: false, `{"\ud83d":1}`: false, `{"a":"\ud83d\ud83d\ude00"}`: false,
		`{"a":1e309}`: false, `{"a":0.1e-400}`: false, `{"a":[-1e400]}`: false,
	} {
		ofRecord, ofSeat := wellFormed(), wellFormed()
		ofRecord.Record.Body, ofSeat.Put[0].Body = []byte(body), []byte(body)
		for _, c := range []storage.Change{ofRecord, ofSeat} {
			err := c.Check()
			if fits != (err == nil) || err != nil && !fault.Is(err, fault.InvalidInput) {
				t.Errorf("%s: %v", body, err)
			}
		}
	}
}

func TestTextIsUTF8WithoutNUL(t *testing.T) {
	for text, is := range map[string]bool{
		"": true, "a": true, "é\U0010ffff\uffff\x01\n": true, "\x00": false, "a\x00b": false, "\xff": false, "\xc3": false, "\xed\xa0\x80": false,
	} {
		if storage.IsText(text) != is {
			t.Errorf("IsText(%q) = %v", text, !is)
		}
	}
}
