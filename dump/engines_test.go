package dump_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/keywright/keywright/dump"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/postgres"
)

func TestMain(m *testing.M) { engines.Main(m) }

// drivers open an empty, migrated store of each engine.
var drivers = map[string]func(testing.TB) storage.Store{
	"sqlite":   onDisk,
	"postgres": func(t testing.TB) storage.Store { return opened(t, postgres.Open, engines.Postgres(t)) },
	"mongodb":  func(t testing.TB) storage.Store { return opened(t, mongodb.Open, engines.MongoDB(t)) },
}

func opened[S storage.Store](t testing.TB, open func(context.Context, *url.URL) (S, error), at string) storage.Store {
	t.Helper()
	u, err := url.Parse(at)
	must(t, err)
	s, err := open(t.Context(), u)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	must(t, s.Migrate(t.Context()))
	return s
}

func TestAStoreMovesFromEachEngineToEach(t *testing.T) {
	model := filled(t, 300)
	for from, openFrom := range drivers {
		first := openFrom(t)
		moved(t, model, first)
		for to, openTo := range drivers {
			t.Run(from+" to "+to, func(t *testing.T) {
				second := openTo(t)
				moved(t, first, second)
				wantRecords, wantBlocks := all(t, model)
				gotRecords, gotBlocks := all(t, second)
				if diff := cmp.Diff(wantRecords, gotRecords, sameBodies...) + cmp.Diff(wantBlocks, gotBlocks, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("differs (-dumped +loaded):\n%.4000s", diff)
				}
				must(t, dump.Unfinished(t.Context(), second))
				must(t, second.Ready(t.Context()))
			})
		}
	}
}

// moved dumps one store and loads it into another.
func moved(t *testing.T, from, to storage.Store) {
	t.Helper()
	var stream bytes.Buffer
	_, err := dump.Write(t.Context(), from, &stream, nil)
	must(t, err)
	_, err = dump.Load(t.Context(), to, &stream, nil)
	must(t, err)
}

// sameBodies takes the bodies of records and seats, which are JSON, for the
// same in whatever form an engine keeps them, and those of entries by the byte.
var sameBodies = []cmp.Option{
	cmpopts.EquateEmpty(),
	cmp.FilterPath(isJSON, cmp.Transformer("JSON", func(body []byte) (v any) {
		digits := json.NewDecoder(bytes.NewReader(body))
		digits.UseNumber()    // a double is not all that a number may be
		_ = digits.Decode(&v) // what is none is compared as nil, and fails
		return v
	})),
}

func isJSON(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	if !ok || field.Name() != "Body" {
		return false
	}
	return p.Index(-2).Type() != reflect.TypeFor[storage.Entry]()
}
