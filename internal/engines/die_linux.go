package engines

import "syscall"

// dieWithParent has a server end with the thread that started it, so that a
// test binary that panics or is killed leaves none behind.
func dieWithParent(attributes *syscall.SysProcAttr, by syscall.Signal) { attributes.Pdeathsig = by }
