package licensing

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
)

// withheld is shown for a personal value that its record does not hold any
// more.
var withheld = json.RawMessage(`{"withheld":true}`)

// shownData gives the data of an entry as it is shown: each hidden value is
// the one that the record, which may be nil, holds now, if it is that value
// still, and else withheld. So what was erased or changed is shown no more,
// and nothing in the log has to change for that.
func (s *Service) shownData(e journal.Entry, record *storage.Stored) (json.RawMessage, error) {
	if len(e.Data) == 0 {
		return json.RawMessage("{}"), nil
	}
	if !bytes.Contains(e.Data, []byte(`{"hmac":`)) {
		return e.Data, nil
	}
	var data map[string]json.RawMessage
	var changes journal.Changes
	if err := json.Unmarshal(e.Data, &data); err != nil {
		return nil, fmt.Errorf("licensing: the data of %s: %w", e.ID, err)
	}
	if err := json.Unmarshal(data["changes"], &changes); err != nil {
		return nil, fmt.Errorf("licensing: the changes of %s: %w", e.ID, err)
	}
	now, err := standing(e, record)
	if err != nil {
		return nil, err
	}
	for name, change := range changes {
		if change.From, err = s.shownValue(e, name, change.From, now[name]); err != nil {
			return nil, err
		}
		if change.To, err = s.shownValue(e, name, change.To, now[name]); err != nil {
			return nil, err
		}
		changes[name] = change
	}
	if data["changes"], err = json.Marshal(changes); err != nil {
		return nil, fmt.Errorf("licensing: the changes of %s: %w", e.ID, err)
	}
	return json.Marshal(data)
}

func (s *Service) shownValue(e journal.Entry, name string, value json.RawMessage, now fact) (json.RawMessage, error) {
	if !journal.IsHidden(value) {
		return value, nil
	}
	if now.value == nil {
		return withheld, nil
	}
	same, err := journal.Confirms(s.secrets, value, e.Record(), name, now.value)
	if err != nil || !same {
		return withheld, err
	}
	return now.value, nil
}

// standing gives the fields of an entry's subject as they stand, none where it
// is gone.
func standing(e journal.Entry, record *storage.Stored) (facts, error) {
	if record == nil || record.ID != e.Record() {
		return nil, nil
	}
	switch record.Kind {
	case storage.Product:
		return standingOf(products, record)
	case storage.Plan:
		return standingOf(plans, record)
	case storage.License:
		if e.Subject != record.ID {
			return standingSeat(e.Subject, record)
		}
		bare := *record
		bare.Seats = nil // there may be 10,000
		l, err := decodeLicense(&bare)
		if err != nil {
			return nil, err
		}
		f := licenseFacts(l)
		maps.Copy(f, revealFacts(l))
		return f, nil
	}
	return nil, nil
}

func standingOf[T any](k kind[T], record *storage.Stored) (facts, error) {
	entity, err := k.decode(record)
	if err != nil {
		return nil, err
	}
	return k.facts(entity), nil
}

// standingSeat gives the fields of one seat. Those of a record are in the
// order of their ids.
func standingSeat(id string, record *storage.Stored) (facts, error) {
	at, there := slices.BinarySearchFunc(record.Seats, id, func(seat storage.Seat, id string) int {
		return strings.Compare(seat.ID, id)
	})
	if !there {
		return nil, nil
	}
	one := *record
	one.Seats = record.Seats[at : at+1]
	seats, err := decodeSeats(&one)
	if err != nil {
		return nil, err
	}
	return seatFacts(&seats[0]), nil
}
