package durable

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
)

// Appender adds to the end of one file. What was written is there after a power cut
// once Sync has returned; what was not synced may be there in part, or as zeros, so a
// caller who resumes must be able to tell (by a hash, a length kept elsewhere, or
// [Appender.Truncate] to what it knows).
type Appender struct {
	f    File
	name string
	size int64
}

// Append opens a file for appending, and makes it if it is not there; its name is
// there after a power cut when Append returns. The directory must exist.
func Append(fsys FS, name string) (*Appender, error) {
	f, err := fsys.OpenFile(name, os.O_RDWR|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("append to %s: %w", name, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err == nil {
		err = SyncDir(fsys, path.Dir(name))
	}
	if err != nil {
		return nil, fmt.Errorf("append to %s: %w", name, errors.Join(err, f.Close()))
	}
	return &Appender{f: f, name: name, size: size}, nil
}

// Size is the length of the file, with what has not been synced yet.
func (a *Appender) Size() int64 { return a.size }

// Write adds p to the end.
func (a *Appender) Write(p []byte) (int, error) {
	n, err := a.f.Write(p)
	a.size += int64(n)
	if err != nil {
		return n, fmt.Errorf("append to %s: %w", a.name, err)
	}
	return n, nil
}

// Truncate cuts the file to size and goes on from there.
func (a *Appender) Truncate(size int64) error {
	if err := a.f.Truncate(size); err != nil {
		return fmt.Errorf("cut %s: %w", a.name, err)
	}
	if _, err := a.f.Seek(size, io.SeekStart); err != nil {
		return fmt.Errorf("cut %s: %w", a.name, err)
	}
	a.size = size
	return nil
}

// Sync returns when everything written is on the disk.
func (a *Appender) Sync() error {
	if err := a.f.Sync(); err != nil {
		return fmt.Errorf("sync %s: %w", a.name, err)
	}
	return nil
}

// Reader reads the file from its beginning. It moves the place where Write would
// write, so it is for when the writing is done.
func (a *Appender) Reader() (io.Reader, error) {
	if _, err := a.f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read %s: %w", a.name, err)
	}
	return a.f, nil
}

// Close closes the file without syncing it.
func (a *Appender) Close() error { return a.f.Close() }
