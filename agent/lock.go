//go:build unix

package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A lock is held by a process on a file of the agent's folder, and let go when the
// process ends, however it ends.
type lock struct{ f *os.File }

// errLocked: another process holds the lock.
var errLocked = errors.New("another process holds the lock")

// takeLock takes the lock, without waiting unless wait says so.
func takeLock(folder, name string, wait bool) (*lock, error) {
	f, err := os.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, syscall.EROFS) { // whoever only reads can be told who holds it, too
		f, err = os.Open(filepath.Join(folder, name))
	}
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err == nil {
		return &lock{f}, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = errLocked
	}
	return nil, errors.Join(fmt.Errorf("lock %s: %w", name, err), f.Close())
}

// release lets the lock go. A child between its fork and its exec has the file as well, so
// that closing it would not be enough.
func (l *lock) release() error {
	return errors.Join(syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN), l.f.Close())
}
