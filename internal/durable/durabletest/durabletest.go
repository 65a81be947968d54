// Package durabletest has a file system that forgets: [Forgetful] keeps its files in
// memory and, when [Forgetful.Crash] is called, only what was synced. A program that
// loses nothing there loses nothing in a power cut; one that leaves out a sync is found
// out by the first test.
//
// It is stricter than the file systems in use: a new file's name is lost unless its
// directory was synced, even if the file was, and a rename is two changes that are kept
// or lost apart unless both directories were synced. A disk may also tear what it was
// writing ([Forgetful.CrashTearing]), and lie about a sync that failed ([ErrLost]).
package durabletest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// Forgetful is a [durable.FS] in memory. It may be used by several goroutines.
type Forgetful struct {
	mu     sync.Mutex // protects everything below, and every node and file
	root   *node
	boot   int // counts crashes; files opened before the last one are gone
	before func(op, name string) error
}

var _ durable.FS = (*Forgetful)(nil)

// sector is how many bytes a disk writes whole or not at all.
const sector = 512

// ErrLost is for a hook to return of a sync: it fails, and what it was to bring onto the
// disk is given up, as Linux does. The file reads as before until the next crash, and a
// later sync that succeeds brings only what was written since the one that failed.
var ErrLost = fmt.Errorf("what was written is lost: %w", syscall.EIO)

// node is a file or a directory, as it is now and as it was last synced.
type node struct {
	dir           bool
	data, synced  []byte
	dirty         map[int]bool // sectors of data that the next sync brings onto the disk
	resized       bool         // and whether it brings the length
	names, lasted map[string]*node
	changed       time.Time
}

// touch notes that the bytes from one to before another have been written.
func (n *node) touch(from, to int64) {
	if n.dirty == nil {
		n.dirty = map[int]bool{}
	}
	for i := from / sector; i*sector < to; i++ {
		n.dirty[int(i)] = true
	}
}

// resize makes the file that long; what is new of it is zero.
func (n *node) resize(size int64) {
	n.touch(int64(len(n.data)), size)
	n.data = resized(n.data, int(size))
	n.resized = true
}

func resized(b []byte, size int) []byte {
	if size <= len(b) {
		return b[:size]
	}
	return append(b, make([]byte, size-len(b))...)
}

// settle brings onto the disk what has changed and keep says yes to: the length, and each
// sector.
func (n *node) settle(keep func() bool) {
	if n.resized && keep() {
		n.synced = resized(n.synced, len(n.data))
	}
	for _, i := range slices.Sorted(maps.Keys(n.dirty)) {
		from, to := i*sector, min((i+1)*sector, len(n.data))
		if from >= to || !keep() {
			continue
		}
		n.synced = resized(n.synced, max(len(n.synced), to))
		copy(n.synced[from:to], n.data[from:to])
	}
	n.dirty, n.resized = nil, false
}

// whole is a decision that is taken once and holds for all of a file.
func whole(keep bool) func() bool { return func() bool { return keep } }

func newDir() *node {
	return &node{dir: true, names: map[string]*node{}, lasted: map[string]*node{}, changed: time.Now()}
}

// New returns an empty file system.
func New() *Forgetful { return &Forgetful{root: newDir()} }

// Before has hook called before every change and sync, with the operation (create,
// write, truncate, sync, mkdir, rename, remove) and the name; if it returns an error
// the operation fails with it and does nothing. Tests fill the disk with it
// (syscall.ENOSPC), or stop a program at its n-th step. Nil takes the hook away.
func (f *Forgetful) Before(hook func(op, name string) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = hook
}

// Crash is the power cut: everything that was not synced is forgotten, open files
// fail from now on, and the hook is taken away.
func (f *Forgetful) Crash() { f.CrashKeeping(func() bool { return false }) }

// CrashKeeping is [Forgetful.Crash] of a disk that had written some things anyway:
// keep is asked for each file's unsynced bytes and each unsynced change of a name. A
// program must survive whatever it answers.
func (f *Forgetful) CrashKeeping(keep func() bool) {
	f.crash(keep, func(n *node) {
		if n.resized || len(n.dirty) > 0 {
			n.settle(whole(keep()))
		}
	})
}

// CrashTearing is [Forgetful.CrashKeeping] of a disk that writes sectors of 512 bytes in
// any order: keep is asked for each of them, for each file's length and for each change of
// a name.
func (f *Forgetful) CrashTearing(keep func() bool) {
	f.crash(keep, func(n *node) { n.settle(keep) })
}

func (f *Forgetful) crash(keep func() bool, settle func(file *node)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boot++
	f.before = nil
	f.root.crash(keep, settle, map[*node]bool{})
}

func (n *node) crash(keep func() bool, settle func(file *node), seen map[*node]bool) {
	if seen[n] {
		return // a rename that was kept on one side only leaves two names
	}
	seen[n] = true
	if !n.dir {
		settle(n)
		n.data, n.dirty, n.resized = slices.Clone(n.synced), nil, false
		return
	}
	all := maps.Clone(n.lasted)
	maps.Copy(all, n.names)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		now, is := n.names[name]
		was, had := n.lasted[name]
		if is == had && now == was || !keep() {
			continue
		}
		if is {
			n.lasted[name] = now
		} else {
			delete(n.lasted, name)
		}
	}
	n.names = maps.Clone(n.lasted)
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		n.names[name].crash(keep, settle, seen)
	}
}

// Clone returns a copy as it is now, with what was not synced. Files that are open, and
// the hook, stay with this one.
func (f *Forgetful) Clone() *Forgetful {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &Forgetful{root: f.root.clone(map[*node]*node{})}
}

func (n *node) clone(copies map[*node]*node) *node {
	if c, ok := copies[n]; ok {
		return c // it has two names
	}
	c := *n
	copies[n] = &c
	c.data, c.synced, c.dirty = slices.Clone(n.data), slices.Clone(n.synced), maps.Clone(n.dirty)
	c.names, c.lasted = maps.Clone(n.names), maps.Clone(n.lasted)
	for _, names := range []map[string]*node{c.names, c.lasted} {
		for name, child := range names {
			names[name] = child.clone(copies)
		}
	}
	return &c
}

// Contents returns every file that is there now, by name.
func (f *Forgetful) Contents() map[string][]byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string][]byte{}
	f.root.collect("", all)
	return all
}

func (n *node) collect(prefix string, all map[string][]byte) {
	for name, child := range n.names {
		if child.dir {
			child.collect(path.Join(prefix, name), all)
		} else {
			all[path.Join(prefix, name)] = slices.Clone(child.data)
		}
	}
}

// hook is called with the lock held and lets it go while the test's function runs,
// which may itself look at the file system.
func (f *Forgetful) hook(op, name string) error {
	before := f.before
	if before == nil {
		return nil
	}
	f.mu.Unlock()
	defer f.mu.Lock()
	return before(op, name)
}

func (f *Forgetful) find(name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, fs.ErrInvalid
	}
	n := f.root
	if name == "." {
		return n, nil
	}
	for part := range strings.SplitSeq(name, "/") {
		if !n.dir {
			return nil, fs.ErrNotExist
		}
		child, ok := n.names[part]
		if !ok {
			return nil, fs.ErrNotExist
		}
		n = child
	}
	return n, nil
}

func (f *Forgetful) parent(name string) (*node, error) {
	if name == "." {
		return nil, fs.ErrInvalid
	}
	d, err := f.find(path.Dir(name))
	if err != nil {
		return nil, err
	}
	if !d.dir {
		return nil, fs.ErrNotExist
	}
	return d, nil
}

// OpenFile is [durable.FS]'s.
func (f *Forgetful) OpenFile(name string, flag int) (durable.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.open(name, flag)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &file{fs: f, node: n, name: name, boot: f.boot, flag: flag}, nil
}

func (f *Forgetful) open(name string, flag int) (*node, error) {
	n, err := f.find(name)
	switch {
	case err == nil && flag&os.O_CREATE != 0 && flag&os.O_EXCL != 0:
		return nil, fs.ErrExist
	case err == nil && n.dir && flag&(os.O_WRONLY|os.O_RDWR) != 0:
		return nil, fs.ErrInvalid
	case err == nil && flag&os.O_TRUNC != 0:
		if err := f.hook("truncate", name); err != nil {
			return nil, err
		}
		n.resize(0)
		return n, nil
	case err == nil:
		return n, nil
	case err != fs.ErrNotExist || flag&os.O_CREATE == 0:
		return nil, err
	}
	d, err := f.parent(name)
	if err != nil {
		return nil, err
	}
	if err := f.hook("create", name); err != nil {
		return nil, err
	}
	n = &node{changed: time.Now()}
	d.names[path.Base(name)] = n
	return n, nil
}

// Mkdir is [durable.FS]'s.
func (f *Forgetful) Mkdir(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	d, err := f.parent(name)
	if err == nil && d.names[path.Base(name)] != nil {
		err = fs.ErrExist
	}
	if err == nil {
		err = f.hook("mkdir", name)
	}
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: err}
	}
	d.names[path.Base(name)] = newDir()
	return nil
}

// Rename is [durable.FS]'s.
func (f *Forgetful) Rename(from, to string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find(from)
	var d, into *node
	if err == nil {
		d, err = f.parent(from)
	}
	if err == nil {
		into, err = f.parent(to)
	}
	if err == nil {
		if old := into.names[path.Base(to)]; old != nil && (old.dir || n.dir) {
			err = fs.ErrExist
		}
	}
	if err == nil {
		err = f.hook("rename", from)
	}
	if err != nil {
		return &fs.PathError{Op: "rename", Path: from, Err: err}
	}
	delete(d.names, path.Base(from))
	into.names[path.Base(to)] = n
	return nil
}

// Remove is [durable.FS]'s.
func (f *Forgetful) Remove(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find(name)
	var d *node
	if err == nil {
		d, err = f.parent(name)
	}
	if err == nil && n.dir && len(n.names) > 0 {
		err = fs.ErrExist // as POSIX may for a directory that is not empty
	}
	if err == nil {
		err = f.hook("remove", name)
	}
	if err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	delete(d.names, path.Base(name))
	return nil
}

// Stat is [durable.FS]'s.
func (f *Forgetful) Stat(name string) (fs.FileInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n, err := f.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return n.info(path.Base(name)), nil
}

func (n *node) info(name string) info {
	return info{name: name, size: int64(len(n.data)), dir: n.dir, changed: n.changed}
}
