package test_test

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
)

const racers = 64

func raceRounds() int {
	if os.Getenv("KEYWRIGHT_LONG") != "" {
		return 1000
	}
	return 20
}

// However many ask two servers at once, as many get a seat as there are.
func TestRacersAtTwoServersGetTheSeatsThereAre(t *testing.T) {
	openSources(t)
	a, b, onA, onB := serveTwo(t, t.TempDir())
	doors := [2]client{onA, onB}
	if err := onA.seatPlans(1, 10); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int{1, 10} {
		raced, err := onA.seated(limit)
		if err != nil {
			t.Fatal(err)
		}
		for round := range raceRounds() {
			if err := race(doors, raced); err != nil {
				t.Fatalf("round %d for %d: %v\n%s%s", round, limit, err, a.Stderr, b.Stderr)
			}
		}
	}
	if err := errors.Join(a.stop(), b.stop(), quiet(a), quiet(b)); err != nil {
		t.Error(err)
	}
}

// race has machines ask for the seats of a license, looks who has one, and has
// all give it back.
func race(doors [2]client, l seated) error {
	var created, removed atomic.Int64
	err := atOnce(racers, func(i int) error {
		got, err := doors[i%2].activate(l.key, fmt.Sprint("m-", i))
		switch {
		case err != nil:
			return err
		case got.Created && got.Activation.ID != "" && got.Validation.Code == "VALID":
			created.Add(1)
		case got.Created || got.Activation.ID != "" || got.Validation.Code != "MACHINE_LIMIT_REACHED":
			return fmt.Errorf("m-%d is answered %+v", i, got)
		}
		return nil
	})
	if err == nil && int(created.Load()) != l.limit {
		err = fmt.Errorf("%d seats were created", created.Load())
	}
	if err != nil {
		return err
	}
	for _, door := range doors {
		if err := counts(door, l.id, l.limit); err != nil {
			return err
		}
	}
	err = atOnce(racers, func(i int) error {
		got, err := doors[(i+i/2)%2].deactivate(l.key, fmt.Sprint("m-", i))
		if got.Removed {
			removed.Add(1)
		}
		return err
	})
	if err == nil && int(removed.Load()) != l.limit {
		err = fmt.Errorf("%d seats were freed", removed.Load())
	}
	if err != nil {
		return err
	}
	return counts(doors[0], l.id, 0)
}

// counts fails unless so many seats of a license are held.
func counts(c client, id string, want int) error {
	machines, count, err := c.holders(id)
	if err == nil && (count != want || len(machines) != want) {
		err = fmt.Errorf("%v hold seats, counted as %d, want %d", machines, count, want)
	}
	return err
}

// A machine that asks both servers at the same time has one seat, which is
// created once, and both answers give it.
func TestAMachineThatAsksTwoServersAtOnceHasOneSeat(t *testing.T) {
	openSources(t)
	a, b, onA, onB := serveTwo(t, t.TempDir())
	doors := [2]client{onA, onB}
	if err := onA.seatPlans(1); err != nil {
		t.Fatal(err)
	}
	asked, err := onA.seated(1)
	if err != nil {
		t.Fatal(err)
	}
	for round := range raceRounds() {
		if err := twice(doors, asked, fmt.Sprint("m-", round)); err != nil {
			t.Fatalf("round %d: %v\n%s%s", round, err, a.Stderr, b.Stderr)
		}
	}
	if err := errors.Join(a.stop(), b.stop(), quiet(a), quiet(b)); err != nil {
		t.Error(err)
	}
}

// twice has a machine take its seat at both doors, and give it back at both.
func twice(doors [2]client, l seated, machine string) error {
	var took, gave [2]seatAnswer
	err := atOnce(2, func(i int) (err error) {
		took[i], err = doors[i].activate(l.key, machine)
		return err
	})
	if err != nil {
		return err
	}
	for _, one := range took {
		if one.Activation.ID == "" || one.Validation.Code != "VALID" || one.Validation.License.MachineCount != 1 {
			return fmt.Errorf("it is answered %+v", one)
		}
	}
	if took[0].Created == took[1].Created || took[0].Activation != took[1].Activation {
		return fmt.Errorf("it is answered %+v and %+v", took[0], took[1])
	}
	err = atOnce(2, func(i int) (err error) {
		gave[i], err = doors[i].deactivate(l.key, machine)
		return err
	})
	if err != nil {
		return err
	}
	if gave[0].Removed == gave[1].Removed {
		return fmt.Errorf("its seat is freed with %+v and %+v", gave[0], gave[1])
	}
	return counts(doors[0], l.id, 0)
}
