package media

import (
	"fmt"
	"math/bits"
	"strings"
)

// profile265 is what an H.265 sequence parameter set says of the stream, as far as a
// header must repeat it (ITU-T H.265, 7.3.2.2 and 7.3.3).
type profile265 struct {
	general       [12]byte // profile, compatibility, constraints, level
	layers        byte     // in time
	nested        byte
	chroma        byte
	luma8, color8 byte // bits of depth above 8
}

// NewParameters265 checks the parameter sets of an H.265 stream and returns them. Every
// error is an [ErrParameters].
func NewParameters265(vps, sps []byte, pps ...[]byte) (*Parameters, error) {
	p := &Parameters{VPS: vps, SPS: sps, PPS: pps}
	if len(vps) < 3 || len(vps) > maxParameterSet || kindOf265(vps) != videoSet {
		return nil, fmt.Errorf("%w: video parameter set of %d bytes", ErrParameters, len(vps))
	}
	if len(pps) == 0 || len(pps) > maxPPS {
		return nil, fmt.Errorf("%w: %d picture parameter sets", ErrParameters, len(pps))
	}
	for _, set := range pps {
		if _, err := ppsID265(set); err != nil {
			return nil, err
		}
	}
	if err := p.read265(); err != nil {
		return nil, err
	}
	return p, nil
}

// H265 says whether the sets are of H.265; if not, they are of H.264.
func (p *Parameters) H265() bool { return len(p.VPS) > 0 }

// read265 reads the sequence parameter set up to the last number that is asked for.
func (p *Parameters) read265() error {
	sps := p.SPS
	if len(sps) < 16 || len(sps) > maxParameterSet || kindOf265(sps) != sequenceSet {
		return fmt.Errorf("%w: sequence parameter set of %d bytes", ErrParameters, len(sps))
	}
	b, q := bitsOf(sps, 2), &p.profile
	b.read(4) // the video parameter set's number
	q.layers = byte(b.read(3)) + 1
	q.nested = byte(b.bit())
	for i := range q.general {
		q.general[i] = byte(b.read(8))
	}
	b.skipLayers(int(q.layers) - 1)
	b.golomb() // its number
	chroma := b.golomb()
	if chroma == 3 {
		b.bit()
	}
	w, h := b.golomb(), b.golomb()
	// Against the limits before anything is computed: the differences below would wrap.
	if b.short || chroma > 3 || w > maxSide || h > maxSide || uint64(w)*uint64(h) > maxMacroblocks*256 {
		return fmt.Errorf("%w: picture of %dx%d pixels", ErrParameters, w, h)
	}
	width, height := int(w), int(h)
	if b.bit() == 1 {
		wide, high := 1, 1 // pixels to a step of the crop
		if chroma == 1 || chroma == 2 {
			wide = 2
		}
		if chroma == 1 {
			high = 2
		}
		for _, side := range []struct {
			of   *int
			step int
		}{{&width, wide}, {&width, wide}, {&height, high}, {&height, high}} {
			n := b.golomb()
			if n > maxSide {
				return fmt.Errorf("%w: crop of %d", ErrParameters, n)
			}
			*side.of -= int(n) * side.step
		}
	}
	luma, color := b.golomb(), b.golomb()
	if b.short || luma > 8 || color > 8 || width < 16 || height < 16 {
		return fmt.Errorf("%w: picture of %dx%d pixels", ErrParameters, width, height)
	}
	q.chroma, q.luma8, q.color8 = byte(chroma), byte(luma), byte(color)
	p.width, p.height = width, height
	return nil
}

// skipLayers passes the profiles of the layers in time below the highest.
func (b *bitReader) skipLayers(n int) {
	if n == 0 {
		return
	}
	var profile, level [8]bool
	for i := range 8 {
		profile[i], level[i] = b.bit() == 1, b.bit() == 1 // unused ones are 0
	}
	for i := range n {
		if profile[i] {
			b.read(8)
			for range 10 {
				b.read(8)
			}
		}
		if level[i] {
			b.read(8)
		}
	}
}

// codec265 spells the codec as ISO/IEC 14496-15, annex E, does: hvc1.1.6.L93.B0.
func (p *Parameters) codec265() string {
	g := p.profile.general
	var s strings.Builder
	s.WriteString("hvc1.")
	if space := g[0] >> 6; space > 0 {
		s.WriteByte('A' + space - 1)
	}
	compatible := uint32(g[1])<<24 | uint32(g[2])<<16 | uint32(g[3])<<8 | uint32(g[4])
	tier := byte('L')
	if g[0]&0x20 != 0 {
		tier = 'H'
	}
	fmt.Fprintf(&s, "%d.%X.%c%d", g[0]&0x1f, bits.Reverse32(compatible), tier, g[11])
	constraints := g[5:11]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, c := range constraints {
		fmt.Fprintf(&s, ".%X", c)
	}
	return s.String()
}

// ppsID265 reads the identifier of a picture parameter set.
func ppsID265(pps []byte) (int, error) {
	if len(pps) < 3 || len(pps) > maxParameterSet || kindOf265(pps) != pictureSet {
		return 0, fmt.Errorf("%w: picture parameter set of %d bytes", ErrParameters, len(pps))
	}
	b := bitsOf(pps, 2)
	n := b.golomb()
	if b.short || n > 63 {
		return 0, fmt.Errorf("%w: picture parameter set without a number", ErrParameters)
	}
	return int(n), nil
}
