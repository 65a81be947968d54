package durable

import (
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Dir is a folder of the operating system's file system. It keeps the folder open, so
// that neither ".." nor a symbolic link leads out of it, whoever made the name.
type Dir struct {
	root *os.Root
}

var _ FS = (*Dir)(nil)

// Open opens the folder, and makes it for its owner alone if it is not there.
func Open(folder string) (*Dir, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Dir{root: root}, nil
}

// OpenExisting opens a folder that is there, and makes none: where a disk is not
// mounted, one made in its place would be filled.
func OpenExisting(folder string) (*Dir, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Dir{root: root}, nil
}

// Sub opens a directory of the folder as a folder of its own, and makes it if it is
// not there.
func (d *Dir) Sub(name string) (*Dir, error) {
	if err := MkdirAll(d, name); err != nil {
		return nil, err
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	return &Dir{root: root}, nil
}

// Close closes the folder; files that are open stay so.
func (d *Dir) Close() error { return d.root.Close() }

// OpenFile is [FS]'s.
func (d *Dir) OpenFile(name string, flag int) (File, error) {
	if err := valid("open", name); err != nil {
		return nil, err
	}
	f, err := d.root.OpenFile(name, flag, 0o600)
	if err != nil {
		return nil, err // a nil *os.File in a File would not be nil
	}
	return f, nil
}

// Mkdir is [FS]'s.
func (d *Dir) Mkdir(name string) error {
	if err := valid("mkdir", name); err != nil {
		return err
	}
	return d.root.Mkdir(name, 0o700)
}

// Rename is [FS]'s.
func (d *Dir) Rename(from, to string) error {
	if err := valid("rename", from); err != nil {
		return err
	}
	if err := valid("rename", to); err != nil {
		return err
	}
	return d.root.Rename(from, to)
}

// Remove is [FS]'s.
func (d *Dir) Remove(name string) error {
	if err := valid("remove", name); err != nil {
		return err
	}
	return d.root.Remove(name)
}

// Stat is [FS]'s.
func (d *Dir) Stat(name string) (fs.FileInfo, error) {
	if err := valid("stat", name); err != nil {
		return nil, err
	}
	return d.root.Stat(name)
}

// SetTime sets when a file was last changed.
func (d *Dir) SetTime(name string, at time.Time) error {
	if err := valid("chtimes", name); err != nil {
		return err
	}
	return d.root.Chtimes(name, at, at)
}

func valid(op, name string) error {
	if !fs.ValidPath(name) {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return nil
}
