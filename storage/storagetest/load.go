package storagetest

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/keywright/keywright/internal/id"
	"github.com/keywright/keywright/storage"
)

// Catalog of the licenses that Fill makes.
const (
	loadProducts = 5
	loadPlans    = 3 // of each product
	perCustomer  = 3 // licenses
	firstNames   = 400
)

// Fill commits the licenses numbered from first up to (not including) last,
// with one journal entry each where entries is set, by many callers at once.
func Fill(ctx context.Context, s storage.Store, first, last int, entries bool) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	next.Store(int64(first))
	var callers sync.WaitGroup
	for range 512 {
		callers.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= last || ctx.Err() != nil {
					return
				}
				c := LicenseChange(n)
				if !entries {
					c.Entries = nil
				}
				if err := s.Commit(ctx, c); err != nil {
					stop(err)
				}
			}
		})
	}
	callers.Wait()
	return context.Cause(ctx)
}

// LicenseID gives the id of license number n.
func LicenseID(n int) string { return loadID("lic", n) }

// LicenseChange makes license number n, always the same, with the sizes and
// the spread of values that a vendor's licenses have, and its journal entry.
func LicenseChange(n int) storage.Change {
	return storage.Change{
		Record: storage.Record{
			Kind: storage.License, ID: LicenseID(n), Revision: 1, Index: LicenseIndex(n), Body: licenseBody(n),
		},
		Attempt: loadID("try", n)[4:],
		Entries: []storage.Entry{LogEntry(n)},
	}
}

// LicenseIndex gives the index fields of license number n.
func LicenseIndex(n int) storage.Index {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	product, plan := random.IntN(loadProducts), random.IntN(loadPlans)
	created := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 7013 * time.Millisecond)
	x := storage.Index{
		Product: loadID("prd", product), Plan: loadID("pln", product*loadPlans+plan), State: "issued",
		ExternalID:         fmt.Sprintf("order-%08d", 10_000_000+n),
		CustomerEmail:      fmt.Sprintf("%s@example.com", loadID("x", n/perCustomer)[2:16]),
		CustomerExternalID: loadID("cus", n/perCustomer)[:18],
		Created:            created,
	}
	switch plan {
	case 0:
		x.Ends = created.AddDate(1, 0, 0)
	case 1:
		x.Ends = created.AddDate(0, 1, 0).Add(time.Duration(random.IntN(86_400_000)) * time.Millisecond)
	}
	if !x.Ends.IsZero() {
		x.Due = x.Ends.AddDate(0, 0, -14)
	}
	switch p := random.IntN(100); {
	case p < 2:
		x.State = "suspended"
	case p < 3:
		x.State = "revoked"
	case p < 8:
		x.Starts = created.AddDate(0, 0, 3)
	}
	x.Words = licenseWords(n, x)
	return x
}

// licenseWords are what the use-cases have a license found by: with its names,
// its customer's name from each word on that is not too short.
func licenseWords(n int, x storage.Index) []string {
	name := loadName(n)
	_, last, _ := strings.Cut(name, " ")
	words := []string{LicenseID(n), x.ExternalID, x.CustomerEmail, x.CustomerExternalID, loadHint(n), name, last}
	slices.Sort(words)
	return words
}

// loadName is the name of the customer of license number n.
func loadName(n int) string {
	customer := n / perCustomer
	return loadID("first", customer%firstNames)[6:14] + " " + loadID("last", customer)[5:17]
}

// loadHint is the end of the key of license number n.
func loadHint(n int) string { return loadID("key", n)[4:9] }

// licenseBody has what the use-cases write for a license that was issued under
// an idempotency key, with a customer and metadata, and with a sealed copy of
// its key.
func licenseBody(n int) []byte {
	lookup, sealed := loadHash("lookup", n), append(loadHash("sealed", n), loadHash("more", n)...)
	sealed = append(sealed, lookup[:12]...)
	return fmt.Appendf(nil, `{"customerName":%q,"metadata":{"channel":"web shop","order":"%08d"},`+
		`"keys":[{"lookup":%q,"hint":%q,"sealed":%q}],"secret":"%x","inputDigest":"%x.%.22s.%.22s",`+
		`"createdBy":{"kind":"USER","id":"https://login.example.com|%x"},"updatedAt":"2026-01-01T00:00:00.000Z"}`,
		loadName(n), n, base64.StdEncoding.EncodeToString(lookup), loadHint(n), base64.StdEncoding.EncodeToString(sealed),
		lookup[:8], lookup[:8], loadID("dig", n), loadID("key", n), sealed[:12])
}

func loadID(prefix string, n int) string { return id.FromHash(prefix, loadHash(prefix, n)) }

func loadHash(what string, n int) []byte {
	sum := sha256.Sum256(binary.BigEndian.AppendUint64([]byte(what), uint64(n)))
	return sum[:]
}
