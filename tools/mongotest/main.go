// Mongotest is what tests of the MongoDB driver run against where there is no
// mongod: FerretDB, which speaks MongoDB's protocol and keeps its data in
// SQLite, behind a proxy that lets one command through at a time. Without the
// proxy FerretDB loses concurrent updates of one document, which mongod does
// not. README.md says what passing against it does not prove.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen on")
	data := flag.String("data", "", "directory that exists, for the data and a socket")
	flag.Parse()
	if err := run(*listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(listen, data string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	return serve(ctx, listener, data)
}
