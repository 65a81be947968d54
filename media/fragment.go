package media

import (
	"encoding/binary"
	"io"
	"slices"
)

const mdatHeader = 8

// fragment is one group as it stands in a clip: a movie fragment box, and a media data
// box with the pictures and after them the sounds.
type fragment struct {
	group  Group
	sounds []heard
	moof   []byte
	data   int64 // bytes in the media data box
}

func (f fragment) size() int64 { return int64(len(f.moof)) + mdatHeader + f.data }

// The flags of the boxes of a fragment.
const (
	dataOffset   = 0x1
	durations    = 0x100
	sizes        = 0x200
	sampleFlags  = 0x400
	compositions = 0x800
	baseIsMoof   = 0x20000

	isKey   = 2 << 24       // depends on no other
	isOther = 1<<24 | 1<<16 // depends on others; no point to begin at
)

// newFragment returns the fragment of a group, or of sounds alone. Its units are decoded
// at times, the last of which is its end; what they are shown at counts from start, too.
func newFragment(number uint32, g Group, start Ticks, times []Ticks, sounds []heard) fragment {
	f := fragment{group: g, sounds: sounds, data: g.payload()}
	pictures := make([]byte, 0, 16*len(g.Units))
	for i, u := range g.Units {
		kind := uint32(isOther)
		if u.Key {
			kind = isKey
		}
		pictures = append32(pictures, uint32(times[i+1]-times[i]), uint32(u.picture()+4*len(u.NALs)), kind,
			uint32(int32(u.PTS-start-times[i])))
	}
	video := func(at int64) []byte {
		if len(g.Units) == 0 {
			return nil
		}
		return trackFragment(videoTrack, uint64(times[0]), sampleFlags|compositions, len(g.Units), at, pictures)
	}
	audio := func(int64) []byte { return nil }
	if len(sounds) > 0 {
		samples := make([]byte, 0, 8*len(sounds))
		for _, s := range sounds {
			samples = append32(samples, uint32(s.lasts), uint32(len(s.data)))
			f.data += int64(len(s.data))
		}
		audio = func(at int64) []byte {
			return trackFragment(audioTrack, uint64(sounds[0].at), 0, len(sounds), at, samples)
		}
	}
	head := box("mfhd", full(0, 0), u32(number))
	// What stands before the data must be known before its offset can be.
	at := int64(8+len(head)+len(video(0))+len(audio(0))) + mdatHeader
	f.moof = box("moof", head, video(at), audio(at+g.payload()))
	return f
}

// writeTo writes the fragment.
func (f fragment) writeTo(w io.Writer) error {
	_, err := w.Write(slices.Concat(f.moof, u32(uint32(mdatHeader+f.data)), []byte("mdat")))
	var length [4]byte
	for _, u := range f.group.Units {
		for _, nal := range u.NALs {
			binary.BigEndian.PutUint32(length[:], uint32(len(nal)))
			if err == nil {
				_, err = w.Write(length[:])
			}
			if err == nil {
				_, err = w.Write(nal)
			}
		}
	}
	for _, s := range f.sounds {
		if err == nil {
			_, err = w.Write(s.data)
		}
	}
	return err
}

// trackFragment returns the box of one track's samples, which lie at that offset from
// the beginning of the fragment.
func trackFragment(id uint32, time uint64, flags uint32, count int, at int64, samples []byte) []byte {
	return box("traf",
		box("tfhd", full(0, baseIsMoof), u32(id)),
		box("tfdt", full(1, 0), u64(time)),
		box("trun", full(1, dataOffset|durations|sizes|flags), u32(uint32(count), uint32(at)), samples))
}

// heard is a sound in its place in a clip, in samples of its coding.
type heard struct {
	at, lasts int64
	data      []byte
}

// hear returns the sounds of the groups in the order in which they are heard, from
// start on for that long, and their coding; nil if there are none. A hole is filled with
// silence, from the beginning to the end: players take a track that begins late or ends
// early for one that must be waited for. Sounds that lie upon one another come in a
// queue, as far as that goes.
func hear(groups []Group, start, duration Ticks) (*Coding, []heard) {
	var all []Sound
	var coding *Coding
	for _, g := range groups {
		for _, u := range g.Units {
			for _, s := range u.Sounds {
				if coding == nil && s.Coding.Check() == nil {
					coding = s.Coding
				}
				if s.Coding == coding && len(s.Data) > 0 && len(s.Data) <= maxSound && s.PTS >= start && s.PTS < start+duration {
					all = append(all, s)
				}
			}
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(all, func(a, b Sound) int { return int(a.PTS - b.PTS) })
	samples := func(t Ticks) int64 { return (int64(t)*int64(coding.Rate) + Rate/2) / Rate }
	end := samples(duration)
	list := make([]heard, 0, len(all))
	next := int64(0) // where the last one ends
	for _, s := range all {
		at, lasts := samples(s.PTS-start), max(1, samples(s.Duration))
		if next-at > lasts {
			continue // it has been said already
		}
		list = coding.silence(list, next, at, lasts)
		if n := len(list); n > 0 { // no hole, no overlap: the one before lasts until now
			list[n-1].lasts = max(1, at-list[n-1].at)
			at = list[n-1].at + list[n-1].lasts
		}
		list = append(list, heard{at, lasts, s.Data})
		next = at + lasts
	}
	return coding, coding.silence(list, next, end, list[len(list)-1].lasts)
}

// maxSound is the largest sound that is taken: an AAC frame of six channels.
const maxSound = 6 * 768 * 2

// maxSilence is how many sounds a clip may have before silence is no longer written:
// more than half an hour of the shortest frames of AAC.
const maxSilence = 1 << 16

// silence fills the time from one place to another with sounds of that length in which
// nothing is heard. What is left over is shorter than one and a half of them.
func (c *Coding) silence(list []heard, from, to, lasts int64) []heard {
	quiet := c.quiet()
	if quiet == nil {
		return list
	}
	for at := from; to-at >= lasts && len(list) < maxSilence; at += lasts {
		list = append(list, heard{at, lasts, quiet})
	}
	return list
}

// quiet is a frame in which nothing is heard, nil if there is none for the coding. The
// AAC ones are an element without a single band, the Opus one a packet that asks the
// decoder to fill in 20 ms.
func (c *Coding) quiet() []byte {
	const lowComplexity = 2
	switch {
	case c.Name == "opus":
		return []byte{31 << 3, 0xff, 0xfe}
	case aacType(c.Config) != lowComplexity:
		return nil
	case c.Channels == 1:
		return []byte{0, 0, 0, 7}
	case c.Channels == 2:
		return []byte{0x20, 0, 0, 0, 0, 0, 0x0e}
	}
	return nil
}
