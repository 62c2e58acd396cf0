package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"sync"
)

// proxy stands between clients of MongoDB's wire protocol and a server, and
// lets one command through at a time, whatever connection it comes by: the next
// is sent when the answer to the last has come.
type proxy struct {
	dial func(context.Context) (net.Conn, error) // to the server

	turn sync.Mutex // held from sending a command until its answer has come
}

// serve returns when ctx has ended and every client was let go.
func (p *proxy) serve(ctx context.Context, listener net.Listener) error {
	var clients sync.WaitGroup
	defer clients.Wait()
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		client, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		clients.Go(func() {
			if err := p.between(ctx, client); err != nil && ctx.Err() == nil {
				log.Printf("a client is let go: %v", err)
			}
		})
	}
}

// between serves a client by a connection of its own to the server.
func (p *proxy) between(ctx context.Context, client net.Conn) error {
	defer client.Close()
	server, err := p.dial(ctx)
	if err != nil {
		return err
	}
	defer server.Close()
	defer context.AfterFunc(ctx, func() {
		client.Close()
		server.Close()
	})()
	for {
		command, err := readMessage(client)
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		answer, err := p.exchange(server, command)
		if err != nil {
			return err
		}
		if _, err := client.Write(answer); err != nil {
			return err
		}
	}
}

// exchange holds the turn. A client that has gone does not end it early: the
// command that it sent may still change something.
func (p *proxy) exchange(server net.Conn, command message) (message, error) {
	if command.more() {
		return nil, errors.New("it sent a command that asks for no answer, whose end could not be seen")
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	if _, err := server.Write(command); err != nil {
		return nil, err
	}
	answer, err := readMessage(server)
	if err == nil && answer.more() {
		err = errors.New("the server answers in several messages")
	}
	return answer, err
}

// message is one of the wire protocol: a header of four numbers, of which the
// first is the length of the whole and the last the kind, and what follows.
type message []byte

const (
	headerSize  = 16
	mostMessage = 48_000_000 // of mongod
	kindMessage = 2013       // OP_MSG: its first four bytes are flags
	moreToCome  = 1 << 1
)

func readMessage(from io.Reader) (message, error) {
	header := make([]byte, headerSize)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(header)
	if length < headerSize || length > mostMessage {
		return nil, fmt.Errorf("a message of %d bytes", length)
	}
	whole := make(message, length)
	copy(whole, header)
	if _, err := io.ReadFull(from, whole[headerSize:]); err != nil {
		return nil, fmt.Errorf("a message of %d bytes ends early: %w", length, err)
	}
	return whole, nil
}

// more reports whether whoever sent it goes on without an answer: a client that
// wants none, or a server that streams.
func (m message) more() bool {
	if len(m) < headerSize+4 || binary.LittleEndian.Uint32(m[12:]) != kindMessage {
		return false
	}
	return binary.LittleEndian.Uint32(m[headerSize:])&moreToCome != 0
}
