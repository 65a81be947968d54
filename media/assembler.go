package media

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// maxUnit is the largest access unit that is taken: a picture of 8K at 50 Mbit/s does
// not reach it. The RTP readers have the same limit.
const maxUnit = h264.MaxAccessUnitSize

// Assembler makes units of what one session of a camera sends. It drops what comes
// before the first key unit and what no player needs (delimiters, filler), follows
// the parameter sets, and gives every unit its times.
//
// The zero Assembler is ready, for H.264. It is for one session; a new session begins
// with a new one.
type Assembler struct {
	// H265 says that the stream is H.265. Of that, pictures that are shown before the
	// key picture they follow are dropped, too, so that a group stands on its own.
	H265 bool

	vps, sps []byte
	pps      map[int][]byte
	current  *Parameters
	changed  bool // sets that came on their own differ from the current ones

	times timeline
	going bool // a key unit has passed since the beginning or the last loss
}

// Announce takes the parameter sets that a camera gave before its stream; vps is of
// H.265 alone. Malformed ones are ignored: many cameras announce nonsense and send the
// right ones later.
func (a *Assembler) Announce(vps, sps []byte, pps ...[]byte) {
	p, err := a.parameters(vps, sps, pps)
	if err != nil {
		return
	}
	a.vps, a.sps, a.pps, a.current = vps, sps, map[int][]byte{}, p
	for _, set := range pps {
		if id, err := a.number(set); err == nil {
			a.pps[id] = set
		}
	}
}

// Lost tells the assembler that something of the stream is missing; units are
// dropped until the next key unit, which is marked as a break.
func (a *Assembler) Lost() { a.going = false }

// Place returns when a sound is heard whose first sample was taken at that time by our
// clock, on the scale of the units' PTS; false as long as there is no such scale.
func (a *Assembler) Place(taken time.Time) (Ticks, bool) {
	if !a.times.begun {
		return 0, false
	}
	return TicksOf(taken.Sub(a.times.shot)), true
}

// PlaceStamp is like Place for something that happened when the camera's clock, by
// which the units are stamped, showed stamp.
func (a *Assembler) PlaceStamp(stamp uint32) (Ticks, bool) {
	return a.times.pts + Ticks(int32(stamp-a.times.stamp)), a.times.begun
}

// Unit makes a unit of the NAL units of one picture, its RTP stamp and the time at
// which it came in. It reports false for what is dropped. The error is an
// [ErrParameters] or says that the unit is too large; the session should end with it.
// The unit keeps the NAL units' bytes.
func (a *Assembler) Unit(nals [][]byte, stamp uint32, received time.Time) (Unit, bool, error) {
	u := Unit{NALs: make([][]byte, 0, len(nals)), Received: received}
	size, picture, leading, changed := 0, false, false, false
	for _, nal := range nals {
		if len(nal) == 0 {
			continue
		}
		switch k := a.kind(nal); k {
		case dropped:
			continue
		case videoSet, sequenceSet, pictureSet:
			news, err := a.take(k, nal)
			if err != nil {
				return Unit{}, false, err
			}
			changed = changed || news
		case keySlice:
			u.Key, picture = true, true
		case slice:
			picture = true
		case leadingSlice:
			picture, leading = true, true
		}
		if size += len(nal); size > maxUnit {
			return Unit{}, false, fmt.Errorf("access unit of more than %d bytes", maxUnit)
		}
		u.NALs = append(u.NALs, nal)
	}
	a.changed = a.changed || changed
	if !picture {
		return Unit{}, false, nil // sets on their own: they have been taken
	}
	pts, taken := a.times.place(stamp, received, u.Key)
	if u.Key && (a.changed || a.current == nil) {
		if err := a.renew(); err != nil {
			return Unit{}, false, err
		}
		a.changed = false
	}
	if a.current == nil || leading || !u.Key && !a.going {
		return Unit{}, false, nil
	}
	u.Break = !a.going
	a.going = true
	u.Parameters, u.PTS, u.Taken = a.current, pts, taken
	return u, true, nil
}

func (a *Assembler) kind(nal []byte) kind {
	if a.H265 {
		return kindOf265(nal)
	}
	return kindOf(nal)
}

func (a *Assembler) number(pps []byte) (int, error) {
	if a.H265 {
		return ppsID265(pps)
	}
	return ppsID(pps)
}

func (a *Assembler) parameters(vps, sps []byte, pps [][]byte) (*Parameters, error) {
	if a.H265 {
		return NewParameters265(vps, sps, pps...)
	}
	return NewParameters(sps, pps...)
}

// take keeps a parameter set until the next key unit, and says whether it is another
// than the one before. Cameras repeat theirs with every key unit.
func (a *Assembler) take(k kind, nal []byte) (bool, error) {
	switch k {
	case videoSet:
		if len(nal) > maxParameterSet {
			return false, fmt.Errorf("%w: video parameter set of %d bytes", ErrParameters, len(nal))
		}
		return replace(&a.vps, nal), nil
	case sequenceSet:
		if !bytes.Equal(a.sps, nal) {
			if err := a.checkSequence(nal); err != nil {
				return false, err
			}
		}
		return replace(&a.sps, nal), nil
	}
	id, err := a.number(nal)
	if err != nil {
		return false, err
	}
	if a.pps == nil {
		a.pps = map[int][]byte{}
	}
	if bytes.Equal(a.pps[id], nal) {
		return false, nil
	}
	a.pps[id] = nal
	if len(a.pps) > maxPPS {
		return false, fmt.Errorf("%w: more than %d picture parameter sets", ErrParameters, maxPPS)
	}
	return true, nil
}

func (a *Assembler) checkSequence(sps []byte) error {
	if a.H265 {
		return (&Parameters{SPS: sps}).read265()
	}
	_, _, err := dimensions(sps)
	return err
}

func replace(set *[]byte, by []byte) bool {
	if bytes.Equal(*set, by) {
		return false
	}
	*set = by
	return true
}

// renew makes the sets that were kept the current ones, if they differ.
func (a *Assembler) renew() error {
	if a.sps == nil || len(a.pps) == 0 || a.H265 && a.vps == nil {
		return nil // nothing to decode with yet
	}
	var sets [][]byte
	for _, id := range slices.Sorted(maps.Keys(a.pps)) {
		sets = append(sets, a.pps[id])
	}
	p, err := a.parameters(a.vps, a.sps, sets)
	if err != nil {
		return err
	}
	if !p.Equal(a.current) {
		a.current = p
	}
	return nil
}
