// Package media holds H.264 video on its way from a camera to a clip: access units
// with their times, the parameter sets they need, groups of pictures, a ring of
// them, and the fragmented MP4 that plays them. It copies what the camera encoded
// and changes no bit of a picture.
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
}

// Size returns how many bytes the unit's pictures take.
func (u Unit) Size() int {
	n := 0
	for _, nal := range u.NALs {
		n += len(nal)
	}
	return n
}

// AppendAnnexB appends the unit to b as a decoder's elementary stream: each NAL unit
// after a start code, a key unit after its parameter sets.
func (u Unit) AppendAnnexB(b []byte) []byte {
	if u.Key && u.Parameters != nil && typeOf(u.NALs[0]) != nalSPS {
		b = appendNAL(b, u.Parameters.SPS)
		for _, pps := range u.Parameters.PPS {
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

// The types of NAL units that this package tells apart (ITU-T H.264, table 7-1).
const (
	nalSlice       = 1
	nalIDR         = 5
	nalSPS         = 7
	nalPPS         = 8
	nalDelimiter   = 9
	nalEndSequence = 10
	nalEndStream   = 11
	nalFiller      = 12
)

func typeOf(nal []byte) byte { return nal[0] & 0x1f }
