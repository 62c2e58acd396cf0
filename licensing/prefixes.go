package licensing

import (
	"context"
	"sync"
	"time"

	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/page"
	"github.com/keywright/keywright/storage"
)

// prefixesFor is how long a server goes by the product prefixes that it read.
const prefixesFor = 5 * time.Second

// prefixCache remembers the prefixes of all products: only they tell a
// mistyped key of ours from a key that was made elsewhere.
type prefixCache struct {
	mu    sync.Mutex // guards what follows
	known key.Prefixes
	until time.Time
}

func (c *prefixCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = time.Time{}
}

// Prefixes gives the key prefixes of all products, as of at most five seconds
// ago. The result is shared and not to be changed.
func (s *Service) Prefixes(ctx context.Context) (key.Prefixes, error) {
	s.prefixes.mu.Lock()
	defer s.prefixes.mu.Unlock()
	now := s.clock()
	if now.Before(s.prefixes.until) {
		return s.prefixes.known, nil
	}
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
	s.prefixes.known, s.prefixes.until = known, now.Add(prefixesFor)
	return known, nil
}

// KeyReader reads the text of keys.
type KeyReader interface {
	ReadKey(ctx context.Context, text string) (key.Reading, error)
}

// ReadKey takes a text for what it is. It asks storage for the products'
// prefixes only if the text may be a key and is none of ours. Errors:
// Unavailable.
func (s *Service) ReadKey(ctx context.Context, text string) (key.Reading, error) {
	if r := key.Read(text, nil); r.Kind == key.Ours || r.Kind == key.Refused {
		return r, nil
	}
	known, err := s.Prefixes(ctx)
	if err != nil {
		return key.Reading{}, err
	}
	return key.Read(text, known), nil
}
