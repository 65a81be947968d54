package deed

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Role says what somebody may in a home.
type Role uint8

// The roles. Numbers are never used again for something else.
const (
	Owner    Role = 1 // sees the whole home and decides
	Resident Role = 2 // sees the whole home
	Guest    Role = 3 // sees what the rights say
	Link     Role = 4 // a guest whose keys come from a link's secret; signs no deeds
)

// SeesAll says whether somebody of that role sees the whole home, and so has the key
// of its epochs.
func (r Role) SeesAll() bool { return r == Owner || r == Resident }

// limited is the other side: there are at most [MaxLimited] of them.
func (r Role) limited() bool { return r == Guest || r == Link }

// String returns the role's name in docs/deed.md.
func (r Role) String() string {
	switch r {
	case Owner:
		return "owner"
	case Resident:
		return "resident"
	case Guest:
		return "guest"
	case Link:
		return "link"
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// Kinds is a set of what can be seen of a camera.
type Kinds uint16

// What can be seen. Kind k of an object is bit k-1.
const (
	SeesThumbnails   Kinds = 1
	SeesClips        Kinds = 2
	SeesDescriptions Kinds = 4
	SeesLive         Kinds = 8
	SeesFootage      Kinds = 16

	allKinds = SeesThumbnails | SeesClips | SeesDescriptions | SeesLive | SeesFootage
)

// kindsOf is the set of that one kind of object, empty for a kind that there is not.
func kindsOf(kind latchkey.Kind) Kinds {
	if kind < latchkey.Thumbnail || kind > latchkey.Description {
		return 0
	}
	return 1 << (kind - 1)
}

// Rights say what a guest or link sees, and for how long.
type Rights struct {
	Kinds   Kinds
	Until   latchkey.Time       // the moment from which they see nothing, 0 for never
	Every   bool                // every camera of the home; then Cameras is empty
	Cameras []latchkey.CameraID // ascending
}

// Camera says whether the rights name the camera or take in every one.
func (r Rights) Camera(id latchkey.CameraID) bool {
	if r.Every {
		return true
	}
	_, ok := slices.BinarySearchFunc(r.Cameras, id, compareCameras)
	return ok
}

// Ended says whether they see nothing any more at that moment.
func (r Rights) Ended(at latchkey.Time) bool { return r.Until != 0 && at >= r.Until }

func compareCameras(a, b latchkey.CameraID) int { return bytes.Compare(a[:], b[:]) }

// Standing is a role with the rights that belong to it: none unless it is a guest's or
// a link's.
type Standing struct {
	Role   Role
	Rights Rights
}

func (s Standing) appendTo(w *wire.Writer) {
	w.U8(uint8(s.Role))
	if s.Role.limited() {
		s.Rights.appendTo(w)
	}
}

// readStanding reads the standing of a person; links are made by "lend" alone.
func readStanding(r *wire.Reader) Standing {
	s := Standing{Role: Role(r.U8())}
	if s.Role < Owner || s.Role > Guest {
		r.Fail(fmt.Errorf("%w: a standing of %s", wire.ErrMalformed, s.Role))
	}
	if s.Role == Guest {
		s.Rights = readRights(r)
	}
	return s
}

func (r Rights) appendTo(w *wire.Writer) {
	w.U16(uint16(r.Kinds))
	w.U64(uint64(r.Until))
	w.U8(flag(r.Every))
	w.U16(uint16(len(r.Cameras)))
	for _, c := range r.Cameras {
		w.Raw(c[:])
	}
}

func readRights(r *wire.Reader) Rights {
	rights := Rights{Kinds: Kinds(r.U16())}
	if rights.Kinds == 0 || rights.Kinds&^allKinds != 0 {
		r.Fail(fmt.Errorf("%w: rights to kinds %#x", wire.ErrMalformed, uint16(rights.Kinds)))
	}
	rights.Until = latchkey.Time(r.U64())
	rights.Every = readFlag(r)
	n := int(r.U16())
	switch {
	case n > MaxCameras:
		r.Fail(refuse(TooMany, "rights to %d cameras, at most %d", n, MaxCameras))
	case rights.Every != (n == 0):
		r.Fail(fmt.Errorf("%w: rights to every camera and to %d", wire.ErrMalformed, n))
	}
	for i := 0; i < n && r.Err() == nil; i++ {
		var c latchkey.CameraID
		r.Into(c[:])
		if i > 0 && compareCameras(rights.Cameras[i-1], c) >= 0 {
			r.Fail(fmt.Errorf("%w: the cameras do not ascend", wire.ErrMalformed))
		}
		rights.Cameras = append(rights.Cameras, c)
	}
	return rights
}

// flag is how a yes or no is written.
func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func readFlag(r *wire.Reader) bool {
	b := r.U8()
	if b > 1 {
		r.Fail(fmt.Errorf("%w: %d where 0 or 1 belongs", wire.ErrMalformed, b))
	}
	return b == 1
}
