package relay

import (
	"bytes"
	"fmt"

	"github.com/latchkey-cam/latchkey/sealed"
)

// Inlet is a connection, or a part of one, by which the fragments of one stream come in.
// Its functions are called one at a time.
type Inlet struct {
	stream *stream
	own    bool // it is the agent's own, and not the bus
}

// Inlet returns the way in for a stream that an agent brings. It takes the place of an
// older one. If nobody watches the stream it is [ErrUnwanted].
func (r *Relay) Inlet(of sealed.Stream) (*Inlet, error) {
	s := r.of(of)
	if s == nil {
		return nil, fmt.Errorf("bring %s: %w", of, ErrUnwanted)
	}
	in := &Inlet{stream: s, own: true}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inlet = in
	return in, nil
}

// Take takes a fragment, of which it makes a copy, and never waits for a viewer. What is
// of another stream than the inlet's is [ErrMisrouted] and goes nowhere. A fragment that
// came before, or whose group misses something, is left out without a word: that is for
// viewers to see.
func (in *Inlet) Take(b []byte) error {
	f, err := sealed.ParseFragment(b)
	if err != nil {
		return fmt.Errorf("take fragment: %w", err)
	}
	if err := f.Stream.Answers(in.stream.of); err != nil {
		in.stream.relay.config.Alarm(Misroute{in.where(), in.stream.of, f.Stream})
		return fmt.Errorf("take fragment: %w: %w", ErrMisrouted, err)
	}
	p := &piece{run: f.Run, sequence: f.Sequence, key: f.Key, own: in.own, bytes: bytes.Clone(b)}
	if err := in.stream.take(p, in); err != nil {
		return fmt.Errorf("take fragment %d of %s: %w", f.Sequence, f.Stream, err)
	}
	return nil
}

func (in *Inlet) where() string {
	if in.own {
		return AtInlet
	}
	return AtBus
}

// Away tells all who watch that the stream does not come in any more. More may come
// later.
func (in *Inlet) Away() {
	s := in.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case in.own && s.inlet != in:
		return // it comes in by a newer one
	case in.own:
		s.ownEndings++
	}
	s.endings++
	s.wake()
}

// Close is [Inlet.Away], for ever: the inlet takes nothing more.
func (in *Inlet) Close() {
	in.Away()
	s := in.stream
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inlet == in {
		s.inlet = nil
	}
}
