package licensing

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/keywright/keywright/license"
)

type seatBody struct {
	Kind         license.SeatKind `json:"kind"`
	Subject      string           `json:"subject"`
	Domain       string           `json:"domain,omitempty"`
	Name         string           `json:"name,omitempty"`
	Platform     string           `json:"platform,omitempty"`
	CreatedAt    time.Time        `json:"createdAt"`
	OfflineUntil time.Time        `json:"offlineUntil,omitzero"`
}

// decodeSeatBody reads the body of a seat. A license may have 10,000 of them,
// and each of its uses reads them all: hence the short way for a body that is
// as plain as nearly all are.
func decodeSeatBody(body []byte) (seatBody, error) {
	if b, ok := plainSeatBody(string(body)); ok {
		return b, nil
	}
	var b seatBody
	err := json.Unmarshal(body, &b)
	return b, err
}

// plainSeatBody reads an object of texts that escape nothing, in any order and
// spacing, and reports false for any other.
func plainSeatBody(text string) (b seatBody, ok bool) {
	rest, ok := cut(text, '{')
	for first := true; ok; first = false {
		if end, done := cut(rest, '}'); done && strings.TrimLeft(end, blanks) == "" {
			return b, !first
		}
		if !first {
			if rest, ok = cut(rest, ','); !ok {
				break
			}
		}
		var name, value string
		if name, rest, ok = plainText(rest); !ok {
			break
		}
		if rest, ok = cut(rest, ':'); !ok {
			break
		}
		if value, rest, ok = plainText(rest); ok {
			ok = b.set(name, value)
		}
	}
	return seatBody{}, false
}

func (b *seatBody) set(name, value string) bool {
	switch name {
	case "kind":
		b.Kind = license.SeatKind(value)
	case "subject":
		b.Subject = value
	case "domain":
		b.Domain = value
	case "name":
		b.Name = value
	case "platform":
		b.Platform = value
	case "createdAt":
		return parsed(&b.CreatedAt, value)
	case "offlineUntil":
		return parsed(&b.OfflineUntil, value)
	default:
		return false // of a later version, or in another case
	}
	return true
}

func parsed(to *time.Time, text string) bool {
	return to.UnmarshalText([]byte(text)) == nil
}

const blanks = " \t\r\n"

// cut takes a sign off the head of text, and the blanks before it.
func cut(text string, sign byte) (rest string, ok bool) {
	text = strings.TrimLeft(text, blanks)
	if text == "" || text[0] != sign {
		return text, false
	}
	return text[1:], true
}

// plainText takes a JSON string without escapes off the head of text.
func plainText(text string) (value, rest string, ok bool) {
	text, ok = cut(text, '"')
	if !ok {
		return "", text, false
	}
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"':
			return text[:i], text[i+1:], true
		case c == '\\' || c < ' ' || c >= 0x80: // UTF-8 is encoding/json's to judge
			return "", text, false
		}
	}
	return "", text, false
}
