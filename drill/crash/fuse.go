package crash

import (
	"errors"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// harm is what befalls a machine.
type harm int

const (
	killed   harm = iota // the process ends, and the disk has all that it wrote
	dark                 // the power is cut, and the disk forgets what was not synced
	partly               // the disk has written some files of it anyway
	torn                 // the disk has written some sectors of it
	full                 // the disk has no room for a while
	unsynced             // the disk fails to sync a few times, and what it was given is lost
	harms
)

var harmNames = [harms]string{"killed", "power cut", "power cut, some of it written", "power cut, torn", "disk full", "sync failed"}

func (h harm) String() string { return harmNames[h] }

// ends says whether the machine ends with the harm.
func (h harm) ends() bool { return h <= torn }

// strike is a harm before the so-manyth operation of a disk, 1 for the next.
type strike struct {
	harm    harm
	at      int
	failing int // how many operations, or syncs, fail; of a harm with which nothing ends
}

// errEnded is what a program is told whose machine has ended.
var errEnded = errors.New("the machine has ended")

// fuse harms a disk, once or several times.
type fuse struct {
	struck chan struct{} // is told when the machine has to end

	mu      sync.Mutex // protects what follows
	count   int        // operations since strikes were laid
	now     strike     // that comes next, or is under way; its at is 0 if there is none
	failing int        // of a strike under way
	then    []strike   // each counted from the end of the one before
	done    []harm     // what has befallen the disk
	ended   bool       // the machine has
	serving bool       // somebody waits for struck
	onward  chan struct{}
}

func newFuse() *fuse { return &fuse{struck: make(chan struct{}, 1), onward: make(chan struct{})} }

// lay has those strikes befall the disk from now on, and no others.
func (f *fuse) lay(strikes ...strike) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.then, f.failing, f.count = strikes, 0, 0
	f.next()
}

// next goes on to the next strike. Its caller holds mu.
func (f *fuse) next() {
	f.now = strike{}
	if len(f.then) > 0 {
		f.now, f.then = f.then[0], f.then[1:]
	}
}

// serve says that somebody waits for struck. From now on whoever is at the disk when the
// machine ends stands still: nothing says anything after its end.
func (f *fuse) serve() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serving = true
}

// release lets whoever stands still see that the machine has ended, and says whether it has.
func (f *fuse) release() (ended bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serving = false
	close(f.onward)
	f.onward = make(chan struct{})
	return f.ended
}

// mend makes the disk a new machine's, and says with what the last one ended.
func (f *fuse) mend() harm {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended = false
	select {
	case <-f.struck:
	default:
	}
	return f.done[len(f.done)-1]
}

// before is the disk's hook.
func (f *fuse) before(op, _ string) error {
	f.mu.Lock()
	f.count++
	if !f.ended && f.now.at > 0 && f.failing == 0 {
		if f.now.at--; f.now.at == 0 {
			f.strike()
		}
	}
	if f.ended {
		stand, onward := f.serving, f.onward
		f.mu.Unlock()
		if stand {
			<-onward
		}
		return errEnded
	}
	defer f.mu.Unlock()
	return f.fail(op)
}

// strike begins the harm whose turn it is. Its caller holds mu.
func (f *fuse) strike() {
	f.done = append(f.done, f.now.harm)
	if !f.now.harm.ends() {
		f.failing = f.now.failing
		return
	}
	f.ended = true
	f.struck <- struct{}{}
	f.next()
}

// fail says how an operation fails on a disk that goes on. Its caller holds mu.
func (f *fuse) fail(op string) (err error) {
	switch {
	case f.failing == 0:
		return nil
	case f.now.harm == full:
		f.failing--
		if op == "write" || op == "create" || op == "mkdir" {
			err = syscall.ENOSPC
		}
	case op == "sync":
		f.failing--
		err = durabletest.ErrLost
	}
	if f.failing == 0 {
		f.next()
	}
	return err
}

// operations is how many there were since strikes were laid.
func (f *fuse) operations() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count
}

// befell is what has befallen the disk.
func (f *fuse) befell() []harm {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done
}

// crash is what the end of a machine does to its disk.
func crash(disk *durabletest.Forgetful, h harm, random *rand.Rand) {
	half := func() bool { return random.IntN(2) == 0 }
	switch h {
	case killed:
		disk.CrashKeeping(func() bool { return true })
	case partly:
		disk.CrashKeeping(half)
	case torn:
		disk.CrashTearing(half)
	default:
		disk.Crash()
	}
}
