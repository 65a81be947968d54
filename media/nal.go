package media

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

// And those of H.265 (ITU-T H.265, table 7-1).
const (
	nal265Leading     = 6 // to 9: pictures that are shown before the key picture that they follow
	nal265LastLeading = 9
	nal265Key         = 16 // to 21: a decoder can begin here
	nal265LastKey     = 21
	nal265LastSlice   = 31 // all below are of pictures
	nal265VPS         = 32
	nal265SPS         = 33
	nal265PPS         = 34
	nal265Delimiter   = 35
	nal265EndSequence = 36
	nal265EndStream   = 37
	nal265Filler      = 38
)

func typeOf265(nal []byte) byte { return nal[0] >> 1 & 0x3f }

// kind is what a NAL unit is to this package, whatever the codec.
type kind int

const (
	other   kind = iota // goes with its picture
	dropped             // no player needs it
	videoSet
	sequenceSet
	pictureSet
	slice
	keySlice
	leadingSlice
)

// kindOf says what a NAL unit of H.264 is. It is not empty.
func kindOf(nal []byte) kind {
	switch typeOf(nal) {
	case nalDelimiter, nalEndSequence, nalEndStream, nalFiller:
		return dropped
	case nalSPS:
		return sequenceSet
	case nalPPS:
		return pictureSet
	case nalIDR:
		return keySlice
	case nalSlice, 2: // 2: the first part of a partitioned slice
		return slice
	}
	return other
}

// kindOf265 says what a NAL unit of H.265 is. One that is too short to have a header,
// or of a layer that only some decoders know, is dropped.
func kindOf265(nal []byte) kind {
	if len(nal) < 2 || nal[0]&1 != 0 || nal[1]>>3 != 0 {
		return dropped
	}
	switch t := typeOf265(nal); {
	case t >= nal265Leading && t <= nal265LastLeading:
		return leadingSlice
	case t >= nal265Key && t <= nal265LastKey:
		return keySlice
	case t <= nal265LastSlice:
		return slice
	case t == nal265VPS:
		return videoSet
	case t == nal265SPS:
		return sequenceSet
	case t == nal265PPS:
		return pictureSet
	case t >= nal265Delimiter && t <= nal265Filler:
		return dropped
	}
	return other
}
