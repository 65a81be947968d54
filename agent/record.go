package agent

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// recorder seals what happens on the cameras into the spool. It is the [event.Sink] of
// every camera: when Begin or End returns nil, what it was told survives a power cut.
type recorder struct {
	clock       *clock.Clock
	keys        *key.AgentKeys
	chain       *uplink.Chain
	incarnation uint64
	spool       *spool.Spool
	names       func(latchkey.CameraID) *names // what things are called now; nil while nobody has said
	log         *slog.Logger

	mu         sync.Mutex // protects what follows
	handedOver uint64     // the deed that last handed the home over, as far as that was noticed
	since      uint64     // when it was noticed, by the monotonic clock: what began before is not the home's
	// sequences holds the last number that was used, by camera. They begin anew with
	// each incarnation, which is on the disk before the first of them is used; so
	// none is used twice, and none needs to be on the disk itself.
	sequences map[latchkey.CameraID]uint64
}

var _ event.Sink = (*recorder)(nil)

// Begin seals the thumbnail.
func (r *recorder) Begin(ctx context.Context, e event.Event, thumbnail []byte) error {
	if thumbnail == nil {
		return nil
	}
	b, err := r.bind(e, latchkey.Thumbnail, e.Picture)
	if err != nil {
		return err
	}
	return r.add(e, b, func(w io.Writer) error {
		_, err := w.Write(thumbnail)
		return err
	})
}

// End seals the clip and then the description, which says what the clip is. If the
// clip cannot be kept the event is described without one, and the error says why.
func (r *recorder) End(ctx context.Context, e event.Event, clip func(io.Writer) error) error {
	d := describe(e)
	d.Names = r.names(e.Camera)
	object, pieces, clipErr := r.addClip(e, clip)
	if clipErr == nil {
		d.Clip = &clipDescription{
			Object: object, Stream: sealed.MainStream.String(), Type: e.Clip.Type, Width: e.Clip.Width, Height: e.Clip.Height,
			Duration: e.Clip.Duration.Microseconds(), Bytes: e.Clip.Bytes, Pieces: pieces,
		}
	}
	if clipErr == nil && e.Clip.Sub {
		d.Clip.Stream = sealed.SubStream.String()
	}
	text := d.encode()
	b, err := r.bind(e, latchkey.Description, e.Start)
	if err != nil {
		return errors.Join(clipErr, err)
	}
	return errors.Join(clipErr, r.add(e, b, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	}))
}

// addClip seals the clip, and returns what it is and the hashes of its pieces.
func (r *recorder) addClip(e event.Event, clip func(io.Writer) error) (object latchkey.ObjectID, hashes []byte, err error) {
	if e.Clip.Bytes == 0 { // there is none, and the function says why
		return object, nil, cmp.Or(clip(io.Discard), errNoClip)
	}
	b, err := r.bind(e, latchkey.Clip, e.Clip.Start)
	if err != nil {
		return object, nil, err
	}
	err = r.add(e, b, func(w io.Writer) error {
		p := piecesTo(w)
		err := clip(p)
		hashes = p.hashes()
		return err
	})
	return b.Object, hashes, err
}

// errNoClip: the watcher had no clip and no reason.
var errNoClip = errors.New("the event has no clip")

func (r *recorder) add(e event.Event, b sealed.Binding, content func(io.Writer) error) error {
	h, err := r.spool.Add(b, r.keys.Signing, content)
	if err != nil {
		return fmt.Errorf("record event %s: %w", e.ID, err)
	}
	// The line is for measuring; all times are of the same monotonic clock.
	r.log.Debug("stage", "stage", "sealed", "event", e.ID.String(), "camera", e.Camera.String(),
		"kind", b.Kind.String(), "object", b.Object.String(), "bytes", h.BodyLength, "at", r.clock.Now().Monotonic,
		"moving", e.Start.Monotonic, "received", e.Stages.Received.Monotonic,
		"decided", e.Stages.Decided.Monotonic, "still", e.Stages.Still.Monotonic)
	return nil
}

// acknowledged is told of every object that the server has taken.
func (r *recorder) acknowledged(h sealed.Header) {
	b := h.Binding
	r.log.Debug("stage", "stage", "acknowledged", "event", b.Event.String(), "camera", b.Camera.String(),
		"kind", b.Kind.String(), "object", b.Object.String(), "bytes", h.BodyLength, "at", r.clock.Now().Monotonic)
}

// errNoHome: nothing can be sealed before the home's deeds are known.
var errNoHome = errors.New("the home's deeds are not known yet")

// errBefore: what was recorded is of those who lived here before, in part at least.
var errBefore = errors.New("it began before the home was handed over")

// notice tells the recorder that the home's deeds have changed.
func (r *recorder) notice(t *deed.Title) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turned(t)
}

// turned notes the moment at which the home was handed over. Its caller holds the lock.
func (r *recorder) turned(t *deed.Title) {
	if t != nil && t.HandedOver() > r.handedOver {
		r.handedOver, r.since = t.HandedOver(), r.clock.Now().Monotonic
	}
}

// bind makes the binding of a new object, whose moment is at.
func (r *recorder) bind(e event.Event, kind latchkey.Kind, at clock.Moment) (sealed.Binding, error) {
	title := r.chain.Title()
	if title == nil {
		return sealed.Binding{}, errNoHome
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turned(title)
	if min(e.Start.Monotonic, at.Monotonic) < r.since {
		return sealed.Binding{}, errBefore
	}
	r.sequences[e.Camera]++
	return sealed.Binding{
		Kind: kind, Quality: at.Quality, Home: title.Home(), Camera: e.Camera,
		Event: e.ID, Object: latchkey.NewObjectID(), AgentKey: r.keys.KeyID(),
		Incarnation: r.incarnation, Sequence: r.sequences[e.Camera],
		Time: at.Wall, Boot: r.clock.Boot(), Monotonic: at.Monotonic, Head: title.Head(),
	}, nil
}

// description is the content of a description (docs/seal.md, "Description").
type description struct {
	V         int              `json:"v"`
	Start     latchkey.Time    `json:"start"`
	End       latchkey.Time    `json:"end"`
	Cause     string           `json:"cause"`
	Saw       []string         `json:"saw,omitempty"`
	Score     float64          `json:"score"`
	Continues latchkey.EventID `json:"continues,omitzero"`
	Names     *names           `json:"names,omitempty"`
	Clip      *clipDescription `json:"clip,omitempty"`
}

// names are what the home's people call things, for those who cannot read the settings.
type names struct {
	Camera string `json:"camera,omitempty"`
	Home   string `json:"home"`
	Zone   string `json:"zone"`
}

type clipDescription struct {
	Object   latchkey.ObjectID `json:"object"`
	Stream   string            `json:"stream"`
	Type     string            `json:"type"`
	Width    int               `json:"width"`
	Height   int               `json:"height"`
	Duration int64             `json:"duration"`
	Bytes    int64             `json:"bytes"`
	Pieces   []byte            `json:"pieces,omitempty"`
}

// encode makes a description as long as it would be if everything had been seen: the
// server sees its length, and is not to guess from that what was.
func (d description) encode() []byte {
	all := d
	all.Saw = latchkey.SawAll.Names()
	text, err := json.Marshal(d)
	longest, err2 := json.Marshal(all)
	if err := cmp.Or(err, err2); err != nil {
		panic("internal error: encode a description: " + err.Error())
	}
	return append(text, bytes.Repeat([]byte(" "), len(longest)-len(text))...)
}

// describe leaves the clip out. A clock that was set back meanwhile does not make an
// event end before it began: the length is the monotonic clock's.
func describe(e event.Event) description {
	length := max(e.End.Sub(e.Start), 0)
	return description{
		V: 1, Start: e.Start.Wall, End: e.Start.Wall + latchkey.Time(length.Microseconds()),
		Cause: e.Cause, Saw: e.Saw.Names(), Score: e.Score, Continues: e.Continues,
	}
}
