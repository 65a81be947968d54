package media_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// seeds counts the seed files of a fuzz target: one without seeds tests nothing.
func seeds(f *testing.F, name string, atLeast int) {
	f.Helper()
	files, err := os.ReadDir("testdata/fuzz/" + name)
	if err != nil || len(files) < atLeast {
		f.Fatalf("%d seeds for %s, want at least %d (%v)", len(files), name, atLeast, err)
	}
}

// Any parameter sets are either refused or of bounded size.
func FuzzParameters(f *testing.F) {
	seeds(f, "FuzzParameters", 6)
	f.Fuzz(func(t *testing.T, sps, pps []byte) {
		p, err := media.NewParameters(sps, pps)
		if err != nil {
			return
		}
		if p.Width() < 16 || p.Width() > 8192 || p.Height() < 16 || p.Height() > 8192 || len(p.Codec()) != 11 {
			t.Errorf("%dx%d, %s", p.Width(), p.Height(), p.Codec())
		}
	})
}

// Any parameter sets of H.265 are either refused or of bounded size.
func FuzzParameters265(f *testing.F) {
	seeds(f, "FuzzParameters265", 5)
	f.Fuzz(func(t *testing.T, vps, sps, pps []byte) {
		p, err := media.NewParameters265(vps, sps, pps)
		if err != nil {
			return
		}
		if p.Width() < 16 || p.Width() > 8192 || p.Height() < 16 || p.Height() > 8192 || len(p.Codec()) < 13 || len(p.Codec()) > 50 {
			t.Errorf("%dx%d, %s", p.Width(), p.Height(), p.Codec())
		}
	})
}

// Any units of any session end in a clip or in a refusal. The input is a row of
// pictures: a stamp, a count, and as many NAL units with their lengths.
func FuzzAssembler(f *testing.F) {
	seeds(f, "FuzzAssembler", 4)
	f.Fuzz(func(t *testing.T, session []byte) { run(t, &media.Assembler{}, session) })
}

// And so do those of H.265.
func FuzzAssembler265(f *testing.F) {
	seeds(f, "FuzzAssembler265", 3)
	f.Fuzz(func(t *testing.T, session []byte) { run(t, &media.Assembler{H265: true}, session) })
}

// run runs a session, in which every picture comes with a sound that is made of its
// stamp.
func run(t *testing.T, a *media.Assembler, session []byte) {
	ring := media.Ring{Limit: 1 << 20}
	coding := &media.Coding{Name: "aac", Rate: 16000, Channels: 1, Config: []byte{0x14, 0x08}}
	now := noon
	for in := bytes.NewReader(session); in.Len() > 0; {
		var stamp uint32
		var n uint8
		if binary.Read(in, binary.BigEndian, &stamp) != nil || binary.Read(in, binary.BigEndian, &n) != nil {
			break
		}
		var nals [][]byte
		for range n {
			var size uint16
			if binary.Read(in, binary.BigEndian, &size) != nil {
				break
			}
			nal := make([]byte, min(int(size), in.Len()))
			in.Read(nal)
			nals = append(nals, nal)
		}
		u, ok, err := a.Unit(nals, stamp, now)
		if err != nil {
			return
		}
		now = now.Add(time.Second / 15)
		if !ok {
			continue
		}
		if len(u.NALs) == 0 || u.Parameters == nil {
			t.Fatalf("a unit of nothing: %+v", u)
		}
		u.Sounds = []media.Sound{{Coding: coding, Data: []byte{byte(stamp)}, PTS: u.PTS - media.Ticks(stamp%8000), Duration: media.Ticks(stamp>>8) % 50000}}
		ring.Add(u)
	}
	groups := ring.Since(time.Time{})
	if len(groups) == 0 {
		return
	}
	clip, err := media.NewClip(groups, madeAt)
	if err != nil {
		return
	}
	var b bytes.Buffer
	if n, err := clip.WriteTo(&b); err != nil || n != clip.Size() {
		t.Fatalf("wrote %d of %d bytes: %v", n, clip.Size(), err)
	}
}
