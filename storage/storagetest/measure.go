package storagetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// MeasureGet reads licenses of those that Fill made, size in number, by key.
func MeasureGet(ctx context.Context, s storage.Store, size, callers, count int) (Figure, error) {
	return Measure(ctx, fmt.Sprintf("get, %d callers", callers), callers, count, func(ctx context.Context, n int) error {
		_, err := storage.One(ctx, s, storage.License, LicenseID(spread(n, size)))
		return err
	})
}

// MeasureCommit inserts the licenses from size on, with their entry.
func MeasureCommit(ctx context.Context, s storage.Store, size, callers, count int) (Figure, error) {
	return Measure(ctx, fmt.Sprintf("commit, %d callers", callers), callers, count, func(ctx context.Context, n int) error {
		return s.Commit(ctx, LicenseChange(size+n))
	})
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

// variants is how many values of a filter are measured together.
const variants = 16

// MeasureLists reads, under each filter that Query lists, the first page of 50
// and the hundredth, or the last full one where there are fewer.
func MeasureLists(ctx context.Context, s storage.Store, size, count int) ([]Figure, error) {
	var figures []Figure
	for _, l := range ListQueries() {
		var first, far []storage.Query
		for v := range variants {
			q := l.Query(LicenseIndex(spread(v, size)))
			first = append(first, q)
			hundredth, err := turn(ctx, s, q, 99)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.Name, err)
			}
			far = append(far, hundredth)
		}
		for i, queries := range [][]storage.Query{first, far} {
			name := []string{"page 1: ", "page 100: "}[i] + l.Name
			f, err := Measure(ctx, name, 1, count, func(ctx context.Context, n int) error {
				_, err := s.List(ctx, queries[n%variants])
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("%s: %w", l.Name, err)
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// turn gives the query of the page so many pages on, or of the last full one.
func turn(ctx context.Context, s storage.Store, q storage.Query, pages int) (storage.Query, error) {
	for range pages {
		page, err := s.List(ctx, q)
		if err != nil || !page.More {
			return q, err
		}
		next := q
		next.After = page.End
		if following, err := s.List(ctx, next); err != nil || len(following.Records) < q.First {
			return q, err
		}
		q = next
	}
	return q, nil
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
			if scope == "plan" && !wide {
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
	return all
}
