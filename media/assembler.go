package media

import (
	"fmt"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// maxUnit is the largest access unit that is taken: a picture of 8K at 50 Mbit/s does
// not reach it. The RTP reader has the same limit.
const maxUnit = h264.MaxAccessUnitSize

// Assembler makes units of what one session of a camera sends. It drops what comes
// before the first key unit and what no player needs (delimiters, filler), follows
// the parameter sets, and gives every unit its times.
//
// The zero Assembler is ready. It is for one session; a new session begins with a
// new one.
type Assembler struct {
	sps     []byte
	pps     map[int][]byte
	current *Parameters

	times timeline
	going bool // a key unit has passed since the beginning or the last loss
}

// Announce takes the parameter sets that a camera gave before its stream. Malformed
// ones are ignored: many cameras announce nonsense and send the right ones later.
func (a *Assembler) Announce(sps, pps []byte) {
	if p, err := NewParameters(sps, pps); err == nil {
		id, _ := ppsID(pps)
		a.sps, a.pps, a.current = sps, map[int][]byte{id: pps}, p
	}
}

// Lost tells the assembler that something of the stream is missing; units are
// dropped until the next key unit, which is marked as a break.
func (a *Assembler) Lost() { a.going = false }

// Unit makes a unit of the NAL units of one picture, its RTP stamp and the time at
// which it came in. It reports false for what is dropped. The error is an
// [ErrParameters] or says that the unit is too large; the session should end with it.
// The unit keeps the NAL units' bytes.
func (a *Assembler) Unit(nals [][]byte, stamp uint32, received time.Time) (Unit, bool, error) {
	u := Unit{NALs: make([][]byte, 0, len(nals)), Received: received}
	size, picture, changed := 0, false, false
	for _, nal := range nals {
		if len(nal) == 0 {
			continue
		}
		switch typeOf(nal) {
		case nalDelimiter, nalEndSequence, nalEndStream, nalFiller:
			continue
		case nalSPS, nalPPS:
			if err := a.take(nal); err != nil {
				return Unit{}, false, err
			}
			changed = true
		case nalIDR:
			u.Key = true
			picture = true
		case nalSlice, 2: // 2: the first part of a partitioned slice
			picture = true
		}
		if size += len(nal); size > maxUnit {
			return Unit{}, false, fmt.Errorf("access unit of more than %d bytes", maxUnit)
		}
		u.NALs = append(u.NALs, nal)
	}
	pts, taken := a.times.place(stamp, received, u.Key)
	if !picture {
		return Unit{}, false, nil // sets on their own: they have been taken
	}
	if u.Key && (changed || a.current == nil) {
		if err := a.renew(); err != nil {
			return Unit{}, false, err
		}
	}
	if a.current == nil || !u.Key && !a.going {
		return Unit{}, false, nil
	}
	u.Break = !a.going
	a.going = true
	u.Parameters, u.PTS, u.Taken = a.current, pts, taken
	return u, true, nil
}

// take keeps a parameter set until the next key unit.
func (a *Assembler) take(nal []byte) error {
	if typeOf(nal) == nalSPS {
		if _, _, err := dimensions(nal); err != nil {
			return err
		}
		a.sps = nal
		return nil
	}
	id, err := ppsID(nal)
	if err != nil {
		return err
	}
	if a.pps == nil {
		a.pps = map[int][]byte{}
	}
	a.pps[id] = nal
	if len(a.pps) > maxPPS {
		return fmt.Errorf("%w: more than %d picture parameter sets", ErrParameters, maxPPS)
	}
	return nil
}

// renew makes the sets that were kept the current ones, if they differ.
func (a *Assembler) renew() error {
	if a.sps == nil || len(a.pps) == 0 {
		return nil // nothing to decode with yet
	}
	var sets [][]byte
	for id := range 256 {
		if pps, ok := a.pps[id]; ok {
			sets = append(sets, pps)
		}
	}
	p, err := NewParameters(a.sps, sets...)
	if err != nil {
		return err
	}
	if !p.Equal(a.current) {
		a.current = p
	}
	return nil
}
