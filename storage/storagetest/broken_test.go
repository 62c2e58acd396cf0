package storagetest_test

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
	"github.com/keywright/keywright/storage/storagetest"
)

// spoiled is the model with the methods of another store in front of it.
type spoiled struct {
	*storagetest.Model
	change  func(c *storage.Change)
	read    func(s *storage.Stored)
	query   func(q *storage.Query)
	page    func(p *storage.Page)
	search  func(q *storage.SearchQuery)
	lease   func(l *storage.Lease)
	delta   func(d *storage.UsageDelta)
	block   func(b *storage.Block)
	entries func(q *storage.EntryQuery)
	settle  func(p []storage.Pending) []storage.Pending
	err     func(err error) error
}

func (s *spoiled) Commit(ctx context.Context, c storage.Change) error {
	if s.change != nil {
		s.change(&c)
	}
	err := s.Model.Commit(ctx, c)
	if s.err != nil {
		err = s.err(err)
	}
	return err
}

func (s *spoiled) Get(ctx context.Context, ids ...string) ([]*storage.Stored, error) {
	found, err := s.Model.Get(ctx, ids...)
	for _, r := range found {
		if r != nil && s.read != nil {
			s.read(r)
		}
	}
	return found, err
}

func (s *spoiled) List(ctx context.Context, q storage.Query) (storage.Page, error) {
	if s.query != nil {
		s.query(&q)
	}
	page, err := s.Model.List(ctx, q)
	if s.page != nil {
		s.page(&page)
	}
	return page, err
}

func (s *spoiled) Search(ctx context.Context, q storage.SearchQuery) ([]*storage.Stored, error) {
	if s.search != nil {
		s.search(&q)
	}
	return s.Model.Search(ctx, q)
}

func (s *spoiled) Touch(ctx context.Context, leases []storage.Lease) ([]time.Time, error) {
	leases = slices.Clone(leases)
	for i := range leases {
		if s.lease != nil {
			s.lease(&leases[i])
		}
	}
	return s.Model.Touch(ctx, leases)
}

func (s *spoiled) AddUsage(ctx context.Context, deltas []storage.UsageDelta) error {
	deltas = slices.Clone(deltas)
	for i := range deltas {
		if s.delta != nil {
			s.delta(&deltas[i])
		}
	}
	return s.Model.AddUsage(ctx, deltas)
}

func (s *spoiled) AppendBlock(ctx context.Context, b storage.Block) error {
	if s.block != nil {
		s.block(&b)
	}
	return s.Model.AppendBlock(ctx, b)
}

func (s *spoiled) Entries(ctx context.Context, q storage.EntryQuery) (storage.EntryPage, error) {
	if s.entries != nil {
		s.entries(&q)
	}
	return s.Model.Entries(ctx, q)
}

func (s *spoiled) Settle(ctx context.Context, entries []storage.Pending) error {
	if s.settle != nil {
		entries = s.settle(entries)
	}
	return s.Model.Settle(ctx, entries)
}

// TestClausesTellADriverThatIsBroken has stores that are broken by the clause
// that must fail, its room and its name.
func TestClausesTellADriverThatIsBroken(t *testing.T) {
	all := brokenTexts()
	maps.Copy(all, brokenTimes())
	maps.Copy(all, brokenCalls())
	for clause, spoil := range all {
		t.Run(clause, func(t *testing.T) {
			t.Parallel()
			s := &spoiled{Model: storagetest.NewModel()}
			if said := storagetest.ClauseFails(t, clause, s); len(said) > 0 {
				t.Fatalf("the store fails before it is broken: %q", said)
			}
			s = &spoiled{Model: storagetest.NewModel()}
			spoil(s)
			if len(storagetest.ClauseFails(t, clause, s)) == 0 {
				t.Fatal("the clause lets it pass")
			}
		})
	}
}

func brokenTexts() map[string]func(s *spoiled) {
	return map[string]func(s *spoiled){
		"Texts/AreIdsOfSeats": func(s *spoiled) {
			s.read = func(r *storage.Stored) { // as UTF-16 has them
				slices.SortFunc(r.Seats, func(a, b storage.Seat) int { return slices.Compare(utf16Of(a.ID), utf16Of(b.ID)) })
			}
		},
		"Texts/AreFieldsThatAListFinds": func(s *spoiled) {
			s.change = func(c *storage.Change) { c.Record.Index.State = strings.TrimRight(c.Record.Index.State, " ") }
		},
		"Texts/AreLongTextsOfOneBeginning": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				c.Record.Index.ExternalID = c.Record.Index.ExternalID[:min(1000, len(c.Record.Index.ExternalID))]
			}
		},
		"Texts/AreKinds": func(s *spoiled) {
			s.query = func(q *storage.Query) { q.Kind = storage.Kind(strings.ToLower(string(q.Kind))) }
		},
		"Texts/AreWordsThatASearchFinds": func(s *spoiled) {
			s.search = func(q *storage.SearchQuery) { q.Prefix = strings.TrimRight(q.Prefix, "%") + "" }
		},
		"Texts/AreOperationsAndAttempts": func(s *spoiled) { s.read = func(r *storage.Stored) { r.Attempt = strings.TrimSpace(r.Attempt) } },
		"Texts/AreValuesOfADay":          func(s *spoiled) { s.delta = upperValues },
		"Texts/AreWhatEntriesAreFoundBy": func(s *spoiled) {
			s.entries = func(q *storage.EntryQuery) { q.Filter.Actor = strings.ToLower(q.Filter.Actor) }
		},
		"Texts/AreIdsOfRecords": func(s *spoiled) {
			s.change = func(c *storage.Change) { c.Record.ID = strings.TrimSpace(c.Record.ID) + "." }
		},
		"Texts/ThatAreNoTextAreNowhereToBeFound": func(s *spoiled) {
			s.query = func(q *storage.Query) { q.Filter.Plan = strings.ToValidUTF8(q.Filter.Plan, "") }
		},
		"Bodies/KeepNumbersToTheLastDigit": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				c.Record.Body = bytes.ReplaceAll(c.Record.Body, []byte("9007199254740993"), []byte("9007199254740992"))
			}
		},
		"Bodies/HaveTextsOfAnyKindAsNamesAndValues": func(s *spoiled) {
			s.change = func(c *storage.Change) { c.Record.Body = bytes.ReplaceAll(c.Record.Body, []byte("a.b"), []byte("a_b")) }
		},
		"Bodies/HaveEscapesAndEmptyParts": func(s *spoiled) {
			s.read = func(r *storage.Stored) { r.Body = bytes.ReplaceAll(r.Body, []byte(`\u0001`), nil) }
		},
	}
}

func brokenTimes() map[string]func(s *spoiled) {
	return map[string]func(s *spoiled){
		"Times/AreKeptToTheMillisecondEverywhere": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				if c.Record.Index.Due.Before(time.UnixMilli(0)) {
					c.Record.Index.Due = time.UnixMilli(0).UTC()
				}
			}
		},
		"Times/AreInTheirOrderAndNoneIsNowhere": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				if c.Record.Index.Ends.IsZero() {
					c.Record.Index.Ends = time.UnixMilli(1 << 50)
				}
			}
		},
		"Times/OfLeasesMoveForwardFromAnyToAny": func(s *spoiled) {
			s.lease = func(l *storage.Lease) { l.Until = l.Until.Truncate(time.Second) }
		},
		"Times/OfBlocksAreFoundFromAndBefore": func(s *spoiled) {
			s.block = func(b *storage.Block) { b.At = b.At.Truncate(time.Second).Add(time.Second) }
		},
	}
}

func brokenCalls() map[string]func(s *spoiled) {
	return map[string]func(s *spoiled){
		"Commit/KeepsTheOrderOfManyOperations": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				c.Record.Done = slices.Clone(c.Record.Done)
				slices.Reverse(c.Record.Done)
			}
		},
		"Commit/CountsVersionsFromOne": func(s *spoiled) { s.read = func(r *storage.Stored) { r.Version-- } },
		"Commit/ReplacesAllOwnFields":  func(s *spoiled) { s.change = func(c *storage.Change) { c.Record.Index.Starts = time.Time{} } },
		"Seats/ThatWereRemovedComeBackAsNew": func(s *spoiled) {
			s.change = func(c *storage.Change) { c.Remove = nil }
		},
		"Seats/ThatWereTouchedMeanwhileKeepTheirLeases": func(s *spoiled) { s.lease = func(l *storage.Lease) { l.Until = l.At } },
		"Touch/NeverMovesALeaseBack":                    func(s *spoiled) { s.lease = func(l *storage.Lease) { l.At = time.Time{} } },
		"ManySeats/ArePutInOneChange": func(s *spoiled) {
			s.change = func(c *storage.Change) { c.Put = c.Put[:min(9_999, len(c.Put))] }
		},
		"List/KeepsTheOrderOfEqualTimesForEver": func(s *spoiled) {
			s.page = func(p *storage.Page) {
				slices.SortFunc(p.Records, func(a, b *storage.Stored) int { return strings.Compare(a.Index.State, b.Index.State) })
			}
		},
		"List/SaysWhetherThereIsMore":  func(s *spoiled) { s.page = func(p *storage.Page) { p.More = len(p.Records) > 0 } },
		"Usage/AddsEachDeltaOfOneCall": func(s *spoiled) { s.delta = func(d *storage.UsageDelta) { d.Product = "" } },
		"AppendBlock/TakesAsManyBytesAsABlockMayHave": func(s *spoiled) {
			s.block = func(b *storage.Block) { b.Entries = b.Entries[:min(100, len(b.Entries))] }
		},
		"Settle/LeavesTheOthers": func(s *spoiled) { s.settle = func(p []storage.Pending) []storage.Pending { return p[:1] } },
		"Keeper/SweepTakesEveryKindWithAllThatIsBesideIt": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				if c.Record.Kind == "other" {
					c.Record.Index.State = "kept"
				}
			}
		},
		"Commit/RefusesAnIdOfTheSameKind": func(s *spoiled) {
			s.err = func(err error) error {
				if err != nil {
					return fault.Errorf(fault.Unavailable, "storage is busy")
				}
				return nil
			}
		},
		"Commit/RefusesAVersionOfWhatIsNotThere": func(s *spoiled) {
			s.err = func(err error) error {
				if err != nil {
					return fault.Wrap(fault.Conflict, err, "UPDATE at localhost failed: SQLSTATE 23505")
				}
				return nil
			}
		},
		"Commit/RefusesAChangeThatIsNotWellFormed": func(s *spoiled) {
			s.change = func(c *storage.Change) {
				if len(c.Record.Body) == 0 {
					c.Record.Body = []byte("{}")
				}
			}
		},
		"Usage/KeepsOtherBesideThemAndInEachDimension": func(s *spoiled) {
			s.delta = func(d *storage.UsageDelta) { d.Values = storage.Values{storage.ByDomain: d.Values[storage.ByDomain]} }
		},
		"Get/AnswersInTheOrderOfTheIds": func(s *spoiled) {
			s.read = func(r *storage.Stored) { r.Index.Created = r.Index.Created.In(time.FixedZone("", 0)) }
		},
	}
}

// hasty is the model, closed while commits are under way.
type hasty struct {
	*storagetest.Model
	closed atomic.Bool
}

func (h *hasty) Close() error {
	h.closed.Store(true)
	return nil
}

func (h *hasty) Commit(ctx context.Context, c storage.Change) error {
	if h.closed.Load() {
		return fault.Errorf(fault.Unavailable, "storage is closed")
	}
	<-time.After(time.Millisecond) // on its way
	return h.Model.Commit(ctx, c)
}

func TestAClauseTellsADriverThatClosesWhileCommitsAreUnderWay(t *testing.T) {
	s := &hasty{Model: storagetest.NewModel()}
	if said := storagetest.ClosingFails(t, "ClosingWaitsForTheCommitsUnderWay", s, s.Model); len(said) == 0 {
		t.Error("the clause lets it pass")
	}
}

func upperValues(d *storage.UsageDelta) {
	values := storage.Values{}
	for dimension, counts := range d.Values {
		values[dimension] = map[string]int64{}
		for value, count := range counts {
			values[dimension][strings.ToUpper(value)] += count
		}
	}
	d.Values = values
}

func utf16Of(text string) []uint16 { return utf16.Encode([]rune(text)) }
