package postgres_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/postgres"
)

// renumber makes a database one in which texts have other numbers, and others
// have theirs: as that of a standby which took over, or of a backup that was put
// back. No connection is lost.
const renumber = `UPDATE name SET number = number + 100 WHERE number > 0;
	UPDATE state SET number = number + 100 WHERE number > 1;
	UPDATE record SET product = product + 100, plan = plan + 100, state = state + 100;
	UPDATE word SET product = product + 100;
	INSERT INTO name SELECT number - 100, 'other ' || text FROM name WHERE number > 100;
	INSERT INTO state SELECT number - 100, 'other ' || text FROM state WHERE number > 100`

// forget makes it one that knows none of them.
const forget = `TRUNCATE record, word, seat, total, day, pending;
	DELETE FROM name WHERE number > 0;
	DELETE FROM state WHERE number > 1;
	ALTER TABLE name ALTER COLUMN number RESTART;
	ALTER TABLE state ALTER COLUMN number RESTART;
	INSERT INTO name (text) SELECT 'other ' || n FROM generate_series(1, 9) AS n;
	INSERT INTO state (text) SELECT 'other ' || n FROM generate_series(1, 9) AS n`

func TestANumberIsThatOfTheTextInTheDatabaseThatItIsWrittenTo(t *testing.T) {
	lease := time.UnixMilli(9_000).UTC()
	added := license("lic_b")
	addedByLease := license("lic_b")
	addedByLease.Remove = []storage.Removal{{ID: "act_b", IfLease: &lease}}
	changed := license("lic_a")
	changed.Record.Version, changed.Entries = 1, nil
	reworded := changed
	reworded.Record.Index.Words = []string{"another", "lic_a"}
	freed := changed
	freed.Put, freed.Remove = nil, []storage.Removal{{ID: "act_a", IfLease: &lease}}
	commit := func(c storage.Change) func(storage.Store) error {
		return func(s storage.Store) error { return s.Commit(t.Context(), c) }
	}
	load := func(s storage.Store) error {
		w := storage.Whole{}
		w.Record, w.Attempt = added.Record, added.Attempt
		w.Version = 1
		return s.Load(t.Context(), []storage.Whole{w})
	}
	for name, way := range map[string]struct {
		behind string // what is done behind the store's back
		write  func(storage.Store) error
		want   storage.Record
	}{
		"added":                     {renumber, commit(added), added.Record},
		"added, unknown":            {forget, commit(added), added.Record},
		"added by a lease":          {renumber, commit(addedByLease), added.Record},
		"added by a lease, unknown": {forget, commit(addedByLease), added.Record},
		"changed":                   {renumber, commit(changed), changed.Record},
		"reworded":                  {renumber, commit(reworded), reworded.Record},
		"freed":                     {renumber, commit(freed), freed.Record},
		"loaded":                    {renumber, load, added.Record},
		"loaded, unknown":           {forget, load, added.Record},
	} {
		t.Run(name, func(t *testing.T) {
			u := database(t)
			s := migrated(t, u)
			if err := s.Commit(t.Context(), license("lic_a")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Get(t.Context(), "lic_a"); err != nil {
				t.Fatal(err)
			}
			if err := postgres.Exec(t.Context(), s, way.behind); err != nil {
				t.Fatal(err)
			}
			if err := way.write(s); err != nil {
				t.Fatal(err)
			}
			for of, reader := range map[string]storage.Store{"the writer": s, "another": open(t, u)} {
				isFound(t, of, reader, way.want)
			}
		})
	}
}

// isFound fails unless a record is read as it was written, by its key, by its
// product, plan and state, and by its words.
func isFound(t *testing.T, of string, s storage.Store, want storage.Record) {
	t.Helper()
	want.Version, want.Attempt = want.Version+1, "attempt of "+want.ID
	x := want.Index
	byKey, err := s.Get(t.Context(), want.ID)
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.List(t.Context(), storage.Query{
		Kind: want.Kind, Order: storage.CreatedNewest, First: 9,
		Filter: storage.Filter{Products: []string{x.Product}, Plan: x.Plan, State: x.State},
	})
	if err != nil {
		t.Fatal(err)
	}
	hits, err := s.Search(t.Context(), storage.SearchQuery{Kind: want.Kind, Prefix: x.Words[0], Products: []string{x.Product}, First: 9})
	if err != nil {
		t.Fatal(err)
	}
	for how, found := range map[string][]*storage.Stored{"its key": byKey, "its product": page.Records, "its words": hits} {
		var got []storage.Record
		for _, r := range found {
			if r != nil && r.ID == want.ID {
				got = append(got, r.Record)
			}
		}
		if diff := cmp.Diff([]storage.Record{want}, got, cmp.Comparer(bytes.Equal)); diff != "" {
			t.Errorf("by %s %s finds (-want +got):\n%s", how, of, diff)
		}
	}
}

func TestARecordIsReadUnderTheTextThatItsDatabaseHasForANumber(t *testing.T) {
	u := database(t)
	s := migrated(t, u)
	if err := s.Commit(t.Context(), license("lic_a")); err != nil {
		t.Fatal(err)
	}
	isFound(t, "before", s, license("lic_a").Record)
	if err := postgres.Exec(t.Context(), s, renumber); err != nil {
		t.Fatal(err)
	}
	isFound(t, "after", s, license("lic_a").Record)
	other := license("lic_b")
	other.Record.Index.Product, other.Record.Index.Plan, other.Record.Index.State = "other prd_1", "other pln_1", "other issued"
	if err := open(t, u).Commit(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	isFound(t, "another's", s, other.Record)
	all, err := s.Dump(t.Context(), "", 9)
	if err != nil || len(all) != 2 || all[1].Index.Product != "other prd_1" {
		t.Fatalf("%+v, %v", all, err)
	}
}

func TestARecordWhoseProductHasNoTextIsNotReadAsOneWithoutAProduct(t *testing.T) {
	s := migrated(t, database(t))
	for _, id := range []string{"lic_a", "lic_b"} {
		c := license(id)
		c.Record.Index.Product = "prd_of_" + id
		if err := s.Commit(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if err := postgres.Exec(t.Context(), s, "DELETE FROM name WHERE text = 'prd_of_lic_b'"); err != nil {
		t.Fatal(err)
	}
	if found, err := s.Get(t.Context(), "lic_b"); err == nil {
		t.Errorf("it is read as %+v", found[0])
	}
	if found, err := s.Get(t.Context(), "lic_a"); err != nil || found[0].Index.Product != "prd_of_lic_a" {
		t.Errorf("%v, %v", found, err)
	}
}
