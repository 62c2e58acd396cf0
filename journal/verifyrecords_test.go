package journal_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/secret"
	"github.com/keywright/keywright/storage"
)

// keeping is a log with the records that it accounts for.
type keeping struct {
	*written
	secrets *secret.List
}

func newKeeping(t *testing.T) *keeping {
	t.Helper()
	secrets, err := secret.Parse([]byte(strings.Repeat("01", 32) + "\n" + strings.Repeat("02", 32)))
	if err != nil {
		t.Fatal(err)
	}
	return &keeping{newLog(t), secrets}
}

func licenseRecord(n int) storage.Record {
	return storage.Record{
		Kind: storage.License, ID: fmt.Sprintf("lic_%d", n), Revision: 1, Body: []byte(`{"n":1}`),
		Index: storage.Index{Product: "prod_0", Plan: "plan_0", State: "issued", Created: noon},
	}
}

// commit stores a record, with an entry of this type unless that is empty,
// and gives it as it is stored.
func (k *keeping) commit(r storage.Record, typ journal.Type, under int) storage.Record {
	k.t.Helper()
	change := storage.Change{Record: r, Attempt: fmt.Sprint("a", r.Version)}
	if typ != "" {
		sum, err := journal.Digest(k.secrets.All()[under], r)
		if err != nil {
			k.t.Fatal(err)
		}
		e := journal.Entry{
			ID: fmt.Sprintf("evt_%026d", k.entries), Type: typ, Version: 1, At: noon, Actor: actor.Actor{Kind: actor.User, ID: "u"},
			Subject: r.ID, Revision: r.Revision, Product: "prod_0", Touches: []string{"plan_0"}, Digest: sum,
		}
		if r.Kind == storage.License && typ == journal.ActivationCreated {
			e.Subject, e.License = "act_0", r.ID
		}
		k.entries++
		change.Entries = []storage.Entry{encoded(k.t, e)}
	}
	if err := k.store.Commit(k.t.Context(), change); err != nil {
		k.t.Fatal(err)
	}
	r.Version++
	return r
}

// sequence moves what is pending into the log.
func (k *keeping) sequence() {
	k.t.Helper()
	pending, err := k.store.Pending(k.t.Context(), 1000)
	if err != nil {
		k.t.Fatal(err)
	}
	var entries []storage.Entry
	for _, p := range pending {
		entries = append(entries, p.Entry)
	}
	k.block(entries)
	if err := k.store.Settle(k.t.Context(), pending); err != nil {
		k.t.Fatal(err)
	}
}

// catalogue stores a product, a plan and some licenses.
func (k *keeping) catalogue(licenses int) {
	k.t.Helper()
	k.commit(storage.Record{Kind: storage.Product, ID: "prod_0", Body: []byte(`{}`)}, journal.ProductCreated, 0)
	k.commit(storage.Record{Kind: storage.Plan, ID: "plan_0", Body: []byte(`{}`)}, journal.PlanCreated, 0)
	for n := range licenses {
		k.commit(licenseRecord(n), journal.LicenseCreated, n%2)
	}
	k.sequence()
}

func (k *keeping) verify(reader storage.Reader) (journal.Report, error) {
	return journal.Verify(k.t.Context(), journal.Verification{Store: k.store, Records: reader, Secrets: k.secrets})
}

// wantRecords fails unless verification finds these and nothing else.
func (k *keeping) wantRecords(want ...string) {
	k.t.Helper()
	_, err := k.verify(k.store)
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != strings.Join(want, "\n") {
		k.t.Errorf("got  %s\nwant %s", got, strings.Join(want, "\n"))
	}
}

func TestRecordsAreAsTheirLastEntriesSay(t *testing.T) {
	k := newKeeping(t)
	k.catalogue(600) // more than a page
	k.commit(storage.Record{Kind: storage.Alias, ID: "lic_alias", Body: []byte(`{}`)}, "", 0)
	changed := licenseRecord(7)
	changed.Version, changed.Body = 1, []byte(`{"n":2}`)
	changed = k.commit(changed, journal.LicenseUpdated, 0)
	changed.Body = []byte(`{"n":3}`)
	changed = k.commit(changed, journal.ActivationCreated, 0)
	changed.Index.Due = noon // a note of the scheduler's, which has no entry
	k.commit(changed, "", 0)
	report, err := k.verify(k.store)
	if err != nil || report.Records != 602 {
		t.Errorf("while entries are pending: %+v, %v", report, err)
	}
	k.sequence()
	if report, err = k.verify(k.store); err != nil || report.Records != 602 || report.Size != 604 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestARecordThatWasChangedBehindTheJournalIsFound(t *testing.T) {
	k := newKeeping(t)
	k.catalogue(5)
	changed := licenseRecord(1)
	changed.Version, changed.Index.State = 1, "revoked"
	k.commit(changed, "", 0)
	k.commit(licenseRecord(77), "", 0)
	k.commit(storage.Record{Kind: storage.Plan, ID: "plan_1", Body: []byte(`{}`)}, "", 0)
	pending := licenseRecord(3)
	pending.Version = 1
	pending = k.commit(pending, journal.LicenseUpdated, 0)
	pending.Body = []byte(`{"n":9}`)
	k.commit(pending, "", 0)
	gone := licenseRecord(4)
	gone.Version, gone.Index.State, gone.Index.Due = 1, storage.Deleted, noon
	k.commit(gone, "", 0)
	if n, err := k.store.Sweep(t.Context(), noon.Add(1), 10); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	k.wantRecords(
		"plan_1: no entry of the journal names it",
		"lic_1: it is not what entry 3, its last, left: it was changed without an entry",
		"lic_3: it is not what a pending entry, its last, left: it was changed without an entry",
		"lic_77: no entry of the journal names it",
		"lic_4: it is not in storage, and entry 6, its last, does not say that it was removed",
	)
}

func TestTheFirstHundredRecordsAreNamed(t *testing.T) {
	k := newKeeping(t)
	for n := range 150 {
		k.commit(licenseRecord(n), "", 0)
	}
	_, err := k.verify(k.store)
	if err == nil || strings.Count(err.Error(), "no entry of the journal names it") != 100 || !strings.HasSuffix(err.Error(), "\nand there are more") {
		t.Errorf("%v", err)
	}
}

func TestALogThatIsNotWholeIsNotComparedWithRecords(t *testing.T) {
	k := newKeeping(t)
	k.catalogue(5)
	bad := k.replace(func(b []storage.Block) []storage.Block {
		b[0].Entries[2].Body[9] ^= 1
		return b
	})
	report, err := journal.Verify(t.Context(), journal.Verification{Store: bad, Records: k.store, Secrets: k.secrets})
	if err == nil || report.Records != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// busy is a store in which something happens at each reading.
type busy struct {
	storage.Reader
	list, get func()
}

func (b *busy) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	b.list()
	return b.Reader.List(ctx, q)
}

func (b *busy) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	found, err := b.Reader.Get(ctx, ids...)
	b.get()
	return found, err
}

func TestRecordsThatChangeMeanwhileAreNoFinding(t *testing.T) {
	k := newKeeping(t)
	k.catalogue(5)
	license := licenseRecord(2)
	license.Version = 1
	next := 100
	work := func() { // changes one, makes another, and moves what was pending into the log
		license.Revision++
		license = k.commit(license, journal.LicenseUpdated, 0)
		k.sequence()
		k.commit(licenseRecord(next), journal.LicenseCreated, 0)
		next++
	}
	gets := 0
	report, err := k.verify(&busy{k.store, work, func() {
		if gets++; gets < 7 {
			work()
		}
	}})
	if err != nil || report.Records < 7 {
		t.Errorf("%+v, %v", report, err)
	}
	_, err = k.verify(&busy{k.store, work, work})
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "lic_2") {
		t.Errorf("a record that never stands still: %v", err)
	}
}
