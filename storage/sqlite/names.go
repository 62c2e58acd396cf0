package sqlite

import (
	"fmt"
	"maps"
	"sync"
)

// names is what is known of one of the tables that number texts. Rows are
// only ever added to it, so what was read once, of a committed row, holds;
// what is missing here may have been added by another process.
type names struct {
	table string

	mapsMu  sync.RWMutex
	numbers map[string]int64
	texts   map[int64]string
}

func newNames(table string) *names {
	return &names{table: table, numbers: map[string]int64{"": 0}, texts: map[int64]string{0: ""}}
}

// number gives the number of a text and whether it has one.
func (n *names) number(c *conn, name string) (int64, bool, error) {
	n.mapsMu.RLock()
	number, ok := n.numbers[name]
	n.mapsMu.RUnlock()
	if ok {
		return number, true, nil
	}
	row, ok, err := c.one("SELECT number FROM "+n.table+" WHERE text = ?", name)
	if err != nil || !ok {
		return 0, false, err
	}
	return row[0].(int64), true, nil
}

// text gives the text of a number that a record holds.
func (n *names) text(c *conn, number int64) (string, error) {
	n.mapsMu.RLock()
	name, ok := n.texts[number]
	n.mapsMu.RUnlock()
	if ok {
		return name, nil
	}
	row, ok, err := c.one("SELECT text FROM "+n.table+" WHERE number = ?", number)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("no %s of number %d", n.table, number)
	}
	name = row[0].(string)
	n.learn(map[string]int64{name: number})
	return name, nil
}

// learn takes in rows that are committed.
func (n *names) learn(rows map[string]int64) {
	n.mapsMu.Lock()
	defer n.mapsMu.Unlock()
	maps.Copy(n.numbers, rows)
	for name, number := range rows {
		n.texts[number] = name
	}
}

// adder gives texts numbers inside the writer's transaction and publishes
// them once it is committed.
type adder struct {
	*names
	added map[string]int64
}

func (a *adder) add(c *conn, name string) (int64, error) {
	if number, ok := a.added[name]; ok {
		return number, nil
	}
	number, ok, err := a.number(c, name)
	if err != nil || ok {
		return number, err
	}
	_, number, err = c.exec("INSERT INTO "+a.table+" (text) VALUES (?)", name)
	if err == nil {
		a.added[name] = number
	}
	return number, err
}

func (a *adder) committed() {
	if len(a.added) > 0 {
		a.learn(a.added)
		a.undone()
	}
}

// undone forgets what was added since the last commit: after a roll-back, of
// one change or of all.
func (a *adder) undone() { clear(a.added) }
