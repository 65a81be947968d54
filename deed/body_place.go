package deed

import (
	"bytes"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// AgentBody places an agent.
type AgentBody struct {
	Agent   latchkey.AgentID
	Signing []Key // objects and requests
	KEM     Key   // what is for the agent is sealed to it
}

// CameraBody places a camera with its agent.
type CameraBody struct {
	Camera latchkey.CameraID
	Agent  latchkey.AgentID
}

// ReplaceAgentBody gives an agent new keys.
type ReplaceAgentBody struct {
	AgentBody
	Lasts []Last // ascending by camera
}

// ReleaseAgentBody lets an agent and its cameras leave the home.
type ReleaseAgentBody struct {
	Agent latchkey.AgentID
	Lasts []Last // ascending by camera
}

// Last says which object of a camera was the last that a key signed which signs
// nothing more.
type Last struct {
	Camera      latchkey.CameraID
	Incarnation uint64
	Sequence    uint64
}

// ReleaseCameraBody lets a camera leave the home.
type ReleaseCameraBody struct{ Camera latchkey.CameraID }

// FreezeBody stops all media of the home.
type FreezeBody struct{}

// ThawBody ends that.
type ThawBody struct{}

// RetainBody says how long and how much the home's recordings are kept, 0 for no bound.
type RetainBody struct {
	Days  uint32
	Bytes uint64
}

// Type is [PlaceAgent].
func (AgentBody) Type() Type { return PlaceAgent }

// Type is [PlaceCamera].
func (CameraBody) Type() Type { return PlaceCamera }

// Type is [ReplaceAgent].
func (ReplaceAgentBody) Type() Type { return ReplaceAgent }

// Type is [ReleaseAgent].
func (ReleaseAgentBody) Type() Type { return ReleaseAgent }

// Type is [ReleaseCamera].
func (ReleaseCameraBody) Type() Type { return ReleaseCamera }

// Type is [Freeze].
func (FreezeBody) Type() Type { return Freeze }

// Type is [Thaw].
func (ThawBody) Type() Type { return Thaw }

// Type is [Retain].
func (RetainBody) Type() Type { return Retain }

func (b AgentBody) appendTo(w *wire.Writer) {
	w.Raw(b.Agent[:])
	appendKeys(w, b.Signing)
	b.KEM.appendTo(w)
}

func readAgent(r *wire.Reader) AgentBody {
	var b AgentBody
	r.Into(b.Agent[:])
	b.Signing = readSigningKeys(r)
	b.KEM = readKey(r, XWing)
	return b
}

func (b CameraBody) appendTo(w *wire.Writer) {
	w.Raw(b.Camera[:])
	w.Raw(b.Agent[:])
}

func readCamera(r *wire.Reader) CameraBody {
	var b CameraBody
	r.Into(b.Camera[:])
	r.Into(b.Agent[:])
	return b
}

func (b ReplaceAgentBody) appendTo(w *wire.Writer) {
	b.AgentBody.appendTo(w)
	appendLasts(w, b.Lasts)
}

func readReplaceAgent(r *wire.Reader) ReplaceAgentBody {
	return ReplaceAgentBody{readAgent(r), readLasts(r)}
}

func (b ReleaseAgentBody) appendTo(w *wire.Writer) {
	w.Raw(b.Agent[:])
	appendLasts(w, b.Lasts)
}

func readReleaseAgent(r *wire.Reader) (b ReleaseAgentBody) {
	r.Into(b.Agent[:])
	b.Lasts = readLasts(r)
	return b
}

func appendLasts(w *wire.Writer, lasts []Last) {
	w.U16(uint16(len(lasts)))
	for _, l := range lasts {
		w.Raw(l.Camera[:])
		w.U64(l.Incarnation)
		w.U64(l.Sequence)
	}
}

func readLasts(r *wire.Reader) []Last {
	n := int(r.U16())
	if n > MaxCameras {
		r.Fail(refuse(TooMany, "the last objects of %d cameras, at most %d", n, MaxCameras))
	}
	var lasts []Last
	for i := 0; i < n && r.Err() == nil; i++ {
		var l Last
		r.Into(l.Camera[:])
		if i > 0 && compareCameras(lasts[i-1].Camera, l.Camera) >= 0 {
			r.Fail(fmt.Errorf("%w: the cameras do not ascend", wire.ErrMalformed))
		}
		l.Incarnation, l.Sequence = r.U64(), r.U64()
		lasts = append(lasts, l)
	}
	return lasts
}

func (b ReleaseCameraBody) appendTo(w *wire.Writer) { w.Raw(b.Camera[:]) }

func readReleaseCamera(r *wire.Reader) (b ReleaseCameraBody) {
	r.Into(b.Camera[:])
	return b
}

func (FreezeBody) appendTo(*wire.Writer) {}

func (ThawBody) appendTo(*wire.Writer) {}

func (b RetainBody) appendTo(w *wire.Writer) {
	w.U32(b.Days)
	w.U64(b.Bytes)
}

func readRetain(r *wire.Reader) RetainBody {
	b := RetainBody{Days: r.U32()}
	if b.Days > maxDays {
		r.Fail(fmt.Errorf("%w: kept for %d days", wire.ErrMalformed, b.Days))
	}
	b.Bytes = r.U64()
	return b
}

// AgentBytes returns an agent's ID and keys as a "place agent" has them, which is
// also what an agent answers in a join link's slot (docs/wire.md).
func (b AgentBody) AgentBytes() []byte {
	var w wire.Writer
	b.appendTo(&w)
	return w.Bytes()
}

// ParseAgent is the inverse of [AgentBody.AgentBytes].
func ParseAgent(p []byte) (AgentBody, error) {
	r := wire.NewReader(bytes.Clone(p))
	b := readAgent(r)
	return b, layout(r.Done())
}
