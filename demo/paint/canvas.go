package paint

import (
	"image"
	"image/color"
	"math"
)

// canvas draws on an image in the units of a scene, 640 wide and 360 high, whatever
// the image's size. Shapes are given by their distance: how far a point is outside
// the shape, negative inside. That gives every edge a soft pixel.
type canvas struct {
	img    *image.RGBA
	per    float64 // pixels to a unit
	mirror bool    // shapes are drawn with left and right changed
}

func newCanvas(img *image.RGBA) canvas {
	return canvas{img: img, per: float64(img.Bounds().Dx()) / 640}
}

// towards returns a canvas on which what is drawn going right goes left, if left.
func (c canvas) towards(left bool) canvas {
	c.mirror = left
	return c
}

// shape is a distance and the box that holds everything inside.
type shape struct {
	x0, y0, x1, y1 float64
	distance       func(x, y float64) float64
}

// fill draws the shape in one colour.
func (c canvas) fill(s shape, col color.NRGBA) {
	c.shade(s, 0, func(_, _, d float64) (color.NRGBA, float64) {
		return col, min(1, max(0, 0.5-d*c.per))
	})
}

// glow adds light of that colour, full inside the shape and fading to nothing at
// reach outside it.
func (c canvas) glow(s shape, reach float64, col color.NRGBA) {
	c.shade(s, reach, func(_, _, d float64) (color.NRGBA, float64) {
		f := 1 - max(0, d)/reach
		if f <= 0 {
			return col, 0
		}
		return col, f * f
	})
}

// gradient fills the shape with colours from top to bottom of its box.
func (c canvas) gradient(s shape, top, bottom color.NRGBA) {
	c.shade(s, 0, func(_, y, d float64) (color.NRGBA, float64) {
		return mix(top, bottom, (y-s.y0)/(s.y1-s.y0)), min(1, max(0, 0.5-d*c.per))
	})
}

func (c canvas) shade(s shape, reach float64, paint func(x, y, d float64) (color.NRGBA, float64)) {
	b := c.img.Bounds()
	if c.mirror {
		s = s.mirrored()
	}
	x0, x1 := max(0, int((s.x0-reach)*c.per)-1), min(b.Dx(), int((s.x1+reach)*c.per)+2)
	y0, y1 := max(0, int((s.y0-reach)*c.per)-1), min(b.Dy(), int((s.y1+reach)*c.per)+2)
	for py := y0; py < y1; py++ {
		y := (float64(py) + 0.5) / c.per
		row := c.img.Pix[py*c.img.Stride:]
		for px := x0; px < x1; px++ {
			x := (float64(px) + 0.5) / c.per
			col, cover := paint(x, y, s.distance(x, y))
			if cover <= 0 {
				continue
			}
			a := uint32(cover * float64(col.A) * 257)
			p := row[px*4 : px*4+4 : px*4+4]
			p[0] = over(p[0], col.R, a)
			p[1] = over(p[1], col.G, a)
			p[2] = over(p[2], col.B, a)
			p[3] = 255
		}
	}
}

func over(under, top uint8, a uint32) uint8 {
	return uint8((uint32(under)*(65535-a) + uint32(top)*a + 32767) / 65535)
}

func mix(a, b color.NRGBA, f float64) color.NRGBA {
	f = min(1, max(0, f))
	m := func(a, b uint8) uint8 { return uint8(float64(a)*(1-f) + float64(b)*f + 0.5) }
	return color.NRGBA{m(a.R, b.R), m(a.G, b.G), m(a.B, b.B), m(a.A, b.A)}
}

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{uint8(hex >> 16), uint8(hex >> 8), uint8(hex), 255}
}

func (s shape) mirrored() shape {
	return shape{640 - s.x1, s.y0, 640 - s.x0, s.y1, func(x, y float64) float64 { return s.distance(640-x, y) }}
}

// without is the shape with a hole.
func (s shape) without(hole shape) shape {
	return shape{s.x0, s.y0, s.x1, s.y1, func(x, y float64) float64 { return max(s.distance(x, y), -hole.distance(x, y)) }}
}

func circle(x, y, r float64) shape {
	return shape{x - r, y - r, x + r, y + r, func(px, py float64) float64 { return math.Hypot(px-x, py-y) - r }}
}

// oval is an ellipse; its distance is a good guess near the edge, which is where it counts.
func oval(x, y, rx, ry float64) shape {
	return shape{x - rx, y - ry, x + rx, y + ry, func(px, py float64) float64 {
		dx, dy := (px-x)/rx, (py-y)/ry
		k := math.Hypot(dx, dy)
		if k == 0 {
			return -min(rx, ry)
		}
		return (k - 1) * k / math.Hypot(dx/rx, dy/ry)
	}}
}

// rect has corners of radius r.
func rect(x, y, w, h, r float64) shape {
	return shape{x, y, x + w, y + h, func(px, py float64) float64 {
		dx := math.Abs(px-x-w/2) - w/2 + r
		dy := math.Abs(py-y-h/2) - h/2 + r
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - r
	}}
}

// limb is a line with round ends, ra thick at a and rb at b.
func limb(ax, ay, ra, bx, by, rb float64) shape {
	r := max(ra, rb)
	dx, dy := bx-ax, by-ay
	length := dx*dx + dy*dy
	return shape{min(ax, bx) - r, min(ay, by) - r, max(ax, bx) + r, max(ay, by) + r, func(px, py float64) float64 {
		f := 0.0
		if length > 0 {
			f = min(1, max(0, ((px-ax)*dx+(py-ay)*dy)/length))
		}
		return math.Hypot(px-ax-f*dx, py-ay-f*dy) - ra - f*(rb-ra)
	}}
}

// polygon has its corners given as x, y, x, y …
func polygon(p ...float64) shape {
	s := shape{x0: p[0], y0: p[1], x1: p[0], y1: p[1]}
	for i := 0; i < len(p); i += 2 {
		s.x0, s.x1 = min(s.x0, p[i]), max(s.x1, p[i])
		s.y0, s.y1 = min(s.y0, p[i+1]), max(s.y1, p[i+1])
	}
	s.distance = func(x, y float64) float64 {
		d, inside := math.Inf(1), false
		for i, j := 0, len(p)-2; i < len(p); i, j = i+2, i {
			ax, ay, bx, by := p[i], p[i+1], p[j], p[j+1]
			ex, ey, wx, wy := bx-ax, by-ay, x-ax, y-ay
			f := min(1, max(0, (wx*ex+wy*ey)/(ex*ex+ey*ey)))
			d = min(d, math.Hypot(wx-f*ex, wy-f*ey))
			if (ay > y) != (by > y) && x < ex*(y-ay)/ey+ax {
				inside = !inside
			}
		}
		if inside {
			return -d
		}
		return d
	}
	return s
}

// speckle makes a surface less flat: each pixel in the box up to depth darker or
// lighter, by a fixed pattern.
func (c canvas) speckle(x, y, w, h float64, depth int) {
	b := c.img.Bounds()
	for py := max(0, int(y*c.per)); py < min(b.Dy(), int((y+h)*c.per)); py++ {
		for px := max(0, int(x*c.per)); px < min(b.Dx(), int((x+w)*c.per)); px++ {
			n := uint32(px/2)*2654435761 ^ uint32(py/2)*2246822519
			n = (n ^ n>>15) * 2654435769
			d := int(n>>24)%(2*depth+1) - depth
			p := c.img.Pix[py*c.img.Stride+px*4:]
			for i := range 3 {
				p[i] = uint8(min(255, max(0, int(p[i])+d)))
			}
		}
	}
}
