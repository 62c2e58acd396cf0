package mongodb

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/keywright/keywright/storage"
)

// seatDocuments are the seats of a record by shelf and key. A server looks a
// field up by walking along its document, so what is done to one of ten
// thousand seats would walk along all of them; this way it passes some forty.
type seatDocuments map[string]map[string]seatDocument

type seatDocument struct {
	Lease int64  `bson:"lease"`
	Seen  int64  `bson:"seen"`
	Body  string `bson:"body"`
}

func newSeat(s storage.Seat) seatDocument {
	return seatDocument{Lease: millis(s.Lease, before0), Seen: millis(s.Seen, before0), Body: string(s.Body)}
}

// shelf is one of 256. It must never change, since stored paths have it.
func shelf(id string) string {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(id))
	return fmt.Sprintf("s%02x", sum.Sum32()&0xff)
}

// seatPath is the path of a seat in the document of its record.
func seatPath(id string) string { return "seats." + shelf(id) + "." + key(id) }

func (d seatDocuments) put(s storage.Seat) { d.set(s.ID, newSeat(s)) }

func (d seatDocuments) set(id string, seat seatDocument) {
	name := shelf(id)
	if d[name] == nil {
		d[name] = map[string]seatDocument{}
	}
	d[name][key(id)] = seat
}

func (d seatDocuments) get(id string) (seatDocument, bool) {
	seat, found := d[shelf(id)][key(id)]
	return seat, found
}

// seats gives them by id.
func (d seatDocuments) seats() ([]storage.Seat, error) {
	var seats []storage.Seat
	for _, onShelf := range d {
		for name, seat := range onShelf {
			id, err := unkey(name)
			if err != nil {
				return nil, fmt.Errorf("a seat: %w", err)
			}
			seats = append(seats, storage.Seat{ID: id, Lease: moment(seat.Lease), Seen: moment(seat.Seen), Body: []byte(seat.Body)})
		}
	}
	slices.SortFunc(seats, func(a, b storage.Seat) int { return strings.Compare(a.ID, b.ID) })
	return seats, nil
}
