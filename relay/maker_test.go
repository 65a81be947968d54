package relay_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The names of these tests: homes, cameras and agents by numbers.
func streamOf(home, camera byte, kind sealed.StreamKind) sealed.Stream {
	return sealed.Stream{Home: latchkey.HomeID{home}, Camera: latchkey.CameraID{camera}, Kind: kind}
}

var (
	hall  = streamOf(1, 1, sealed.MainStream)
	agent = latchkey.AgentID{1}
)

func runOf(n byte) latchkey.RunID { return latchkey.RunID{n} }

// fragment is one whose content and signature nobody looks at here; size is that of what
// is sealed in it, and no two of different names have the same bytes.
func fragment(of sealed.Stream, run latchkey.RunID, sequence uint32, isKey bool, size int) []byte {
	f := sealed.Fragment{
		Stream: of, Run: run, Sequence: sequence, Key: isKey, Time: latchkey.Time(sequence),
		Sealed: bytes.Repeat([]byte{byte(sequence)}, max(size, 17)), Signatures: [][]byte{make([]byte, 64)},
	}
	return f.Bytes()
}

// knock is one of that device, for the camera's agent.
func knock(of sealed.Stream, agent latchkey.AgentID, nonce uint64) []byte {
	k := sealed.Knock{Stream: of, Agent: agent, Time: 1, Expires: 2, Parcel: parcel(sealed.ToAgent)}
	binary.BigEndian.PutUint64(k.Nonce[:], nonce)
	return k.Bytes()
}

// grant answers it; without a run it refuses.
func grant(of sealed.Stream, agent latchkey.AgentID, knock []byte, run latchkey.RunID, from uint32) []byte {
	g := sealed.Grant{Stream: of, Agent: agent, Run: run, From: from, Incarnation: 1, Number: 1, Parcel: parcel(sealed.ToAsker)}
	if k, err := sealed.ParseKnock(knock); err == nil {
		g.Knock = k.Hash()
	}
	return g.Bytes()
}

func parcel(to sealed.RecipientKind) sealed.Parcel {
	return sealed.Parcel{
		Head:       latchkey.Head{Seq: 1},
		Recipients: []sealed.WrappedKey{{Recipient: to, Epoch: 1, Sealed: make([]byte, sealed.SealedKeySize)}},
		Body:       make([]byte, 1300),
		Signatures: [][]byte{make([]byte, 64)},
	}
}

// trial is a relay under test, and what it has told.
type trial struct {
	*relay.Relay
	t testing.TB

	mu     sync.Mutex // protects what follows
	wanted []demand
	alarms []relay.Misroute
}

type demand struct {
	of     sealed.Stream
	wanted bool
	at     time.Time
}

func open(t testing.TB, c relay.Config) *trial {
	t.Helper()
	b := &trial{t: t}
	c.Wanted = func(of sealed.Stream, wanted bool) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.wanted = append(b.wanted, demand{of, wanted, time.Now()})
	}
	c.Alarm = func(m relay.Misroute) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.alarms = append(b.alarms, m)
	}
	var err error
	b.Relay, err = relay.New(c)
	b.must(err)
	t.Cleanup(func() { b.must(b.Close()) })
	return b
}

func (b *trial) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// told returns the changes of demand so far.
func (b *trial) told() []demand {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.wanted)
}

// raised returns the alarms so far, and forgets them.
func (b *trial) raised() []relay.Misroute {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.alarms
	b.alarms = nil
	return a
}

func (b *trial) watch(of sealed.Stream) *relay.Viewer {
	b.t.Helper()
	v, err := b.Watch(b.t.Context(), relay.Who{}, of)
	b.must(err)
	b.t.Cleanup(v.Close)
	return v
}

func (b *trial) inlet(of sealed.Stream) *relay.Inlet {
	b.t.Helper()
	in, err := b.Inlet(of)
	b.must(err)
	return in
}

// letIn has a viewer knock, and be granted a run.
func (b *trial) letIn(v *relay.Viewer, of sealed.Stream, nonce uint64, run latchkey.RunID, from uint32) {
	b.t.Helper()
	k := knock(of, agent, nonce)
	_, err := v.Knock(k)
	b.must(err)
	g := grant(of, agent, k, run, from)
	b.must(b.Grant(of.Home, agent, g))
	if got, err := v.Next(); err != nil || !bytes.Equal(got, g) {
		b.t.Fatalf("the viewer is given %d bytes, %v; want the grant", len(got), err)
	}
}

// bring hands in fragments of a run, from one number to another; each one that divides
// by group is a key frame's.
func (b *trial) bring(in *relay.Inlet, of sealed.Stream, run latchkey.RunID, from, to, group uint32) {
	b.t.Helper()
	for i := from; i <= to; i++ {
		b.must(in.Take(fragment(of, run, i, (i-1)%group == 0, 100)))
	}
}

// given returns the numbers of what a viewer is given until there is no more. It says
// that the stream has ceased, so that nobody waits.
func (b *trial) given(in *relay.Inlet, v *relay.Viewer) (numbers []uint32) {
	b.t.Helper()
	in.Away()
	for {
		p, err := v.Next()
		if errors.Is(err, relay.ErrAway) {
			return numbers
		}
		b.must(err)
		f, err := sealed.ParseFragment(p)
		b.must(err)
		numbers = append(numbers, f.Sequence)
	}
}

func (b *trial) want(numbers []uint32, want ...uint32) {
	b.t.Helper()
	if !slices.Equal(numbers, want) {
		b.t.Errorf("given %v, want %v", numbers, want)
	}
}

func span(from, to uint32) (all []uint32) {
	for i := from; i <= to; i++ {
		all = append(all, i)
	}
	return all
}
