// Package sqlitevfs lets SQLite keep its files in a [durable.FS], so that whoever wants to
// see what becomes of a database when a disk fails can make it fail.
//
// There is no memory to share between connections here and no lock: a database belongs to
// one connection, which has it open with locking_mode=exclusive.
package sqlitevfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

var registered atomic.Int64

// Register makes a file system known to SQLite, and returns the name that it has there
// until forget is called. By then its databases are closed.
func Register(fsys durable.FS) (name string, forget func()) {
	name = fmt.Sprintf("durable%d", registered.Add(1))
	vfs.Register(name, disk{fsys})
	return name, func() { vfs.Unregister(name) }
}

// disk is a [vfs.VFS]. What its methods are for is said there.
type disk struct{ fs durable.FS }

func local(name string) string {
	if name = strings.Trim(path.Clean("/"+name), "/"); name != "" {
		return name
	}
	return "."
}

func (d disk) FullPathname(name string) (string, error) { return "/" + local(name), nil }

func (d disk) Access(name string, flags vfs.AccessFlag) (bool, error) {
	_, err := d.fs.Stat(local(name))
	return err == nil, nil
}

func (d disk) Delete(name string, syncDir bool) error {
	err := d.fs.Remove(local(name))
	if errors.Is(err, fs.ErrNotExist) {
		return sqlite3.IOERR_DELETE_NOENT
	}
	if err == nil && syncDir {
		err = durable.SyncDir(d.fs, path.Dir(local(name)))
	}
	return err
}

func (d disk) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	flag := os.O_RDWR
	if flags&vfs.OPEN_CREATE != 0 {
		flag |= os.O_CREATE
	}
	f, err := d.fs.OpenFile(local(name), flag)
	if err != nil {
		return nil, flags, sqlite3.CANTOPEN
	}
	if flags&vfs.OPEN_CREATE != 0 && flags&(vfs.OPEN_WAL|vfs.OPEN_MAIN_JOURNAL) != 0 {
		if err := durable.SyncDir(d.fs, path.Dir(local(name))); err != nil {
			return nil, flags, errors.Join(err, f.Close())
		}
	}
	return &file{f: f}, flags, nil
}

// file is a [vfs.File].
type file struct {
	mu sync.Mutex // held while the place in the file is of one call
	f  durable.File
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.f.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(f.f, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.f.Seek(off, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := f.f.Write(p)
	if errors.Is(err, syscall.ENOSPC) {
		err = sqlite3.FULL // as the VFS of the operating system says it
	}
	return n, err
}

func (f *file) Size() (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.f.Seek(0, io.SeekEnd)
}

func (f *file) Truncate(size int64) error        { return f.f.Truncate(size) }
func (f *file) Sync(vfs.SyncFlag) error          { return f.f.Sync() }
func (f *file) Close() error                     { return f.f.Close() }
func (f *file) Lock(vfs.LockLevel) error         { return nil }
func (f *file) Unlock(vfs.LockLevel) error       { return nil }
func (f *file) CheckReservedLock() (bool, error) { return false, nil }
func (f *file) SectorSize() int                  { return 0 }

// DeviceCharacteristics are those of the VFS of the operating system: a write that is torn
// harms nothing beside it.
func (f *file) DeviceCharacteristics() vfs.DeviceCharacteristic {
	return vfs.IOCAP_SUBPAGE_READ | vfs.IOCAP_POWERSAFE_OVERWRITE
}
