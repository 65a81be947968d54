package paint

import (
	"image/color"
	"time"
)

// The strip is a clock that a program reads back from a screen: squares along the lower
// edge, white for 1, the highest bit first. First 4 bits of the scene's number, then 36
// of the milliseconds since 1970, then 4 that make the exclusive or of all groups of
// four 1111. A square is large enough for a poor sub stream.
const (
	stripSquares = 44
	stripSide    = 14 // units
	stripX       = 12
	stripY       = 360 - stripSide
)

// stripBits are the squares of a moment.
func stripBits(s Scene, at time.Time) uint64 {
	bits := uint64(s)&15<<36 | uint64(at.UnixMilli())&(1<<36-1)
	check := uint64(15)
	for b := bits; b > 0; b >>= 4 {
		check ^= b & 15
	}
	return bits<<4 | check
}

func (c canvas) strip(s Scene, at time.Time) {
	bits := stripBits(s, at)
	for i := range stripSquares {
		shade := rgb(0)
		if bits>>(stripSquares-1-i)&1 == 1 {
			shade = rgb(0xffffff)
		}
		c.block(stripX+float64(i)*stripSide, stripY, stripSide, color.NRGBA{shade.R, shade.G, shade.B, 255})
	}
}
