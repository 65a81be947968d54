// Package media holds H.264 and H.265 video on its way from a camera to a clip: access
// units with their times, the parameter sets they need, the sounds that came with
// them, groups of pictures, a ring of them, and the fragmented MP4 that plays them. It
// copies what the camera encoded and changes no bit of a picture.
//
// The bytes come from a stranger. An [Assembler] is the one door by which they enter
// the house; what it lets through is bounded, and the rest of the package relies on it.
package media

import "time"

// Rate is how many [Ticks] a second has: the clock of H.264 over RTP.
const Rate = 90000

// Ticks is a time or a length of time in a stream, in 1/90000 s.
type Ticks int64

// TicksOf returns d in ticks, rounded down.
func TicksOf(d time.Duration) Ticks {
	return Ticks(d/time.Second)*Rate + Ticks(d%time.Second*Rate/time.Second)
}

// Duration returns t as a standard duration.
func (t Ticks) Duration() time.Duration {
	return time.Duration(t/Rate)*time.Second + time.Duration(t%Rate)*time.Second/Rate
}

// Unit is one access unit: one picture as the camera encoded it. It is not changed
// once it has been made, so that it can be shared.
type Unit struct {
	NALs [][]byte // without start codes or lengths; at least one, none empty
	Key  bool     // a decoder can begin here

	// Parameters are those in force. The pointer is the same for all units until
	// they change, which only happens at a key unit.
	Parameters *Parameters

	// PTS is when the unit is shown, counted from the beginning of the session. Units
	// come in the order of decoding: within a group one may be shown before the one
	// that it follows. The PTS of key units grow.
	PTS Ticks

	Received time.Time // when its last byte came in
	Taken    time.Time // when the picture was taken, as far as that can be told here

	// Break says that units before this one are missing: it is the first of a
	// session, or something was lost.
	Break bool

	// Sounds are what was heard since the unit before this one came in. They travel
	// with a picture so that nothing has to keep two streams together, but their times
	// are their own.
	Sounds []Sound
}

// Size returns how many bytes the unit takes, with its sounds.
func (u Unit) Size() int {
	n := u.picture()
	for _, s := range u.Sounds {
		n += len(s.Data)
	}
	return n
}

// picture returns how many bytes the unit's picture takes.
func (u Unit) picture() int {
	n := 0
	for _, nal := range u.NALs {
		n += len(nal)
	}
	return n
}

// AppendAnnexB appends the unit to b as a decoder's elementary stream: each NAL unit
// after a start code, a key unit after its parameter sets.
func (u Unit) AppendAnnexB(b []byte) []byte {
	if p := u.Parameters; u.Key && p != nil && !u.bringsSets() {
		if p.H265() {
			b = appendNAL(b, p.VPS)
		}
		b = appendNAL(b, p.SPS)
		for _, pps := range p.PPS {
			b = appendNAL(b, pps)
		}
	}
	for _, nal := range u.NALs {
		b = appendNAL(b, nal)
	}
	return b
}

func appendNAL(b, nal []byte) []byte {
	return append(append(b, 0, 0, 0, 1), nal...)
}

// bringsSets says whether the unit begins with its own parameter sets.
func (u Unit) bringsSets() bool {
	if u.Parameters.H265() {
		return typeOf265(u.NALs[0]) == nal265VPS
	}
	return typeOf(u.NALs[0]) == nalSPS
}
