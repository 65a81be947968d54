package media

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// The limits of parameter sets. Cameras' own take some 30 bytes; one with every
// scaling list takes less than 300.
const (
	maxParameterSet = 1024
	maxPPS          = 16
	maxSide         = 8192              // pixels
	maxMacroblocks  = 4096 * 4096 / 256 // 16x16 pixels each; a camera's H.264 ends at 12 megapixels
)

// ErrParameters is the error for parameter sets that are malformed, larger than any
// camera's, or for a picture of absurd size.
var ErrParameters = errors.New("unusable parameter sets")

// Parameters are the parameter sets that a decoder needs before a key unit.
type Parameters struct {
	VPS []byte // of H.265 alone
	SPS []byte
	PPS [][]byte // in order of their identifiers; at least one

	width, height int
	profile       profile265 // of H.265 alone
}

// NewParameters checks the parameter sets of an H.264 stream and returns them. Every error is an
// [ErrParameters].
func NewParameters(sps []byte, pps ...[]byte) (*Parameters, error) {
	p := &Parameters{SPS: sps, PPS: pps}
	if len(pps) == 0 || len(pps) > maxPPS {
		return nil, fmt.Errorf("%w: %d picture parameter sets", ErrParameters, len(pps))
	}
	for _, set := range pps {
		if _, err := ppsID(set); err != nil {
			return nil, err
		}
	}
	var err error
	p.width, p.height, err = dimensions(sps)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Width returns the picture's width in pixels.
func (p *Parameters) Width() int { return p.width }

// Height returns the picture's height in pixels.
func (p *Parameters) Height() int { return p.height }

// Codec returns the codec's name in a MIME type, as RFC 6381 spells it: avc1.64001f.
func (p *Parameters) Codec() string {
	if p.H265() {
		return p.codec265()
	}
	return fmt.Sprintf("avc1.%02x%02x%02x", p.SPS[1], p.SPS[2], p.SPS[3])
}

// Equal says whether the two are the same sets, byte by byte.
func (p *Parameters) Equal(q *Parameters) bool {
	return p == q || p != nil && q != nil && bytes.Equal(p.VPS, q.VPS) && bytes.Equal(p.SPS, q.SPS) &&
		slices.EqualFunc(p.PPS, q.PPS, bytes.Equal)
}

// dimensions reads the picture's size from a sequence parameter set. It looks at
// the numbers of macroblocks first: computed from absurd ones, width and height
// overflow to harmless-looking figures.
func dimensions(sps []byte) (width, height int, err error) {
	if len(sps) < 4 || len(sps) > maxParameterSet || typeOf(sps) != nalSPS {
		return 0, 0, fmt.Errorf("%w: sequence parameter set of %d bytes", ErrParameters, len(sps))
	}
	var s h264.SPS
	if err := s.Unmarshal(sps); err != nil {
		return 0, 0, fmt.Errorf("%w: %v", ErrParameters, err)
	}
	w, h := uint64(s.PicWidthInMbsMinus1)+1, uint64(s.PicHeightInMapUnitsMinus1)+1
	if !s.FrameMbsOnlyFlag {
		h *= 2
	}
	if w > maxSide/16 || h > maxSide/16 || w*h > maxMacroblocks {
		return 0, 0, fmt.Errorf("%w: picture of %dx%d macroblocks", ErrParameters, w, h)
	}
	if c := s.FrameCropping; c != nil {
		// In units of at most 4 lines or columns; a crop past the picture would wrap.
		for _, n := range []uint32{c.LeftOffset, c.RightOffset, c.TopOffset, c.BottomOffset} {
			if n > maxSide {
				return 0, 0, fmt.Errorf("%w: crop of %d", ErrParameters, n)
			}
		}
	}
	width, height = s.Width(), s.Height()
	if width < 16 || height < 16 || width > int(w*16) || height > int(h*16) {
		return 0, 0, fmt.Errorf("%w: picture of %dx%d pixels", ErrParameters, width, height)
	}
	return width, height, nil
}

// ppsID reads the identifier of a picture parameter set: the Exp-Golomb number that
// it begins with.
func ppsID(pps []byte) (int, error) {
	if len(pps) < 2 || len(pps) > maxParameterSet || typeOf(pps) != nalPPS {
		return 0, fmt.Errorf("%w: picture parameter set of %d bytes", ErrParameters, len(pps))
	}
	b := bitsOf(pps, 1)
	n := b.golomb()
	if b.short || n > 255 {
		return 0, fmt.Errorf("%w: picture parameter set without a number", ErrParameters)
	}
	return int(n), nil
}
