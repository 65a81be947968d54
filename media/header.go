package media

import (
	"slices"
	"time"
)

// The boxes that head a fragmented MP4 (ISO/IEC 14496-12, -14 and -15), no more of them
// than players ask for.

const (
	videoTrack = 1
	audioTrack = 2
)

// initSegment returns the file type and the movie box. The length stands in mehd,
// the only place for it in a movie whose samples are all in fragments; one of length 0 is
// live, and says nothing of its end. The first picture is shown after wait, which an edit
// list cuts off. Without parameters there is no track of pictures, without a coding none
// of sound.
func initSegment(p *Parameters, coding *Coding, duration, wait Ticks, created time.Time) []byte {
	brands := "iso6mp41"
	var length, extends, pictures, sound []byte
	if duration > 0 {
		length = box("mehd", full(1, 0), u64(uint64(duration)))
	}
	if p != nil {
		var edit []byte
		if wait > 0 {
			edit = box("edts", box("elst", full(0, 0), u32(1, 0, uint32(wait), 1<<16)))
		}
		brands += p.Codec()[:4]
		extends = box("trex", full(0, 0), u32(videoTrack, 1, 0, 0, 0))
		pictures = track(videoTrack, Rate, created, p.width, p.height, edit, "vide", box("vmhd", full(0, 1), zeros(8)), p.entry())
	}
	if coding != nil {
		extends = append(extends, box("trex", full(0, 0), u32(audioTrack, 1, 0, 0, 0))...)
		sound = track(audioTrack, uint32(coding.Rate), created, 0, 0, nil, "soun",
			box("smhd", full(0, 0), u32(0)), coding.entry())
	}
	return slices.Concat(
		box("ftyp", []byte("iso6"), u32(1), []byte(brands)),
		box("moov",
			box("mvhd", full(1, 0), at(created), u32(Rate), u64(0), u32(1<<16), u16(1<<8, 0), zeros(8), matrix, zeros(24), u32(audioTrack+1)),
			pictures,
			sound,
			box("mvex", length, extends)))
}

// at is when something was made and last changed: seconds since 1904, 0 if nobody knows.
func at(created time.Time) []byte {
	const from1904to1970 = 2082844800
	seconds := uint64(0)
	if !created.IsZero() {
		seconds = uint64(max(0, created.Unix()+from1904to1970))
	}
	return append(u64(seconds), u64(seconds)...)
}

// track returns the box of a track whose samples are all in fragments.
func track(id, rate uint32, created time.Time, width, height int, edit []byte, kind string, header, entry []byte) []byte {
	volume := uint16(0)
	if kind == "soun" {
		volume = 1 << 8
	}
	return box("trak",
		box("tkhd", full(1, 3), at(created), u32(id, 0), u64(0), zeros(8), u16(0, 0, volume, 0), matrix,
			u32(uint32(width)<<16, uint32(height)<<16)),
		edit,
		box("mdia",
			box("mdhd", full(1, 0), at(created), u32(rate), u64(0), u16(0x55c4, 0)), // language: und
			box("hdlr", full(0, 0), u32(0), []byte(kind), zeros(13)),
			box("minf", header,
				box("dinf", box("dref", full(0, 0), u32(1), box("url ", full(0, 1)))),
				box("stbl",
					box("stsd", full(0, 0), u32(1), entry),
					box("stts", full(0, 0), u32(0)),
					box("stsc", full(0, 0), u32(0)),
					box("stsz", full(0, 0), u32(0, 0)),
					box("stco", full(0, 0), u32(0))))))
}

// entry returns the sample entry of the pictures.
func (p *Parameters) entry() []byte {
	const notOfInterest = 0xffff // depth and colour table: players read the stream
	name, configuration := "avc1", p.avcC()
	if p.H265() {
		name, configuration = "hvc1", p.hvcC()
	}
	return box(name, zeros(6), u16(1), zeros(16), u16(uint16(p.width), uint16(p.height)),
		u32(72<<16, 72<<16, 0), u16(1), zeros(32), u16(0x18, notOfInterest), configuration)
}

func (p *Parameters) avcC() []byte {
	b := slices.Concat(
		u8(1, p.SPS[1], p.SPS[2], p.SPS[3], 0xfc|3), // lengths take 4 bytes
		u8(0xe0|1), u16(uint16(len(p.SPS))), p.SPS,
		u8(byte(len(p.PPS))))
	for _, pps := range p.PPS {
		b = slices.Concat(b, u16(uint16(len(pps))), pps)
	}
	return box("avcC", b)
}

func (p *Parameters) hvcC() []byte {
	q := p.profile
	nested := byte(0)
	if q.nested == 1 {
		nested = 1 << 2
	}
	b := slices.Concat(
		u8(1), q.general[:], u16(0xf000), // anything about segments in space
		u8(0xfc, 0xfc|q.chroma, 0xf8|q.luma8, 0xf8|q.color8),
		u16(0), u8(q.layers<<3|nested|3), // lengths take 4 bytes
		u8(3))
	const complete = 1 << 7 // there are none but these
	for _, sets := range []struct {
		kind byte
		nals [][]byte
	}{{nal265VPS, [][]byte{p.VPS}}, {nal265SPS, [][]byte{p.SPS}}, {nal265PPS, p.PPS}} {
		b = slices.Concat(b, u8(complete|sets.kind), u16(uint16(len(sets.nals))))
		for _, nal := range sets.nals {
			b = slices.Concat(b, u16(uint16(len(nal))), nal)
		}
	}
	return box("hvcC", b)
}

// entry returns the sample entry of the sound.
func (c *Coding) entry() []byte {
	head := slices.Concat(zeros(6), u16(1), zeros(8), u16(uint16(c.Channels), 16), u32(0), u32(uint32(c.Rate&0xffff)<<16))
	if c.Name == "opus" {
		// Nothing is cut off at the beginning: a clip does not begin where the encoder did.
		return box("Opus", head, box("dOps", u8(0, byte(c.Channels)), u16(0), u32(uint32(c.Rate)), u16(0), u8(0)))
	}
	const decoderConfig, decoderInfo, syncLayer = 4, 5, 6
	const mpeg4Audio, audioStream = 0x40, 5<<2 | 1
	info := descriptor(decoderInfo, c.Config)
	stream := descriptor(decoderConfig, u8(mpeg4Audio, audioStream, 0, 0, 0), u32(0, 0), info)
	return box("mp4a", head, box("esds", full(0, 0),
		descriptor(3, u16(audioTrack), u8(0), stream, descriptor(syncLayer, u8(2)))))
}

// descriptor returns an MPEG-4 descriptor; its content is shorter than 128 bytes.
func descriptor(tag byte, content ...[]byte) []byte {
	c := slices.Concat(content...)
	return append([]byte{tag, byte(len(c))}, c...)
}
