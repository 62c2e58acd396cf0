package dump_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/journal"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filled gives a store with licenses, one of them with all that a record can
// have, a log of their entries, and an entry that waits.
func filled(t testing.TB, licenses int) *storagetest.Model {
	t.Helper()
	m := storagetest.NewModel()
	m.Now = func() time.Time { return noon }
	must(t, storagetest.Fill(t.Context(), m, 0, licenses, true))
	must(t, sync(t, m))
	product := storage.Record{Kind: storage.Product, ID: "prd", Body: []byte(`{"name":"<&>\u2028","number":9007199254740993}`)}
	must(t, m.Commit(t.Context(), storage.Change{Record: product, Attempt: "a"}))
	c := storagetest.LicenseChange(licenses)
	c.Record.Done = []storage.Operation{{Name: "renew", Key: "k", Actor: "a", Digest: "d", At: noon}}
	c.Put = []storage.Seat{
		{ID: "act_a", Lease: noon.Add(time.Hour), Seen: noon, Body: []byte(`{"platform": "linux"}`)},
		{ID: "act_b", Body: []byte("{}")},
	}
	c.Entries[0].Body = []byte{0, 0xff, '\n'}
	must(t, m.Commit(t.Context(), c))
	var deltas []storage.UsageDelta
	for day := range 3 {
		deltas = append(deltas, storage.UsageDelta{
			Record: c.Record.ID, Product: "prd", Day: storage.DayOf(noon.AddDate(0, 0, day)), Valid: 2, Invalid: 1, Last: noon,
			Values: storage.Values{storage.ByCode: {"VALID": 2, "a \"quoted\" one": 1}},
		})
	}
	must(t, m.AddUsage(t.Context(), deltas))
	return m
}

// written gives a store as a stream.
func written(t *testing.T, s storage.Store) string {
	t.Helper()
	var out bytes.Buffer
	_, err := dump.Write(t.Context(), s, &out, nil)
	must(t, err)
	return out.String()
}

// all gives what a store holds.
func all(t *testing.T, s storage.Store) (records []storage.Whole, blocks []storage.Block) {
	t.Helper()
	for after := ""; ; after = records[len(records)-1].ID {
		some, err := s.Dump(t.Context(), after, 1<<20)
		must(t, err)
		if len(some) == 0 {
			break
		}
		records = append(records, some...)
	}
	blocks, err := s.Blocks(t.Context(), 0, 1<<20)
	must(t, err)
	return records, blocks
}

// refused fails unless the error says this.
func refused(t *testing.T, err error, words string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) {
		t.Fatalf("got %v, want ...%s...", err, words)
	}
}

// lines parts a stream; the last is the end line.
func lines(stream string) []string {
	all := strings.SplitAfter(stream, "\n")
	return all[:len(all)-1]
}

// lineWith gives the first line that begins so.
func lineWith(t *testing.T, all []string, what string) int {
	t.Helper()
	for i, line := range all {
		if strings.HasPrefix(line, fmt.Sprintf("{%q:", what)) {
			return i
		}
	}
	t.Fatalf("no %s", what)
	return 0
}

// sync moves what is pending into the log.
func sync(t testing.TB, m *storagetest.Model) error {
	t.Helper()
	_, err := journal.NewLog(journal.Config{Store: m, Now: m.Now}).Sync(t.Context())
	return err
}
