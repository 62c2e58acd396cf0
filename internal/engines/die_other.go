//go:build unix && !linux

package engines

import "syscall"

// dieWithParent is for Linux alone: elsewhere a test binary that is killed
// leaves its servers running.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}
