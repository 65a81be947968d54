package durable

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// ErrAway says that the disk is not there. An [FS] that can know it says so.
var ErrAway = errors.New("the disk is not there")

// Trouble is why a disk keeps nothing new, in the word that programs are told.
type Trouble string

// The troubles of a disk.
const (
	DiskFull  Trouble = "disk-full" // of bytes, files or quota
	ReadOnly  Trouble = "read-only" // it takes no writing
	Forbidden Trouble = "forbidden" // the folder is another user's
	Away      Trouble = "away"      // it is not there
	Failing   Trouble = "failing"   // another error
)

// TroubleOf says which trouble an error is.
func TroubleOf(err error) Trouble {
	switch {
	case Full(err):
		return DiskFull
	case errors.Is(err, ErrAway):
		return Away
	case errors.Is(err, syscall.EROFS):
		return ReadOnly
	case errors.Is(err, fs.ErrPermission):
		return Forbidden
	}
	return Failing
}

// Secret reads a secret of so many bytes from a file, or makes one if there is none or it
// is unusable; then fresh is true, and what was sealed under the one before is lost.
func Secret(fsys FS, name string, size int) (secret []byte, fresh bool, err error) {
	secret, err = ReadBytes(fsys, name, 4096)
	if err == nil && len(secret) == size {
		return secret, false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("load secret: %w", err)
	}
	secret = make([]byte, size)
	rand.Read(secret) // never fails: it ends the process instead
	if err := WriteBytes(fsys, name, secret); err != nil {
		return nil, false, fmt.Errorf("keep secret: %w", err)
	}
	return secret, true, nil
}
