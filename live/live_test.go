package live_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// at is a moment of an agent whose clock can be believed. Its machine was started in 1970.
func at(clock latchkey.Time) live.Now {
	return live.Now{Clock: clock, Sure: true, Monotonic: uint64(clock)}
}

// scene is a home with a camera that somebody watches.
type scene struct {
	t      *testing.T
	owner  *keytest.Owner
	agent  *keytest.Agent
	stream sealed.Stream
	porter *live.Porter
	run    *live.Run
	now    latchkey.Time // of everybody: what matters is told by how far it goes
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{t: t, owner: keytest.NewOwner(), now: moment}
	s.owner.Found()
	s.agent = s.owner.PlaceAgent()
	s.stream = sealed.Stream{Home: s.owner.Home(), Camera: s.owner.PlaceCamera(s.agent), Kind: sealed.MainStream}
	s.porter = live.NewPorter(s.agent.Keys, incarnation)
	s.run = s.start()
	return s
}

func (s *scene) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) start() *live.Run {
	s.t.Helper()
	r, err := live.Start(s.agent.Keys, s.stream, init1080, at(s.now))
	s.must(err)
	return r
}

// viewer is one who has been granted the run.
func (s *scene) viewer() *live.Viewer {
	s.t.Helper()
	_, device := s.owner.Device()
	v := live.NewViewer(device, s.stream)
	s.take(v, s.grant(s.knock(v)), "granted")
	return v
}

func (s *scene) knock(v *live.Viewer) []byte {
	s.t.Helper()
	b, err := v.Knock(s.owner.Title(), s.now)
	s.must(err)
	return b
}

func (s *scene) open(knock []byte) *live.Visitor {
	s.t.Helper()
	visitor, err := s.porter.Open(knock, s.owner.Title(), at(s.now))
	s.must(err)
	return visitor
}

func (s *scene) grant(knock []byte) []byte {
	s.t.Helper()
	g, err := s.open(knock).Grant(s.run, s.owner.Title(), at(s.now))
	s.must(err)
	return g
}

// seal makes the next fragment, and a tenth of a second passes.
func (s *scene) seal(media string, isKey bool) []byte {
	s.t.Helper()
	f, err := s.run.Seal([]byte(media), isKey, uint64(s.now))
	s.must(err)
	s.now += second / 10
	return f
}

// take has the viewer take a message and compares what comes of it.
func (s *scene) take(v *live.Viewer, b []byte, want string) live.Step {
	s.t.Helper()
	step, err := v.Take(b, s.owner.Title(), s.now)
	if have := told(step, err); have != want {
		s.t.Fatalf("%s, want %s", have, want)
	}
	return step
}

func plays(media string, isKey bool) string {
	return told(live.Step{Media: []byte(media), Key: isKey}, nil)
}

// TestThereAndBack: what an agent seals is what its viewers are given, each of them.
func TestThereAndBack(t *testing.T) {
	s := newScene(t)
	first := s.viewer()
	s.take(first, s.seal("a", true), begins+plays("a", true))
	s.take(first, s.seal("b", false), plays("b", false))
	key, b, c := s.seal("c", true), s.seal("d", false), s.seal("e", false)
	later := s.viewer() // begins with the newest group, which the server has kept
	for i, f := range [][]byte{key, b, c} {
		want := plays(string(rune('c'+i)), i == 0)
		s.take(first, f, want)
		if i == 0 {
			want = begins + want
		}
		step := s.take(later, f, want)
		if want := moment + latchkey.Time(i+2)*second/10; step.Time != want {
			t.Errorf("fragment of %d, want %d", step.Time, want)
		}
	}
}

// TestRunsFollowEachOther: a run that ends says so, whoever watches knocks again, and
// goes on without a hole.
func TestRunsFollowEachOther(t *testing.T) {
	s := newScene(t)
	v := s.viewer()
	s.take(v, s.seal("a", true), begins+plays("a", true))
	former := s.run
	former.End(uint64(s.now))
	ending := s.seal("b", false)
	s.take(v, ending, plays("b", false)+", knock")
	s.run = s.start()
	f := s.seal("b2", true)
	s.take(v, f, "wrong-run")
	knock := s.knock(v)
	still, err := former.Seal([]byte("c"), false, uint64(s.now))
	s.must(err)
	s.take(v, s.grant(knock), "granted")
	s.take(v, still, plays("c", false)) // until the next has begun
	s.take(v, f, begins+plays("b2", true))
	still, err = former.Seal([]byte("d"), false, uint64(s.now))
	s.must(err)
	s.take(v, still, "wrong-run")
	s.take(v, s.seal("e", false), plays("e", false))
	if _, err := former.Seal([]byte("f"), false, uint64(s.now+2*second)); !errors.Is(err, live.ErrOver) {
		t.Errorf("two seconds later the run that ended seals on: %v", err)
	}
}

// TestGrantOfTheSameRun: who knocks while a run goes on and is granted the same misses
// nothing of it, and nothing comes twice.
func TestGrantOfTheSameRun(t *testing.T) {
	s := newScene(t)
	v := s.viewer()
	s.take(v, s.seal("a", true), begins+plays("a", true))
	s.take(v, s.seal("b", false), plays("b", false))
	lost := s.seal("c", false)
	s.take(v, s.seal("d", false), "missing 1")
	late, again := s.seal("e", true), s.seal("f", false)
	s.take(v, s.grant(s.knock(v)), "granted")
	s.take(v, lost, "replayed")
	s.take(v, late, plays("e", true))
	s.take(v, again, plays("f", false))
	s.take(v, again, "replayed")
	s.seal("g", false)
	s.take(v, s.seal("h", false), "missing 1")
	s.take(v, s.grant(s.knock(v)), "granted")
	s.take(v, s.seal("i", false), "waits") // what is missing still is
	s.now += 5 * second
	if behind, _ := v.Behind(s.now); behind < 5*time.Second {
		t.Errorf("after five seconds without a word it is behind by %s", behind)
	}
	s.take(v, s.grant(s.knock(v)), "granted")
	s.take(v, s.seal("j", true), plays("j", true))
	if behind, _ := v.Behind(s.now); behind > time.Second {
		t.Errorf("it is behind by %s, and a grant has said that it is not", behind)
	}
}

// TestWhoHasKnocked is not told to knock because the run ends.
func TestWhoHasKnocked(t *testing.T) {
	s := newScene(t)
	v := s.viewer()
	s.take(v, s.seal("a", true), begins+plays("a", true))
	knock, former := s.knock(v), s.run
	former.End(uint64(s.now))
	s.take(v, s.seal("b", false), plays("b", false))
	s.run = s.start()
	s.take(v, s.grant(knock), "granted")
	c, err := former.Seal([]byte("c"), false, uint64(s.now))
	s.must(err)
	s.take(v, c, plays("c", false))
}

// TestRunEnds: nobody who has a run's key has it for longer than an hour, or for more
// fragments than there are numbers.
func TestRunEnds(t *testing.T) {
	s := newScene(t)
	s.seal("a", true)
	for _, c := range []struct {
		at     latchkey.Time
		ending bool
	}{{moment + live.MaxRun - 2*second - 1, false}, {moment + live.MaxRun - 2*second, true}, {moment + live.MaxRun - 1, true}} {
		b, err := s.run.Seal([]byte("b"), false, uint64(c.at))
		s.must(err)
		if f, err := sealed.ParseFragment(b); err != nil || f.Ending != c.ending || s.run.Over(uint64(c.at)) {
			t.Errorf("at %d: ending %v, %v", c.at, f.Ending, err)
		}
	}
	if _, err := s.run.Seal([]byte("c"), true, uint64(moment+live.MaxRun)); !errors.Is(err, live.ErrOver) {
		t.Errorf("after an hour: %v", err)
	}
	_, device := s.owner.Device()
	visitor := s.open(s.knock(live.NewViewer(device, s.stream)))
	if _, err := visitor.Grant(s.run, s.owner.Title(), at(moment+live.MaxRun)); !errors.Is(err, live.ErrOver) {
		t.Errorf("a run that is over is granted: %v", err)
	}
	s.run = s.start()
	s.run.Skip(math.MaxUint32 - 1)
	s.seal("the last", true)
	if _, err := s.run.Seal([]byte("one more"), true, uint64(s.now)); !errors.Is(err, live.ErrOver) {
		t.Errorf("a number is given out twice: %v", err)
	}
	s.run = s.start()
	s.run.Stop()
	if _, err := s.run.Seal([]byte("a"), true, uint64(s.now)); !errors.Is(err, live.ErrOver) {
		t.Errorf("a run that was stopped goes on: %v", err)
	}
}

// TestRunRefuses what would make no fragment.
func TestRunRefuses(t *testing.T) {
	s := newScene(t)
	for name, c := range map[string]struct {
		media []byte
		isKey bool
	}{"no key first": {[]byte("a"), false}, "nothing": {nil, true}, "too much": {make([]byte, sealed.MaxFragment-15), true}} {
		if _, err := s.run.Seal(c.media, c.isKey, uint64(s.now)); err == nil {
			t.Errorf("%s is sealed", name)
		}
	}
	if _, err := s.run.Seal(make([]byte, sealed.MaxFragment-16), true, uint64(s.now)); err != nil {
		t.Errorf("the largest fragment: %v", err)
	}
	for name, i := range map[string]live.Init{
		"no init segment": {Type: "video/mp4"}, "a large one": {Type: "video/mp4", Segment: make([]byte, 16<<10+1)},
		"no type": {Segment: []byte{1}}, "a long one": {Type: letters(129), Segment: []byte{1}},
	} {
		if _, err := live.Start(s.agent.Keys, s.stream, i, at(s.now)); err == nil {
			t.Errorf("a run begins with %s", name)
		}
	}
	if text := fmt.Sprintf("%v %+v", s.run, s.run); text != "(secret) (secret)" {
		t.Errorf("a run prints as %s", text)
	}
}

// TestClockIsSet while a run goes on: the run's own does not jump, so that nothing looks
// newer or older than it is.
func TestClockIsSet(t *testing.T) {
	s := newScene(t)
	s.seal("a", true)
	_, device := s.owner.Device()
	set := live.Now{Clock: moment + 60*second, Sure: true, Monotonic: uint64(moment + second)}
	b, err := s.open(s.knock(live.NewViewer(device, s.stream))).Grant(s.run, s.owner.Title(), set)
	s.must(err)
	if g, err := sealed.ParseGrant(b); err != nil || g.Time != moment+second {
		t.Errorf("a second after the run began a grant is of %d us later, %v", g.Time-moment, err)
	}
	for _, c := range []struct{ at, want latchkey.Time }{{moment + second, second}, {moment - second, second}, {moment + 2*second, 2 * second}} {
		b, err := s.run.Seal([]byte("b"), false, uint64(c.at))
		s.must(err)
		if f, err := sealed.ParseFragment(b); err != nil || f.Time != moment+c.want {
			t.Errorf("a fragment is of %d us later, want %d, %v", f.Time-moment, c.want, err)
		}
	}
}

// TestHeldBackLooksOld: however a server delays, what is shown is at least as new as the
// viewer is told, whatever the agent's clock shows.
func TestHeldBackLooksOld(t *testing.T) {
	const ahead = 3600 * second // the agent's clock is an hour ahead of the viewer's
	for _, c := range []struct {
		name                     string
		knock, grant, later, age latchkey.Time // delays of knock, grant, fragments; how old the picture is when it comes
	}{
		{"at once", 0, 0, 0, 0},
		{"the knock", 5 * second, 0, 0, 0},
		{"the grant", 0, 5 * second, 0, 0},
		{"fragments", 0, 0, 7 * second, 7 * second},
		{"all of it", second, second, second, second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t)
			_, device := s.owner.Device()
			v := live.NewViewer(device, s.stream)
			if _, ok := v.Behind(s.now); ok {
				t.Error("something was shown before anything came")
			}
			knock, clock := s.knock(v), s.now
			clock += c.knock
			visitor := s.open(knock)
			now := live.Now{Clock: clock + ahead, Sure: true, Monotonic: uint64(clock)}
			run, err := live.Start(s.agent.Keys, s.stream, init1080, now)
			s.must(err)
			g, err := visitor.Grant(run, s.owner.Title(), now)
			s.must(err)
			made := clock + 2*second
			f, err := run.Seal([]byte("a"), true, uint64(made))
			s.must(err)
			clock += c.grant
			s.now = clock
			s.take(v, g, "granted")
			clock = max(clock, made) + c.later
			s.now = clock
			s.take(v, f, begins+plays("a", true))
			have, _ := v.Behind(clock)
			least, most := clock-made, clock-made+c.knock+c.grant
			if have < time.Duration(least)*time.Microsecond || have > time.Duration(most)*time.Microsecond {
				t.Errorf("behind by %s, and it is %d us old", have, least)
			}
			if later, _ := v.Behind(clock + second); later != have+time.Second {
				t.Errorf("a second later behind by %s, before that by %s", later, have)
			}
		})
	}
}

// TestRemovedViewer: whoever is removed sees nothing that is sealed after their run has
// ended, although they and the server go on as if nothing had happened.
func TestRemovedViewer(t *testing.T) {
	s := newScene(t)
	gone := s.owner.Join(keytest.NewPerson(), keytest.AsResident)
	before := s.owner.Title()
	v := live.NewViewer(gone.Keys.DeviceSigning, s.stream)
	visitor := s.open(s.knock(v))
	g, err := visitor.Grant(s.run, before, at(s.now))
	s.must(err)
	s.take(v, g, "granted")
	s.take(v, s.seal("a", true), begins+plays("a", true))
	s.owner.Dismiss(gone)
	if have := sealed.ReasonOf(visitor.May(s.owner.Title(), at(s.now))); have != sealed.FormerSigner {
		t.Errorf("somebody who is gone may watch on: %q", have)
	}
	s.run.End(uint64(s.now))
	s.run = s.start()
	stays := s.viewer()
	b := s.seal("b", true)
	s.take(stays, b, begins+plays("b", true))
	knock, err := v.Knock(before, s.now)
	s.must(err)
	if _, err := s.porter.Open(knock, s.owner.Title(), at(s.now)); sealed.ReasonOf(err) != sealed.FormerSigner {
		t.Errorf("somebody who is gone is let in again: %v", err)
	}
	if step, err := v.Take(b, before, s.now); sealed.ReasonOf(err) != sealed.WrongRun || step.Media != nil {
		t.Errorf("somebody who is gone is shown the next run: %s", told(step, err))
	}
}

// TestGrantOfAnotherStream is one of another stream, whether a knock waits for it or not:
// that is what is reported of it.
func TestGrantOfAnotherStream(t *testing.T) {
	s := newScene(t)
	of := s.stream
	_, device := s.owner.Device()
	v := live.NewViewer(device, of)
	s.stream.Camera = s.owner.PlaceCamera(s.agent)
	s.run = s.start()
	other := s.grant(s.knock(live.NewViewer(device, s.stream)))
	s.take(v, other, "wrong-camera")
	s.knock(v)
	s.take(v, other, "wrong-camera")
}

// TestFrozenHomeIsDark: nobody is granted anything, they are told why, and who knows the
// deed takes no more of a run that somebody goes on with.
func TestFrozenHomeIsDark(t *testing.T) {
	s := newScene(t)
	v := s.viewer()
	s.take(v, s.seal("a", true), begins+plays("a", true))
	_, device := s.owner.Device()
	late := live.NewViewer(device, s.stream)
	granted := s.grant(s.knock(late))
	s.owner.Sign(deed.FreezeBody{})
	s.take(v, s.seal("b", false), "frozen")
	s.take(late, granted, "frozen")
	visitor := s.open(s.knock(v))
	if err := visitor.May(s.owner.Title(), at(s.now)); sealed.ReasonOf(err) != sealed.Frozen {
		t.Errorf("a frozen home may be watched: %v", err)
	}
	if _, err := visitor.Grant(s.run, s.owner.Title(), at(s.now)); sealed.ReasonOf(err) != sealed.Frozen {
		t.Errorf("a run of a frozen home is granted: %v", err)
	}
	refusal, err := visitor.Refuse("frozen", s.owner.Title(), at(s.now))
	s.must(err)
	s.take(v, refusal, "refused frozen")
}

// TestReplacedAgentIsHeardNoMore: from the deed on, fragments under its former key are
// not taken, although its grant was.
func TestReplacedAgentIsHeardNoMore(t *testing.T) {
	s := newScene(t)
	v := s.viewer()
	s.take(v, s.seal("a", true), begins+plays("a", true))
	s.owner.ReplaceAgent(s.agent)
	s.take(v, s.seal("b", false), "former-signer")
}

// TestStartedAgainAgent has no runs: what it sealed before is of none that is granted.
// The knock that it has forgotten does no more than let the same viewer in again.
func TestStartedAgainAgent(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	v := live.NewViewer(device, s.stream)
	knock := s.knock(v)
	s.take(v, s.grant(knock), "granted")
	old := s.seal("a", true)
	s.take(v, old, begins+plays("a", true))
	s.porter, s.run = live.NewPorter(s.agent.Keys, incarnation+1), s.start()
	fresh := s.seal("b", true)
	again := s.grant(knock)
	s.take(v, again, "wrong-knock")
	s.take(v, fresh, "wrong-run")
	s.take(v, s.grant(s.knock(v)), "granted")
	s.take(v, fresh, begins+plays("b", true))
	s.take(v, old, "wrong-run")
}

// TestCarriersReading: which message it is, what is kept of it, and that nobody verifies
// what has no signature.
func TestCarriersReading(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	knock, fragment := s.knock(live.NewViewer(device, s.stream)), s.seal("a", true)
	for b, want := range map[string]sealed.LiveKind{string(knock): sealed.KnockMessage, string(fragment): sealed.FragmentMessage, "\x01\x00": 0, "\x01\x04": 0, "\x01": 0} {
		if have, err := sealed.LiveKindOf([]byte(b)); have != want || (err == nil) != (want != 0) {
			t.Errorf("%.8q is a %s, %v", b, have, err)
		}
	}
	k, err := sealed.ParseKnock(knock)
	s.must(err)
	again := bytes.Clone(knock)
	clear(knock)
	if !bytes.Equal(k.Bytes(), again) {
		t.Error("a knock changes with the bytes that it was read from")
	}
	g := sealed.Grant{Stream: k.Stream, Knock: k.Hash()}
	otherStream, otherKnock := g, g
	otherStream.Stream.Kind = sealed.SubStream
	otherKnock.Knock[0] ^= 1
	if g.Answers(k) != nil || sealed.ReasonOf(otherStream.Answers(k)) != sealed.WrongStream || sealed.ReasonOf(otherKnock.Answers(k)) != sealed.WrongKnock {
		t.Error("a grant for another stream or knock answers this one, or its own does not")
	}
	f, err := sealed.ParseFragment(fragment)
	s.must(err)
	if &f.Sealed[0] != &fragment[sealed.FragmentHeader+4] {
		t.Error("a fragment is copied when it is read")
	}
	f.Signatures = nil
	if err := f.Verify(deed.Ed25519Key(s.agent.Keys.Signing.Public().(ed25519.PublicKey))); sealed.ReasonOf(err) != sealed.BadSignature {
		t.Errorf("without a signature: %v", err)
	}
}

// TestViewerForges: who watches has the run's key, and can make nothing of it that
// another viewer takes.
func TestViewerForges(t *testing.T) {
	s := newScene(t)
	v := s.viewer()
	genuine := s.seal("a", true)
	s.take(v, genuine, begins+plays("a", true))
	f, err := sealed.ParseFragment(s.seal("b", false))
	s.must(err)
	forger := key.Signing()
	f.Signatures = [][]byte{ed25519.Sign(forger, f.SignedMessage())}
	s.take(v, f.Bytes(), "bad-signature")
	g, err := sealed.ParseFragment(genuine)
	s.must(err)
	f.Signatures = g.Signatures
	s.take(v, f.Bytes(), "bad-signature")
	f.Sealed, f.Sequence = bytes.Clone(g.Sealed), 3
	s.take(v, f.Bytes(), "bad-signature")
}
