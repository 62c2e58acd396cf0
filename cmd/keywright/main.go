// Command keywright is the license server, and what its operators need beside
// it. It wires the rooms together: a file per command, the configuration, and
// the list of drivers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.Environ(), os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "keywright:", strings.ReplaceAll(err.Error(), "\n", "\nkeywright: "))
		os.Exit(exitCode(err))
	}
}
