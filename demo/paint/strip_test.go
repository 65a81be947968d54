package paint

import (
	"image"
	"testing"
	"time"
)

// TestStripIsReadBack: scene and moment are in the strip, at both sizes of a camera.
func TestStripIsReadBack(t *testing.T) {
	at := time.UnixMilli(1_795_694_400_123)
	for _, s := range Scenes {
		for _, part := range []int{1, 2} {
			img := image.NewRGBA(image.Rect(0, 0, Width/part, Height/part))
			newCanvas(img).strip(s, at)
			var bits, check uint64
			for i := range stripSquares {
				bits <<= 1
				if x := stripX + i*stripSide + stripSide/2; img.RGBAAt(x/part, (stripY+stripSide/2)/part).R > 128 {
					bits |= 1
				}
			}
			for b := bits; b > 0; b >>= 4 {
				check ^= b & 15
			}
			if check != 15 || Scene(bits>>40) != s || bits>>4&(1<<36-1) != uint64(at.UnixMilli())&(1<<36-1) {
				t.Errorf("%s at 1/%d: read %011x", s, part, bits)
			}
		}
	}
}
