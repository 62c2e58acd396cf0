package sqlstore_test

import (
	"bytes"
	"errors"
	"iter"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// table is a table of chunks in memory.
type table []sqlstore.Row

// grown gives the table with a block more.
func (rows table) grown(t *testing.T, c *sqlstore.Codec, b storage.Block) table {
	t.Helper()
	var last *sqlstore.Row
	if n := len(rows); n > 0 && rows[n-1].HasRoom() {
		last = &rows[n-1]
	}
	chunks, err := c.Add(last, b)
	if err != nil {
		t.Fatal(err)
	}
	rows = append(table{}, rows...)
	for _, chunk := range chunks {
		if chunk.Grown {
			rows = rows[:len(rows)-1]
		}
		rows = append(rows, chunk.Row)
	}
	return rows
}

func codec(t *testing.T) *sqlstore.Codec {
	t.Helper()
	c, err := sqlstore.NewCodec(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func each(rows table, end error) iter.Seq2[sqlstore.Row, error] {
	return func(yield func(sqlstore.Row, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if end != nil {
			yield(sqlstore.Row{}, end)
		}
	}
}

// Who reads in several steps reads the last chunk of each again, and what was
// appended meanwhile is whole.
func TestAChunkThatComesAgainGoesOnWhereItEnded(t *testing.T) {
	c := codec(t)
	var rows, early table
	var want []storage.Block
	next := 0
	for n, size := range []int{5, 40, 2, 1, 30, 70, 1} {
		if n == 4 {
			early = rows // whose last chunk has room
		}
		b := storagetest.LogBlock(next, size)
		rows, want, next = rows.grown(t, c, b), append(want, b), next+size
	}
	last := len(early) - 1
	got, err := c.Blocks(sqlstore.Start{}, 99, each(append(append(table{}, early...), rows[last:]...), nil))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("(-appended +read):\n%s", diff)
	}
}

// Nor is a chunk that lies over the end of another taken for the same one.
func TestAChunkThatLiesOverAnotherIsDamage(t *testing.T) {
	c := codec(t)
	rows := table{}.grown(t, c, storagetest.LogBlock(0, 64))
	rows[1].First, rows[1].Next = 30, 62
	if got, err := c.Blocks(sqlstore.Start{}, 99, each(rows, nil)); err == nil {
		t.Errorf("%d blocks", len(got))
	}
}

// A block whose end was not read is not given.
func TestOfAReadThatFailsNothingIsGiven(t *testing.T) {
	c := codec(t)
	rows := table{}.grown(t, c, storagetest.LogBlock(0, 64))
	failed := errors.New("failed")
	if got, err := c.Blocks(sqlstore.Start{}, 99, each(rows[:1], failed)); len(got) > 0 || !errors.Is(err, failed) {
		t.Errorf("%d blocks, %v", len(got), err)
	}
}
