package agent

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// markFile is in the agent's folder and nowhere else. Where a disk was taken away, its
// mount point is an empty folder of another disk; nothing is written where the mark is
// not.
const markFile = "folder.id"

// lookEvery is how often it is looked whether the folder is still where it was.
const lookEvery = time.Second

// disk is the agent's folder on the disk that it is on. An agent that runs keeps it
// open; if the disk is taken away every operation is [spool.ErrAway], and when a folder
// with the agent's mark is there again the disk goes on with that.
type disk struct {
	folder string
	wrap   func(durable.FS) durable.FS // what the agent sees of it; nil but in tests

	// lastFree is how many bytes were free when it was last asked, and one more; 0 if it
	// could not be told. A disk that hangs is not waited for.
	lastFree atomic.Int64

	mu     sync.Mutex   // protects everything below
	dir    *durable.Dir // where operations go
	fs     durable.FS   // dir, wrapped
	self   fs.FileInfo  // of dir
	mark   []byte       // nil until [disk.watch]
	back   func() error // called when another folder with the mark is gone on with
	looked time.Time
	away   error
}

var _ durable.FS = (*disk)(nil)

// openDisk opens a folder that is there.
func openDisk(folder string, wrap func(durable.FS) durable.FS) (*disk, error) {
	d := &disk{folder: folder, wrap: wrap}
	var err error
	if d.dir, d.self, err = openFolder(folder); err != nil {
		return nil, err
	}
	if d.fs = d.dir; wrap != nil {
		d.fs = wrap(d.dir)
	}
	return d, nil
}

func openFolder(folder string) (*durable.Dir, fs.FileInfo, error) {
	dir, err := durable.OpenExisting(folder)
	if err != nil {
		return nil, nil, err
	}
	self, err := dir.Stat(".")
	if err != nil {
		return nil, nil, errors.Join(err, dir.Close())
	}
	return dir, self, nil
}

// watch begins to look whether the disk is there. The function back is called when it
// has come back.
func (d *disk) watch(back func() error) error {
	mark, err := durable.ReadBytes(d, markFile, 100)
	if errors.Is(err, fs.ErrNotExist) {
		mark = []byte(rand.Text() + "\n")
		err = durable.WriteBytes(d, markFile, mark)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mark, d.back, d.looked = mark, back, time.Now()
	return nil
}

// here returns the folder to work on.
func (d *disk) here() (durable.FS, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mark == nil || time.Since(d.looked) < lookEvery {
		return d.fs, d.away
	}
	d.looked = time.Now()
	now, err := os.Stat(d.folder)
	switch {
	case err == nil && os.SameFile(now, d.self):
		d.away = nil
	case err == nil:
		err = d.moveTo()
		fallthrough
	default:
		if d.away = nil; err != nil { // not wrapped: a missing mark must not look like a missing object
			d.away = fmt.Errorf("%w: %s is not the agent's folder now (%v)", spool.ErrAway, d.folder, err)
		}
	}
	return d.fs, d.away
}

// moveTo goes on with the folder that is there now, if it has the mark. Its caller
// holds the lock.
func (d *disk) moveTo() error {
	dir, self, err := openFolder(d.folder)
	if err != nil {
		return err
	}
	mark, err := durable.ReadBytes(dir, markFile, 100)
	if err == nil && !bytes.Equal(mark, d.mark) {
		err = errors.New("it is another agent's")
	}
	if err == nil && d.back != nil {
		err = d.back()
	}
	if err != nil {
		return errors.Join(err, dir.Close())
	}
	defer d.dir.Close() // the one before; its disk is gone
	d.dir, d.fs, d.self = dir, dir, self
	if d.wrap != nil {
		d.fs = d.wrap(dir)
	}
	return nil
}

// Close closes the folder.
func (d *disk) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dir.Close()
}

// OpenFile is [durable.FS]'s.
func (d *disk) OpenFile(name string, flag int) (durable.File, error) {
	on, err := d.here()
	if err != nil {
		return nil, err
	}
	f, err := on.OpenFile(name, flag)
	if err != nil {
		return nil, err
	}
	return file{f, d, on}, nil
}

// file is open on a disk. As soon as that is gone it takes nothing more: a folder that was
// only unmounted goes on taking what is written to its open files, and none of it is on the
// disk that is there by then.
type file struct {
	durable.File
	disk *disk
	on   durable.FS // as [disk.here] was when it was opened
}

func (f file) there() error {
	on, err := f.disk.here()
	if err == nil && on != f.on {
		err = fmt.Errorf("%w: the disk that the file was opened on has been taken away", spool.ErrAway)
	}
	return err
}

// Write is [durable.File]'s.
func (f file) Write(b []byte) (int, error) {
	if err := f.there(); err != nil {
		return 0, err
	}
	return f.File.Write(b)
}

// Truncate is [durable.File]'s.
func (f file) Truncate(size int64) error {
	if err := f.there(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// Sync is [durable.File]'s.
func (f file) Sync() error {
	if err := f.there(); err != nil {
		return err
	}
	return f.File.Sync()
}

// Mkdir is [durable.FS]'s.
func (d *disk) Mkdir(name string) error {
	f, err := d.here()
	if err != nil {
		return err
	}
	return f.Mkdir(name)
}

// Rename is [durable.FS]'s.
func (d *disk) Rename(from, to string) error {
	f, err := d.here()
	if err != nil {
		return err
	}
	return f.Rename(from, to)
}

// Remove is [durable.FS]'s.
func (d *disk) Remove(name string) error {
	f, err := d.here()
	if err != nil {
		return err
	}
	return f.Remove(name)
}

// Stat is [durable.FS]'s.
func (d *disk) Stat(name string) (fs.FileInfo, error) {
	f, err := d.here()
	if err != nil {
		return nil, err
	}
	return f.Stat(name)
}

// room is a directory of the disk as a folder of its own.
type room struct {
	on   *disk
	name string
}

var _ durable.FS = room{}

// room returns a directory of the disk, and makes it if it is not there.
func (d *disk) room(name string) (room, error) {
	return room{d, name}, durable.MkdirAll(d, name)
}

func (r room) path(name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return path.Join(r.name, name), nil
}

// OpenFile is [durable.FS]'s.
func (r room) OpenFile(name string, flag int) (durable.File, error) {
	p, err := r.path(name)
	if err != nil {
		return nil, err
	}
	return r.on.OpenFile(p, flag)
}

// Mkdir is [durable.FS]'s.
func (r room) Mkdir(name string) error {
	p, err := r.path(name)
	if err != nil {
		return err
	}
	return r.on.Mkdir(p)
}

// Rename is [durable.FS]'s.
func (r room) Rename(from, to string) error {
	p, err := r.path(from)
	if err != nil {
		return err
	}
	q, err := r.path(to)
	if err != nil {
		return err
	}
	return r.on.Rename(p, q)
}

// Remove is [durable.FS]'s.
func (r room) Remove(name string) error {
	p, err := r.path(name)
	if err != nil {
		return err
	}
	return r.on.Remove(p)
}

// Stat is [durable.FS]'s.
func (r room) Stat(name string) (fs.FileInfo, error) {
	p, err := r.path(name)
	if err != nil {
		return nil, err
	}
	return r.on.Stat(p)
}
