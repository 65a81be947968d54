package media_test

import (
	"errors"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

func TestUnitsBeginWithAKeyUnit(t *testing.T) {
	pictures := encode(t, 2, "128x96")
	var a media.Assembler
	units := assemble(t, &a, pictures[3:])
	if len(units) != 15 {
		t.Fatalf("%d units of the second group, want 15", len(units))
	}
	if u := units[0]; !u.Key || !u.Break {
		t.Errorf("first unit: key %t, break %t, want both", u.Key, u.Break)
	}
	for i, u := range units[1:] {
		if u.Break || u.PTS <= units[i].PTS || u.Parameters != units[0].Parameters {
			t.Errorf("unit %d does not go on from the one before it: %+v", i+1, u)
		}
	}
	if p := units[0].Parameters; p.Width() != 128 || p.Height() != 96 || p.Codec()[:5] != "avc1." || len(p.Codec()) != 11 {
		t.Errorf("parameters say %dx%d, %s", p.Width(), p.Height(), p.Codec())
	}
}

func TestLossIsABreak(t *testing.T) {
	pictures := encode(t, 2, "128x96")
	var a media.Assembler
	before := assemble(t, &a, pictures[:5])
	a.Lost()
	after := assemble(t, &a, pictures[6:])
	if len(before) != 5 || len(after) != 15 || !after[0].Break || !after[0].Key {
		t.Fatalf("%d units before and %d after the loss", len(before), len(after))
	}
}

// Whatever a camera does with its stamps, the stream lasts as long as it really did
// and its groups follow one another.
func TestStampsThatLie(t *testing.T) {
	pictures := encode(t, 20, "64x48")
	for name, lie := range map[string]func(i int) uint32{
		"wrap":               func(i int) uint32 { return uint32(i)*6000 - 100*6000 },
		"leap ten years":     func(i int) uint32 { return uint32(i)*6000 + uint32(i/150)*3_000_000_000 },
		"leap back":          func(i int) uint32 { return uint32(i)*6000 - uint32(i/150)*80_000_000 },
		"stand still":        func(int) uint32 { return 42 },
		"run at double rate": func(i int) uint32 { return uint32(i) * 12000 },
		"run at half rate":   func(i int) uint32 { return uint32(i) * 3000 },
		"run backwards":      func(i int) uint32 { return -uint32(i) * 6000 },
	} {
		t.Run(name, func(t *testing.T) {
			lying := make([]picture, len(pictures))
			for i, p := range pictures {
				lying[i] = picture{p.nals, lie(i)}
			}
			var a media.Assembler
			units := assemble(t, &a, lying)
			if len(units) != len(pictures) {
				t.Fatalf("%d units of %d pictures", len(units), len(pictures))
			}
			for i := 1; i < len(units); i++ {
				if units[i].Key && units[i].PTS <= units[i-1].PTS {
					t.Fatalf("key unit %d is shown at %d, after one at %d", i, units[i].PTS, units[i-1].PTS)
				}
				if off := units[i].Taken.Sub(units[i].Received); off > 0 || off < -6*time.Second {
					t.Fatalf("unit %d was taken %v after it came in", i, off)
				}
			}
			if got := units[len(units)-1].PTS.Duration(); got < 14*time.Second || got > 36*time.Second {
				t.Errorf("20 s of pictures last %v", got)
			}
		})
	}
}

func TestAbsurdParametersAreRefused(t *testing.T) {
	pictures := encode(t, 1, "64x48")
	var sps, pps []byte
	for _, nal := range pictures[0].nals {
		switch nal[0] & 0x1f {
		case 7:
			sps = nal
		case 8:
			pps = nal
		}
	}
	if _, err := media.NewParameters(sps, pps); err != nil {
		t.Fatalf("the control: %v", err)
	}
	for name, sps := range map[string][]byte{
		"65535 macroblocks a side": bigSPS(65535, 65535),
		"wide":                     bigSPS(600, 1),
		"16384 pixels a side":      bigSPS(1024, 1024),
		"64 KB":                    append(append([]byte(nil), sps...), make([]byte, 64<<10)...),
		"nothing":                  {0x67},
		"cut off":                  sps[:6],
		"another type":             pps,
	} {
		var a media.Assembler
		_, _, err := a.Unit([][]byte{sps, pps, {0x65, 0x88}}, 0, noon)
		if name == "another type" {
			continue // a second picture parameter set, nothing to begin with
		}
		if !errors.Is(err, media.ErrParameters) {
			t.Errorf("%s: %v, want %v", name, err, media.ErrParameters)
		}
	}
	if _, err := media.NewParameters(sps, append([]byte{0x68}, make([]byte, 64)...)); !errors.Is(err, media.ErrParameters) {
		t.Errorf("picture parameter set of zeros: %v", err)
	}
}

// bigSPS returns a baseline sequence parameter set for a picture of w x h macroblocks.
func bigSPS(w, h uint32) []byte {
	var bits []byte
	put := func(v uint32) { // Exp-Golomb
		n := 0
		for v+1 >= 1<<(n+1) {
			n++
		}
		for range n {
			bits = append(bits, 0)
		}
		for i := n; i >= 0; i-- {
			bits = append(bits, byte((v+1)>>i&1))
		}
	}
	put(0)                              // its number
	put(0)                              // bits of frame numbers
	put(2)                              // order of pictures
	put(1)                              // reference frames
	bits = append(bits, 0)              // no gaps
	put(w - 1)                          //
	put(h - 1)                          //
	bits = append(bits, 1, 1, 0, 0, 1)  // frames only, direct inference, no crop, no more, end
	sps := []byte{0x67, 66, 0xc0, 0x1f} // baseline
	for len(bits)%8 != 0 {
		bits = append(bits, 0)
	}
	for i := 0; i < len(bits); i += 8 {
		var b byte
		for j := range 8 {
			b = b<<1 | bits[i+j]
		}
		sps = append(sps, b)
	}
	return sps
}

func TestParametersAnnouncedOnly(t *testing.T) {
	pictures := encode(t, 1, "128x96")
	var sps, pps []byte
	for i := range pictures {
		var rest [][]byte
		for _, nal := range pictures[i].nals {
			switch nal[0] & 0x1f {
			case 7:
				sps = nal
			case 8:
				pps = nal
			default:
				rest = append(rest, nal)
			}
		}
		pictures[i].nals = rest
	}
	var without media.Assembler
	if units := assemble(t, &without, pictures); len(units) != 0 {
		t.Errorf("%d units that nobody could decode", len(units))
	}
	var a media.Assembler
	a.Announce(nil, []byte("nonsense"))
	a.Announce(nil, sps, pps)
	units := assemble(t, &a, pictures)
	if len(units) != 15 {
		t.Fatalf("%d units, want 15", len(units))
	}
	stream := units[0].AppendAnnexB(nil)
	if stream[4]&0x1f != 7 {
		t.Errorf("a decoder's stream begins with NAL type %d, want the parameters", stream[4]&0x1f)
	}
}
