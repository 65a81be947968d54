package sealed

import (
	"bytes"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The limits of live view (docs/live.md).
const (
	LiveVersion = 1
	MaxKnock    = 4 << 10  // bytes
	MaxGrant    = 32 << 10 // bytes
	MaxFragment = 3 << 20  // bytes of what is sealed in a fragment

	// MaxGroup is how many bytes, and MaxGroupFragments how many fragments, from a key
	// frame on are kept for viewers who come later. Of a longer group nothing is kept.
	MaxGroup          = 16 << 20
	MaxGroupFragments = 1024

	// MaxKnockLife is how long after it was written a knock may be granted at most, in
	// microseconds.
	MaxKnockLife = 2 * 60 * 1_000_000
)

// LiveKind says which of the messages of live view one is.
type LiveKind uint8

// The kinds of messages. Numbers are never used again for something else.
const (
	KnockMessage    LiveKind = 1 // a viewer asks an agent for a run: a [Knock]
	GrantMessage    LiveKind = 2 // the agent's answer: a [Grant]
	FragmentMessage LiveKind = 3 // a piece of a run: a [Fragment]
)

// String returns the kind's name.
func (k LiveKind) String() string {
	switch k {
	case KnockMessage:
		return "knock"
	case GrantMessage:
		return "grant"
	case FragmentMessage:
		return "fragment"
	}
	return fmt.Sprintf("message of kind %d", uint8(k))
}

// StreamKind says which of a camera's streams one is.
type StreamKind uint8

// The kinds of streams. A number that an agent does not know it does not grant; 0 is
// none.
const (
	MainStream  StreamKind = 1 // the picture as it is recorded
	SubStream   StreamKind = 2 // a small picture
	SoundStream StreamKind = 3
)

// String returns the kind's name.
func (k StreamKind) String() string {
	switch k {
	case MainStream:
		return "main"
	case SubStream:
		return "sub"
	case SoundStream:
		return "sound"
	}
	return fmt.Sprintf("stream-%d", uint8(k))
}

// ParseStreamKind reads the name of a kind that this version has.
func ParseStreamKind(name string) (StreamKind, bool) {
	for k := MainStream; k <= SoundStream; k++ {
		if k.String() == name {
			return k, true
		}
	}
	return 0, false
}

// Stream names one stream of one camera. It is what a viewer asks for, and every message
// of live view says which stream it is about: two streams are the same exactly when they
// are ==.
type Stream struct {
	Home   latchkey.HomeID
	Camera latchkey.CameraID
	Kind   StreamKind
}

// Answers compares the stream with the one that was asked for.
func (s Stream) Answers(asked Stream) error {
	switch {
	case s.Home != asked.Home:
		return Refuse(WrongHome, "a stream of home %s", s.Home)
	case s.Camera != asked.Camera:
		return Refuse(WrongCamera, "a stream of camera %s", s.Camera)
	case s.Kind != asked.Kind:
		return Refuse(WrongStream, "stream %s", s.Kind)
	}
	return nil
}

// String says which stream it is.
func (s Stream) String() string {
	return fmt.Sprintf("%s of camera %s of home %s", s.Kind, s.Camera, s.Home)
}

func (s Stream) appendTo(w *wire.Writer) {
	w.Raw(s.Home[:])
	w.Raw(s.Camera[:])
	w.U8(uint8(s.Kind))
}

func readStream(r *wire.Reader) (s Stream, err error) {
	r.Into(s.Home[:])
	r.Into(s.Camera[:])
	s.Kind = StreamKind(r.U8())
	if r.Err() == nil && s.Kind == 0 {
		return s, Refuse(Malformed, "stream 0")
	}
	return s, nil
}

// LiveKindOf says which message of live view p is, by its first two bytes.
func LiveKindOf(p []byte) (LiveKind, error) {
	r := wire.NewReader(p)
	if err := readVersion("message", r, LiveVersion); err != nil {
		return 0, err
	}
	switch k := LiveKind(r.U8()); {
	case r.Err() != nil:
		return 0, layout("message", r.Err())
	case k < KnockMessage || k > FragmentMessage:
		return 0, Refuse(Malformed, "%s", k)
	default:
		return k, nil
	}
}

// beginLive reads version, kind and stream of a message that must be of that kind and may
// have so many bytes. What is read keeps nothing of p, unless it is a fragment.
func beginLive(kind LiveKind, p []byte, limit int) (*wire.Reader, Stream, error) {
	if len(p) > limit {
		return nil, Stream{}, Refuse(Oversize, "%s of %d bytes, at most %d", kind, len(p), limit)
	}
	switch is, err := LiveKindOf(p); {
	case err != nil:
		return nil, Stream{}, err
	case is != kind:
		return nil, Stream{}, Refuse(Malformed, "a %s where a %s belongs", is, kind)
	}
	if kind != FragmentMessage {
		p = bytes.Clone(p)
	}
	r := wire.NewReader(p[2:])
	s, err := readStream(r)
	return r, s, err
}

// startLive is how every message of live view begins.
func startLive(w *wire.Writer, kind LiveKind, s Stream) {
	w.U8(LiveVersion)
	w.U8(uint8(kind))
	s.appendTo(w)
}

// readOne reads what follows the context, to the end, of what is sealed to one recipient.
func (p *Parcel) readOne(r *wire.Reader, kind RecipientKind) error {
	n := int(r.U8())
	if r.Err() == nil && n != 1 {
		return Refuse(Malformed, "%d recipients, want 1", n)
	}
	return p.readSealed(r, n, kind)
}
