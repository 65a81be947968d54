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

// Any units of any session end in a clip or in a refusal. The input is a row of
// pictures: a stamp, a count, and as many NAL units with their lengths.
func FuzzAssembler(f *testing.F) {
	seeds(f, "FuzzAssembler", 4)
	f.Fuzz(func(t *testing.T, session []byte) {
		var a media.Assembler
		ring := media.Ring{Limit: 1 << 20}
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
			ring.Add(u)
		}
		groups := ring.Since(time.Time{})
		if len(groups) == 0 {
			return
		}
		clip, err := media.NewClip(groups)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if n, err := clip.WriteTo(&b); err != nil || n != clip.Size() {
			t.Fatalf("wrote %d of %d bytes: %v", n, clip.Size(), err)
		}
	})
}
