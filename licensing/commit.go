package licensing

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/storage"
)

// Lost races that retry forgives before it gives up: with the back-off below,
// about two seconds.
const maxTries = 12

// How long a commit of unknown outcome is looked up for, whatever became of
// the caller.
const lookUpTimeout = 5 * time.Second

// errLostRace is a commit that found its record changed, or its id taken,
// since it was read.
var errLostRace = errors.New("licensing: lost a race")

// retry runs try, which reads, decides and commits, until it does not lose a
// race. Errors: those of try, and Unavailable after maxTries.
func retry(ctx context.Context, try func() error) error {
	for n := range maxTries {
		// The first race is lost to one who has just won; only a crowd waits.
		if n > 1 {
			//nolint:gosec // jitter is no secret
			if err := pause(ctx, time.Duration((n-1)*(1+rand.IntN(4)))*time.Millisecond<<((n-1)/2)); err != nil {
				return err
			}
		}
		if err := try(); !errors.Is(err, errLostRace) {
			return err
		}
	}
	busy := fault.Errorf(fault.Unavailable, "too many changes of one record at once")
	busy.RetryAfter = time.Second
	return busy
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return gaveUp(ctx)
	}
}

func gaveUp(ctx context.Context) error {
	return fault.Wrap(fault.Unavailable, ctx.Err(), "this took too long")
}

// commitment is one record after a change, and what its journal entries say.
type commitment struct {
	by     actor.Actor
	at     time.Time
	record storage.Record // with the version that was read
	events []event
	put    []storage.Seat
	remove []storage.Removal
}

// event is what happened to a record, or to a part of it, in a change.
type event struct {
	journal.Type
	part    string // the id of the seat that it is about, or empty
	before  facts
	after   facts
	details any    // what its data says beside the changes: encodes as a JSON object; nil is nothing
	request string // the id of the request that it answers, where that is not the commit's
}

// commit makes the change durable together with its entries. It fails with
// errLostRace if the record was changed, or its id taken, meanwhile.
func (s *Service) commit(ctx context.Context, c commitment) error {
	entries, err := s.entries(ctx, c)
	if err != nil {
		return err
	}
	return s.send(ctx, storage.Change{Record: c.record, Put: c.put, Remove: c.remove, Entries: entries})
}

// note commits what became of a license by another way than a change of
// staff's: its revision does not count that, and what was done to it under
// idempotency keys stays remembered.
func (s *Service) note(ctx context.Context, was *storage.Stored, l *license.License, c commitment) error {
	record, err := encodeLicense(l)
	if err != nil {
		return err
	}
	record.Done = was.Done
	c.record = record
	return s.commit(ctx, c)
}

// send hands a change to storage, and finds out what became of it where
// storage cannot tell.
func (s *Service) send(ctx context.Context, c storage.Change) error {
	attempt, err := s.nonce()
	if err != nil {
		return err
	}
	c.Attempt = attempt
	err = s.store.Commit(ctx, c)
	if !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.InvalidInput) {
		s.committed(c.Record.ID)
	}
	switch {
	case err == nil:
		s.alarm.due(c.Record.Index.Due)
		return nil
	case fault.Is(err, fault.InvalidInput):
		return err
	case fault.Is(err, fault.Conflict):
		return errLostRace
	}
	// The outcome is not known; the record tells, even if the caller is gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpTimeout)
	defer cancel()
	found, readErr := s.store.Get(ctx, c.Record.ID)
	if readErr == nil && found[0] != nil && found[0].Attempt == attempt {
		return nil
	}
	return fault.Wrap(fault.Unavailable, err, "the change may or may not have been made; ask again under the same idempotency key")
}

// committed says that a record may have changed.
func (s *Service) committed(id string) {
	s.glances.forget(id)
	if s.journal != nil {
		s.journal.Committed()
	}
}

// entries makes the journal entries of a change, one for each event.
func (s *Service) entries(ctx context.Context, c commitment) ([]storage.Entry, error) {
	digest, err := journal.Digest(s.secrets.First(), c.record)
	if err != nil {
		return nil, err
	}
	entries := make([]storage.Entry, 0, len(c.events))
	for _, e := range c.events {
		e.request = cmp.Or(e.request, actor.RequestFrom(ctx))
		entry, err := s.entry(c, e, digest)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func (s *Service) entry(c commitment, e event, digest []byte) (storage.Entry, error) {
	id, err := journal.NewID(c.at, s.random)
	if err != nil {
		return storage.Entry{}, err
	}
	changes, err := diff(s.secrets.First(), c.record.ID, e.before, e.after)
	if err != nil {
		return storage.Entry{}, err
	}
	data, err := dataOf(e, changes)
	if err != nil {
		return storage.Entry{}, err
	}
	entry := journal.Entry{
		ID: id, Type: e.Type, Version: e.Version(), At: c.at, Actor: c.by,
		Subject: cmp.Or(e.part, c.record.ID), Revision: c.record.Revision, Product: c.record.Index.Product,
		Request: e.request, Digest: digest, Data: data,
	}
	if c.record.Kind == storage.License {
		entry.License = c.record.ID
	}
	return entry.Encode()
}

// dataOf gives the data of an entry: what changed, and the event's details.
func dataOf(e event, changes journal.Changes) (json.RawMessage, error) {
	data := map[string]any{}
	if e.details != nil {
		text, err := json.Marshal(e.details)
		if err == nil {
			err = json.Unmarshal(text, &data)
		}
		if err != nil {
			return nil, fmt.Errorf("licensing: the details of %s: %w", e.Type, err)
		}
	}
	if len(changes) > 0 {
		data["changes"] = changes
	}
	text, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("licensing: the data of %s: %w", e.Type, err)
	}
	return text, nil
}

// nonce gives 128 random bits as text.
func (s *Service) nonce() (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		return "", fmt.Errorf("licensing: reading randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}
