package live_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestWhoMay: the deeds as they are now say who watches, when a run is granted and
// later.
func TestWhoMay(t *testing.T) {
	s := newScene(t)
	other := s.owner.PlaceCamera(s.agent)
	until := s.owner.Now() + 3600*second
	rights := func(kinds deed.Kinds, until latchkey.Time, cameras ...latchkey.CameraID) deed.Standing {
		r := keytest.Rights(until, cameras...)
		r.Kinds = kinds
		return deed.Standing{Role: deed.Guest, Rights: r}
	}
	join := func(st deed.Standing) *keytest.Person { return s.owner.Join(keytest.NewPerson(), st) }
	resident := join(keytest.AsResident)
	guest := join(rights(deed.SeesLive, 0, s.stream.Camera))
	beside := join(rights(deed.SeesLive, 0, other))
	clips := join(rights(deed.SeesClips, 0, s.stream.Camera))
	ends := join(rights(deed.SeesLive, until))
	gone := join(keytest.AsResident)
	visitors := map[*keytest.Person]*live.Visitor{}
	for _, p := range []*keytest.Person{resident, guest, beside, clips, ends, gone} {
		s.now = s.owner.Now()
		visitors[p] = s.open(s.knock(live.NewViewer(p.Keys.DeviceSigning, s.stream)))
	}
	s.owner.Dismiss(gone)
	for _, c := range []struct {
		name string
		who  *keytest.Person
		at   latchkey.Time
		sure bool
		want sealed.Reason
	}{
		{"a resident", resident, until, true, ""},
		{"a resident, without a clock", resident, 0, false, ""},
		{"a guest of the camera", guest, until, true, ""},
		{"a guest without end, without a clock", guest, 0, false, ""},
		{"a guest of another camera", beside, until - 1, true, sealed.NotAllowed},
		{"a guest without live view", clips, until - 1, true, sealed.NotAllowed},
		{"a guest before the end", ends, until - 1, true, ""},
		{"a guest at the end", ends, until, true, sealed.NotAllowed},
		{"a guest whose rights end, without a clock", ends, 0, false, sealed.NotAllowed},
		{"somebody who is gone", gone, until, true, sealed.FormerSigner},
	} {
		visitor, now := visitors[c.who], live.Now{Clock: c.at, Sure: c.sure}
		if have := sealed.ReasonOf(visitor.May(s.owner.Title(), now)); have != c.want {
			t.Errorf("%s: %q, want %q", c.name, have, c.want)
		}
		if _, err := visitor.Grant(s.run, s.owner.Title(), now); c.want != "" && sealed.ReasonOf(err) != c.want {
			t.Errorf("%s is granted a run: %v", c.name, err)
		}
	}
	s.owner.ReleaseCamera(s.stream.Camera)
	if have := sealed.ReasonOf(visitors[resident].May(s.owner.Title(), at(until))); have != sealed.WrongAgent {
		t.Errorf("a camera that has left the home: %q", have)
	}
}

// TestKnockIsAnsweredOnce, and answers are counted without holes.
func TestKnockIsAnsweredOnce(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	for want := uint64(1); want < 4; want++ {
		visitor := s.open(s.knock(live.NewViewer(device, s.stream)))
		if _, err := visitor.Refuse("a word\nand another", s.owner.Title(), at(s.now)); err == nil {
			t.Error("a refusal of two lines is sealed")
		}
		b, err := visitor.Grant(s.run, s.owner.Title(), at(s.now))
		s.must(err)
		if g, err := sealed.ParseGrant(b); err != nil || g.Number != want || g.Incarnation != incarnation {
			t.Errorf("%s, %v; want number %d", g, err, want)
		}
		if _, err := visitor.Refuse("busy", s.owner.Title(), at(s.now)); err == nil {
			t.Error("a knock is answered twice")
		}
	}
}

// TestUnsureClock decides nothing about a knock.
func TestUnsureClock(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	for _, clock := range []latchkey.Time{1, moment + 3600*second} {
		knock := s.knock(live.NewViewer(device, s.stream))
		if _, err := s.porter.Open(knock, s.owner.Title(), live.Now{Clock: clock}); err != nil {
			t.Errorf("an agent whose clock shows %d, which nobody believes: %v", clock, err)
		}
		if _, err := s.porter.Open(knock, s.owner.Title(), at(clock)); sealed.ReasonOf(err) != sealed.Expired {
			t.Errorf("an agent whose clock shows %d: %v", clock, err)
		}
	}
}

// TestWhatCannotBeAnswered is not counted: a hole in the numbers is a grant that was kept
// back.
func TestWhatCannotBeAnswered(t *testing.T) {
	s := newScene(t)
	m := newMaker(t, keytest.ReadHomes(homesFile))
	a := m.homes["A"]
	porter := live.NewPorter(a.Agent(0).Keys, incarnation)
	refuse := func(brings []byte) ([]byte, error) {
		visitor, err := porter.Open(m.knock(wish[sealed.Knock]{plain: brings}), a.Title(), at(moment))
		s.must(err)
		return visitor.Refuse("busy", a.Title(), at(moment))
	}
	if _, err := refuse(bytes.Repeat([]byte{0xff}, 1216)); err == nil {
		t.Error("something is sealed to what is no key")
	}
	b, err := refuse(nil)
	s.must(err)
	if g, err := sealed.ParseGrant(b); err != nil || g.Number != 1 {
		t.Errorf("%s, %v; want number 1", g, err)
	}
	_, device := s.owner.Device()
	visitor := s.open(s.knock(live.NewViewer(device, s.stream)))
	s.owner.ReleaseCamera(s.stream.Camera)
	if _, err := visitor.Refuse("off", s.owner.Title(), at(s.now)); sealed.ReasonOf(err) != sealed.WrongAgent {
		t.Errorf("an answer about a camera that has left, which nobody takes: %v", err)
	}
}

// TestKnockThatNobodyOpens is not made.
func TestKnockThatNobodyOpens(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.must(err)
	strange := s.stream
	strange.Camera = latchkey.NewCameraID()
	for name, v := range map[string]*live.Viewer{
		"a stranger's device": live.NewViewer(key.Signing(), s.stream), "another kind of key": live.NewViewer(other, s.stream),
		"a camera that is not there": live.NewViewer(device, strange),
	} {
		if _, err := v.Knock(s.owner.Title(), s.now); err == nil {
			t.Errorf("%s knocks", name)
		}
	}
}

// TestPorterForgets the oldest knock when it has met many others, and not before.
func TestPorterForgets(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	knock := s.knock(live.NewViewer(device, s.stream))
	s.open(knock)
	for i := range live.MaxSeen - 1 {
		if !s.porter.First([32]byte{1, byte(i), byte(i >> 8)}) {
			t.Fatalf("knock %d is known", i)
		}
	}
	if _, err := s.porter.Open(knock, s.owner.Title(), at(s.now)); sealed.ReasonOf(err) != sealed.Replayed {
		t.Errorf("the oldest of %d: %v", live.MaxSeen, err)
	}
	s.porter.First([32]byte{2})
	s.open(knock)
}

// TestOtherStreamIsNotGranted: a run is granted to those who asked for its stream.
func TestOtherStreamIsNotGranted(t *testing.T) {
	s := newScene(t)
	_, device := s.owner.Device()
	of := s.stream
	of.Kind = sealed.SubStream
	visitor := s.open(s.knock(live.NewViewer(device, of)))
	if _, err := visitor.Grant(s.run, s.owner.Title(), at(s.now)); sealed.ReasonOf(err) != sealed.WrongStream {
		t.Errorf("the main stream to who asked for the sub stream: %v", err)
	}
}
