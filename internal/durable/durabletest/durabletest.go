// Package durabletest has a file system that forgets: [Forgetful] keeps its files in
// memory and, when [Forgetful.Crash] is called, only what was synced. A program that
// loses nothing there loses nothing in a power cut; one that leaves out a sync is found
// out by the first test.
//
// It is stricter than the file systems in use: a new file's name is lost unless its
// directory was synced, even if the file was, and a rename is two changes that are kept
// or lost apart unless both directories were synced.
package durabletest

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
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

// node is a file or a directory, as it is now and as it was last synced.
type node struct {
	dir           bool
	data, synced  []byte
	names, lasted map[string]*node
	changed       time.Time
}

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
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boot++
	f.before = nil
	f.root.crash(keep, map[*node]bool{})
}

func (n *node) crash(keep func() bool, seen map[*node]bool) {
	if seen[n] {
		return // a rename that was kept on one side only leaves two names
	}
	seen[n] = true
	if !n.dir {
		if !slices.Equal(n.data, n.synced) && keep() {
			n.synced = slices.Clone(n.data)
		}
		n.data = slices.Clone(n.synced)
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
		n.names[name].crash(keep, seen)
	}
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
		n.data = nil
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

// file is an open file. Its node outlives a rename and a removal, as on POSIX.
type file struct {
	fs   *Forgetful
	node *node
	name string
	boot int
	flag int
	at   int64
	done bool
}

func (o *file) usable() error {
	if o.done || o.boot != o.fs.boot {
		return fs.ErrClosed
	}
	return nil
}

func (o *file) Read(p []byte) (int, error) {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return 0, err
	}
	if o.node.dir {
		return 0, fs.ErrInvalid
	}
	if o.at >= int64(len(o.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, o.node.data[o.at:])
	o.at += int64(n)
	return n, nil
}

func (o *file) Write(p []byte) (int, error) {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return 0, err
	}
	if o.flag&(os.O_WRONLY|os.O_RDWR) == 0 {
		return 0, fs.ErrPermission
	}
	if err := o.fs.hook("write", o.name); err != nil {
		return 0, err
	}
	if o.flag&os.O_APPEND != 0 {
		o.at = int64(len(o.node.data))
	}
	end := o.at + int64(len(p))
	if grow := end - int64(len(o.node.data)); grow > 0 {
		o.node.data = append(o.node.data, make([]byte, grow)...)
	}
	copy(o.node.data[o.at:end], p)
	o.at = end
	o.node.changed = time.Now()
	return len(p), nil
}

func (o *file) Seek(offset int64, whence int) (int64, error) {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += int64(len(o.node.data))
	}
	if offset < 0 {
		return 0, fs.ErrInvalid
	}
	o.at = offset
	return offset, nil
}

func (o *file) Truncate(size int64) error {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return err
	}
	if err := o.fs.hook("truncate", o.name); err != nil {
		return err
	}
	if size > int64(len(o.node.data)) {
		o.node.data = append(o.node.data, make([]byte, size-int64(len(o.node.data)))...)
	}
	o.node.data = o.node.data[:size]
	return nil
}

func (o *file) Sync() error {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return err
	}
	if err := o.fs.hook("sync", o.name); err != nil {
		return err
	}
	if o.node.dir {
		o.node.lasted = maps.Clone(o.node.names)
	} else {
		o.node.synced = slices.Clone(o.node.data)
	}
	return nil
}

func (o *file) Close() error {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	err := o.usable()
	o.done = true
	return err
}

// ReadDir lists the whole directory whatever n is; nobody here asks for less.
func (o *file) ReadDir(int) ([]fs.DirEntry, error) {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return nil, err
	}
	if !o.node.dir {
		return nil, fs.ErrInvalid
	}
	var all []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(o.node.names)) {
		all = append(all, fs.FileInfoToDirEntry(o.node.names[name].info(name)))
	}
	return all, nil
}

type info struct {
	name    string
	size    int64
	dir     bool
	changed time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) IsDir() bool        { return i.dir }
func (i info) ModTime() time.Time { return i.changed }
func (i info) Sys() any           { return nil }
func (i info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}
