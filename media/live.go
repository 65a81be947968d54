package media

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Live makes fragments of pictures as they come, one for each: nobody waits for the next
// picture to learn how long this one lasts. What is decoded is therefore shown in the
// place of the picture before it, for as long as that was the newest, so that there is no
// hole on a player's axis whatever the camera's rhythm is.
//
// Of a camera whose pictures refer to later ones that cannot be: those that are shown
// before one that is there already are waited for. If that is noticed in the middle of a
// group its rest is left out.
type Live struct {
	parameters *Parameters
	number     uint32
	end        Ticks  // of the newest fragment
	newest     Ticks  // the greatest PTS of all that came
	reorders   bool   // pictures refer to later ones
	held       []Unit // if so: those that may have one before them still
	rest       bool   // what comes is left out, up to the next key unit
}

// firstLasts is how long the first picture is shown: of a camera of 15 a second.
const firstLasts = Rate / 15

// NewLive returns one for a stream that begins with those units, the first of which is a
// key unit: what is known of it already. They have to be added, too.
func NewLive(begin []Unit) *Live {
	return &Live{parameters: begin[0].Parameters, reorders: !slices.IsSortedFunc(begin, func(a, b Unit) int { return cmp.Compare(a.PTS, b.PTS) })}
}

// Type is the MIME type with the codec, as a browser wants it.
func (l *Live) Type() string { return fmt.Sprintf("video/mp4; codecs=%q", l.parameters.Codec()) }

// Init is what a player needs before the first fragment.
func (l *Live) Init() []byte { return initSegment(l.parameters, nil, 0, 0, time.Time{}) }

// Add takes a unit, whose time on the player's axis is its PTS and that offset, and
// returns the fragment that is due, nil if none is, and the unit with which it begins.
// The first unit is a key unit, and all are under the same parameters.
func (l *Live) Add(u Unit, offset Ticks) ([]byte, Unit) {
	u.PTS += offset
	if l.number == 0 && len(l.held) == 0 {
		l.end, l.newest = u.PTS-firstLasts, u.PTS-1
	}
	later := u.PTS > l.newest
	l.newest = max(l.newest, u.PTS)
	if !later && !u.Key && !l.reorders {
		l.reorders, l.rest = true, true
	}
	if l.rest = l.rest && !u.Key; l.rest {
		return nil, Unit{}
	}
	if !l.reorders {
		return l.fragment([]Unit{u}), u
	}
	if !later || len(l.held) == 0 {
		l.held = append(l.held, u)
		return nil, Unit{}
	}
	due := l.held
	l.held = []Unit{u}
	return l.fragment(due), due[0]
}

// fragment is that of units which are decoded one after the other.
func (l *Live) fragment(units []Unit) []byte {
	n := Ticks(len(units))
	end := l.end + n
	for _, u := range units {
		end = max(end, u.PTS)
	}
	times := make([]Ticks, 0, n+1)
	for i := range n + 1 {
		times = append(times, l.end+i*(end-l.end)/n)
	}
	start := Ticks(0)
	if !l.reorders {
		start = units[0].PTS - times[0] // it is shown when it is decoded
	}
	l.number++
	l.end = end
	return newFragment(l.number, Group{Units: units}, start, times, nil).bytes()
}

// bytes returns the fragment as it is sent.
func (f fragment) bytes() []byte {
	var b bytes.Buffer
	b.Grow(int(f.size()))
	_ = f.writeTo(&b) // a buffer takes everything
	return b.Bytes()
}

// LiveSound makes fragments of sounds as they come.
type LiveSound struct {
	coding *Coding
	number uint32
	begun  bool
	next   int64 // where the newest ends, in samples
}

// maxHole is the longest hole that is filled with silence, in seconds; after a longer one
// the sound begins anew.
const maxHole = 10

// NewLiveSound returns one for sounds of that coding, of which [Coding.Check] says nothing.
func NewLiveSound(c *Coding) *LiveSound { return &LiveSound{coding: c} }

// Coding is that of the sounds.
func (l *LiveSound) Coding() *Coding { return l.coding }

// Type is the MIME type with the codec, as a browser wants it.
func (l *LiveSound) Type() string { return fmt.Sprintf("audio/mp4; codecs=%q", l.coding.Codec()) }

// Init is what a player needs before the first fragment.
func (l *LiveSound) Init() []byte { return initSegment(nil, l.coding, 0, 0, time.Time{}) }

// Add takes sounds, whose time on the player's axis is their PTS and that offset, and
// returns a fragment of them, nil if none of them is to be heard: they were before, or
// are of another coding.
func (l *LiveSound) Add(sounds []Sound, offset Ticks) []byte {
	list := l.place(sounds, offset)
	if len(list) == 0 {
		return nil
	}
	l.number++
	return newFragment(l.number, Group{}, 0, nil, list).bytes()
}

// place gives sounds their places on the axis, behind what was placed before.
func (l *LiveSound) place(sounds []Sound, offset Ticks) (list []heard) {
	samples := func(t Ticks) int64 { return int64(t) * int64(l.coding.Rate) / Rate }
	for _, s := range slices.SortedStableFunc(slices.Values(sounds), func(a, b Sound) int { return int(a.PTS - b.PTS) }) {
		at, lasts := samples(s.PTS+offset), max(1, samples(s.Duration))
		if s.Coding != l.coding || len(s.Data) == 0 || len(s.Data) > maxSound || at < 0 {
			continue
		}
		if !l.begun || at-l.next > int64(maxHole*l.coding.Rate) {
			l.begun, l.next = true, at
		}
		if at+lasts <= l.next {
			continue // it was heard already
		}
		list = l.coding.silence(list, l.next, at, lasts)
		if n := len(list); n > 0 {
			l.next = max(l.next, list[n-1].at+list[n-1].lasts)
		}
		list = append(list, heard{l.next, at + lasts - l.next, s.Data})
		l.next = at + lasts
	}
	return list
}
