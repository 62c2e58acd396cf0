package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"iter"
	"time"
)

// Statements that a connection keeps prepared while nobody uses them.
const maxPrepared = 256

// conn is one connection with its prepared statements, for one goroutine at a
// time. It goes to the driver without database/sql, whose share in a read by
// key is larger than SQLite's.
type conn struct {
	raw  driver.Conn
	idle map[string][]driver.Stmt
	kept int
}

// cursor is a statement under way; close gives the statement back.
type cursor struct {
	conn   *conn
	query  string
	stmt   driver.Stmt
	rows   driver.Rows
	values []driver.Value
}

func (c *conn) close() error {
	c.forget()
	return c.raw.Close()
}

func (c *conn) forget() {
	for _, stmts := range c.idle {
		for _, stmt := range stmts {
			_ = stmt.Close()
		}
	}
	c.idle, c.kept = map[string][]driver.Stmt{}, 0
}

// take gives a prepared statement that no cursor is using.
func (c *conn) take(query string) (driver.Stmt, error) {
	if stmts := c.idle[query]; len(stmts) > 0 {
		c.idle[query] = stmts[:len(stmts)-1]
		c.kept--
		return stmts[len(stmts)-1], nil
	}
	return c.raw.Prepare(query)
}

func (c *conn) give(query string, stmt driver.Stmt) {
	if c.kept >= maxPrepared {
		c.forget()
	}
	c.idle[query] = append(c.idle[query], stmt)
	c.kept++
}

// exec runs a statement and gives the number of rows it changed and the last
// row it inserted.
func (c *conn) exec(query string, args ...driver.Value) (changed, last int64, err error) {
	stmt, err := c.take(query)
	if err != nil {
		return 0, 0, err
	}
	defer c.give(query, stmt)
	result, err := stmt.(driver.StmtExecContext).ExecContext(context.Background(), named(args))
	if err != nil {
		return 0, 0, err
	}
	changed, _ = result.RowsAffected()
	last, _ = result.LastInsertId()
	return changed, last, nil
}

// query begins a statement. Its read transaction lasts while any cursor of
// the connection is open, so a cursor opened inside another's life sees the
// same snapshot.
func (c *conn) query(ctx context.Context, query string, args ...driver.Value) (*cursor, error) {
	stmt, err := c.take(query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, named(args))
	if err != nil {
		c.give(query, stmt)
		return nil, err
	}
	return &cursor{conn: c, query: query, stmt: stmt, rows: rows, values: make([]driver.Value, len(rows.Columns()))}, nil
}

// one runs a query for its first row and reports whether there is one.
func (c *conn) one(query string, args ...driver.Value) ([]driver.Value, bool, error) {
	cur, err := c.query(context.Background(), query, args...)
	if err != nil {
		return nil, false, err
	}
	defer cur.close()
	ok, err := cur.next()
	return cur.values, ok, err
}

// rows gives all rows of a query, in a slice that each takes from the one
// before, or the error at which they end.
func (c *conn) rows(ctx context.Context, query string, args ...driver.Value) iter.Seq2[[]driver.Value, error] {
	return func(yield func([]driver.Value, error) bool) {
		cur, err := c.query(ctx, query, args...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer cur.close()
		for {
			ok, err := cur.next()
			if err != nil {
				yield(nil, err)
				return
			}
			if !ok || !yield(cur.values, nil) {
				return
			}
		}
	}
}

// next moves to the next row and reports whether there is one.
func (c *cursor) next() (bool, error) {
	err := c.rows.Next(c.values)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	return err == nil, err
}

func (c *cursor) close() {
	_ = c.rows.Close() // a read has nothing to lose here
	c.conn.give(c.query, c.stmt)
}

func named(args []driver.Value) []driver.NamedValue {
	values := make([]driver.NamedValue, len(args))
	for i, v := range args {
		values[i] = driver.NamedValue{Ordinal: i + 1, Value: v}
	}
	return values
}

// The columns' values: NULL reads as zero, and what is none is written as
// NULL.

func number(v driver.Value) int64 {
	n, _ := v.(int64)
	return n
}

func text(v driver.Value) string {
	s, _ := v.(string)
	return s
}

func blob(v driver.Value) []byte {
	b, _ := v.([]byte)
	return b
}

func moment(v driver.Value) time.Time {
	if ms, ok := v.(int64); ok {
		return time.UnixMilli(ms).UTC()
	}
	return time.Time{}
}

func orNull(s string) driver.Value {
	if s == "" {
		return nil
	}
	return s
}

func millis(t time.Time) driver.Value {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}
