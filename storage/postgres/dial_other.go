//go:build !linux

package postgres

import (
	"syscall"
	"time"
)

// unanswered leaves it to the system how often it sends again.
func unanswered(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }
