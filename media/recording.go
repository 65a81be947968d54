package media

import (
	"fmt"
	"time"
)

// Recording makes one fragment of each group of a stream, with its sounds, on an axis that
// the caller gives: what is recorded without end can be begun to play with any of them.
type Recording struct {
	parameters *Parameters
	sound      *LiveSound // nil without sound
	number     uint32
	wait       Ticks // how much earlier than it is shown a picture is decoded
	end        Ticks // of what is decoded, on the axis
}

// NewRecording returns one for a stream that begins with that group: its parameters, and
// the coding of the first sound in it that a player can know.
func NewRecording(first Group) *Recording {
	r := &Recording{parameters: first.Parameters()}
	for _, u := range first.Units {
		for _, s := range u.Sounds {
			if r.sound == nil && s.Coding.Check() == nil {
				r.sound = NewLiveSound(s.Coding)
			}
		}
	}
	return r
}

// Fits says whether a group can go on in this recording: it is coded alike, and brings no
// first sound of its own.
func (r *Recording) Fits(g Group) bool {
	if !g.Parameters().Equal(r.parameters) {
		return false
	}
	next := NewRecording(g).sound
	return next == nil || r.sound != nil && next.coding == r.sound.coding
}

// Type is the MIME type with its codecs, as a browser wants it.
func (r *Recording) Type() string {
	codecs := r.parameters.Codec()
	if r.sound != nil {
		codecs += "," + r.sound.coding.Codec()
	}
	return fmt.Sprintf("video/mp4; codecs=%q", codecs)
}

// Init is what a player needs before the first fragment.
func (r *Recording) Init() []byte {
	var coding *Coding
	if r.sound != nil {
		coding = r.sound.coding
	}
	return initSegment(r.parameters, coding, 0, 0, time.Time{})
}

// Length is how long a group is shown. One that nothing follows yet shows its last picture
// for as long as the one before it.
func Length(g Group) Ticks {
	first := g.Units[0].PTS
	for _, u := range g.Units {
		first = min(first, u.PTS)
	}
	times := decodeTimes(g, first, 0)
	return times[len(g.Units)]
}

// Add returns the fragment of a group, whose pictures and sounds have their PTS and that
// offset on the axis. It is not less than a second.
func (r *Recording) Add(g Group, offset Ticks) []byte {
	times := decodeTimes(g, -offset, 0)
	for i, u := range g.Units {
		r.wait = max(r.wait, times[i]-(u.PTS+offset))
	}
	for i := range times {
		times[i] = max(times[i]-r.wait, r.end)
		r.end = times[i] + 1
	}
	r.end = times[len(g.Units)]
	var sounds []heard
	if r.sound != nil {
		var all []Sound
		for _, u := range g.Units {
			all = append(all, u.Sounds...)
		}
		sounds = r.sound.place(all, offset)
	}
	r.number++
	return newFragment(r.number, g, -offset, times, sounds).bytes()
}
