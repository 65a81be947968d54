package media

import "slices"

// The boxes of a fragmented MP4 with one H.264 track (ISO/IEC 14496-12 and -15), no
// more of them than players ask for.

const trackID = 1

// initSegment returns the file type and the movie box. The length stands in mehd,
// the only place for it in a movie whose samples are all in fragments. The first
// picture is shown after wait, which an edit list cuts off.
func initSegment(p *Parameters, duration, wait Ticks) []byte {
	var edit []byte
	if wait > 0 {
		edit = box("edts", box("elst", full(0, 0), u32(1, 0, uint32(wait), 1<<16)))
	}
	return slices.Concat(
		box("ftyp", []byte("iso6"), u32(1), []byte("iso6mp41avc1")),
		box("moov",
			box("mvhd", full(0, 0), u32(0, 0, Rate, 0, 1<<16), u16(1<<8, 0), zeros(8), matrix, zeros(24), u32(trackID+1)),
			box("trak",
				box("tkhd", full(0, 3), u32(0, 0, trackID, 0, 0), zeros(8), u16(0, 0, 0, 0), matrix,
					u32(uint32(p.width)<<16, uint32(p.height)<<16)),
				edit,
				box("mdia",
					box("mdhd", full(0, 0), u32(0, 0, Rate, 0), u16(0x55c4, 0)), // language: und
					box("hdlr", full(0, 0), u32(0), []byte("vide"), zeros(12), []byte("video\x00")),
					box("minf",
						box("vmhd", full(0, 1), zeros(8)),
						box("dinf", box("dref", full(0, 0), u32(1), box("url ", full(0, 1)))),
						sampleTable(p)))),
			box("mvex",
				box("mehd", full(1, 0), u64(uint64(duration))),
				box("trex", full(0, 0), u32(trackID, 1, 0, 0, 0)))))
}

func sampleTable(p *Parameters) []byte {
	const notOfInterest = 0xffff // depth and colour table: players read the stream
	return box("stbl",
		box("stsd", full(0, 0), u32(1),
			box("avc1", zeros(6), u16(1), zeros(16), u16(uint16(p.width), uint16(p.height)),
				u32(72<<16, 72<<16, 0), u16(1), zeros(32), u16(0x18, notOfInterest),
				decoderConfiguration(p))),
		box("stts", full(0, 0), u32(0)),
		box("stsc", full(0, 0), u32(0)),
		box("stsz", full(0, 0), u32(0, 0)),
		box("stco", full(0, 0), u32(0)))
}

func decoderConfiguration(p *Parameters) []byte {
	b := slices.Concat(
		u8(1, p.SPS[1], p.SPS[2], p.SPS[3], 0xfc|3), // lengths take 4 bytes
		u8(0xe0|1), u16(uint16(len(p.SPS))), p.SPS,
		u8(byte(len(p.PPS))))
	for _, pps := range p.PPS {
		b = slices.Concat(b, u16(uint16(len(pps))), pps)
	}
	return box("avcC", b)
}

// fragment returns the movie fragment box of a group, whose samples follow it in a
// media data box. Its units are decoded at times, the last of which is its end; what
// they are shown at counts from start, too.
func fragment(number uint32, g Group, start Ticks, times []Ticks) []byte {
	const (
		dataOffset    = 0x1
		durations     = 0x100
		sizes         = 0x200
		flags         = 0x400
		compositions  = 0x800
		baseIsMoof    = 0x20000
		isKey         = 2 << 24       // depends on no other
		isOther       = 1<<24 | 1<<16 // depends on others; no point to begin at
		moofToTrun    = 8 + 16 + 8 + 16 + 20
		trunFixed     = 8 + 4 + 4 + 4
		sampleEntry   = 16
		mdatHeaderLen = 8
	)
	samples := make([]byte, 0, sampleEntry*len(g.Units))
	for i, u := range g.Units {
		kind := uint32(isOther)
		if u.Key {
			kind = isKey
		}
		samples = append(samples, u32(uint32(times[i+1]-times[i]), uint32(u.picture()+4*len(u.NALs)), kind,
			uint32(int32(u.PTS-start-times[i])))...)
	}
	offset := moofToTrun + trunFixed + len(samples) + mdatHeaderLen
	return box("moof",
		box("mfhd", full(0, 0), u32(number)),
		box("traf",
			box("tfhd", full(0, baseIsMoof), u32(trackID)),
			box("tfdt", full(1, 0), u64(uint64(times[0]))),
			box("trun", full(1, dataOffset|durations|sizes|flags|compositions),
				u32(uint32(len(g.Units)), uint32(offset)), samples)))
}
