package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/keywright/keywright/fault"
	"github.com/keywright/keywright/storage"
)

var _ storage.Copier = (*Store)(nil)

const vacuumInto = "VACUUM INTO ?"

// CopyTo implements storage.Copier. A connection of its own reads one snapshot,
// beside which the writer goes on. The copy gets its name once it is whole and
// on the disk.
func (s *Store) CopyTo(ctx context.Context, file string) error {
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = fault.Errorf(fault.Conflict, "the file is there already")
		}
		return cannotCopy(err)
	}
	dir := filepath.Dir(file)
	begun, err := os.CreateTemp(dir, filepath.Base(file)+".*.tmp") // for its owner alone
	if err != nil {
		return cannotCopy(err)
	}
	defer os.Remove(begun.Name()) // where it was not renamed
	if err := errors.Join(s.vacuumInto(ctx, begun.Name()), begun.Sync(), begun.Close()); err != nil {
		return err
	}
	if err := os.Rename(begun.Name(), file); err != nil {
		return cannotCopy(err)
	}
	return cannotCopy(syncDir(dir))
}

// vacuumInto writes a copy into a file that is empty.
func (s *Store) vacuumInto(ctx context.Context, file string) error {
	if err := ctx.Err(); err != nil {
		return translate(err)
	}
	s.closedMu.RLock() // so that Close waits
	defer s.closedMu.RUnlock()
	if s.closed {
		return errClosed()
	}
	c, err := connect(ctx, s.path, "")
	if err != nil {
		return translate(err)
	}
	return translate(errors.Join(c.run(ctx, vacuumInto, file), c.close()))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func cannotCopy(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "the copy cannot be written")
}
