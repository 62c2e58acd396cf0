package test_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// cutter stands between clients and a server, and cuts their connections off.
type cutter struct {
	url  string
	done sync.WaitGroup

	mu   sync.Mutex // guards what follows
	to   string     // an address
	open map[net.Conn]bool
	over bool
}

func newCutter(t *testing.T, url string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{url: "http://" + listener.Addr().String(), open: map[net.Conn]bool{}}
	c.leadTo(url)
	c.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			c.done.Go(func() { c.serve(client) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		c.mu.Lock()
		c.over = true
		c.mu.Unlock()
		c.cut()
		c.done.Wait()
	})
	return c
}

// leadTo leads new connections to a server.
func (c *cutter) leadTo(url string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = strings.TrimPrefix(url, "http://")
}

// cut cuts all connections off.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for one := range c.open {
		one.Close()
	}
}

func (c *cutter) serve(client net.Conn) {
	c.mu.Lock()
	to := c.to
	c.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		client.Close()
		return
	}
	if !c.keep(client, server) {
		return
	}
	var both sync.WaitGroup
	for from, to := range map[net.Conn]net.Conn{client: server, server: client} {
		both.Go(func() {
			_, _ = io.Copy(to, from)
			client.Close()
			server.Close()
		})
	}
	both.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, client)
	delete(c.open, server)
}

// keep reports false, and closes the connections, once all is over.
func (c *cutter) keep(all ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range all {
		if c.over {
			one.Close()
			continue
		}
		c.open[one] = true
	}
	return !c.over
}
