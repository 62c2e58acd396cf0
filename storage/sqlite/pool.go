package sqlite

import "context"

// pool is a bounded set of connections for reading. A slot is nil until its
// connection is first needed.
type pool struct {
	open   func(context.Context) (*conn, error)
	slots  chan *conn
	closed chan struct{}
}

func newPool(size int, open func(context.Context) (*conn, error)) *pool {
	p := &pool{open: open, slots: make(chan *conn, size), closed: make(chan struct{})}
	for range size {
		p.slots <- nil
	}
	return p
}

// take waits for a connection that nobody uses; give hands it back.
func (p *pool) take(ctx context.Context) (*conn, error) {
	select {
	case <-p.closed:
		return nil, errClosed()
	default:
	}
	var c *conn
	select {
	case c = <-p.slots:
	case <-p.closed:
		return nil, errClosed()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c != nil {
		return c, nil
	}
	c, err := p.open(ctx)
	if err != nil {
		p.slots <- nil
		return nil, err
	}
	return c, nil
}

func (p *pool) give(c *conn) { p.slots <- c }

// close waits for the readers under way.
func (p *pool) close() error {
	close(p.closed)
	var failed error
	for range cap(p.slots) {
		if c := <-p.slots; c != nil {
			if err := c.close(); err != nil {
				failed = err
			}
		}
	}
	return failed
}
