package sqlstore_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// What is in files stays readable: this chunk was packed when the schema was
// made.
func TestAChunkOfTheFirstSchemaIsRead(t *testing.T) {
	const packed = "KLUv/UEAAXoAtQUAhAgEaGVhZICA6qTDaB5mYXhiYjdzdDhyaHk2czIxDw5VU0VSIGRldnxhZG1pbgAA9wE2OGFjbWVRNjVVUlVHYTVoa1hDaX" +
		"dPUHJiSWF0aG5GSzdsOE1NaHM1cXFRa2kwUEtrAAVldnRfYg8GVVNFUiBhBnByb2RfYQIFbGljX2EGcGxhbl9hAgD/DwBtq2OQ428dkHYDuyFg" +
		"hluXrdWlrx4uABC7I0wApYGIBAUTxIZYtiaySQI="
	data, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		t.Fatal(err)
	}
	unpack, err := sqlstore.Unpack()
	if err != nil {
		t.Fatal(err)
	}
	got, err := unpack(data, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(firstBlock().Entries, got, cmp.Comparer(bytes.Equal)); diff != "" {
		t.Errorf("(-packed +read):\n%s", diff)
	}
}

func firstBlock() storage.Block {
	created := `{"actor":{"id":"dev|admin","kind":"USER"},"at":"2026-11-27T09:24:24.068Z","data":{"changes":{"code":{"to":"acme"}}},` +
		`"digest":"Q65URUGa5hkXCiwOPrbIathnFK7l8MMhs5qqQki0PKk=","id":"evt_01m8e53yc4faxbb7st8rhy6s21","type":"product.created","version":1}`
	return storage.Block{At: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC), Head: []byte("head"), Entries: []storage.Entry{
		{ID: "evt_01m8e53yc4faxbb7st8rhy6s21", Type: "product.created", Actor: "USER dev|admin", Body: []byte(created)},
		{ID: "evt_b", Type: "license.created", Actor: "USER a", Product: "prod_a", Subjects: []string{"lic_a", "plan_a"}, Body: []byte{0, 0xff}},
	}}
}

// Tags are in files, so they never change.
func TestTagsAreThoseOfTheFirstSchema(t *testing.T) {
	got := sqlstore.Tags(firstBlock().Entries[1])
	slices.Sort(got)
	if want := []int64{-92897312291107, -55722131113026, -229648807471, 23387064115901, 59978813460712, 96822312548182, 99631667826556, 101961055647415}; !slices.Equal(got, want) {
		t.Errorf("%#v", got)
	}
}

// Of each way to ask for an entry there is a tag that its chunk has.
func TestAnEntryHasTheTagsThatFiltersGoBy(t *testing.T) {
	e := firstBlock().Entries[1]
	has := sqlstore.Tags(e)
	for _, f := range []storage.EntryFilter{
		{Types: []string{e.Type}}, {Types: []string{"license.*"}}, {Products: []string{e.Product}}, {Actor: e.Actor},
		{Subjects: []string{"plan_a", "lic_a"}}, {Types: []string{e.Type}, Products: []string{e.Product}},
		{Types: []string{"license.*"}, Products: []string{e.Product}}, {Types: []string{e.Type}, Actor: e.Actor},
	} {
		tags := sqlstore.TagsFor(f)
		if len(tags) != 1 || !slices.Contains(has, tags[0]) {
			t.Errorf("%+v is looked up under %v, and the entry is under %v", f, tags, has)
		}
	}
	if tags := sqlstore.TagsFor(storage.EntryFilter{}); tags != nil {
		t.Errorf("no filter is looked up under %v", tags)
	}
}

func FuzzChunk(f *testing.F) {
	unpack, err := sqlstore.Unpack()
	if err != nil {
		f.Fatal(err)
	}
	for _, size := range []int{1, 2, 40} {
		packed, err := sqlstore.Pack(storagetest.LogBlock(0, size))
		if err != nil {
			f.Fatal(err)
		}
		for _, data := range packed {
			f.Add(data, int64(size))
			f.Add(data[:len(data)/2], int64(size))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, next int64) {
		entries, err := unpack(data, 0, next)
		wantWhole(t, entries, next, err)
	})
}

func FuzzUnpackedChunk(f *testing.F) {
	f.Add([]byte("\x04head\x02\x01i\x01t\x00\x00\x00\x01b\x00\x01j\x01t\x01a\x01p\x02\x01x\x01y\x01b"), int64(2))
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), int64(1))
	f.Fuzz(func(t *testing.T, plain []byte, next int64) {
		entries, err := sqlstore.Read(plain, 0, next)
		wantWhole(t, entries, next, err)
		size := 0
		for _, e := range entries {
			size += len(e.ID) + len(e.Type) + len(e.Actor) + len(e.Product) + len(fmt.Sprint(e.Subjects)) - 2*len(e.Subjects) + len(e.Body)
		}
		if size > len(plain)+2*len(entries) {
			t.Errorf("%d bytes hold entries of %d", len(plain), size)
		}
	})
}

// wantWhole fails unless there are as many entries as there should be, or an
// error and none.
func wantWhole(t *testing.T, entries []storage.Entry, next int64, err error) {
	t.Helper()
	if err == nil && int64(len(entries)) != next || err != nil && len(entries) > 0 {
		t.Errorf("%d entries of %d, %v", len(entries), next, err)
	}
}
