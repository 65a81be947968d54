// Package durable keeps files across a power cut. A file that [Write] has written,
// that [Append] has synced or that [Remove] has removed is so after the machine comes
// back, or the call has returned an error.
//
// It works on an [FS], a folder that nobody can climb out of. [Open] gives the one of
// the operating system; durabletest has one that forgets everything that was not
// synced, on which a caller proves that it loses nothing.
//
// The rules that it is built on: a file's bytes are there once the file was synced,
// its name is there once the directory was synced, and a rename within one file system
// is seen whole or not at all.
package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// FS is a folder. Names are slash-separated, relative to it and valid by
// [fs.ValidPath]; "." is the folder itself. Errors answer to errors.Is with
// [fs.ErrNotExist], [fs.ErrExist] and [fs.ErrInvalid].
type FS interface {
	// OpenFile opens a file with the os.O_ flags, or a directory for reading, so
	// that it can be listed and synced. What it creates only its owner may read.
	OpenFile(name string, flag int) (File, error)
	Mkdir(name string) error
	Rename(from, to string) error
	Remove(name string) error
	Stat(name string) (fs.FileInfo, error)
}

// File is an open file or directory of an [FS]. An [os.File] is one.
type File interface {
	io.ReadWriteSeeker
	io.Closer
	// Sync returns when the file's bytes, or the directory's names, are on the disk.
	Sync() error
	Truncate(size int64) error
	ReadDir(n int) ([]fs.DirEntry, error)
}

// Full reports whether err says that there is no room left on the disk.
func Full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// temporary begins the names of files that are not finished. A crash can leave them;
// [Sweep] removes them.
const temporary = ".tmp-"

// Write puts what write writes under name, replacing a file that is there. Whoever
// opens name sees the old file or the whole new one, whatever happens on the way. The
// directory must exist ([MkdirAll]).
func Write(fsys FS, name string, write func(io.Writer) error) error {
	if !fs.ValidPath(name) || name == "." {
		return fmt.Errorf("write %q: %w", name, fs.ErrInvalid)
	}
	temp := path.Join(path.Dir(name), temporary+rand.Text())
	if err := writeTemporary(fsys, temp, write); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), ignoreMissing(fsys.Remove(temp)))
	}
	if err := fsys.Rename(temp, name); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), ignoreMissing(fsys.Remove(temp)))
	}
	return SyncDir(fsys, path.Dir(name))
}

func writeTemporary(fsys FS, temp string, write func(io.Writer) error) error {
	f, err := fsys.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

// WriteBytes is [Write] of bytes that are at hand.
func WriteBytes(fsys FS, name string, b []byte) error {
	return Write(fsys, name, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}

// ReadBytes returns the file's content, and an error if it is longer than max: no
// file is trusted to be as small as the one who wrote it meant.
func ReadBytes(fsys FS, name string, max int64) ([]byte, error) {
	f, err := fsys.OpenFile(name, os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	defer f.Close() // read only
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > max {
		return nil, fmt.Errorf("read %s: longer than %d bytes", name, max)
	}
	return b, nil
}

// Move renames a file within the folder, replacing one that is there. The new name is
// made to last before the old one is forgotten, so that the file always has one.
func Move(fsys FS, from, to string) error {
	if err := fsys.Rename(from, to); err != nil {
		return fmt.Errorf("move %s to %s: %w", from, to, err)
	}
	if err := SyncDir(fsys, path.Dir(to)); err != nil {
		return err
	}
	if path.Dir(from) == path.Dir(to) {
		return nil
	}
	return SyncDir(fsys, path.Dir(from))
}

// Remove removes a file or an empty directory, and returns when it cannot come back.
func Remove(fsys FS, name string) error {
	if err := fsys.Remove(name); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return SyncDir(fsys, path.Dir(name))
}

// MkdirAll makes the directory and those above it that are missing. It syncs those that
// are there as well, because the program that made them may have been killed before it
// did; a caller in a hurry remembers what it has made.
func MkdirAll(fsys FS, name string) error {
	if name == "." {
		return nil
	}
	if err := MkdirAll(fsys, path.Dir(name)); err != nil {
		return err
	}
	if err := fsys.Mkdir(name); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make directory %s: %w", name, err)
	}
	return SyncDir(fsys, path.Dir(name))
}

// List returns the entries of a directory in no order, without the unfinished files
// that a crash may have left.
func List(fsys FS, dir string) ([]fs.DirEntry, error) {
	all, err := readDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	finished := all[:0]
	for _, e := range all {
		if !strings.HasPrefix(e.Name(), temporary) {
			finished = append(finished, e)
		}
	}
	return finished, nil
}

// Sweep removes the unfinished files that a crash left in a directory. It is for the
// start of a program, when nobody is writing there.
func Sweep(fsys FS, dir string) error {
	all, err := readDir(fsys, dir)
	if err != nil {
		return err
	}
	for _, e := range all {
		if !strings.HasPrefix(e.Name(), temporary) {
			continue
		}
		if err := ignoreMissing(fsys.Remove(path.Join(dir, e.Name()))); err != nil {
			return fmt.Errorf("sweep %s: %w", dir, err)
		}
	}
	return nil
}

func readDir(fsys FS, dir string) ([]fs.DirEntry, error) {
	d, err := fsys.OpenFile(dir, os.O_RDONLY)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	defer d.Close() // read only
	all, err := d.ReadDir(-1)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", dir, err)
	}
	return all, nil
}

// SyncDir returns when the names in the directory are on the disk. Whoever finds a file
// there that another program may have put there and not synced, and promises something
// because of it, calls this first.
func SyncDir(fsys FS, dir string) error {
	d, err := fsys.OpenFile(dir, os.O_RDONLY)
	if err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, errors.Join(err, d.Close()))
	}
	return d.Close()
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
