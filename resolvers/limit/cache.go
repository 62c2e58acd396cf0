package limit

import (
	"container/list"
	"sync"
)

// Cache remembers what was made of texts, within a bound in bytes. What was
// asked for once stands on trial, and is pushed out by others of its kind
// alone; what is asked for again is kept in the larger part, behind all that
// is. So texts that never come again cannot push out one that does. It is safe
// for concurrent use.
type Cache[T any] struct {
	mu           sync.Mutex // guards what follows
	known        map[string]*list.Element
	trial, proof segment
}

// cached is what stands in a segment.
type cached[T any] struct {
	text  string
	value T
	bytes int
	kept  bool // in the larger part
}

// segment is a list, the last used first.
type segment struct {
	order        list.List
	bytes, limit int
}

// NewCache makes a Cache of at most so many bytes.
func NewCache[T any](bytes int) *Cache[T] {
	c := &Cache[T]{known: map[string]*list.Element{}}
	c.trial.limit, c.proof.limit = bytes/4, bytes-bytes/4
	return c
}

// Get gives what is known of a text.
func (c *Cache[T]) Get(text string) (value T, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.known[text]
	if !ok {
		return value, false
	}
	one := at.Value.(*cached[T])
	if one.kept {
		c.proof.order.MoveToFront(at)
		return one.value, true
	}
	c.take(&c.trial, at)
	one.kept = true
	c.put(&c.proof, one)
	for c.proof.bytes > c.proof.limit { // whoever was not asked for longest is on trial again
		last := c.proof.order.Back()
		demoted := last.Value.(*cached[T])
		c.take(&c.proof, last)
		demoted.kept = false
		c.put(&c.trial, demoted)
	}
	c.shorten()
	return one.value, true
}

// Add remembers value, which takes up so many bytes, unless one is known
// already or it is too large.
func (c *Cache[T]) Add(text string, value T, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known[text] != nil || bytes > c.trial.limit {
		return
	}
	c.put(&c.trial, &cached[T]{text: text, value: value, bytes: bytes})
	c.shorten()
}

// Bytes gives how many are taken up.
func (c *Cache[T]) Bytes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trial.bytes + c.proof.bytes
}

func (c *Cache[T]) shorten() {
	for c.trial.bytes > c.trial.limit {
		c.take(&c.trial, c.trial.order.Back())
	}
}

func (c *Cache[T]) put(s *segment, one *cached[T]) {
	c.known[one.text] = s.order.PushFront(one)
	s.bytes += one.bytes
}

func (c *Cache[T]) take(s *segment, at *list.Element) {
	one := s.order.Remove(at).(*cached[T])
	delete(c.known, one.text)
	s.bytes -= one.bytes
}
