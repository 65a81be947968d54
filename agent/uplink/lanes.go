package uplink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/comeback"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// believed is how many objects in a row are set aside because the server refuses them
// for good. One that refuses everything is broken, and waiting may mend it.
const believed = 3

// mostObjectPause is the longest wait of one object that goes wrong again and again
// while others get through.
const mostObjectPause = 15 * time.Minute

// verifications is how often the server may say that a body is wrong which is right
// here, before the object is set aside.
const verifications = 3

// retry is when an object that went wrong is tried again.
type retry struct {
	pause  comeback.Pause
	after  time.Time
	doubts int // times that the server found the body wrong, and it was right here
}

// lane is one worker that carries objects of some kinds.
type lane struct {
	u     *Uplink
	kinds []latchkey.Kind
	pause comeback.Pause
}

// carry uploads objects of these kinds, one at a time, until ctx ends.
func (u *Uplink) carry(ctx context.Context, kinds ...latchkey.Kind) {
	l := &lane{u: u, kinds: kinds, pause: comeback.Pause{Least: u.config.Retry, Most: u.config.MostRetry}}
	for ctx.Err() == nil {
		added := u.config.Spool.Changed()
		welcomed, ready := u.verified()
		var item spool.Item
		var ok bool
		var again time.Duration
		if ready {
			item, again, ok = l.next()
		}
		if !ok {
			wait(ctx, again, added, welcomed)
			continue
		}
		err := u.upload(ctx, item)
		if ctx.Err() != nil {
			return
		}
		if pause := l.settle(item, err); pause > 0 {
			if sleep(ctx, pause) != nil {
				return
			}
		}
	}
}

// wait returns when something may have changed; for ever is at most a minute.
func wait(ctx context.Context, d time.Duration, added, welcomed <-chan struct{}) {
	if d == 0 {
		d = time.Minute
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-added:
	case <-welcomed:
	case <-t.C:
	}
}

// sleep waits, and returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next takes the most urgent object of the lane that need not wait; if all must, it
// says how long.
func (l *lane) next() (item spool.Item, again time.Duration, ok bool) {
	u := l.u
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	item, ok = u.config.Spool.Next(func(i spool.Item) bool {
		if !slices.Contains(l.kinds, i.Name.Kind) {
			return false
		}
		r := u.retries[i.Name.Object]
		if r == nil || !r.after.After(now) {
			return true
		}
		if d := r.after.Sub(now); again == 0 || d < again {
			again = d
		}
		return false
	})
	return item, again, ok
}

// verdict is what becomes of an object after an attempt.
type verdict int

const (
	done     verdict = iota // acknowledged
	gone                    // damaged; the spool has set it aside
	atOnce                  // something was learnt that makes it worth trying again now
	later                   // this object's trouble; others may go
	laneWait                // everybody's trouble
	never                   // refused for good
	doubt                   // the server finds the body wrong
)

// final are the refusals that no later attempt would change.
var final = []api.Reason{
	api.Different, api.Oversize, api.Malformed,
	api.Reason(sealed.OldVersion), api.Reason(sealed.BadSignature),
	api.Reason(sealed.WrongHome), api.Reason(sealed.WrongCamera), api.Reason(sealed.WrongDay),
	api.Reason(sealed.WrongKind), api.Reason(sealed.WrongObject),
	api.Reason(sealed.FormerSigner), // recorded after the camera was released, or by a copy of this agent
}

// judge says what an attempt's error means.
func judge(err error) verdict {
	switch {
	case err == nil:
		return done
	case errors.Is(err, spool.ErrDamaged), errors.Is(err, spool.ErrGone):
		return gone
	case errors.Is(err, errLearnt):
		return atOnce
	case isProtocol(err), errors.Is(err, ErrOtherChain):
		return laneWait
	}
	reason := api.ReasonOf(err)
	switch {
	case reason == "":
		return laneWait // the network
	case slices.Contains(final, reason):
		return never
	case reason == api.Reason(sealed.WrongHash), reason == api.Reason(sealed.Truncated), reason == api.Reason(sealed.Trailing):
		return doubt
	case reason == api.WrongAgent, reason == api.Internal,
		reason == api.Deleted, // the tombstone that says so is on its way, or the server lies
		reason == api.Spared, reason == api.FutureVersion,
		reason == api.Reason(sealed.UnknownSuite), reason == api.Misroute, reason == api.Corrupt:
		return later
	}
	return laneWait
}

// settle does what an attempt's outcome asks for, and returns how long the lane pauses.
func (l *lane) settle(item spool.Item, err error) time.Duration {
	u := l.u
	v := judge(err)
	if v == doubt {
		v = l.resolve(item)
	}
	if v == never && !u.believe() {
		v = laneWait
	}
	switch v {
	case done:
		l.pause.Reset()
		u.acknowledge(item)
		return 0
	case gone:
		u.drop(item, err)
		return 0
	case never:
		u.setAside(item, err)
		return 0
	case atOnce:
		return u.postpone(item, 0, "") / 8 // rarely more than once; bounded if it is
	case later:
		u.log.Warn("an upload went wrong; others go first", "object", item.Name.String(), "error", err)
		u.postpone(item, comeback.RetryAfter(err), trouble(err))
		return 0
	}
	u.log.Warn("the uploads pause", "object", item.Name.String(), "error", err)
	wait := l.pause.Next(comeback.RetryAfter(err))
	u.postpone(item, wait, trouble(err)) // so that the next attempt is another object's
	return wait
}

// resolve finds out which disk is right when the server says that a body is wrong.
func (l *lane) resolve(item spool.Item) verdict {
	u := l.u
	switch err := u.config.Spool.Verify(item); {
	case errors.Is(err, spool.ErrDamaged):
		return gone
	case err != nil:
		return laneWait
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.retry(item)
	if r.doubts++; r.doubts >= verifications {
		return never
	}
	return later
}

// believe says whether a refusal for good is taken at its word.
func (u *Uplink) believe() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.finals++
	return u.finals <= believed
}

// trouble puts an upload's error into words for people.
func trouble(err error) string {
	switch {
	case errors.Is(err, ErrOtherChain):
		return "The server offers other deeds than those this agent has verified."
	case api.ReasonOf(err) == api.Full:
		return "The server's disk is full. What is recorded waits here."
	case api.ReasonOf(err) == api.TooMany:
		return "The home has stored as much at the server as it may. What is recorded waits here, until something is deleted or whoever runs the server allows more."
	case api.ReasonOf(err) != "":
		return fmt.Sprintf("The server does not take an object now: %s.", api.ReasonOf(err))
	case isProtocol(err):
		return "The server's answer to an upload was not one."
	}
	return "Uploads do not get through."
}

// retry returns an object's, and makes it. Its caller holds the lock.
func (u *Uplink) retry(item spool.Item) *retry {
	r := u.retries[item.Name.Object]
	if r == nil {
		r = &retry{pause: comeback.Pause{Least: u.config.Retry, Most: mostObjectPause}}
		u.retries[item.Name.Object] = r
	}
	return r
}

// postpone notes when an object is tried again.
func (u *Uplink) postpone(item spool.Item, atLeast time.Duration, trouble string) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	r := u.retry(item)
	d := r.pause.Next(atLeast)
	if trouble == "" {
		return d
	}
	r.after = time.Now().Add(d)
	u.status.Trouble = trouble
	return d
}

// acknowledge removes what the server has taken. If that goes wrong it is uploaded
// again one day, and acknowledged again: the server keeps the first.
func (u *Uplink) acknowledge(item spool.Item) {
	u.mu.Lock()
	delete(u.retries, item.Name.Object)
	u.status.Uploaded++
	u.finals = 0
	if len(u.retries) == 0 {
		u.status.Trouble = ""
	}
	u.mu.Unlock()
	if err := u.config.Spool.Remove(item); err != nil {
		u.log.Error("remove what was acknowledged", "object", item.Name.String(), "error", err)
	}
}

func (u *Uplink) drop(item spool.Item, err error) {
	u.mu.Lock()
	delete(u.retries, item.Name.Object)
	u.mu.Unlock()
	if !errors.Is(err, spool.ErrGone) { // whoever took it away has said so
		u.log.Error("an object cannot be uploaded", "object", item.Name.String(), "error", err)
	}
}

func (u *Uplink) setAside(item spool.Item, err error) {
	u.mu.Lock()
	delete(u.retries, item.Name.Object)
	u.mu.Unlock()
	if err := u.config.Spool.SetAside(item, string(api.ReasonOf(err))); err != nil {
		u.log.Error("set aside what was refused", "object", item.Name.String(), "error", err)
	}
}
