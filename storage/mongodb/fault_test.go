package mongodb_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/topology"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/engines"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/mongodb"
	"github.com/keywright/keywright/storage/storagetest"
)

// within calls f with a deadline and fails unless it keeps it.
func within(t *testing.T, deadline time.Duration, f func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	begun := time.Now()
	err := f(ctx)
	if took := time.Since(begun); took > deadline+5*time.Second { // on a busy machine
		t.Errorf("it took %v, with %v to go", took, deadline)
	}
	return err
}

func TestAServerThatIsGoneIsUnavailableInTimeUntilItIsBack(t *testing.T) {
	server := engines.NewMongoDB(t)
	s := migrated(t, server.URL("keywright"))
	if err := s.Commit(t.Context(), licenseAt(0, "first")); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for name, call := range map[string]func(context.Context) error{
		"Get":    func(ctx context.Context) error { _, err := s.Get(ctx, storagetest.LicenseID(1)); return err },
		"Commit": func(ctx context.Context) error { return s.Commit(ctx, licenseAt(1, "lost")) },
		"AddUsage": func(ctx context.Context) error {
			return s.AddUsage(ctx, []storage.UsageDelta{{Record: storagetest.LicenseID(1), Day: "2026-11-21", Valid: 1}})
		},
		"AppendBlock": func(ctx context.Context) error { return s.AppendBlock(ctx, storagetest.LogBlock(0, 1)) },
		"Ready":       s.Ready,
	} {
		err := within(t, 500*time.Millisecond, call)
		if !fault.Is(err, fault.Unavailable) || strings.Contains(fault.All(err)[0].Message, "127.0.0.1") {
			t.Errorf("%s says %v", name, err)
		}
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := within(t, 20*time.Second, func(ctx context.Context) error { return s.Commit(ctx, licenseAt(1, "second")) }); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s); got.Attempt != "second" || got.Version != 2 {
		t.Errorf("version %d, attempt %s", got.Version, got.Attempt)
	}
}

func TestARecordThatIsTooLargeIsRefusedAndSaysSo(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	body := []byte(`{"text":"` + strings.Repeat("x", 17<<20) + `"}`)
	c := licenseAt(0, "first", "ada")
	small := c.Record.Body
	c.Record.Body = body
	refuse := func() {
		t.Helper()
		err := s.Commit(t.Context(), c)
		if !fault.Is(err, fault.InvalidInput) || !strings.Contains(fault.All(err)[0].Message, "16 MB") {
			t.Fatalf("got %.500s", err)
		}
	}
	refuse()
	c.Record.Body = small
	if err := s.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	c.Record.Body, c.Record.Version, c.Record.Index.Words = body, 1, []string{"byron"}
	refuse()
	if got := stored(t, s); got.Version != 1 {
		t.Errorf("version %d", got.Version)
	}
	if n := words(t, s); n != 1 {
		t.Errorf("%d words are left", n)
	}
}

func TestALogThatWasChangedIsNoticed(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	for first := 0; first < 9; first += 3 {
		if err := s.AppendBlock(t.Context(), storagetest.LogBlock(first, 3)); err != nil {
			t.Fatal(err)
		}
	}
	tags, err := mongodb.Tags(t.Context(), s, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, changed := range map[string]bson.M{
		"one less": {"tags": tags[1:]}, "one more": {"tags": append([]int64{7}, tags...)}, "none": {"tags": []int64{}},
	} {
		change(t, s, changed)
		misfit, err := s.CheckEntries(t.Context())
		if err != nil || misfit == nil || misfit.Index < 3 || misfit.Index > 5 {
			t.Errorf("%s: found %v, %v", name, misfit, err)
		}
	}
	change(t, s, bson.M{"tags": tags})
	if misfit, err := s.CheckEntries(t.Context()); misfit != nil || err != nil {
		t.Fatalf("%v, %v", misfit, err)
	}
	for name, changed := range map[string]bson.M{
		"its end": {"next": int64(7)}, "what is in it": {"next": int64(6), "entries": []byte("no list")}, "their kind": {"entries": "text"},
	} {
		change(t, s, changed)
		blocks, err := s.Blocks(t.Context(), 0, 9)
		if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "at 3") || len(blocks) != 1 {
			t.Errorf("%s: Blocks gives %d, %v", name, len(blocks), err)
		}
		if _, err := s.Entries(t.Context(), storage.EntryQuery{First: 9}); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: Entries says %v", name, err)
		}
		if _, err := s.CheckEntries(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: CheckEntries says %v", name, err)
		}
	}
}

// change changes the block at 3.
func change(t *testing.T, s *mongodb.Store, fields bson.M) {
	t.Helper()
	if err := mongodb.SetBlock(t.Context(), s, 3, fields); err != nil {
		t.Fatal(err)
	}
}

func TestAMarkThatACutOffSettlingLeftIsTakenAway(t *testing.T) {
	s := migrated(t, engines.MongoDB(t))
	if err := s.Commit(t.Context(), licenseAt(0, "first")); err != nil {
		t.Fatal(err)
	}
	if err := mongodb.Mark(t.Context(), s, storagetest.LicenseID(1)); err != nil {
		t.Fatal(err)
	}
	other := storagetest.LicenseChange(2)
	if err := s.Commit(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		waiting, err := s.Pending(t.Context(), 1)
		if err != nil || len(waiting) != 1 || waiting[0].Record != other.Record.ID {
			t.Errorf("%v, %v", waiting, err)
		}
	}
	if _, err := s.Pending(t.Context(), 9); err != nil {
		t.Error(err)
	}
	if n, err := mongodb.Count(t.Context(), s, "record", bson.M{"dirty": 1}); n != 1 || err != nil {
		t.Errorf("%d records are marked, %v", n, err)
	}
}

func TestAServerThatStandsAloneSaysThatItDoesNotWake(t *testing.T) {
	s := migrated(t, engines.NewMongoDB(t).URL("keywright"))
	err := s.Wake(t.Context(), func() { t.Error("woken") })
	if !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "change stream") {
		t.Errorf("got %v", err)
	}
}

// cleared is what a call ends with that waits for a connection while all are
// given up.
type cleared struct{}

func (cleared) Error() string   { return "the pool was cleared" }
func (cleared) Retryable() bool { return true }

func TestWhatIsSentOnceMore(t *testing.T) {
	network := []string{"NetworkError"}
	for name, test := range map[string]struct {
		err               error
		isLost, neverSent bool
	}{
		"a primary that steps down":           {mongo.CommandError{Code: 189}, true, false},
		"a router whose shard has no primary": {mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 6}}}, true, false},
		"a majority that does not confirm":    {mongo.WriteException{WriteConcernError: &mongo.WriteConcernError{Code: 64}}, false, false},
		"a connection that is lost":           {mongo.CommandError{Labels: network, Wrapped: io.ErrUnexpectedEOF}, true, false},
		"a call that took all of its time":    {mongo.CommandError{Labels: network, Wrapped: context.DeadlineExceeded}, false, false},
		"a pool that is cleared meanwhile":    {mongo.CommandError{Wrapped: cleared{}}, true, true},
		"a pool all of whose are used":        {topology.WaitQueueTimeoutError{}, false, true},
		"no server that could be asked":       {topology.ServerSelectionError{}, false, true},
		"an id that is taken":                 {mongo.CommandError{Code: 11000}, false, false},
	} {
		if mongodb.IsLost(test.err) != test.isLost || mongodb.NeverSent(test.err) != test.neverSent {
			t.Errorf("%s: sent once more %v, never sent %v", name, mongodb.IsLost(test.err), mongodb.NeverSent(test.err))
		}
	}
}
