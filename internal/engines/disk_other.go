//go:build unix && !linux

package engines

import "testing"

// Disk is for Linux alone.
type Disk struct{ Directory string }

// NewDisk skips the test.
func NewDisk(t testing.TB, _ int64) *Disk {
	t.Helper()
	t.Skip("NOT RUN: a disk that could be full is mounted on Linux alone")
	return nil
}

// Fill does nothing.
func (*Disk) Fill(int64) error { return nil }

// Empty does nothing.
func (*Disk) Empty() error { return nil }
