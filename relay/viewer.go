package relay

import (
	"bytes"
	"context"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Viewer is a connection by which a stream goes out to somebody, while it does.
// [Viewer.Next] is for one goroutine; all else for any.
type Viewer struct {
	relay  *Relay
	stream *stream
	who    Who
	feed   bool // another relay, which lets its own viewers in
	ctx    context.Context
	cancel context.CancelCauseFunc

	knocked [32]byte         // hash of the newest knock, zero if it is answered; with the next protected by the relay's lock
	asked   latchkey.AgentID // to whom it went

	// Protected by the stream's lock.
	letter  []byte  // a grant that is to go out first
	granted *place  // what it grants; nil if it refuses
	now     *place  // in the run that is watched
	next    *place  // in the one that was granted after it and has not begun
	places  []place // of a feed: in all runs that are kept
	endings uint64  // of the stream's, those that the viewer was told
}

// Watch lets somebody in to a stream, which is wanted from then on. They are given
// nothing before [Relay.Grant] brings what answers their knock. It ends with ctx, which is
// that of their connection, or when they are cut; [Viewer.Close] has to be called either
// way.
func (r *Relay) Watch(ctx context.Context, who Who, of sealed.Stream) (*Viewer, error) {
	return r.watch(ctx, &Viewer{who: who}, of)
}

// Feed gives another relay what comes in here of a stream by the agent's own connection,
// whichever run it is of. That relay lets its own viewers in.
func (r *Relay) Feed(ctx context.Context, of sealed.Stream) (*Viewer, error) {
	return r.watch(ctx, &Viewer{feed: true}, of)
}

func (r *Relay) watch(ctx context.Context, v *Viewer, of sealed.Stream) (*Viewer, error) {
	v.relay = r
	v.ctx, v.cancel = context.WithCancelCause(ctx)
	if err := r.enter(v, of); err != nil {
		v.cancel(err)
		return nil, fmt.Errorf("watch %s: %w", of, err)
	}
	v.stream.mu.Lock()
	defer v.stream.mu.Unlock()
	v.endings = v.ended()
	return v, nil
}

// Context ends when the viewer does, so that a write that is under way then ends too.
func (v *Viewer) Context() context.Context { return v.ctx }

// Close lets the viewer go. The second time it does nothing.
func (v *Viewer) Close() {
	v.end(ErrClosed)
	v.relay.leave(v)
}

// end has nothing more be given to the viewer, for that reason.
func (v *Viewer) end(why error) {
	v.stream.mu.Lock()
	defer v.stream.mu.Unlock()
	v.cancel(why)
}

// Knock takes the viewer's knock, so that its grant finds them: the newest counts. The
// caller checks it as a carrier does, and that it is signed by the device that the viewer
// came with, and sends it to its agent.
func (v *Viewer) Knock(b []byte) (sealed.Knock, error) {
	k, err := sealed.ParseKnock(b)
	if err != nil {
		return sealed.Knock{}, fmt.Errorf("take knock: %w", err)
	}
	if err := k.Stream.Answers(v.stream.of); err != nil {
		v.relay.config.Alarm(Misroute{AtKnock, v.stream.of, k.Stream})
		return sealed.Knock{}, fmt.Errorf("take knock: %w: %w", ErrMisrouted, err)
	}
	if err := v.relay.expect(v, k); err != nil {
		return sealed.Knock{}, fmt.Errorf("take knock: %w", err)
	}
	return k, nil
}

// Waits says whether that knock of the viewer's has no answer yet.
func (v *Viewer) Waits(k sealed.Knock) bool {
	v.relay.mu.Lock()
	defer v.relay.mu.Unlock()
	return v.knocked == k.Hash()
}

// expect remembers whose knock that is.
func (r *Relay) expect(v *Viewer, k sealed.Knock) error {
	hash := k.Hash()
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.knocks[hash] != nil:
		return sealed.Refuse(sealed.Replayed, "the %s is waiting already", k)
	case !v.stream.viewers[v] || r.closed:
		return ErrClosed
	}
	r.forget(v)
	r.knocks[hash] = v
	v.knocked, v.asked = hash, k.Agent
	return nil
}

// forget has a viewer's knock be answered no more. The caller holds the lock.
func (r *Relay) forget(v *Viewer) {
	if v.knocked != ([32]byte{}) {
		delete(r.knocks, v.knocked)
		v.knocked = [32]byte{}
	}
}

// Grant takes a grant that an agent of a home has sent, and passes it on to the viewer
// whose knock it answers. If they have gone it is [ErrGone].
func (r *Relay) Grant(of latchkey.HomeID, agent latchkey.AgentID, b []byte) error {
	g, err := sealed.ParseGrant(b)
	if err != nil {
		return fmt.Errorf("take grant: %w", err)
	}
	if g.Stream.Home != of || g.Agent != agent {
		r.config.Alarm(Misroute{AtGrant, sealed.Stream{Home: of}, g.Stream})
		return fmt.Errorf("take grant: %w: it is by agent %s of home %s, from agent %s of home %s", ErrMisrouted, g.Agent, g.Stream.Home, agent, of)
	}
	v, err := r.answered(g)
	switch {
	case v == nil:
		return fmt.Errorf("take grant: %w", ErrGone)
	case err != nil:
		r.config.Alarm(Misroute{AtGrant, v.stream.of, g.Stream})
		return fmt.Errorf("take grant: %w: %w", ErrMisrouted, err)
	}
	v.grant(g, bytes.Clone(b))
	return nil
}

// answered is the viewer whose knock a grant answers, nil if there is none. If it does not
// fit that knock, which is the error, the knock is still to be answered.
func (r *Relay) answered(g sealed.Grant) (*Viewer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.knocks[g.Knock]
	if v == nil {
		return nil, nil
	}
	if err := g.Stream.Answers(v.stream.of); err != nil {
		return v, err
	}
	if g.Agent != v.asked {
		return v, sealed.Refuse(sealed.WrongAgent, "agent %s was asked, and not %s", v.asked, g.Agent)
	}
	r.forget(v)
	return v, nil
}

// grant has a grant go out, and then the run that it grants.
func (v *Viewer) grant(g sealed.Grant, b []byte) {
	s := v.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	v.letter, v.granted = b, nil
	if !g.Refuses() {
		v.granted = &place{run: g.Run, next: uint64(g.From)}
	}
	s.wake()
}

// Next waits for what is to be sent to the viewer next: a grant, or a fragment, which
// others are given too and nobody may change. [ErrAway] is no end; any other error is, and
// says why.
func (v *Viewer) Next() ([]byte, error) {
	for {
		b, more, err := v.look()
		if b != nil || err != nil {
			return b, err
		}
		select {
		case <-more:
		case <-v.ctx.Done():
		}
	}
}

// look returns what there is to send, or else what to wait for.
func (v *Viewer) look() (b []byte, more <-chan struct{}, err error) {
	s := v.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if v.ctx.Err() != nil {
		return nil, nil, context.Cause(v.ctx)
	}
	if b = v.letter; b != nil {
		v.letter = nil
		v.moveTo(v.granted)
		v.granted = nil
		return b, nil, nil
	}
	if p := v.pick(); p != nil {
		if err := v.check(p); err != nil {
			v.cancel(err)
			return nil, nil, err
		}
		return p.bytes, nil, nil
	}
	if n := v.ended(); v.endings != n {
		v.endings = n
		return nil, nil, ErrAway
	}
	return nil, s.more, nil
}

// ended is how often the stream has ceased to come in, for this viewer: a feed is not told
// what other relays say, or they would tell each other for ever.
func (v *Viewer) ended() uint64 {
	if v.feed {
		return v.stream.ownEndings
	}
	return v.stream.endings
}

// moveTo has the viewer go on with the run that was granted, as soon as it can be begun.
// If that is the one they watch they stay where they are in it: nothing comes twice.
func (v *Viewer) moveTo(granted *place) {
	switch {
	case granted == nil:
	case v.now != nil && v.now.run == granted.run:
		v.now.begun = v.now.begun && granted.next <= v.now.next
		v.now.next = max(v.now.next, granted.next)
		v.next = nil
	default:
		v.next = granted
	}
}

// pick chooses the next piece, and moves behind it.
func (v *Viewer) pick() *piece {
	if v.feed {
		return v.pickAny()
	}
	if p := v.stream.at(v.next); p != nil {
		v.now, v.next = v.next, nil
		*v.now = beyond(p)
		return p
	}
	p := v.stream.at(v.now)
	if p != nil {
		*v.now = beyond(p)
	}
	return p
}

// pickAny chooses, for a feed, a piece of any run that is kept, of the older one first.
func (v *Viewer) pickAny() *piece {
	places := v.places
	v.places = nil
	var picked *piece
	for _, r := range v.stream.runs {
		w := place{run: r.id}
		for _, known := range places {
			if known.run == r.id {
				w = known
			}
		}
		if p := r.at(w); picked == nil && p != nil && p.own {
			picked, w = p, beyond(p)
		}
		v.places = append(v.places, w)
	}
	return picked
}

// check compares once more, on the way out: what the bytes themselves say, with what the
// viewer watches.
func (v *Viewer) check(p *piece) error {
	f, err := sealed.ParseFragment(p.bytes)
	if err == nil {
		err = f.Stream.Answers(v.stream.of)
	}
	if err == nil && (f.Run != p.run || f.Sequence != p.sequence) {
		err = sealed.Refuse(sealed.WrongRun, "%s", f)
	}
	if err != nil {
		v.relay.config.Alarm(Misroute{AtExit, v.stream.of, f.Stream})
		return fmt.Errorf("pass fragment on: %w: %w", ErrMisrouted, err)
	}
	return nil
}
