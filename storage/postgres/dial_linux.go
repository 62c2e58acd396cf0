package postgres

import (
	"strings"
	"syscall"
	"time"
)

const tcpUserTimeout = 18 // of linux/tcp.h

// unanswered has a connection end once what was sent is not acknowledged for so
// long. Nothing asks whether the other side is there while that is so.
func unanswered(silence time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		if !strings.HasPrefix(network, "tcp") {
			return nil
		}
		var failed error
		if err := c.Control(func(fd uintptr) {
			failed = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(silence.Milliseconds()))
		}); err != nil {
			return err
		}
		return failed
	}
}
