package licensing_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

const (
	mistyped = "ACME-EDQ0P-V1DCB-8GQQR-VXVG1-EFXYS-YWNW0"
	uuid     = "550e8400-e29b-41d4-a716-446655440000"
)

// lists counts the lists of a model, and fails them where told to.
type lists struct {
	*storagetest.Model
	count atomic.Int64
	down  atomic.Bool
}

func (l *lists) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	l.count.Add(1)
	if l.down.Load() {
		return storage.Page{}, fault.Errorf(fault.Unavailable, "storage is down")
	}
	return l.Model.List(ctx, q)
}

// readers gives a Service that counts how often it lists products.
func readers(t *testing.T) (*shop, *licensing.Service, *lists) {
	t.Helper()
	s := newShop(t)
	counted := &lists{Model: s.store.Model}
	s.config.Store = counted
	return s, licensing.New(s.config), counted
}

func wantKind(t *testing.T, s *licensing.Service, text string, want key.Kind) {
	t.Helper()
	r, err := s.ReadKey(context.Background(), text)
	if err != nil || r.Kind != want {
		t.Errorf("%q is read as %q, %v; want %q", text, r.Kind, err, want)
	}
}

func TestProductsAreListedOnceInFiveSecondsForTextThatMayBeImported(t *testing.T) {
	shop, s, counted := readers(t)
	for range 3 {
		wantKind(t, s, mistyped, key.Malformed)
		wantKind(t, s, uuid, key.Imported)
	}
	if n := counted.count.Load(); n != 1 {
		t.Errorf("products were listed %d times within five seconds", n)
	}
	shop.now = shop.now.Add(5 * time.Second)
	wantKind(t, s, mistyped, key.Malformed)
	if n := counted.count.Load(); n != 1 {
		t.Errorf("a prefix that is known was looked up again")
	}
	wantKind(t, s, uuid, key.Imported)
	if n := counted.count.Load(); n != 2 {
		t.Errorf("products were listed %d times in more than five seconds", n)
	}
}

func TestWithoutStorageAMistypedKeyIsToldAndAnImportedOneIsNot(t *testing.T) {
	shop, s, counted := readers(t)
	wantKind(t, s, mistyped, key.Malformed)
	counted.down.Store(true)
	shop.now = shop.now.Add(time.Minute)
	wantKind(t, s, mistyped, key.Malformed)
	if _, err := s.ReadKey(context.Background(), uuid); !fault.Is(err, fault.Unavailable) {
		t.Errorf("an unknown prefix without storage: %v", err)
	}
}

func TestManyReadersAtOnceShareOneList(t *testing.T) {
	_, s, counted := readers(t)
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() { wantKind(t, s, uuid, key.Imported) })
	}
	all.Wait()
	if n := counted.count.Load(); n != 1 {
		t.Errorf("64 readers listed the products %d times", n)
	}
}

func TestANewProductsPrefixIsKnownAtOnceWhereItWasMade(t *testing.T) {
	shop, s, _ := readers(t)
	const text = "WIDGET-EDQ0P-V1DCB-8GQQR-VXVG1-EFXYS-YWNW0"
	wantKind(t, s, text, key.Imported)
	shop.Service = s
	shop.product(t, "widget", "WIDGET")
	wantKind(t, s, text, key.Malformed)
}
