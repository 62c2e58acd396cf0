package engines

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Disk is a disk of the test's own, which can be full.
type Disk struct {
	Directory string // where it is mounted, as the servers' user's
	ballast   string // a file that takes what room there is
}

// NewDisk mounts a disk of so many bytes, in memory, until the test ends. Where
// this process may not mount any, the test does not run, and says so.
func NewDisk(t testing.TB, size int64) *Disk {
	t.Helper()
	uid, gid, err := owner()
	if err != nil {
		t.Fatal(err)
	}
	directory, err := directory("")
	if err != nil {
		t.Fatal(err)
	}
	options := fmt.Sprintf("size=%d,uid=%d,gid=%d,mode=700", size, uid, gid)
	err = syscall.Mount("keywright-test", directory, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, options)
	if err != nil {
		t.Skipf("NOT RUN: this process mounts no disk that could be full: %v", errors.Join(err, os.Remove(directory)))
	}
	t.Cleanup(func() {
		if err := errors.Join(syscall.Unmount(directory, syscall.MNT_DETACH), os.Remove(directory)); err != nil {
			t.Error(err)
		}
	})
	return &Disk{Directory: directory, ballast: filepath.Join(directory, "ballast")}
}

// Fill leaves so many bytes of room, while others write.
func (d *Disk) Fill(room int64) error {
	file, err := os.Create(d.ballast)
	if err != nil {
		return err
	}
	defer file.Close()
	for {
		var now syscall.Statfs_t
		if err := syscall.Statfs(d.Directory, &now); err != nil {
			return err
		}
		size := int64(now.Bavail)*now.Bsize - room
		if size <= 0 {
			return nil
		}
		err := syscall.Fallocate(int(file.Fd()), 0, 0, size) // whole or not at all
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
	}
}

// Empty gives the room back that Fill took.
func (d *Disk) Empty() error { return os.Remove(d.ballast) }
