package agent_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// ill is an agent's disk with a trouble that a test gives it and takes away.
type ill struct {
	durable.FS
	*illness
}

type illness struct {
	mu      sync.Mutex                  // protects trouble
	trouble func(op, name string) error // nil if the disk is well
}

func (i *illness) wrap(f durable.FS) durable.FS { return ill{f, i} }

func (i *illness) set(trouble func(op, name string) error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.trouble = trouble
}

func (i *illness) of(op, name string) error {
	i.mu.Lock()
	trouble := i.trouble
	i.mu.Unlock()
	if trouble == nil {
		return nil
	}
	return trouble(op, name)
}

func (i ill) OpenFile(name string, flag int) (durable.File, error) {
	if flag&(os.O_CREATE|os.O_WRONLY|os.O_RDWR) != 0 {
		if err := i.of("create", name); err != nil {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
	return i.FS.OpenFile(name, flag)
}

// onDemand is a camera in which something happens whenever the test wants it.
type onDemand struct {
	wanted  chan struct{}
	results chan error
	watches atomic.Int32 // how often it was begun to watch
	mu      sync.Mutex   // protects ids
	ids     []latchkey.EventID
}

func newOnDemand() *onDemand {
	return &onDemand{wanted: make(chan struct{}), results: make(chan error, 100)}
}

func (o *onDemand) watch(ctx context.Context, c event.Config) error {
	o.watches.Add(1)
	c.Status(event.Status{Camera: c.Camera, Main: camera.Status{State: camera.Receiving}, Looking: true, Recording: true})
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-o.wanted:
			id, began, ended := happen(ctx, c)
			err := errors.Join(began, ended)
			if err == nil {
				o.mu.Lock()
				o.ids = append(o.ids, id)
				o.mu.Unlock()
			}
			o.results <- err
		}
	}
}

// one has something happen, and returns what the sink said.
func (o *onDemand) one() error {
	select {
	case o.wanted <- struct{}{}:
	case <-time.After(20 * time.Second):
		return errors.New("the camera is not watched")
	}
	return <-o.results
}

// placed has the agent run with a camera on demand that the owner has placed.
func (h *house) placed(c agent.Config) (*agent.Agent, *onDemand, func() error) {
	h.t.Helper()
	o := newOnDemand()
	c.Watch = o.watch
	h.describe("Yard")
	a, stop := h.run(c)
	h.until("the camera is placed", func() bool {
		if _, err := h.owner.placeAsked(h.ctx); err != nil {
			h.t.Fatal(err)
		}
		return o.watches.Load() > 0
	})
	return a, o, stop
}

// arrived wants everything that was acknowledged to the camera to have arrived.
func (h *house) arrived(a *agent.Agent, o *onDemand) {
	h.t.Helper()
	h.until("everything is uploaded", func() bool { return drained(a) })
	all, err := h.owner.look(h.ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, id := range o.ids {
		if err := whole(id, all[id], latchkey.Thumbnail, latchkey.Description, latchkey.Clip); err != nil {
			h.t.Error(err)
		}
	}
}

// TestDiskGoneAndBack takes the disk away from a running agent: its mount point is an
// empty folder then. Nothing is written there, the camera goes on, the status says what
// to do, and when the disk is mounted again all is as before.
func TestDiskGoneAndBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, o, stop := h.placed(agent.Config{})
	if err := o.one(); err != nil {
		t.Fatal(err)
	}
	h.until("everything is uploaded", func() bool { return drained(a) })

	away := filepath.Join(t.TempDir(), "unplugged")
	if err := errors.Join(os.Rename(h.folder, away), os.Mkdir(h.folder, 0o700)); err != nil {
		t.Fatal(err)
	}
	h.until("the agent notices", func() bool { return errors.Is(o.one(), spool.ErrAway) })
	if s := a.Status(); s.Spool.Health != spool.Away || !strings.Contains(s.Spool.Says(), "mount it at the same place") || s.Uplink.State != uplink.Connected {
		t.Errorf("status %+v, %+v", s.Spool, s.Uplink)
	}
	if err := os.WriteFile(filepath.Join(h.folder, "folder.id"), []byte("another agent's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond) // it is looked once a second
	if err := o.one(); !errors.Is(err, spool.ErrAway) {
		t.Errorf("another agent's folder was taken for its own: %v", err)
	}
	if entries, err := os.ReadDir(h.folder); err != nil || len(entries) != 1 {
		t.Errorf("something was written where the disk is not mounted: %v, %v", entries, err)
	}

	// Mounted again, it is another folder to the system, with the same content.
	other := filepath.Join(t.TempDir(), "other")
	if err := errors.Join(os.CopyFS(other, os.DirFS(away)), os.RemoveAll(away), os.RemoveAll(h.folder), os.Rename(other, h.folder)); err != nil {
		t.Fatal(err)
	}
	h.until("the agent goes on", func() bool { return o.one() == nil })
	if s := a.Status(); s.Spool.Health != spool.Healthy || o.watches.Load() != 1 {
		t.Errorf("afterwards %+v; the camera was begun %d times", s.Spool, o.watches.Load())
	}
	h.arrived(a, o)
	if _, err := agent.New(h.ctx, agent.Config{Folder: h.folder}); !errors.Is(err, agent.ErrRunning) {
		t.Errorf("the folder that came back is not locked: %v", err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestFilesOfADiskThatIsGone: what was opened on a disk that was taken away takes nothing
// more, also when it would, as a folder does that was only unmounted or renamed, and also when
// a disk is there again.
func TestFilesOfADiskThatIsGone(t *testing.T) {
	t.Parallel()
	folder, away, other := t.TempDir(), filepath.Join(t.TempDir(), "unplugged"), filepath.Join(t.TempDir(), "other")
	old, fresh, err := agent.Opened(folder, func() {
		if err := errors.Join(os.Rename(folder, away), os.CopyFS(other, os.DirFS(away)), os.Rename(other, folder)); err != nil {
			t.Error(err)
		}
	})
	if !errors.Is(old, spool.ErrAway) || fresh != nil || err != nil {
		t.Errorf("a file of before takes %v, a new one %v (%v)", old, fresh, err)
	}
	if text, err := os.ReadFile(filepath.Join(away, "old")); string(text) != "before" {
		t.Errorf("the disk that is gone has %q, %v", text, err)
	}
	if text, err := os.ReadFile(filepath.Join(folder, "fresh")); string(text) != "after" {
		t.Errorf("the disk that is there has %q, %v", text, err)
	}
}

// TestDiskTroubles: a disk that becomes full, read-only or broken under an agent. What
// happens then is lost and counted, the camera goes on, the status says what to do, and
// it recovers by itself.
func TestDiskTroubles(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	var disk illness
	a, o, _ := h.placed(agent.Config{Disk: disk.wrap})
	lost := uint64(0)
	for _, trouble := range []struct {
		err  error
		want spool.Health
	}{{syscall.ENOSPC, spool.DiskFull}, {syscall.EROFS, spool.ReadOnly}, {syscall.EACCES, spool.Forbidden}, {syscall.EIO, spool.Failing}} {
		disk.set(func(_, _ string) error { return trouble.err })
		if err := o.one(); !errors.Is(err, trouble.err) {
			t.Errorf("%v: the sink said %v", trouble.err, err)
		}
		s := a.Status()
		if lost += 3; s.Spool.Health != trouble.want || s.Spool.Says() == "" || s.Spool.Lost != lost || o.watches.Load() != 1 {
			t.Errorf("%v: status %+v", trouble.err, s.Spool)
		}
		disk.set(nil)
		if err := o.one(); err != nil {
			t.Errorf("after %v: %v", trouble.err, err)
		}
		if s := a.Status(); s.Spool.Health != spool.Healthy {
			t.Errorf("after %v: status %+v", trouble.err, s.Spool)
		}
	}
	h.arrived(a, o)
}

// TestDiskHangs: a disk that does not answer, as an NFS server that is away. The agent
// says how it is doing, stays connected, and goes on when it answers.
func TestDiskHangs(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	var disk illness
	a, o, _ := h.placed(agent.Config{Disk: disk.wrap})
	answers := make(chan struct{})
	hung := make(chan struct{}, 1000)
	disk.set(func(_, name string) error {
		if strings.HasPrefix(name, "spool/") {
			hung <- struct{}{}
			<-answers
		}
		return nil
	})
	o.wanted <- struct{}{}
	<-hung
	said := make(chan agent.Status)
	go func() { said <- a.Status() }()
	select {
	case s := <-said:
		if s.Uplink.State != uplink.Connected || len(s.Cameras) != 1 {
			t.Errorf("status %+v", s)
		}
	case <-time.After(20 * time.Second):
		t.Error("while the disk hangs the agent does not say how it is doing")
	}
	close(answers)
	if err := <-o.results; err != nil {
		t.Error(err)
	}
	h.arrived(a, o)
}

// TestStartOnAnIllDisk: a service does not end and begin again for ever, it waits.
func TestStartOnAnIllDisk(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	for want, trouble := range map[string]error{"Make room": syscall.ENOSPC, "only be read": syscall.EROFS, "gives errors": syscall.EIO} {
		var disk illness
		disk.set(func(_, _ string) error { return trouble })
		attempts := 0
		var told []string
		c := agent.Config{Folder: h.folder, Disk: func(f durable.FS) durable.FS {
			if attempts++; attempts == 5 {
				disk.set(nil)
			}
			return disk.wrap(f)
		}}
		a, err := agent.Start(h.ctx, c, time.Millisecond, func(s string) { told = append(told, s) })
		if err != nil {
			t.Errorf("%v: %v", trouble, err)
			continue
		}
		if attempts != 5 || len(told) != 1 || !strings.Contains(told[0], want) || !strings.Contains(told[0], h.folder) {
			t.Errorf("%v: %d attempts, told %q", trouble, attempts, told)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
	ctx, stop := context.WithCancel(h.ctx)
	stop()
	var disk illness
	disk.set(func(_, _ string) error { return syscall.ENOSPC })
	if _, err := agent.Start(ctx, agent.Config{Folder: h.folder, Disk: disk.wrap}, time.Hour, func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped while it waits: %v", err)
	}
}

// TestEmptyMountPoint: an agent is not told to join anew because its disk is missing.
func TestEmptyMountPoint(t *testing.T) {
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "lost+found"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := agent.New(t.Context(), agent.Config{Folder: folder})
	if !errors.Is(err, agent.ErrNotJoined) || !strings.Contains(err.Error(), "is that mounted?") {
		t.Errorf("start: %v", err)
	}
}

// TestRestoredFolder restores last week's backup over an agent's folder. It would count
// its starts and objects again; the server finds it out, and no number is seen twice.
func TestRestoredFolder(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	_, o, stop := h.placed(agent.Config{})
	if err := errors.Join(o.one(), stop()); err != nil {
		t.Fatal(err)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	if err := os.CopyFS(backup, os.DirFS(h.folder)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		a, o, stop := h.placed(agent.Config{})
		if err := o.one(); err != nil {
			t.Fatal(err)
		}
		h.arrived(a, o)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.RemoveAll(h.folder), os.Rename(backup, h.folder)); err != nil {
		t.Fatal(err)
	}
	again := newOnDemand()
	a, err := agent.New(h.ctx, agent.Config{Folder: h.folder, Retry: 10 * time.Millisecond, Watch: again.watch})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() { ended <- errors.Join(a.Run(h.ctx), a.Close()) }()
	select {
	case err = <-ended:
	case again.wanted <- struct{}{}: // it records until it is found out
		if err := <-again.results; err != nil {
			t.Error(err)
		}
		err = <-ended
	}
	if !errors.Is(err, uplink.ErrCloned) || !strings.Contains(err.Error(), "restored from a backup") {
		t.Errorf("the restored agent ended with %v", err)
	}
	all, err := h.owner.look(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]sealed.Binding{}
	for _, objects := range all {
		for _, s := range objects {
			b := s.binding
			number := fmt.Sprint(b.AgentKey, b.Incarnation, b.Camera, b.Sequence)
			if other, twice := numbers[number]; twice {
				t.Errorf("objects %s and %s are both number %d of start %d", other.Object, b.Object, b.Sequence, b.Incarnation)
			}
			numbers[number] = b
		}
	}
	if len(numbers) < 9 {
		t.Errorf("%d objects have arrived, want the 9 from before the restoration", len(numbers))
	}
}
