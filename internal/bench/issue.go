package main

import (
	"context"
	"fmt"
	"path/filepath"

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

func aim(callers, rate int) string {
	if callers == 1 {
		return ""
	}
	return fmt.Sprintf("; aim %d/s", rate)
}
