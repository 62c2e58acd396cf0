package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// serve runs FerretDB on a directory and lets the clients of listener at it,
// until ctx ends.
func serve(ctx context.Context, listener net.Listener, data string) error {
	if data == "" {
		return errors.New("no directory for the data is given")
	}
	data, err := filepath.Abs(data)
	if err != nil {
		return err
	}
	socket := filepath.Join(data, "ferretdb.sock")
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) { // of one that was killed
		return err
	}
	database, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Logger:    slog.New(slog.NewTextHandler(io.Discard, nil)),
		Handler:   "sqlite",
		SQLiteURL: "file:" + data + "/?_pragma=synchronous(off)", // a kill loses nothing then, only a machine's crash
	})
	if err != nil {
		return err
	}
	proxy := &proxy{dial: func(ctx context.Context) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", socket)
	}}
	served := make(chan error, 1)
	go func() { served <- proxy.serve(ctx, listener) }()
	return errors.Join(database.Run(ctx), <-served)
}
