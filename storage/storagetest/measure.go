package storagetest

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/keywright/keywright/storage"
)

// Figure is what one operation was measured at.
type Figure struct {
	Name     string
	Rate     float64 // operations a second, of all callers together
	P50, P99 time.Duration
}

// String gives one line of a table.
func (f Figure) String() string {
	return fmt.Sprintf("%-44s %9.0f/s  p50 %9s  p99 %9s", f.Name, f.Rate,
		f.P50.Round(time.Microsecond), f.P99.Round(time.Microsecond))
}

// Measure runs operation count times by so many callers and times each run. A
// number from 0 up to count tells a run from the others.
func Measure(ctx context.Context, name string, callers, count int,
	operation func(ctx context.Context, n int) error) (Figure, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	each := make([]*hdrhistogram.Histogram, callers)
	start := time.Now()
	var all sync.WaitGroup
	for caller := range callers {
		each[caller] = hdrhistogram.New(1, time.Minute.Nanoseconds(), 3)
		all.Go(func() {
			for n := caller; n < count && ctx.Err() == nil; n += callers {
				began := time.Now()
				if err := operation(ctx, n); err != nil {
					stop(err)
				}
				_ = each[caller].RecordValue(time.Since(began).Nanoseconds()) // longer than a minute is left out
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	for _, h := range each[1:] {
		each[0].Merge(h)
	}
	return Figure{
		Name: name, Rate: float64(count) / took.Seconds(),
		P50: time.Duration(each[0].ValueAtQuantile(50)), P99: time.Duration(each[0].ValueAtQuantile(99)),
	}, context.Cause(ctx)
}

// MeasureFsync appends 4 KiB to a file of dir and waits for the disk, one at a
// time: what a commit by itself cannot be faster than.
func MeasureFsync(ctx context.Context, dir string, count int) (Figure, error) {
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return Figure{}, err
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	block := make([]byte, 4096)
	return Measure(ctx, "append 4 KiB and fsync", 1, count, func(context.Context, int) error {
		if _, err := f.Write(block); err != nil {
			return err
		}
		return f.Sync()
	})
}

// Operation is something to measure on a store.
type Operation struct {
	Name    string
	Callers int
	Records float64 // that one run gives, on average; 0 where it is not a list
	Run     func(ctx context.Context, n int) error
}

// Operations gives what is measured on a store of the licenses that Fill made,
// size in number: reading one by key, adding one with its entry, under each
// filter that Query lists the first page of 50 and the hundredth, or the last
// full one where there are fewer, and searching.
func Operations(ctx context.Context, s storage.Store, size int) ([]Operation, error) {
	var next atomic.Int64
	next.Store(int64(size))
	get := func(ctx context.Context, n int) error {
		_, err := storage.One(ctx, s, storage.License, LicenseID(spread(n, size)))
		return err
	}
	commit := func(ctx context.Context, _ int) error {
		return s.Commit(ctx, LicenseChange(int(next.Add(1))))
	}
	all := []Operation{
		{Name: "get, 1 caller", Callers: 1, Run: get},
		{Name: "get, 32 callers", Callers: 32, Run: get},
	}
	lists, err := Lists(ctx, s, size, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	return append(append(all, lists...),
		Operation{Name: "commit, 1 caller", Callers: 1, Run: commit},
		Operation{Name: "commit, 32 callers", Callers: 32, Run: commit},
	), nil
}

// Lists gives those of the Operations that list and search, if their names are
// wanted. It takes a while for each list, since it walks to its hundredth pages.
func Lists(ctx context.Context, s storage.Store, size int, wanted func(name string) bool) ([]Operation, error) {
	var all []Operation
	for _, l := range ListQueries() {
		for _, at := range []struct {
			name  string
			pages int // before it
		}{{"page 1: ", 0}, {"page 100: ", 99}} {
			if !wanted(at.name + l.Name) {
				continue
			}
			page, err := pageOf(ctx, s, l, size, at.pages)
			if err != nil {
				return nil, fmt.Errorf("%s%s: %w", at.name, l.Name, err)
			}
			page.Name = at.name + l.Name
			all = append(all, page)
		}
	}
	searches, err := searchesOf(ctx, s, size, wanted)
	return append(all, searches...), err
}

// variants is how many values of a filter are measured together.
const variants = 16

func pageOf(ctx context.Context, s storage.Store, l ListQuery, size, before int) (Operation, error) {
	var queries [variants]storage.Query
	records := 0
	for v := range variants {
		q, err := turn(ctx, s, l.Query(LicenseIndex(spread(v, size))), before)
		if err != nil {
			return Operation{}, err
		}
		page, err := s.List(ctx, q)
		if err != nil {
			return Operation{}, err
		}
		queries[v] = q
		records += len(page.Records)
	}
	return Operation{
		Callers: 1, Records: float64(records) / variants,
		Run: func(ctx context.Context, n int) error {
			_, err := s.List(ctx, queries[n%variants])
			return err
		},
	}, nil
}

// Compare measures one operation on several stores, in rounds that take turns,
// so that what else the machine does falls on all of them alike. Each figure
// is the median of its rounds.
func Compare(ctx context.Context, rounds, count int, stores []Operation) ([]Figure, error) {
	each := make([][]Figure, len(stores))
	for range rounds {
		for i, o := range stores {
			f, err := Measure(ctx, o.Name, o.Callers, count, o.Run)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", o.Name, err)
			}
			each[i] = append(each[i], f)
		}
	}
	figures := make([]Figure, len(stores))
	for i, of := range each {
		figures[i] = Figure{
			Name: of[0].Name,
			Rate: median(of, func(f Figure) float64 { return f.Rate }),
			P50:  median(of, func(f Figure) time.Duration { return f.P50 }),
			P99:  median(of, func(f Figure) time.Duration { return f.P99 }),
		}
	}
	return figures, nil
}

func median[T cmp.Ordered](of []Figure, field func(Figure) T) T {
	values := make([]T, len(of))
	for i, f := range of {
		values[i] = field(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// turn gives the query of the page so many pages on, or of the last full one.
func turn(ctx context.Context, s storage.Store, q storage.Query, pages int) (storage.Query, error) {
	page, err := s.List(ctx, q)
	for range pages {
		if err != nil || !page.More {
			break
		}
		next := q
		next.After = page.End
		if page, err = s.List(ctx, next); err != nil || len(page.Records) < q.First {
			break
		}
		q = next
	}
	return q, err
}

// spread gives run n a license of size, far from its neighbours'.
func spread(n, size int) int { return rand.New(rand.NewPCG(uint64(n), 2)).IntN(size) }

// ListQuery is one of the lists that an index must serve.
type ListQuery struct {
	Name  string
	Query func(x storage.Index) storage.Query // that finds a license with this index
}

// ListQueries gives every list of licenses that the comment of storage.Query
// promises an index for.
func ListQueries() []ListQuery {
	window := 30 * 24 * time.Hour
	var all []ListQuery
	add := func(name string, order storage.Order, wide bool, filter func(storage.Index, *storage.Filter)) {
		for _, scope := range []string{"", "product", "plan"} {
			if scope == "plan" && !wide || scope != "" && order == storage.DueSoonest {
				continue
			}
			full := fmt.Sprintf("%s, %s", order, name)
			if scope != "" {
				full += " of a " + scope
			}
			all = append(all, ListQuery{full, func(x storage.Index) storage.Query {
				q := storage.Query{Kind: storage.License, Order: order, First: 50}
				switch scope {
				case "product":
					q.Filter.Products = []string{x.Product}
				case "plan":
					q.Filter.Plan = x.Plan
				}
				filter(x, &q.Filter)
				return q
			}})
		}
	}
	for _, order := range []storage.Order{storage.CreatedNewest, storage.CreatedOldest} {
		add("all", order, true, func(storage.Index, *storage.Filter) {})
		add("external id", order, false, func(x storage.Index, f *storage.Filter) { f.ExternalID = x.ExternalID })
		add("email", order, false, func(x storage.Index, f *storage.Filter) { f.CustomerEmail = x.CustomerEmail })
		add("customer", order, false, func(x storage.Index, f *storage.Filter) { f.CustomerExternalID = x.CustomerExternalID })
		add("created within", order, true, func(x storage.Index, f *storage.Filter) {
			f.CreatedAfter, f.CreatedBefore = x.Created.Add(-window), x.Created.Add(window)
		})
		add("state", order, true, func(_ storage.Index, f *storage.Filter) { f.State = "suspended" })
	}
	add("all", storage.EndsSoonest, true, func(storage.Index, *storage.Filter) {})
	for _, state := range []string{"", "issued", "suspended"} {
		add(strings.TrimSpace("ends within "+state), storage.EndsSoonest, true, func(x storage.Index, f *storage.Filter) {
			year := x.Created.AddDate(1, 0, 0) // when a third of the licenses end
			f.EndsAfter, f.EndsBefore, f.State = year.Add(-window), year.Add(window), state
		})
		add(strings.TrimSpace("open "+state), storage.EndsSoonest, true, func(x storage.Index, f *storage.Filter) {
			f.OpenAt, f.State = x.Created, state
		})
	}
	add("all", storage.DueSoonest, false, func(storage.Index, *storage.Filter) {})
	add("due before", storage.DueSoonest, false, func(x storage.Index, f *storage.Filter) { f.DueBefore = x.Created.AddDate(1, 0, 0) })
	return all
}
