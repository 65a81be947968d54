package live

import (
	"crypto"
	"fmt"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Viewer watches one stream. It gives only what the stream's own agent has sealed for it
// and signed, each fragment once, in order, and says what is missing. It may not be used
// by several at once.
//
// The moments that it is given are those of one clock that does not jump; which time it
// shows is of no matter.
type Viewer struct {
	device crypto.Signer
	stream sealed.Stream

	knocked *knocked // what was not answered yet
	now     *watched // what is played
	next    *watched // what was granted, and has not begun
}

// knocked is a knock that was sent.
type knocked struct {
	knock sealed.Knock
	asker *key.Private // the grant is sealed to it, and it is thrown away with this
	sent  latchkey.Time
}

// watched is a run that was granted.
type watched struct {
	opener
	sent   latchkey.Time // when the knock was, by the viewer's clock
	last   uint32        // sequence number of the newest fragment that was opened
	broken bool          // something is missing, and no key frame has come since
	told   bool          // that it ends
	played latchkey.Time // of the newest fragment that was given out, 0 for none
}

// Step is what is to be done about a message that was taken, in this order.
type Step struct {
	Refused string        // the agent lets nobody watch, and why, in a word for programs
	Granted bool          // the agent has granted a run; its fragments may be taken
	Missing uint32        // so many fragments before this one did not come: a gap to be shown
	Init    *Init         // a run begins with this fragment: the player is given this first
	Media   []byte        // to be played; nil if nothing is, because a key frame has to come first
	Key     bool          // Media begins with a key frame
	Time    latchkey.Time // of Media, by the agent's clock
	Knock   bool          // the run ends within seconds: knock again
}

// NewViewer returns the viewer of a stream, who knocks with a member's device.
func NewViewer(device crypto.Signer, of sealed.Stream) *Viewer {
	return &Viewer{device: device, stream: of}
}

// Knock makes the knock that is to be sent to the camera's agent: the first, or another
// because the run ends or nothing has come for a while. Only the newest is answered; what
// is played goes on until the next run begins.
func (v *Viewer) Knock(t *deed.Title, now latchkey.Time) ([]byte, error) {
	camera, _ := t.Camera(v.stream.Camera)
	agent, ok := t.Agent(camera.Agent)
	if !ok {
		return nil, fmt.Errorf("knock: no camera %s in home %s", v.stream.Camera, t.Home())
	}
	asker, err := key.NewPrivate()
	if err != nil {
		return nil, fmt.Errorf("knock: %w", err)
	}
	k := sealed.Knock{Stream: v.stream, Agent: agent.ID, Nonce: newNonce(), Time: now, Expires: later(now, sealed.MaxKnockLife)}
	to := sealed.Recipient{Recipient: sealed.ToAgent, Key: agent.KEM, Epoch: t.Epoch()}
	if err := parcel.Write(&k, v.device, t, []sealed.Recipient{to}, asker.Public().Bytes); err != nil {
		return nil, fmt.Errorf("knock: %w", err)
	}
	if err := sealed.VerifyKnock(k, t); err != nil { // what no agent would take
		return nil, fmt.Errorf("knock: %w", err)
	}
	v.knocked = &knocked{k, asker, now}
	return k.Bytes(), nil
}

// Take takes a grant or a fragment. What is refused changes nothing, and nothing of it is
// given.
func (v *Viewer) Take(b []byte, t *deed.Title, now latchkey.Time) (Step, error) {
	kind, err := sealed.LiveKindOf(b)
	if err != nil {
		return Step{}, err
	}
	switch kind {
	case sealed.GrantMessage:
		return v.takeGrant(b, t, now)
	case sealed.FragmentMessage:
		return v.takeFragment(b, t)
	}
	return Step{}, sealed.Refuse(sealed.Malformed, "a %s, which no viewer takes", kind)
}

func (v *Viewer) takeGrant(b []byte, t *deed.Title, now latchkey.Time) (Step, error) {
	g, err := sealed.ParseGrant(b)
	if err != nil {
		return Step{}, err
	}
	if err := g.Stream.Answers(v.stream); err != nil {
		return Step{}, err
	}
	k := v.knocked
	if k == nil {
		return Step{}, sealed.Refuse(sealed.WrongKnock, "no knock is to be answered")
	}
	if err := g.Answers(k.knock); err != nil {
		return Step{}, err
	}
	if err := sealed.VerifyGrant(g, t); err != nil {
		return Step{}, err
	}
	if now > k.knock.Expires {
		return Step{}, sealed.Refuse(sealed.Expired, "the knock ended at %d, and it is %d", k.knock.Expires, now)
	}
	plain, err := parcel.Open(&g, func(_ sealed.RecipientKind, id latchkey.KeyID) (*key.Private, bool) {
		return k.asker, id == k.asker.ID()
	})
	if err != nil {
		return Step{}, err
	}
	return v.granted(g, plain, t)
}

// granted reads what an agent has granted, or why it grants nothing.
func (v *Viewer) granted(g sealed.Grant, plain []byte, t *deed.Title) (Step, error) {
	if g.Refuses() {
		if err := checkText(string(plain), maxReason); err != nil {
			return Step{}, sealed.Refuse(sealed.BadContent, "%v", err)
		}
		v.knocked = nil
		return Step{Refused: string(plain)}, nil
	}
	content, err := parseGranted(plain)
	if err != nil {
		return Step{}, sealed.Refuse(sealed.BadContent, "%v", err)
	}
	aead, err := newAEAD(content.key)
	if err != nil {
		return Step{}, fmt.Errorf("open grant: %w", err)
	}
	agent, _ := t.SigningKey(g.Signer)
	w := &watched{opener: opener{g, agent, aead, content.init}, sent: v.knocked.sent}
	if is := v.now; is != nil && is.grant.Run == g.Run { // it goes on where it is, and its age is known anew
		w.grant.From = is.grant.From
		w.last, w.broken, w.played = is.last, is.broken, is.played
		v.now, v.next = w, nil
	} else {
		v.next = w
	}
	v.knocked = nil
	return Step{Granted: true}, nil
}

func (v *Viewer) takeFragment(b []byte, t *deed.Title) (Step, error) {
	f, err := sealed.ParseFragment(b)
	if err != nil {
		return Step{}, err
	}
	if err := f.Stream.Answers(v.stream); err != nil {
		return Step{}, err
	}
	w := v.of(f.Run)
	switch {
	case w == nil:
		return Step{}, sealed.Refuse(sealed.WrongRun, "run %s is not watched", f.Run)
	case f.Sequence < w.grant.From || f.Sequence <= w.last:
		return Step{}, sealed.Refuse(sealed.Replayed, "fragment %d after %d", f.Sequence, max(w.last, w.grant.From))
	}
	if err := w.grant.Stands(t); err != nil {
		return Step{}, err
	}
	media, err := w.open(f)
	if err != nil {
		return Step{}, err
	}
	return v.play(w, f, media), nil
}

// of is the run of that ID, if it is watched.
func (v *Viewer) of(run latchkey.RunID) *watched {
	for _, w := range []*watched{v.next, v.now} {
		if w != nil && w.grant.Run == run {
			return w
		}
	}
	return nil
}

// play says what is to be done about a fragment that was opened.
func (v *Viewer) play(w *watched, f sealed.Fragment, media []byte) Step {
	var s Step
	if w == v.next {
		if w.last = f.Sequence; !f.Key {
			return s
		}
		v.now, v.next = w, nil
		s.Init = &w.init
	} else {
		s.Missing = f.Sequence - w.last - 1
		w.last = f.Sequence
	}
	if f.Ending && !w.told && v.knocked == nil && v.next == nil {
		w.told, s.Knock = true, true
	}
	w.broken = (w.broken || s.Missing > 0) && !f.Key
	if !w.broken {
		s.Media, s.Key, s.Time = media, f.Key, f.Time
		w.played = f.Time
	}
	return s
}

// Behind is by how much at most what was last given out lies behind what the camera sees
// at that moment. It is false before anything was. More than [Fresh] is not live.
//
// The agent's clock is not believed, only that it goes as fast as the viewer's: the grant
// tells what it showed at a moment after the knock was sent, and so how old, at most,
// whatever has come since is. What holds anything back makes it look older, never newer.
func (v *Viewer) Behind(now latchkey.Time) (time.Duration, bool) {
	w := v.now
	if w == nil {
		return 0, false
	}
	passed, shown := int64(now)-int64(w.sent), int64(w.played)-int64(w.grant.Time)
	return time.Duration(max(passed-shown, 0)) * time.Microsecond, true
}
