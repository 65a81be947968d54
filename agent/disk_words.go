package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"syscall"
	"time"

	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// diskTrouble is an error of the agent's disk in words for people.
type diskTrouble struct {
	says string
	err  error
}

func (t *diskTrouble) Error() string { return t.says }
func (t *diskTrouble) Unwrap() error { return t.err }

// explainDisk puts an error of the agent's disk into words; others stay as they are.
func explainDisk(err error, folder string) error {
	says := ""
	switch {
	case errors.Is(err, errUnusable), errors.Is(err, ErrNotJoined):
		return err
	case errors.Is(err, fs.ErrPermission):
		name := "USER"
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		says = fmt.Sprintf("The agent runs as %s, and may not read or write all of its folder. Give it back: sudo chown -R %s %s", name, name, folder)
	case errors.Is(err, syscall.EROFS):
		says = fmt.Sprintf("The disk with the agent's folder %s can only be read. Disks do that when they fail: check it (dmesg says why), and mount it for writing again.", folder)
	case durable.Full(err):
		says = fmt.Sprintf("The disk with the agent's folder %s is full. Make room on it.", folder)
	case errors.Is(err, spool.ErrAway):
		says = fmt.Sprintf("The disk with the agent's folder %s is not there. Plug it in and mount it at the same place.", folder)
	case errors.Is(err, syscall.EIO), errors.Is(err, syscall.ESTALE), errors.Is(err, syscall.ENODEV):
		says = fmt.Sprintf("The disk with the agent's folder %s gives errors. Check it: dmesg says more.", folder)
	default:
		return err
	}
	return &diskTrouble{says, err}
}

// Start is [New] for a service. If the disk is what is in the way it waits until it is
// not, instead of ending and being started again for ever: told hears what is wrong,
// once for each trouble. Every looks as often as it says; 10 s if zero.
func Start(ctx context.Context, c Config, every time.Duration, told func(sentence string)) (*Agent, error) {
	if every == 0 {
		every = 10 * time.Second
	}
	last := ""
	for {
		a, err := New(ctx, c)
		trouble, disk := errors.AsType[*diskTrouble](err)
		if err == nil || !disk || errors.Is(err, fs.ErrPermission) {
			return a, err
		}
		if trouble.says != last {
			last = trouble.says
			told(last)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(every):
		}
	}
}

// diskBack takes the lock of the folder that has come back: meanwhile another agent
// could have been started there.
func (a *Agent) diskBack() error {
	l, err := takeLock(a.config.Folder, lockFile, false)
	if err != nil {
		return err
	}
	a.log.Info("the disk with the agent's folder is there again")
	before := a.lock
	a.lock = l
	return before.release()
}

// free is how many bytes the disk has free for this user.
func (d *disk) free() (int64, error) {
	free, err := d.ask()
	if err != nil {
		d.lastFree.Store(0)
		return 0, err
	}
	d.lastFree.Store(free + 1)
	return free, nil
}

// ask asks the folder that is open and not its path, which leads to another disk as soon as
// this one is taken away.
func (d *disk) ask() (int64, error) {
	if _, err := d.here(); err != nil {
		return 0, err
	}
	d.mu.Lock()
	dir := d.dir
	d.mu.Unlock()
	f, err := dir.OpenFile(".", os.O_RDONLY)
	if err != nil {
		return 0, fmt.Errorf("ask how full the disk is: %w", err)
	}
	defer f.Close() // read only
	return freeBytes(f.(*os.File))
}

// keepDisk looks at the disk now and then, so that the status can say how much is free
// without waiting for it.
func (a *Agent) keepDisk(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		_, _ = a.state.dir.free() // the spool's health says what is wrong
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
