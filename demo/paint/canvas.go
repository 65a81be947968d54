package paint

import (
	"image"
	"image/color"
	"image/draw"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// canvas draws smooth shapes. Coordinates are pixels of the main stream.
type canvas struct {
	*image.RGBA
	pen *vector.Rasterizer
}

func newCanvas(img *image.RGBA) *canvas { return &canvas{img, vector.NewRasterizer(0, 0)} }

// shape fills what draw outlines, all of which lies in box. The pen's work grows with
// its size, so it is made as small as the shape.
func (c *canvas) shape(col color.NRGBA, x0, y0, x1, y1 float64, draw func(at func(x, y float64) (float32, float32))) {
	box := image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1))+1, int(math.Ceil(y1))+1)
	seen := box.Intersect(c.Rect)
	if seen.Empty() {
		return
	}
	c.pen.Reset(seen.Dx(), seen.Dy())
	draw(func(x, y float64) (float32, float32) {
		return float32(x - float64(seen.Min.X)), float32(y - float64(seen.Min.Y))
	})
	c.pen.ClosePath()
	c.pen.Draw(c.RGBA, seen, image.NewUniform(col), image.Point{})
}

// rgb is an opaque colour, written 0xRRGGBB.
func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

// veil is a colour that lets something through.
func veil(hex uint32, alpha float64) color.NRGBA {
	c := rgb(hex)
	c.A = uint8(255 * alpha)
	return c
}

func mix(a, b color.NRGBA, t float64) color.NRGBA {
	at := func(x, y uint8) uint8 { return uint8(float64(x) + (float64(y)-float64(x))*t) }
	return color.NRGBA{at(a.R, b.R), at(a.G, b.G), at(a.B, b.B), at(a.A, b.A)}
}

// polygon fills the shape through the points x0, y0, x1, y1, ...
func (c *canvas) polygon(col color.NRGBA, xy ...float64) {
	x0, y0, x1, y1 := xy[0], xy[1], xy[0], xy[1]
	for i := 2; i < len(xy); i += 2 {
		x0, y0, x1, y1 = min(x0, xy[i]), min(y0, xy[i+1]), max(x1, xy[i]), max(y1, xy[i+1])
	}
	c.shape(col, x0, y0, x1, y1, func(at func(x, y float64) (float32, float32)) {
		c.pen.MoveTo(at(xy[0], xy[1]))
		for i := 2; i < len(xy); i += 2 {
			c.pen.LineTo(at(xy[i], xy[i+1]))
		}
	})
}

func (c *canvas) rect(col color.NRGBA, x, y, w, h float64) {
	c.polygon(col, x, y, x+w, y, x+w, y+h, x, y+h)
}

func (c *canvas) ellipse(col color.NRGBA, x, y, rx, ry float64) {
	const k = 0.5523 // of a quarter circle by a cubic curve
	c.shape(col, x-rx, y-ry, x+rx, y+ry, func(at func(x, y float64) (float32, float32)) {
		c.pen.MoveTo(at(x+rx, y))
		for quarter := range 4 {
			sin, cos := math.Sincos(float64(quarter) * math.Pi / 2)
			turned := func(u, v float64) (float32, float32) { return at(x+rx*(u*cos-v*sin), y+ry*(u*sin+v*cos)) }
			bx, by := turned(1, k)
			cx, cy := turned(k, 1)
			dx, dy := turned(0, 1)
			c.pen.CubeTo(bx, by, cx, cy, dx, dy)
		}
	})
}

// limb is a line with round ends.
func (c *canvas) limb(col color.NRGBA, x0, y0, x1, y1, width float64) {
	dx, dy := x1-x0, y1-y0
	length := math.Max(math.Hypot(dx, dy), 1e-9)
	nx, ny := -dy/length*width/2, dx/length*width/2
	c.polygon(col, x0+nx, y0+ny, x1+nx, y1+ny, x1-nx, y1-ny, x0-nx, y0-ny)
	c.ellipse(col, x0, y0, width/2, width/2)
	c.ellipse(col, x1, y1, width/2, width/2)
}

// wash is a vertical gradient.
func (c *canvas) wash(top, bottom color.NRGBA, x, y, w, h float64) {
	for i := range int(h) {
		draw.Draw(c.RGBA, image.Rect(int(x), int(y)+i, int(x+w), int(y)+i+1), image.NewUniform(mix(top, bottom, float64(i)/h)), image.Point{}, draw.Over)
	}
}

// glow is light that falls off from a point.
func (c *canvas) glow(hex uint32, x, y, radius, strength float64) {
	for i := range 14 {
		t := float64(i+1) / 14
		c.ellipse(veil(hex, strength/14*t), x, y, radius*(1.05-t), radius*(1.05-t))
	}
}

// write puts white text with its upper left corner at x, y, twice as large as the font.
func (c *canvas) write(text string, x, y int) {
	face := basicfont.Face7x13
	small := image.NewAlpha(image.Rect(0, 0, face.Advance*len(text), face.Height))
	d := font.Drawer{Dst: small, Src: image.Opaque, Face: face, Dot: fixed.P(0, face.Ascent)}
	d.DrawString(text)
	white := color.RGBA{255, 255, 255, 255}
	for sy := range 2 * small.Rect.Dy() {
		for sx := range 2 * small.Rect.Dx() {
			if small.AlphaAt(sx/2, sy/2).A > 0 {
				c.SetRGBA(x+sx, y+sy, white)
			}
		}
	}
}
