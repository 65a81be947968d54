package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

const (
	footageDir     = "footage"      // in the agent's folder, if no other is named
	footageKeyFile = "footage.key"  // opens all of it; not on the footage's own disk
	footageOfFile  = "footage.of"   // the folder and its mark, so that no other is taken for it
	footageHand    = "footage.hand" // the deed that last handed the home over; nothing from before it is kept

	// footageTry is how often a disk is tried that cannot be used.
	footageTry = 5 * time.Second

	// footageLeave is how long a disk has to take what waits when the agent stops.
	footageLeave = 10 * time.Second
)

// FootageConfig says where and how much an agent records without end.
type FootageConfig struct {
	// Folder is where it is kept, a folder that is there; "footage" in the agent's own
	// folder if empty.
	Folder string

	// Keep is for how long and how much; docs/footage.md has the defaults.
	Keep footage.Keep

	// Disk, if there is one, is what is seen of the folder's disk. It is for tests.
	Disk func(durable.FS) durable.FS
}

// archive is the agent's footage: the store, as soon as its disk can be used, and the
// tapes of the cameras.
type archive struct {
	agent  *Agent
	stills chan stripShot // to be made for filmstrips, one at a time
	buried chan struct{}  // has one place: something was deleted

	mu    sync.Mutex // protects what follows
	store *footage.Store
	of    uint64 // the deed that last handed the home over, as far as what was before is gone
	why   error  // why there is no store; nil before it was tried
	since time.Time
	tapes map[latchkey.CameraID]*tapes
}

func newArchive(a *Agent) *archive {
	return &archive{agent: a, stills: make(chan stripShot, 1), buried: make(chan struct{}, 1), since: time.Now(), tapes: map[latchkey.CameraID]*tapes{}}
}

// run opens the store as soon as its disk can be used, and keeps what is kept within its
// bounds until ctx ends.
func (f *archive) run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { f.makeStills(ctx) })
	disk, err := f.open(ctx)
	if err != nil {
		return nil // it was stopped before
	}
	defer disk.Close()
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		f.clear(ctx)
		f.bury(ctx)
		if err := f.opened().Sweep(ctx); err != nil && ctx.Err() == nil {
			f.agent.log.Warn("keep footage within its bounds", "error", err)
		}
		changed := f.agent.chain.Changed()
		select {
		case <-ctx.Done():
			f.close()
			return nil
		case <-changed:
		case <-f.buried:
		case <-tick.C:
		}
	}
}

// open tries to open the store until it can. What is in the way the status says.
func (f *archive) open(ctx context.Context) (*disk, error) {
	for {
		d, store, err := f.tryOpen(ctx)
		f.mu.Lock()
		if health := footage.HealthOf(err); err != nil && (f.why == nil || health != footage.HealthOf(f.why)) {
			f.since = time.Now()
			f.agent.log.Error("footage cannot be kept", "health", string(health), "error", err)
		}
		f.store, f.why = store, err
		f.mu.Unlock()
		if err == nil {
			return d, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(footageTry):
		}
	}
}

func (f *archive) tryOpen(ctx context.Context) (*disk, *footage.Store, error) {
	a := f.agent
	c := a.config.Footage
	key, fresh, err := footage.LoadKey(a.state.dir, footageKeyFile)
	if err != nil {
		return nil, nil, err
	}
	d, err := openFootageDisk(a.state, c, true)
	if err != nil {
		return nil, nil, err
	}
	store, err := footage.Open(ctx, footage.Config{
		FS: d, Home: a.identity.Home, Key: key, Clock: a.clock, Keep: c.Keep, Free: d.free, Log: a.log,
	})
	if err != nil {
		return nil, nil, errors.Join(err, d.Close())
	}
	of, err := readHand(a.state.dir)
	if err != nil {
		return nil, nil, errors.Join(err, store.Close(), d.Close())
	}
	f.mu.Lock()
	f.of = of
	f.mu.Unlock()
	if s := store.Status(); fresh && s.Segments > 0 {
		a.log.Error("the footage's key was missing or unusable: what was recorded before cannot be read", "segments", s.Segments)
	}
	return d, store, nil
}

// readHand is the deed since which all that is kept is of those who live here.
func readHand(dir durable.FS) (uint64, error) {
	b, err := durable.ReadBytes(dir, footageHand, 20)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(string(b), 10, 64)
}

// openFootageDisk opens the folder of the footage. Where the disk is not mounted its mount
// point is an empty folder of another one, which must not be filled in its place: the
// agent's own folder remembers the mark of the folder that was used first.
func openFootageDisk(s *State, c FootageConfig, mayWrite bool) (*disk, error) {
	folder := c.Folder
	if folder == "" {
		folder = filepath.Join(s.folder, footageDir)
		if err := durable.MkdirAll(s.dir, footageDir); err != nil && mayWrite {
			return nil, err
		}
	}
	d, err := openDisk(folder, c.Disk)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: there is no folder %s", footage.ErrAway, folder)
	} else if err != nil {
		return nil, err
	}
	if err := knowFootageDisk(s, d, mayWrite); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// knowFootageDisk compares the folder's mark with the one that is remembered for it.
func knowFootageDisk(s *State, d *disk, mayWrite bool) error {
	kept, err := durable.ReadBytes(s.dir, footageOfFile, 8<<10)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	mark, err := durable.ReadBytes(d, markFile, 100)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case string(kept) == d.folder+"\n"+string(mark) && err == nil:
		return d.watch(nil)
	case strings.HasPrefix(string(kept), d.folder+"\n"):
		return fmt.Errorf("%w: %s is not the folder that footage was kept in", footage.ErrAway, d.folder)
	case !mayWrite:
		return fmt.Errorf("%w: no footage was kept in %s", footage.ErrAway, d.folder)
	}
	if err := d.watch(nil); err != nil {
		return err
	}
	return durable.WriteBytes(s.dir, footageOfFile, []byte(d.folder+"\n"+string(d.mark)))
}

// opened is the store, nil while its disk cannot be used.
func (f *archive) opened() *footage.Store {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.store
}

// closed is why there is no store, nil if there is one or it was not tried yet.
func (f *archive) closed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.why
}

// close ends what is being recorded. A disk that hangs is not waited for for ever.
func (f *archive) close() {
	f.mu.Lock()
	store := f.store
	f.mu.Unlock()
	for _, t := range f.tapesThat(func(latchkey.CameraID) bool { return true }) {
		t.end()
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := store.Close(); err != nil {
			f.agent.log.Warn("end the footage", "error", err)
		}
	}()
	select {
	case <-done:
	case <-time.After(footageLeave):
		f.agent.log.Error("the disk for footage does not answer; what waits for it is lost")
	}
}

// clear removes what was recorded before the home was handed over: it is of those who
// lived here before. Nothing is shown until it is gone.
func (f *archive) clear(ctx context.Context) {
	t := f.agent.chain.Title()
	if t == nil || f.ours(t.HandedOver()) {
		return
	}
	f.forget(func(latchkey.CameraID) bool { return true })
	for _, camera := range f.opened().Cameras() {
		if err := f.opened().Delete(ctx, camera, footage.Span{Until: latchkey.MaxInt}); err != nil {
			f.agent.log.Error("remove footage of those who lived here before", "error", err)
			return
		}
	}
	if err := durable.WriteBytes(f.agent.state.dir, footageHand, strconv.AppendUint(nil, t.HandedOver(), 10)); err != nil {
		f.agent.log.Error("note that footage of those who lived here before is gone", "error", err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.of = t.HandedOver()
}

// stir has [archive.bury] look soon.
func (f *archive) stir() {
	select {
	case f.buried <- struct{}{}:
	default:
	}
}

// bury removes what people of the home have had deleted. It looks for that itself, each
// time, and so it does not matter when the agent was told of it, or whether a crash came
// between.
func (f *archive) bury(ctx context.Context) {
	store := f.opened()
	for _, camera := range store.Cameras() {
		for _, gone := range f.deletedOf(store, camera) {
			f.forget(func(id latchkey.CameraID) bool { return id == camera })
			if err := store.Delete(ctx, camera, gone); err != nil {
				if ctx.Err() == nil {
					f.agent.log.Error("footage that people of the home have had deleted is not removed yet", "camera", camera.String(), "error", err)
				}
				return
			}
			f.agent.log.Info("footage was removed that people of the home have had deleted", "camera", camera.String())
		}
	}
}

// deletedOf are the spans of a camera's footage that were deleted and of which something
// is still there.
func (f *archive) deletedOf(store *footage.Store, camera latchkey.CameraID) (all []footage.Span) {
	for _, s := range f.agent.tombstones.Footage(camera) {
		if gone := (footage.Span{From: s.From, Until: s.To}); store.Holds(camera, gone) {
			all = append(all, gone)
		}
	}
	return all
}

// ours says whether all that is kept is of those who live here since that deed.
func (f *archive) ours(handedOver uint64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of == handedOver
}

// status is how the footage is doing.
func (f *archive) status() footage.Status {
	f.mu.Lock()
	store, why, since := f.store, f.why, f.since
	f.mu.Unlock()
	if store != nil {
		return store.Status()
	}
	return footage.Status{Health: footage.HealthOf(why), Since: since}
}
