// Package crash rehearses what power, disks and operators do to a server and to an agent at
// the worst moment. Each trial is a home of its own with the real server, archive, blobs,
// spool and uplink, in this process, on disks that forget what was not synced. People come
// and go, a camera sees things, and meanwhile the machines are harmed before each operation
// of their disks in turn: killed, without power, torn, full, unable to sync. Every so-manyth
// trial is one with a backup instead, which is put back after more has happened. In the end
// everything that was said to be done has to be so.
package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// Config says how much is rehearsed.
type Config struct {
	Trials int            // how many
	First  int            // number of the first; what befalls a trial follows from seed and number
	Seed   uint64         // where chance comes from
	Dir    string         // for the trials with a backup, which need a real folder
	Tell   func(done int) // is told how many have ended, from several goroutines
}

// Result is what came of it.
type Result struct {
	Trials   int            `json:"trials"`   // that came to their end; a drill that has failed for sure ends early
	Restored int            `json:"restored"` // of them: in which a backup was put back
	Seed     uint64         `json:"seed"`
	Harms    map[string]int `json:"harms"`   // what befell the machines, by name
	Steps    int            `json:"steps"`   // operations of the server's disk in a trial that nothing befalls
	Seconds  float64        `json:"seconds"` // that all of it took
	Broken   int            `json:"broken"`  // trials that did not come to their end
	tally
	Verdict string `json:"verdict"` // pass or fail
}

// tally is what is counted of trials.
type tally struct {
	Acked           int      `json:"acked"`            // objects that were said to be kept
	AckedLost       int      `json:"acked_lost"`       // of them: that are gone
	Duplicates      int      `json:"duplicates"`       // that are there twice
	Disagreements   int      `json:"disagreements"`    // of index and blobs, or of what is shown with what was seen
	RevocationsBack int      `json:"revocations_back"` // removals, sign-outs and deeds that were said to be done
	Left            int      `json:"left"`             // stored although deleted before they came; a server drops them in a week
	Says            []string `json:"says,omitempty"`   // the first of what is wrong, with the trial's number
}

// mostSays is how much of what is wrong is told.
const mostSays = 20

// say notes one thing that is wrong, for people.
func (t *tally) say(format string, args ...any) {
	if len(t.Says) < mostSays {
		t.Says = append(t.Says, fmt.Sprintf(format, args...))
	}
}

// Passed says whether everything that was said to be done was so, and the drill proves
// something.
func (r Result) Passed() bool { return r.Verdict == "pass" }

// enough is in how many trials something is wrong when a drill ends early: it has failed, and
// what is wrong takes its time.
const enough = 3

// restoreEvery is how often a trial is one with a backup.
const restoreEvery = 20

// Run rehearses. It returns an error if it could not begin, or ctx ended.
func Run(ctx context.Context, c Config) (r Result, err error) {
	began := time.Now()
	r = Result{Trials: c.Trials, Seed: c.Seed, Harms: map[string]int{}}
	image, err := newImage(ctx)
	if err != nil {
		return r, fmt.Errorf("make a cloud: %w", err)
	}
	quiet, err := live(ctx, image.Clone(), plan{seed: c.Seed})
	if err != nil || len(quiet.Says) > 0 { // the power is cut at its end, as at that of all
		r.add(-1, quiet, err)
		r.judge()
		return r, ctx.Err()
	}
	r.Steps = quiet.cloudSteps
	var mu sync.Mutex // protects r
	var next, done, wrong atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for ctx.Err() == nil && wrong.Load() < enough {
				number := c.First + int(next.Add(1)) - 1
				if number >= c.First+c.Trials {
					return
				}
				var l lived
				var err error
				if number%restoreEvery == restoreEvery-1 {
					l, err = restored(ctx, filepath.Join(c.Dir, strconv.Itoa(number)), chance(c.Seed, number).Uint64())
				} else {
					l, err = live(ctx, image.Clone(), planOf(c.Seed, number, quiet.cloudSteps, quiet.boxSteps))
				}
				mu.Lock()
				if r.add(number, l, err) {
					wrong.Add(1)
				}
				mu.Unlock()
				c.Tell(int(done.Add(1)))
			}
		})
	}
	workers.Wait()
	r.Trials = int(done.Load())
	r.Seconds = time.Since(began).Seconds()
	r.judge()
	return r, ctx.Err()
}

// newImage is the disk of a server that has been started once.
func newImage(ctx context.Context) (*durabletest.Forgetful, error) {
	disk := durabletest.New()
	c := newCloud(disk, nil)
	return disk, errors.Join(c.begin(ctx), c.end())
}

// add counts a trial, and says whether something is wrong in it.
func (r *Result) add(number int, l lived, err error) (wrong bool) {
	if err != nil {
		r.Broken++
		r.say("trial %d: %v", number, err)
	}
	if l.restored {
		r.Restored++
	}
	for _, h := range l.harms {
		r.Harms[h.String()]++
	}
	if l.trial == nil {
		return true
	}
	r.Acked += l.Acked
	r.AckedLost += l.AckedLost
	r.Duplicates += l.Duplicates
	r.Disagreements += l.Disagreements
	r.RevocationsBack += l.RevocationsBack
	r.Left += l.Left
	for _, s := range l.Says {
		r.say("trial %d: %s", number, s)
	}
	return err != nil || len(l.Says) > 0
}

// judge decides. A drill in which something never befell a machine proves nothing.
func (r *Result) judge() {
	r.Verdict = "pass"
	if r.AckedLost+r.Duplicates+r.Disagreements+r.RevocationsBack+r.Broken > 0 || r.Acked == 0 {
		r.Verdict = "fail"
	}
	for h := range harms {
		if r.Harms[h.String()] == 0 {
			r.Verdict = "fail"
			r.say("what never happened: %s", h)
		}
	}
	if r.Restored == 0 {
		r.Verdict = "fail"
		r.say("what never happened: a backup was put back")
	}
}

// plan is what befalls a trial.
type plan struct {
	seed       uint64
	cloud, box []strike
}

// chance is that of a trial.
func chance(seed uint64, number int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(number))) }

// planOf makes the plan of a trial. The first strike goes through the steps of a disk one
// after the other, so that with enough trials none is left out; what follows is chance.
func planOf(seed uint64, number, cloudSteps, boxSteps int) plan {
	random := chance(seed, number)
	p := plan{seed: random.Uint64()}
	one := func(at int) strike {
		return strike{harm: harm(random.IntN(int(harms))), at: at, failing: 1 + random.IntN(12)}
	}
	some := func(number, steps int) []strike {
		all := []strike{one(1 + number%steps)}
		for random.IntN(2) == 0 { // and while it starts again, or later
			all = append(all, one(1+random.IntN(steps)))
		}
		return all
	}
	switch random.IntN(4) {
	case 0:
		p.box = some(number/4, boxSteps)
	case 1:
		p.cloud, p.box = some(number, cloudSteps), some(random.IntN(boxSteps), boxSteps)
	default:
		p.cloud = some(number, cloudSteps)
	}
	return p
}
