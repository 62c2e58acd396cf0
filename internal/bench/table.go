package main

import (
	"fmt"
	"time"

	"github.com/keywright/keywright/storage/storagetest"
)

const rowFormat = "%-46s %11s %10s %10s  %s\n"

func heading(title string) {
	fmt.Printf("\n%s\n", title)
	fmt.Printf(rowFormat, "", "per second", "p50", "p99", "ratio")
}

// row prints a figure, and as a note its ratio to the reference or its aim.
func row(f storagetest.Figure, note string) {
	fmt.Printf(rowFormat, f.Name, fmt.Sprintf("%.0f", f.Rate), short(f.P50), short(f.P99), note)
}

func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return d.Round(10 * time.Nanosecond).String()
	case d < 10*time.Millisecond:
		return d.Round(time.Microsecond).String()
	default:
		return d.Round(10 * time.Microsecond).String()
	}
}

// times tells how a figure's rate compares with a reference's.
func times(f, reference storagetest.Figure) string {
	return fmt.Sprintf("%.2f of «%s»", f.Rate/reference.Rate, reference.Name)
}
