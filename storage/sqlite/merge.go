package sqlite

import "slices"

// merge puts scans into one order, in which each of them is already. T is
// where a row stands in it.
type merge[T any] struct {
	at     func(*cursor) T
	before func(a, b T) bool
	heads  []head[T]
}

// head is a scan under way, standing on its next row.
type head[T any] struct {
	cur *cursor
	at  T
}

// add takes a scan that has just begun, and with it the task of closing it.
func (m *merge[T]) add(cur *cursor) error {
	m.heads = append(m.heads, head[T]{cur: cur})
	return m.advance(len(m.heads) - 1)
}

// first gives the number of the head whose row comes next, -1 at the end.
func (m *merge[T]) first() int {
	first := -1
	for i := range m.heads {
		if first < 0 || m.before(m.heads[i].at, m.heads[first].at) {
			first = i
		}
	}
	return first
}

// advance moves head i to its next row and drops it at its end.
func (m *merge[T]) advance(i int) error {
	h := &m.heads[i]
	ok, err := h.cur.next()
	if err != nil {
		return err
	}
	if !ok {
		h.cur.close()
		m.heads = slices.Delete(m.heads, i, i+1)
		return nil
	}
	h.at = m.at(h.cur)
	return nil
}

func (m *merge[T]) close() {
	for _, h := range m.heads {
		h.cur.close()
	}
}
