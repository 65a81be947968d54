package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// patience is how long a trial may take until all is well again.
const patience = 30 * time.Second

// trial is a home that lives through something. People and camera are one goroutine, and
// insist on what they want, as people and cameras do.
type trial struct {
	cloud  machine
	box    *box
	client *api.Client
	random *rand.Rand

	owner   *keytest.Owner
	agent   *keytest.Agent
	camera  latchkey.CameraID
	session *api.Home
	known   latchkey.Head // up to which the server has said that it has the deeds

	book *book
	out  []*outsider
	tally
}

// machine is one with a server on it.
type machine interface {
	dialler
	// mint makes a set-up secret.
	mint(ctx context.Context) (string, error)
	// again ends the server and starts it again.
	again(ctx context.Context) error
	// check tells what is not as it should be in index and blobs.
	check(ctx context.Context, found func(server.Finding)) error
}

// dialler reaches a server.
type dialler interface {
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// outsider is somebody who may not see the home any more.
type outsider struct {
	what    string
	session *api.Home
	person  *keytest.Person // who was removed; nil: whose session ended
}

func newTrial(m machine, seed uint64) (*trial, error) {
	t := &trial{cloud: m, random: rand.New(rand.NewPCG(seed, 1)), book: newBook()}
	var err error
	t.client, err = api.NewClient(origin, newClient(m))
	return t, err
}

// lived is a trial in which a home has lived on a disk that was harmed.
type lived struct {
	*trial
	harms                []harm
	cloudSteps, boxSteps int  // operations of the disks meanwhile
	restored             bool // a backup was put back
}

// live lets a home live on a cloud that begins with such a disk, and the plan befall it.
func live(ctx context.Context, disk *durabletest.Forgetful, p plan) (l lived, err error) {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	c := newCloud(disk, rand.New(rand.NewPCG(p.seed, 2)))
	defer func() { err = errors.Join(err, c.end()) }()
	t, err := newTrial(c, p.seed)
	if err == nil {
		err = c.begin(ctx)
	}
	if err == nil {
		err = t.settle(ctx, rand.New(rand.NewPCG(p.seed, 3)))
	}
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, t.box.end()) }()
	var keepers sync.WaitGroup
	defer keepers.Wait()
	ctx, stop = context.WithCancel(ctx)
	defer stop()
	broken := make(chan error, 2)
	keepers.Go(func() { broken <- keep(ctx, c.fuse, c.again) })
	keepers.Go(func() { broken <- keep(ctx, t.box.fuse, t.box.again) })
	c.fuse.lay(p.cloud...)
	t.box.fuse.lay(p.box...)
	steps := []step{t.record, t.record, t.record, t.record, t.removal, t.signOut, t.deletion, t.look, c.again, t.box.again}
	if err := t.through(ctx, steps); err != nil {
		return l, err
	}
	l = lived{trial: t, cloudSteps: c.fuse.operations(), boxSteps: t.box.fuse.operations()}
	if err := errors.Join(c.cut(ctx), t.box.cut(ctx)); err != nil {
		return l, err
	}
	if err := t.end(ctx); err != nil {
		return l, err
	}
	stop()
	l.harms = append(c.fuse.befell(), t.box.fuse.befell()...)
	return l, errors.Join(<-broken, <-broken)
}

// keep starts a machine again whenever it has ended.
func keep(ctx context.Context, f *fuse, again step) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-f.struck:
		}
		if err := again(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// settle founds the home and starts its agent, before anything befalls it.
func (t *trial) settle(ctx context.Context, random *rand.Rand) error {
	t.owner = keytest.NewOwner()
	secret, err := t.cloud.mint(ctx)
	if err != nil {
		return err
	}
	head, err := t.client.Found(ctx, secret, t.owner.Found())
	if err != nil {
		return err
	}
	t.known = latchkey.Head(head.Head)
	if t.session, err = t.signIn(ctx); err != nil {
		return err
	}
	t.agent = t.owner.PlaceAgent()
	t.camera = t.owner.PlaceCamera(t.agent)
	if err := t.append(ctx); err != nil {
		return err
	}
	t.box = newBox(t.owner.Home(), t.agent, t.cloud, random)
	return t.box.begin(ctx)
}

func (t *trial) signIn(ctx context.Context) (*api.Home, error) {
	device, key := t.owner.Device()
	return t.client.SignIn(ctx, t.owner.Home(), device, key, t.owner.Title().Head())
}

// passing are the reasons for which people try again: also a sign-in that is refused, whose
// nonce may be of the server before the last start.
var passing = []api.Reason{api.Internal, api.Busy, api.Full, api.Stale, api.Closed, api.SignInRefused}

// insist does something until it is done or refused for good.
func insist(ctx context.Context, do func() error) error {
	for {
		err := do()
		switch reason := api.ReasonOf(err); {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return errors.Join(ctx.Err(), err)
		case reason != "" && !slices.Contains(passing, reason):
			return err
		}
		pause(ctx)
	}
}

// append brings the server what was signed since, and finds out what became of an attempt
// that nobody answered.
func (t *trial) append(ctx context.Context) error {
	for {
		title := t.owner.Title()
		err := insist(ctx, func() error {
			_, err := t.session.Append(ctx, t.known, title.Deeds(t.known.Seq+1)...)
			return err
		})
		if err == nil {
			t.known = title.Head()
			return nil
		}
		if api.ReasonOf(err) != api.Conflict {
			return fmt.Errorf("append deeds: %w", err)
		}
		at, err := t.head(ctx)
		if err != nil {
			return err
		}
		if t.known = at; at == title.Head() {
			return nil
		}
	}
}

// head is where the chain ends at the server. That it is not where it was said to be is
// counted: a removal may have come back.
func (t *trial) head(ctx context.Context) (at latchkey.Head, err error) {
	err = insist(ctx, func() (err error) {
		_, at, err = t.session.Deeds(ctx, 0)
		return err
	})
	if err != nil {
		return at, fmt.Errorf("read deeds: %w", err)
	}
	if !t.owner.Title().OnChain(at) || at.Seq < t.known.Seq {
		t.RevocationsBack++
		t.say("the chain ends at %d, after it was said to go to %d", at.Seq, t.known.Seq)
	}
	return at, nil
}

// step is something that happens.
type step = func(ctx context.Context) error

// through goes through steps in an order of chance. After each of them whoever may not see
// the home any more tries to.
func (t *trial) through(ctx context.Context, steps []step) error {
	t.random.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
		if err := t.shutOut(ctx); err != nil {
			return err
		}
	}
	return nil
}

// end lets everything arrive, and compares what is there with the book.
func (t *trial) end(ctx context.Context) error {
	if err := t.arrived(ctx); err != nil {
		return err
	}
	if err := t.shutOut(ctx); err != nil {
		return err
	}
	if _, err := t.head(ctx); err != nil {
		return err
	}
	all, err := t.see(ctx)
	if err != nil {
		return err
	}
	t.Acked += t.book.acked()
	t.book.compare(all, &t.tally)
	return t.check(ctx)
}

// arrived waits until everything that the agent has is at the server, and what the server
// has at the agent.
func (t *trial) arrived(ctx context.Context) error {
	if t.until(ctx, func() bool { return t.box.settled(t.known) }) != nil {
		return fmt.Errorf("what the agent has does not arrive: %s", t.box.says())
	}
	return nil
}

// check wants index and blobs to agree, once what was deleted is removed. What is stored and
// in no index, of an upload that was deleted before it came, is counted and let be: a server
// drops it when it is a week old.
func (t *trial) check(ctx context.Context) error {
	var found []server.Finding
	var failed error
	left := 0
	err := t.until(ctx, func() bool {
		found, left = nil, 0
		failed = t.cloud.check(ctx, func(f server.Finding) {
			if f.What == server.Unindexed && t.book.mayBeGone(f.Name) {
				left++
				return
			}
			found = append(found, f)
		})
		return failed == nil && len(found) == 0
	})
	if failed != nil {
		t.Disagreements++
		t.say("%v", failed)
	}
	if err != nil {
		for _, f := range found {
			t.Disagreements++
			t.say("%s is %s", f.Name, f.What)
		}
	}
	t.Left += left
	return nil
}

// settleWithin is how long it may take until nothing is under way any more.
const settleWithin = 10 * time.Second

// until waits until something is so.
func (t *trial) until(ctx context.Context, is func() bool) error {
	ctx, stop := context.WithTimeout(ctx, settleWithin)
	defer stop()
	for !is() {
		if pause(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
