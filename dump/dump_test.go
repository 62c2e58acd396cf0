package dump_test

import (
	"context"
	"errors"
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/sqlite"
	"github.com/keywright/keywright/storage/storagetest"
)

func TestALoadedStoreIsTheOneThatWasDumped(t *testing.T) {
	from := filled(t, 40)
	stream := written(t, from)
	var first string
	for name, open := range map[string]func(*testing.T) storage.Store{
		"model": func(*testing.T) storage.Store { return storagetest.NewModel() }, "sqlite": func(t *testing.T) storage.Store { return onDisk(t) },
	} {
		t.Run(name, func(t *testing.T) {
			to := open(t)
			loaded, err := dump.Load(t.Context(), to, strings.NewReader(stream), nil)
			must(t, err)
			if loaded.All() != 42 || loaded.Seats != 2 || loaded.Days != 6 || loaded.Pending != 1 || loaded.Entries != 40 || loaded.Sampled != 42 {
				t.Errorf("loaded %+v", loaded)
			}
			must(t, dump.Unfinished(t.Context(), to))
			wantRecords, wantBlocks := all(t, from)
			records, blocks := all(t, to)
			alike := cmpopts.EquateEmpty()
			if diff := cmp.Diff(plain(wantRecords), plain(records), alike) + cmp.Diff(wantBlocks, blocks, alike); diff != "" {
				t.Error(diff)
			}
			again := written(t, to)
			if first == "" {
				first = again
			}
			if lines(again)[1] != lines(first)[1] {
				t.Error("another dump of it is another stream")
			}
		})
	}
}

// plain has the bodies as a stream does: without spaces.
func plain(all []storage.Whole) []storage.Whole {
	for i := range all {
		for j := range all[i].Seats {
			all[i].Seats[j].Body = []byte(strings.ReplaceAll(string(all[i].Seats[j].Body), ": ", ":"))
		}
	}
	return all
}

func onDisk(t testing.TB) storage.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), &url.URL{Path: filepath.Join(t.TempDir(), "keywright.db")})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Migrate(t.Context()))
	return s
}

func TestAnEmptyStoreIsMovedToo(t *testing.T) {
	to := storagetest.NewModel()
	loaded, err := dump.Load(t.Context(), to, strings.NewReader(written(t, storagetest.NewModel())), nil)
	must(t, err)
	if records, blocks := all(t, to); len(records)+len(blocks) > 0 || loaded.All() != 0 {
		t.Errorf("loaded %+v", loaded)
	}
}

func TestAStreamThatIsNotWholeLeavesAStoreThatIsNotServed(t *testing.T) {
	whole := lines(written(t, filled(t, 3)))
	first, second := lineWith(t, whole, "record"), lineWith(t, whole, "block")
	replaced := func(at int, old, with string) string {
		other := slices.Clone(whole)
		other[at] = strings.Replace(other[at], old, with, 1)
		if other[at] == whole[at] {
			t.Fatalf("%s is not in %s", old, whole[at])
		}
		return strings.Join(other, "")
	}
	without := func(at int) string { return strings.Join(slices.Delete(slices.Clone(whole), at, at+1), "") }
	for name, c := range map[string]struct{ stream, says string }{
		"no last line":          {strings.Join(whole[:len(whole)-1], ""), "cut off"},
		"half a last line":      {strings.TrimSuffix(strings.Join(whole, ""), "}")[:len(strings.Join(whole, ""))-3], "cut off"},
		"records alone":         {strings.Join(whole[:second], ""), "cut off"},
		"the first line alone":  {whole[0], "cut off"},
		"a record less":         {without(first), "changed on its way"},
		"a seat less":           {without(lineWith(t, whole, "seat")), "changed on its way"},
		"an entry changed":      {replaced(lineWith(t, whole, "entry"), `"actor":"USER `, `"actor":"USEr `), "changed on its way"},
		"a revision changed":    {replaced(first, `"revision":1`, `"revision":2`), "changed on its way"},
		"counts changed":        {replaced(len(whole)-1, `"seats":2`, `"seats":1`), "it counts"},
		"more behind its end":   {strings.Join(whole, "") + "{}\n", "more follows"},
		"a line of two things":  {replaced(first, `{"record"`, `{"day":{},"record"`), "one thing"},
		"a line of nothing":     {replaced(first, `{"record"`, `{"recorded"`), "unknown field"},
		"a line that is none":   {replaced(first, `{`, ``), "line 2 of the dump"},
		"a time in the east":    {replaced(lineWith(t, whole, "block"), `Z"`, `+01:00"`), "in UTC"},
		"a seat of none":        {replaced(first, `{"record"`, `{"seat":{"id":"a","body":{}}}`+"\n"+`{"record"`), "does not belong here"},
		"a block less":          {without(second), "does not belong here"},
		"a log with a gap":      {replaced(second, `"first":0`, `"first":1`), "next entry of the log is 0"},
		"a record never stored": {replaced(first, `"version":1`, `"version":0`), "version of at least 1"},
		"a line too long":       {replaced(first, `"body":`, `"body":`+strings.Repeat(" ", dump.MaxLine)), "longer than"},
		"records out of order":  {strings.Join([]string{whole[0], whole[first+1], whole[first]}, ""), "order of their ids"},
	} {
		t.Run(name, func(t *testing.T) {
			to := storagetest.NewModel()
			_, err := dump.Load(t.Context(), to, strings.NewReader(c.stream), nil)
			refused(t, err, c.says)
			refused(t, err, "incomplete")
			if err := dump.Unfinished(t.Context(), to); !fault.Is(err, fault.Unavailable) {
				t.Errorf("the store may be served: %v", err)
			}
			_, err = dump.Load(t.Context(), to, strings.NewReader(strings.Join(whole, "")), nil)
			refused(t, err, "make it anew")
		})
	}
}

func TestWhatIsNoStreamOfThisFormatChangesNothing(t *testing.T) {
	stream := written(t, filled(t, 3))
	for name, c := range map[string]struct{ stream, says string }{
		"nothing":         {"", "cut off"},
		"another program": {"SQLite format 3\n", "not a dump"},
		"another JSON":    {`{"format":7}` + "\n", "not a dump"},
		"a later format":  {strings.Replace(stream, "dump 1", "dump 2", 1), `"keywright dump 2"`},
		"a longer header": {strings.Replace(stream, `"made"`, `"more":1,"made"`, 1), "unknown field"},
	} {
		t.Run(name, func(t *testing.T) {
			to := storagetest.NewModel()
			_, err := dump.Load(t.Context(), to, strings.NewReader(c.stream), nil)
			refused(t, err, c.says)
			if records, _ := all(t, to); len(records) > 0 {
				t.Errorf("there are %v", records)
			}
		})
	}
}

func TestAStoreThatIsNotEmptyIsLeftAlone(t *testing.T) {
	stream := written(t, filled(t, 3))
	onlyLog := storagetest.NewModel()
	must(t, storagetest.FillLog(t.Context(), onlyLog, 0, 3, 3))
	for name, to := range map[string]storage.Store{"records": filled(t, 1), "a log": onlyLog} {
		t.Run(name, func(t *testing.T) {
			records, blocks := all(t, to)
			_, err := dump.Load(t.Context(), to, strings.NewReader(stream), nil)
			refused(t, err, "not empty")
			recordsNow, blocksNow := all(t, to)
			if diff := cmp.Diff(records, recordsNow) + cmp.Diff(blocks, blocksNow); diff != "" {
				t.Errorf("it was changed:\n%s", diff)
			}
		})
	}
}

// meddled calls a function before it dumps records for the second time.
type meddled struct {
	storage.Store
	dumps  int
	meddle func()
}

func (m *meddled) Dump(ctx context.Context, after string, limit int) ([]storage.Whole, error) {
	if m.dumps++; m.dumps == 2 {
		m.meddle()
	}
	return m.Store.Dump(ctx, after, limit)
}

func TestAChangeMeanwhileFailsADump(t *testing.T) {
	for name, meddle := range map[string]func(*storagetest.Model) error{
		"a commit": func(m *storagetest.Model) error {
			return m.Commit(t.Context(), storagetest.LicenseChange(90))
		},
		"a block": func(m *storagetest.Model) error {
			return sync(t, m)
		},
		"a commit that is in the log already": func(m *storagetest.Model) error {
			return errors.Join(m.Commit(t.Context(), storagetest.LicenseChange(90)), sync(t, m))
		},
	} {
		t.Run(name, func(t *testing.T) {
			m := filled(t, 3)
			var out strings.Builder
			_, err := dump.Write(t.Context(), &meddled{Store: m, meddle: func() { must(t, meddle(m)) }}, &out, nil)
			refused(t, err, "stop all servers")
			_, err = dump.Load(t.Context(), storagetest.NewModel(), strings.NewReader(out.String()), nil)
			refused(t, err, "cut off")
		})
	}
}

// lossy is a store that does not keep what it was given.
type lossy struct {
	storage.Store
	lose func(*storage.Whole)
}

func (l lossy) Load(ctx context.Context, all []storage.Whole) error {
	for i := range all {
		l.lose(&all[i])
	}
	return l.Store.Load(ctx, all)
}

func TestAStoreThatDoesNotKeepItAllIsFoundOut(t *testing.T) {
	stream := written(t, filled(t, 3))
	for name, c := range map[string]struct {
		lose func(*storage.Whole)
		says string
	}{
		"seats":   {func(w *storage.Whole) { w.Seats = nil }, "0 seats"},
		"days":    {func(w *storage.Whole) { w.Days = nil }, "0 days"},
		"pending": {func(w *storage.Whole) { w.Pending = nil }, "0 pending"},
		"kinds":   {func(w *storage.Whole) { w.Kind = storage.Denial }, "denial: 5"},
		"bodies":  {func(w *storage.Whole) { w.Body = []byte("{}") }, "otherwise than the dump"},
		"digits": {func(w *storage.Whole) {
			w.Body = []byte(strings.ReplaceAll(string(w.Body), "9007199254740993", "9007199254740992"))
		}, "otherwise than the dump"},
		"totals":   {func(w *storage.Whole) { w.Total = storage.UsageTotal{} }, "otherwise than the dump"},
		"versions": {func(w *storage.Whole) { w.Version++ }, "otherwise than the dump"},
		"leases": {func(w *storage.Whole) {
			for i := range w.Seats {
				w.Seats[i].Lease = noon
			}
		}, "otherwise than the dump"},
		"entry bytes": {func(w *storage.Whole) {
			for i := range w.Pending {
				w.Pending[i].Body = []byte("x")
			}
		}, "otherwise than the dump"},
	} {
		t.Run(name, func(t *testing.T) {
			to := lossy{storagetest.NewModel(), c.lose}
			_, err := dump.Load(t.Context(), to, strings.NewReader(stream), nil)
			refused(t, err, c.says)
			if dump.Unfinished(t.Context(), to) == nil {
				t.Error("the store may be served")
			}
		})
	}
}

// A log that was not what its heads say is refused by whoever makes its root
// anew, not by who copies it.
func TestATamperedLogIsNotTakenOver(t *testing.T) {
	from := tampered{filled(t, 3)}
	_, err := dump.Load(t.Context(), storagetest.NewModel(), strings.NewReader(written(t, from)), nil)
	refused(t, err, "it is not what was logged here")
}

type tampered struct{ storage.Store }

func (s tampered) Blocks(ctx context.Context, from int64, limit int) ([]storage.Block, error) {
	blocks, err := s.Store.Blocks(ctx, from, limit)
	for i := range blocks {
		blocks[i].Entries[0].Body = []byte("{}")
	}
	return blocks, err
}

func TestALaterLoadDoesNotJoinOneUnderWay(t *testing.T) {
	stream := written(t, filled(t, 3))
	to := storagetest.NewModel()
	r, w := io.Pipe()
	done := make(chan error)
	go func() {
		_, err := dump.Load(t.Context(), to, r, nil)
		done <- err
	}()
	_, err := io.WriteString(w, stream[:len(stream)/2])
	must(t, err)
	for marked := false; !marked; { // it ends: what was written has the first line
		marked = dump.Unfinished(t.Context(), to) != nil
	}
	_, err = dump.Load(t.Context(), to, strings.NewReader(stream), nil)
	refused(t, err, "incomplete")
	_, err = io.WriteString(w, stream[len(stream)/2:])
	must(t, err)
	must(t, w.Close())
	must(t, <-done)
	must(t, dump.Unfinished(t.Context(), to))
}
