package wire

import (
	"context"
	"encoding/json"
	"errors"
)

// maxOperations is how many a connection may have at once.
const maxOperations = 100

const tooMany = `[{"message":"at most 100 operations run at once on a connection","extensions":{"code":"RATE_LIMITED","retryAfterSeconds":1}}]`

var errFull = errors.New("the connection has as many operations as it may")

// operation is one that a client waits for. A client may use its id again once
// either side has completed it.
type operation struct {
	id     string
	quoted string // as JSON
	cancel context.CancelFunc
	lasts  bool // guarded by the socket's mutex
}

// subscribe begins an operation. The error, a closeError, ends the connection.
func (s *socket) subscribe(m message) error {
	quoted, err := json.Marshal(m.id)
	if err != nil {
		return errBroken
	}
	ctx, cancel := context.WithCancel(s.caller)
	o := &operation{id: m.id, quoted: string(quoted), cancel: cancel}
	if err := s.begin(o); err != nil {
		cancel()
		switch {
		case errors.Is(err, errEnding):
			return nil // its client is told to ask elsewhere
		case errors.Is(err, errFull):
			return s.write(s.caller, encode(kindError, o.quoted, []byte(tooMany)))
		}
		return err
	}
	request := m.payload
	s.running.Go(func() {
		defer s.ended(o)
		if answers := s.opened(ctx, o, request); answers != nil {
			s.answer(ctx, o, answers)
		}
	})
	return nil
}

// begin takes a place for an operation. Errors: errFull, errEnding, a closeError.
func (s *socket) begin(o *operation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.operations[o.id] != nil:
		return errTaken
	case s.draining:
		return errEnding
	case s.count == maxOperations:
		return errFull
	}
	s.count++
	s.operations[o.id] = o
	return nil
}

// ended gives the place back.
func (s *socket) ended(o *operation) {
	s.forget(o)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count--
	s.endIfDrained(s.stream)
}

// drain ends what lasts, and the connection once everything else was answered.
func (s *socket) drain(stream *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for _, o := range s.operations {
		if o.lasts {
			o.cancel()
		}
	}
	s.endIfDrained(stream)
}

// endIfDrained is for whoever holds the lock.
func (s *socket) endIfDrained(stream *stream) {
	if s.draining && s.count == 0 {
		stream.end(errEnding)
	}
}

// lasting notes that an operation lasts.
func (s *socket) lasting(o *operation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.lasts = true; s.draining {
		o.cancel()
	}
}

// drop ends the operation of an id at its client's wish, if there is one.
func (s *socket) drop(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.operations[id]; o != nil {
		delete(s.operations, id)
		o.cancel()
	}
}

// forget gives an id free. It reports whether the client still waits for the
// operation.
func (s *socket) forget(o *operation) (awaited bool) {
	o.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[o.id] != o {
		return false
	}
	delete(s.operations, o.id)
	return true
}

func (s *socket) isAwaited(o *operation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.operations[o.id] == o
}

// opened begins to answer an operation, or tells why it does not and gives nil.
func (s *socket) opened(ctx context.Context, o *operation, request []byte) (answers Answers) {
	var begun Operation
	var err error
	if !s.calmly(ctx, func() { begun, err = s.Open(ctx, request) }) {
		err = RefusedErrors(internalErrors)
	}
	var malformed MalformedError
	var refused RefusedErrors
	switch {
	case err == nil:
		if begun.Lasts {
			s.lasting(o)
		}
		return begun.Answers
	case errors.As(err, &malformed):
		s.stream.end(malformedMessage(malformed.Error()))
	case errors.As(err, &refused):
		s.last(ctx, o, encode(kindError, o.quoted, refused))
	default:
		s.last(ctx, o, encode(kindError, o.quoted, []byte(internalErrors)))
	}
	return nil
}

// answer gives the client one answer after the other.
func (s *socket) answer(ctx context.Context, o *operation, answers Answers) {
	for {
		var one []byte
		if !s.calmly(ctx, func() { one = answers(ctx) }) {
			s.last(ctx, o, encode(kindError, o.quoted, []byte(internalErrors)))
			return
		}
		if one == nil {
			s.last(ctx, o, encode(kindComplete, o.quoted, nil))
			return
		}
		if !s.next(ctx, o, encode(kindNext, o.quoted, one)) {
			return
		}
	}
}

// next writes an answer, unless the operation has ended meanwhile, and reports
// whether it goes on.
func (s *socket) next(ctx context.Context, o *operation, text []byte) bool {
	if !s.turn(ctx) {
		return false
	}
	defer s.turnOver()
	if ctx.Err() != nil || !s.isAwaited(o) {
		return false
	}
	return s.putOrEnd(ctx, text)
}

// last writes the last message of an operation, unless that has ended.
func (s *socket) last(ctx context.Context, o *operation, text []byte) {
	if !s.turn(ctx) {
		return
	}
	defer s.turnOver()
	if ctx.Err() != nil || !s.forget(o) {
		return
	}
	s.putOrEnd(ctx, text)
}

func (s *socket) putOrEnd(ctx context.Context, text []byte) bool {
	err := s.put(ctx, text)
	if err != nil {
		s.stream.end(err)
	}
	return err == nil
}
