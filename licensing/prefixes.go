package licensing

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// prefixesFor is how long a server goes by the product prefixes that it read,
// to say that a text names none of them.
const prefixesFor = 5 * time.Second

// prefixCache remembers the prefixes of all products: only they tell a
// mistyped key of ours from a key that was made elsewhere. Prefixes are for
// ever, so one that is known needs no second look.
type prefixCache struct {
	read    atomic.Pointer[prefixSet]
	reads   singleflight.Group
	changes atomic.Int64 // made by this server
}

// prefixSet is never changed.
type prefixSet struct {
	known key.Prefixes
	until time.Time
}

// forget makes what was read, and what is being read, no answer to those who
// ask from now on.
func (c *prefixCache) forget() {
	c.changes.Add(1)
	c.reads.Forget("")
	c.read.Store(nil)
}

// KeyReader reads the text of keys.
type KeyReader interface {
	ReadKey(ctx context.Context, text string) (key.Reading, error)
}

// ReadKey takes a text for what it is. It asks storage for the products'
// prefixes only if the text may be a key that was made elsewhere, and once in
// five seconds. Errors: Unavailable.
func (s *Service) ReadKey(ctx context.Context, text string) (key.Reading, error) {
	r := key.Read(text, nil)
	if r.Kind != key.Imported {
		return r, nil
	}
	last := s.prefixes.read.Load()
	if last != nil {
		if r = key.Read(text, last.known); r.Kind == key.Malformed || s.clock().Before(last.until) {
			return r, nil
		}
	}
	known, err := s.readPrefixes(ctx)
	if err != nil {
		return key.Reading{}, err
	}
	return key.Read(text, known), nil
}

// readPrefixes reads the prefixes of all products, once for all who ask at the
// same time.
func (s *Service) readPrefixes(ctx context.Context) (key.Prefixes, error) {
	read, err, _ := s.prefixes.reads.Do("", func() (any, error) {
		if last := s.prefixes.read.Load(); last != nil && s.clock().Before(last.until) {
			return last.known, nil // read since the caller looked
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpTimeout)
		defer cancel()
		began, changes := s.clock(), s.prefixes.changes.Load()
		known, err := s.listPrefixes(ctx)
		if err == nil && s.prefixes.changes.Load() == changes {
			s.prefixes.read.Store(&prefixSet{known: known, until: began.Add(prefixesFor)})
		}
		return known, err
	})
	known, _ := read.(key.Prefixes)
	return known, err
}

func (s *Service) listPrefixes(ctx context.Context) (key.Prefixes, error) {
	known := key.Prefixes{}
	q := storage.Query{Kind: storage.Product, Order: storage.CreatedOldest, First: page.MaxFirst}
	for more := true; more; {
		found, err := s.store.List(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, stored := range found.Records {
			p, err := decodeProduct(stored)
			if err != nil {
				return nil, err
			}
			known[p.KeyPrefix] = true
		}
		q.After, more = found.End, found.More
	}
	return known, nil
}
