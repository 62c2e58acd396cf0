// Package sqlite keeps records in one SQLite file: the driver for one machine,
// and for any number of processes on it. One goroutine of a process writes and
// groups what waits into one transaction; reads run beside it. A commit has
// been through fsync when it returns.
package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/internal/sqlstore"
	"github.com/keywright/keywright/storage"
)

var _ storage.Store = (*Store)(nil)

// Connections for reading.
const readers = 8

// Store is a SQLite file.
type Store struct {
	path    string
	names   *names
	states  *names
	codec   *sqlstore.Codec
	readers *pool
	writer  *writer

	closedMu sync.RWMutex
	closed   bool
}

// Open opens the file of sqlite:///absolute/path or sqlite:relative/path and
// makes it, for its owner alone, where there is none. It does not migrate.
func Open(ctx context.Context, u *url.URL) (storage.Store, error) {
	path, err := pathOf(u)
	if err != nil {
		return nil, err
	}
	return open(ctx, path)
}

func pathOf(u *url.URL) (string, error) {
	if u.Host != "" || u.User != nil || u.Fragment != "" || u.RawQuery != "" || u.ForceQuery {
		return "", errors.New("a sqlite URL is sqlite:///absolute/path or sqlite:relative/path, with no host, parameter or fragment")
	}
	path := u.Path
	if u.Opaque != "" {
		var err error
		if path, err = url.PathUnescape(u.Opaque); err != nil {
			return "", errors.New("a sqlite URL holds a path that cannot be read")
		}
	}
	if path == "" || path == "/" {
		return "", errors.New("a sqlite URL needs the path of a file")
	}
	return filepath.FromSlash(path), nil
}

func open(ctx context.Context, path string) (*Store, error) {
	packing, err := sqlstore.NewCodec(readers)
	if err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "storage cannot be opened")
	}
	w, err := connect(ctx, path, forWriting)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, err, "storage cannot be opened")
	}
	c, err := connect(ctx, path, forCheckpoints)
	if err != nil {
		_ = w.close()
		return nil, fault.Wrap(fault.Unavailable, err, "storage cannot be opened")
	}
	s := &Store{path: path, names: newNames("name"), states: newNames("state"), codec: packing}
	s.readers = newPool(readers, func(ctx context.Context) (*conn, error) {
		return connect(ctx, path, forReading)
	})
	s.writer = newWriter(w, newTurn(path), s.names, s.states, newCheckpointer(c))
	go s.writer.run()
	go s.writer.checkpoints.run()
	return s, nil
}

// create makes the file, readable by its owner alone; the files beside it get
// its mode. A file that is there is not opened: closing it would give up the
// locks that another Store of this process holds on it.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// What each connection is opened with, since a pragma holds for one connection
// only. Pages of 8 KiB would spare 7 % of the file, but a license dirties five
// pages in random places: with twice the bytes to log and to copy, the slowest
// commits of a large file take three times as long. Savepoints are kept in
// memory, where each would else write a file.
const pragmas = "?_busy_timeout=5000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=1" +
	"&_pragma=page_size(4096)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint(0)"

// What the connections differ in. Cache sizes are in KiB; the writer's holds
// a whole group of changes, since what does not fit is written twice, and it
// waits for others by turns, not as SQLite would. Readers map the file, which
// at a million licenses trebles the reads of many callers; a disk that fails
// under a read ends the process.
const (
	forWriting     = largeCache + "&_timeout=0"
	forReading     = "&_pragma=cache_size(-8192)&_pragma=mmap_size(2147418112)&_query_only=1"
	forCheckpoints = "&_timeout=" + restartPatience
	largeCache     = "&_pragma=cache_size(-65536)"
)

// connect opens a connection. SQLite does not wait by itself while another
// process turns a new file into one with a write-ahead log.
func connect(ctx context.Context, path, purpose string) (*conn, error) {
	name := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}).String() + pragmas + purpose
	connector, err := sqlite.NewConnector(name)
	if err != nil {
		return nil, err
	}
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	c := &conn{idle: map[string][]driver.Stmt{}}
	err = whileBusy(ctx, func() error {
		c.raw, err = connector.Connect(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Close implements storage.Keeper.
func (s *Store) Close() error {
	s.closedMu.Lock()
	if s.closed {
		s.closedMu.Unlock()
		return nil
	}
	s.closed = true
	close(s.writer.queue)
	s.closedMu.Unlock()

	<-s.writer.ended
	close(s.writer.checkpoints.copy)
	<-s.writer.checkpoints.ended
	err := errors.Join(s.readers.close(), s.writer.checkpoints.conn.close(), s.writer.conn.close())
	s.writer.turn.close()
	s.codec.Close()
	return translate(err)
}

// translate is the one place that says what SQLite's errors mean.
func translate(err error) error {
	var known *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case failedWith(err, sqlite3.SQLITE_FULL):
		return fault.Wrap(fault.Unavailable, err, "storage is full")
	case failedWith(err, sqlite3.SQLITE_IOERR_WRITE):
		// SQLite keeps the system's own error to itself.
		err = fmt.Errorf("the disk may be full, or a quota or a limit on the size of files reached: %w", err)
		return fault.Wrap(fault.Unavailable, err, "storage cannot be written")
	case failedWith(err, sqlite3.SQLITE_BUSY):
		return fault.Wrap(fault.Unavailable, err, "storage is busy")
	}
	return fault.Wrap(fault.Unavailable, err, "storage is unavailable")
}

// failedWith reports whether err is SQLite's of this code, extended or not.
func failedWith(err error, code int) bool {
	var failed *sqlite.Error
	return errors.As(err, &failed) && (failed.Code() == code || failed.Code()&0xff == code)
}
