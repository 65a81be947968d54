// Package agent is the home half of Latchkey: the program that has the cameras'
// passwords, sees the pictures, and seals them before they leave the house.
//
// An [Agent] is made of rooms: package event watches each camera, the recorder seals
// what happens into package spool, and package uplink carries that to the server.
// Everything that must outlive the program is in one folder, its [State]. [Join] gives
// the agent a home; [State.AddCamera] gives it a camera.
//
// Nothing here can open what was sealed: an agent never holds the private key of an
// epoch, and this package must not reach package open.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
)

// Config is what [New] must know.
type Config struct {
	// Folder holds the agent's state; [Join] has been there.
	Folder string

	// SpoolBytes bounds what waits for the server. 8 GiB if zero.
	SpoolBytes int64

	// Footage is where and how much is recorded without end.
	Footage FootageConfig

	// HTTP is used for everything that goes to the server. A client without proxy
	// and with bounded waits if nil.
	HTTP *http.Client

	// Watch watches one camera until its context ends. [event.Watch] if nil.
	Watch func(context.Context, event.Config) error

	// Clock is the machine's clocks; the real ones if nil.
	Clock clock.Source

	// Version is the program's, which the home's people are told.
	Version string

	// Retry is the first wait after the server could not be reached; it doubles up to
	// a minute. A second if zero.
	Retry time.Duration

	// Disk, if there is one, is what the agent sees of its folder's disk. It is for
	// tests, whose disks are full or hang.
	Disk func(durable.FS) durable.FS

	// Log is told what happens; nobody if nil. At level debug there is a line
	// "stage" for every step of an event.
	Log *slog.Logger
}

// Agent is one start of the agent of a home.
type Agent struct {
	config     Config
	log        *slog.Logger
	state      *State
	lock       *lock
	identity   identity
	keys       *key.AgentKeys
	start      *uplink.Start
	chain      *uplink.Chain
	spool      *spool.Spool
	tombstones *uplink.Tombstones // what was deleted
	recorder   *recorder
	archive    *archive
	uplink     *uplink.Uplink
	clock      *clock.Clock
	began      time.Time
	commands   *commands
	live       *liveView
	views      views                     // live first, then the porch's if there is one
	porch      atomic.Pointer[porchLine] // nil: there is none; its server asks at any time
	kick       chan struct{}             // holds one: the cameras are to be looked at now

	conditions atomic.Uint64 // number of the last one

	mu      sync.Mutex // protects cameras, settings and before
	cameras map[latchkey.CameraID]*watched
	home    homeSettings
	before  *key.AgentKeys // that the keys have replaced, while the settings are sealed to them; nil for none
}

// Errors of [New] that a person can do something about.
var (
	// ErrNotJoined: the folder belongs to no home.
	ErrNotJoined = errors.New("this agent belongs to no home yet: ask the home's owner for a join link and run latchkey agent join LINK")
	// ErrRunning: another agent runs in the folder.
	ErrRunning = errors.New("another agent is running in this folder: two would take each other's place at the server. Stop the other one first")
)

// errUnusable: what only this agent could have is gone. A copy of it from a backup
// would be found out by the server; new keys are the way on.
var errUnusable = errors.New("this agent cannot go on as itself. Choose Give it new keys beside it on the home's page, and run latchkey agent join --replace with the link that you get there")

// unusable explains what is wrong with a file, unless the disk is what is wrong.
func unusable(err error) error {
	if _, disk := errors.AsType[*fs.PathError](err); disk && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w. (%w)", errUnusable, err)
}

// New starts the agent of a folder: it takes the next incarnation and looks through
// the spool. It records and uploads while [Agent.Run] runs.
func New(ctx context.Context, c Config) (_ *Agent, err error) {
	a := &Agent{config: c, log: c.Log, began: time.Now(), kick: make(chan struct{}, 1), cameras: map[latchkey.CameraID]*watched{}}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.config.Watch == nil {
		a.config.Watch = event.Watch
	}
	if a.state, err = openExisting(c.Folder, c.Disk); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(explainDisk(err, c.Folder), a.Close())
		}
	}()
	if a.identity, err = a.state.identity(); errors.Is(err, errNotJoined) {
		return nil, fmt.Errorf("%w%s", ErrNotJoined, a.state.hint())
	} else if err != nil {
		return nil, err
	}
	if !a.identity.Placed {
		return nil, fmt.Errorf("%w (a join was begun here and not finished: the same link goes on with it)", ErrNotJoined)
	}
	if a.lock, err = takeLock(c.Folder, lockFile, false); errors.Is(err, errLocked) {
		return nil, ErrRunning
	} else if err != nil {
		return nil, err
	}
	if a.identity, err = a.state.settled(); err != nil {
		return nil, notJoined(err)
	}
	if warning := networkFileSystem(c.Folder); warning != "" {
		a.log.Warn(warning)
	}
	if err := a.load(); err != nil {
		return nil, err
	}
	return a, nil
}

// load reads what the last start left, in an order in which nothing is sealed under a
// number that is not on the disk.
func (a *Agent) load() (err error) {
	if a.keys, err = key.LoadAgent(a.state.path(keysFile)); err != nil {
		return unusable(err)
	}
	if err := durable.Sweep(a.state.dir, "."); err != nil {
		return err
	}
	if err := a.state.dir.watch(a.diskBack); err != nil {
		return err
	}
	a.clock = clock.New(clock.Config{Source: a.config.Clock, FS: a.state.dir, Name: clockFile, Log: a.log})
	if a.start, err = uplink.NextStart(a.state.dir, startFile); err != nil {
		return unusable(err)
	}
	if a.chain, err = a.loadChain(); err != nil {
		return err
	}
	if err := uplink.Parted(a.chain.Title(), a.keys); err != nil {
		return err
	}
	a.loadSettings()
	spoolKey, fresh, err := spool.LoadKey(a.state.dir, spoolKeyFile)
	if err != nil {
		return err
	}
	if err := a.openSpool(spoolKey); err != nil {
		return err
	}
	if s := a.spool.Status(); fresh && s.Damaged > 0 {
		a.log.Error("the spool's key was missing or unusable: what had been recorded and not uploaded cannot be", "objects", s.Damaged)
	}
	a.recorder = &recorder{
		clock: a.clock, keys: a.keys, chain: a.chain, incarnation: a.start.Incarnation(),
		spool: a.spool, names: a.names, log: a.log, sequences: map[latchkey.CameraID]uint64{},
	}
	if t := a.chain.Title(); t != nil {
		a.recorder.handedOver = t.HandedOver() // nothing has begun yet
	}
	a.tombstones, err = uplink.LoadTombstones(a.state.dir, tombstonesFile, a.identity.Home, a.log)
	if err != nil {
		return err
	}
	client, err := trusting(a.config.HTTP, a.identity.Server, a.identity.Trust)
	if err != nil {
		return unusable(err)
	}
	a.archive = newArchive(a)
	a.end()
	a.commands, a.live = newCommands(a), newLiveView(a)
	a.views = views{a.live}
	a.uplink, err = uplink.New(uplink.Config{
		Server: a.identity.Server, Home: a.identity.Home, Keys: a.keys, Chain: a.chain, Start: a.start, Spool: a.spool, Tombstones: a.tombstones, Buried: a.buried,
		HTTP: client, Retry: a.config.Retry, Log: a.log,
		Wishes: a.wishes, Settings: a.takeSettings, Acknowledged: a.recorder.acknowledged, Heard: a.clock.Hear, Surely: a.surely,
		Command: a.commands.take, Condition: a.condition, Wanted: a.live.want, Knock: a.live.knock,
	})
	a.live.uplink = a.uplink
	return err
}

// loadChain reads the deeds. If their file is damaged they are asked for again from
// the first, which is as safe as at a join: the home's ID is that of its first deed.
func (a *Agent) loadChain() (*uplink.Chain, error) {
	chain, err := uplink.LoadChain(a.state.dir, deedsFile, a.identity.Home)
	if err == nil {
		return chain, nil
	}
	a.log.Error("the file of deeds cannot be read; it is kept as deeds.damaged, and the server is asked for all of them", "reason", err)
	if err := durable.Move(a.state.dir, deedsFile, deedsFile+".damaged"); err != nil {
		return nil, err
	}
	return uplink.LoadChain(a.state.dir, deedsFile, a.identity.Home)
}

func (a *Agent) openSpool(k spool.Key) error {
	room, err := a.state.dir.room(spoolDir)
	if err != nil {
		return err
	}
	a.spool, err = spool.Open(spool.Config{
		FS: room, Home: a.identity.Home, Key: k, Capacity: a.config.SpoolBytes, Free: a.state.dir.free, Log: a.log,
	})
	return err
}

// leave is how long the rooms have to come to their end: longer than a tired SD card takes for
// a clip, and less than a service is given (deploy/systemd) before it is killed.
const leave = 25 * time.Second

// Run records and uploads until ctx ends, and then returns nil. Another end is an
// error that no waiting would mend, in words for people.
func (a *Agent) Run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var rooms sync.WaitGroup
	all := []func(context.Context) error{a.uplink.Run, a.watchCameras, a.keepStatus, a.commands.run, a.live.run, a.clock.Run, a.keepDisk, a.archive.run}
	if p := a.porch.Load(); p != nil {
		all = append(all, p.run, p.live.run)
	}
	for _, room := range all {
		rooms.Go(func() {
			if err := room(ctx); err != nil {
				stop(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); rooms.Wait() }()
	<-ctx.Done()
	select {
	case <-done:
	case <-time.After(leave):
		a.log.Error("a disk does not answer; the agent ends all the same")
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close lets go of the folder. Run has returned.
func (a *Agent) Close() error {
	var errs []error
	if a.lock != nil {
		errs = append(errs, a.lock.release())
	}
	return errors.Join(append(errs, a.state.Close())...)
}
