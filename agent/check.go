package agent

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"

	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// ErrNoFootage: nothing was ever recorded without end with this folder.
var ErrNoFootage = errors.New("nothing has been recorded with this folder yet: there is no footage to check")

// FootageCheck is what [CheckFootage] has found.
type FootageCheck struct {
	footage.Report
	Repaired  int `json:"repaired"`  // segments about which index and disk had not agreed, and do now
	Forgotten int `json:"forgotten"` // indexes that did not open, and were made again
	Unopened  int `json:"unopened"`  // segments that do not open
}

// Whole says whether everything that was recorded verifies.
func (c FootageCheck) Whole() bool {
	return len(c.Findings) == 0 && c.Forgotten == 0 && c.Unopened == 0
}

// CheckFootage reads and opens all footage of an agent that does not run. Where a crash
// has left index and disk apart they agree afterwards, as after any start; nothing else is
// changed. The function told hears how many of all bytes were read.
func CheckFootage(ctx context.Context, folder string, c FootageConfig, log *slog.Logger, told func(done, all int64)) (r FootageCheck, err error) {
	state, err := openExisting(folder, nil)
	if err != nil {
		return r, err
	}
	defer state.Close() // only read
	id, err := state.identity()
	if err != nil {
		return r, notJoined(err)
	}
	l, err := takeLock(folder, lockFile, false)
	if errors.Is(err, errLocked) {
		return r, ErrRunning
	} else if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.release()) }()
	secret, err := durable.ReadBytes(state.dir, footageKeyFile, 100)
	if errors.Is(err, fs.ErrNotExist) {
		return r, ErrNoFootage
	} else if err != nil {
		return r, err
	}
	key, err := footage.NewKey(secret)
	if err != nil {
		return r, err
	}
	d, err := openFootageDisk(state, c, false)
	if err != nil {
		return r, err
	}
	defer d.Close() // what was written is synced
	store, err := footage.Open(ctx, footage.Config{FS: d, Home: id.Home, Key: key, Clock: clock.New(clock.Config{}), Keep: c.Keep, Log: log})
	if err != nil {
		return r, err
	}
	r.Report, err = store.Check(ctx, told)
	s := store.Status()
	r.Repaired, r.Forgotten, r.Unopened = s.Repaired, s.Forgotten, s.Unopened
	return r, errors.Join(err, store.Close())
}
