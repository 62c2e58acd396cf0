package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/keywright/keywright/actor"
	"github.com/keywright/keywright/authz"
	"github.com/keywright/keywright/licensing"
	"github.com/keywright/keywright/storage/storagetest"
)

const issueQuery = `mutation($input: IssueLicenseInput!) { issueLicense(input: $input) { key license { id expiresAt } } }`

// issue measures issueLicense, each license durable before it is answered,
// against what the disk can do: appending 4 KiB and waiting for it.
func (b bench) issue(ctx context.Context) error {
	w, err := wireNew(ctx, filepath.Join(b.dir, "issue.db"))
	if err != nil {
		return err
	}
	defer func() { _ = w.store.Close() }()
	heading("issueLicense, SQLite with synchronous=FULL")
	fsync, err := storagetest.MeasureFsync(ctx, b.dir, b.count/10)
	if err != nil {
		return err
	}
	row(fsync, "")
	for _, callers := range []int{1, 32} {
		count := b.count / 10 * min(callers, 10)
		f, err := storagetest.Measure(ctx, fmt.Sprintf("by use-case, %d callers", callers), callers, count, func(ctx context.Context, _ int) error {
			_, err := w.issue(ctx)
			return err
		})
		if err != nil {
			return err
		}
		row(f, times(f, fsync)+aim(callers, 4_000))
	}
	batches, err := b.batches(ctx, w)
	if err != nil {
		return err
	}
	row(batches, times(batches, fsync)+"; aim 8000/s")
	body := fmt.Sprintf(`{"query":%q,"variables":{"input":{"plan":%q,"externalId":"order-10000001","customer":{"email":"somebody@example.com","name":"Somebody Somewhere"}}}}`, issueQuery, plan)
	for _, callers := range []int{1, 32} {
		f, err := load(ctx, fmt.Sprintf("over HTTP, %d connections", callers), w.handler, callers, b.count/10*min(callers, 10),
			func(int) string { return body }, `"key":"BENCH-`)
		if err != nil {
			return err
		}
		row(f, times(f, fsync)+aim(callers, 2_000))
	}
	return nil
}

// batches measures issueLicenses, a full batch a call: the rate is of
// licenses, the times are of calls.
func (b bench) batches(ctx context.Context, w *wired) (storagetest.Figure, error) {
	in := licensing.IssueLicensesInput{Licenses: slices.Repeat([]licensing.IssueLicenseInput{order()}, licensing.MaxBatch)}
	name := fmt.Sprintf("issueLicenses, %d a call, 1 caller", licensing.MaxBatch)
	f, err := storagetest.Measure(ctx, name, 1, max(1, b.count/licensing.MaxBatch), func(ctx context.Context, _ int) error {
		payload, err := w.licensing.IssueLicenses(actor.With(ctx, authz.DevAdmin), in)
		if err == nil && payload.Failed > 0 {
			err = fmt.Errorf("%d licenses were not issued", payload.Failed)
		}
		return err
	})
	f.Rate *= licensing.MaxBatch
	return f, err
}

func aim(callers, rate int) string {
	if callers == 1 {
		return ""
	}
	return fmt.Sprintf("; aim %d/s", rate)
}
