package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/license"
	"github.com/keywright/keywright/license/key"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// filled is a wired server over the licenses of storagetest.LicenseChange,
// except that they belong to a catalog that exists and have keys that
// validate.
type filled struct {
	*wired
	size int
}

const (
	perLoad = 1_000 // licenses
	loaders = 4
)

// fillWired makes the catalog and loads so many licenses.
func fillWired(ctx context.Context, w *wired, size int) (*filled, error) {
	f := &filled{w, size}
	if err := f.makeCatalog(ctx); err != nil {
		return nil, err
	}
	bulk, isBulk := w.store.(storage.Bulk)
	if isBulk {
		if err := bulk.BeginLoad(ctx); err != nil {
			return nil, err
		}
	}
	var group errgroup.Group
	group.SetLimit(loaders)
	for first := 0; first < size; first += perLoad {
		group.Go(func() error {
			var some []storage.Whole
			for n := first; n < min(first+perLoad, size); n++ {
				one, err := f.whole(n)
				if err != nil {
					return err
				}
				some = append(some, one)
			}
			return w.store.Load(ctx, some)
		})
	}
	err := group.Wait()
	if err == nil && isBulk {
		err = bulk.EndLoad(ctx)
	}
	return f, err
}

// makeCatalog makes a product or a plan for each that the licenses name, as
// copies of the one that there is.
func (f *filled) makeCatalog(ctx context.Context) error {
	seats := 1_000
	made, err := f.licensing.CreatePlan(actor.With(ctx, authz.DevAdmin), licensing.CreatePlanInput{
		Product: product, Code: "seats", Name: "Bench", MaxMachines: &seats, ExpiryBasis: "CREATION", RenewalBasis: "FROM_EXPIRY",
	})
	if err != nil {
		return err
	}
	found, err := f.store.Get(ctx, license.ProductID(product), made.Plan.ID)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for n := range 1_000 { // names all of them
		x := storagetest.LicenseIndex(n)
		for i, id := range []string{x.Product, x.Plan} {
			if known[id] {
				continue
			}
			known[id] = true
			one := storage.Whole{Stored: *found[i]}
			one.ID, one.Index.Product = id, x.Product
			if err := f.store.Load(ctx, []storage.Whole{one}); err != nil {
				return err
			}
		}
	}
	return nil
}

// keyOf is the key of license number n.
func keyOf(n int) (key.Key, error) {
	var data [key.Length]byte
	sum := sha256.Sum256([]byte(storagetest.LicenseID(n)))
	for i := range data {
		data[i] = sum[i] & 31
	}
	return key.New("BENCH", data)
}

func (f *filled) whole(n int) (storage.Whole, error) {
	r := storagetest.LicenseChange(n).Record
	made, err := keyOf(n)
	if err != nil {
		return storage.Whole{}, err
	}
	lookup := f.secrets.First().Lookup(made.Data())
	was := r.ID
	r.ID, r.Version, r.Attempt = license.LicenseID(lookup[:]), 1, was
	words := slices.Clone(r.Index.Words)
	words[slices.Index(words, was)] = r.ID
	slices.Sort(words)
	r.Index.Words = words
	var body map[string]any
	if err := json.NewDecoder(bytes.NewReader(r.Body)).Decode(&body); err != nil {
		return storage.Whole{}, err
	}
	body["secret"] = f.secrets.First().ID()
	keys := body["keys"].([]any)
	keys[0].(map[string]any)["lookup"] = lookup[:]
	r.Body, err = json.Marshal(body)
	return storage.Whole{Stored: storage.Stored{Record: r}}, err
}

// good gives a run the key of a license that never ends and may be used, far
// from its neighbours'.
func (f *filled) good(run int) (string, error) {
	random := rand.New(rand.NewPCG(uint64(run), 3))
	for {
		n := random.IntN(f.size)
		if x := storagetest.LicenseIndex(n); x.Ends.IsZero() && x.Starts.IsZero() && x.State == "issued" {
			made, err := keyOf(n)
			return made.String(), err
		}
	}
}
