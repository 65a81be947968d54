package durabletest

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"time"
)

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
	if end > int64(len(o.node.data)) {
		o.node.resize(end)
	}
	o.node.touch(o.at, end)
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
	o.node.resize(size)
	return nil
}

func (o *file) Sync() error {
	o.fs.mu.Lock()
	defer o.fs.mu.Unlock()
	if err := o.usable(); err != nil {
		return err
	}
	if err := o.fs.hook("sync", o.name); err != nil {
		if errors.Is(err, ErrLost) {
			o.node.dirty, o.node.resized = nil, false
		}
		return err
	}
	if o.node.dir {
		o.node.lasted = maps.Clone(o.node.names)
	} else {
		o.node.settle(whole(true))
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
