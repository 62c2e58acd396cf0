package test_test

import (
	"fmt"

	"golang.org/x/sync/errgroup"
)

// seatAnswer is what activate or deactivate was answered.
type seatAnswer struct {
	Validation struct {
		Code    string
		License struct{ MachineCount int }
	}
	Activation struct{ ID string } // without an ID: none
	Created    bool
	Removed    bool
}

func (c client) activate(key, machine string) (seatAnswer, error) {
	return c.askForSeat(`mutation($key: String!, $machine: String!) {
		answer: activate(input: {key: $key, product: "acme", fingerprint: $machine}) {
			validation { code license { machineCount } } activation { id } created } }`, key, machine)
}

func (c client) deactivate(key, machine string) (seatAnswer, error) {
	return c.askForSeat(`mutation($key: String!, $machine: String!) {
		answer: deactivate(input: {key: $key, product: "acme", fingerprint: $machine}) {
			validation { code license { machineCount } } removed } }`, key, machine)
}

// askForSeat asks as a program in the field does, which has the key alone.
func (c client) askForSeat(document, key, machine string) (seatAnswer, error) {
	var data struct{ Answer seatAnswer }
	c.token = ""
	err := c.ask(document, map[string]any{"key": key, "machine": machine}, &data)
	return data.Answer, err
}

// seated is a license of so many seats.
type seated struct {
	id, key string
	limit   int
}

// seatPlans makes a plan for each number of seats.
func (c client) seatPlans(limits ...int) error {
	for _, limit := range limits {
		input := map[string]any{"product": "acme", "code": seatPlan(limit), "name": seatPlan(limit), "maxMachines": limit}
		var made struct{ Answer answer }
		if err := c.ask(documents["createPlan"], map[string]any{"input": input}, &made); err != nil {
			return err
		}
	}
	return nil
}

func seatPlan(limit int) string { return fmt.Sprintf("seats-%d", limit) }

// seated issues a license under one of the plans.
func (c client) seated(limit int) (seated, error) {
	var made struct{ Answer answer }
	err := c.ask(documents["issueLicense"], map[string]any{"input": map[string]any{"plan": "acme/" + seatPlan(limit)}}, &made)
	return seated{made.Answer.Record.ID, made.Answer.Key, limit}, err
}

// holders gives who holds the seats of a license, and how many they are said
// to be.
func (c client) holders(id string) (machines []string, count int, err error) {
	var data struct {
		License struct {
			MachineCount int
			Activations  connection[struct{ Subject string }]
		}
	}
	err = c.ask(`query($id: ID!) { license(id: $id) { machineCount activations(first: 200) { nodes { subject } } } }`,
		map[string]any{"id": id}, &data)
	for _, one := range data.License.Activations.Nodes {
		machines = append(machines, one.Subject)
	}
	return machines, data.License.MachineCount, err
}

// atOnce runs f for each number below n, all at the same time.
func atOnce(n int, f func(i int) error) error {
	var all errgroup.Group
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() error {
			<-begin
			return f(i)
		})
	}
	close(begin)
	return all.Wait()
}
