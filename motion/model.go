package motion

import (
	"math"
	"time"
)

// Shades on the eye's scale; see scale. In the middle of the range one is a shade of
// the picture.
const (
	wide     = 150.0 // the contrast of a scene from which on thresholds are what they are
	narrow   = 0.55  // and what they shrink to at the least
	change   = 10.0  // that a pixel must differ by from the picture before
	clamped  = 80.0  // of a difference, for finding out what is light
	shaded   = 0.5   // by how much more than its surroundings a pixel may be lit
	usually  = 60.0  // of a difference, for finding out what is usual
	memory   = 50    // pictures over which the scene's contrast is averaged
	cellSide = 5     // pixels
	lonely   = 3     // neighbours that must stand out too
	sparse   = 4     // pixels of a cell that must stand out
)

// thresholds are what a pixel must differ by from the background, and how many times
// what it usually does, by level.
var thresholds = [levels]struct{ shades, usual float32 }{
	low: {26, 4}, medium: {18, 3.5}, high: {12, 3},
}

// model is what is known of a scene, and a picture beside it.
type model struct {
	width, height int
	background    []float32 // the running average
	usual         []float32 // how much each pixel usually differs from it
	before, raw   []float32 // the last picture, with the background's light and with its own
	lo, hi        []float32 // the range of each pixel while learning

	picture []float32 // this one, with the background's light once compared
	light   []float32 // what differs smoothly
	across  []float32 // scratch
	mask    []uint8   // how far each pixel stands out: 0, or a level+1, and hasMoved

	darkest, brightest float32 // percentiles of the pictures, averaged
	contrast           float32 // by which thresholds shrink

	out, changed int // pixels that stand out, at whatever is usual, and that differ from before
}

const hasMoved = 4 // beside the levels in a mask

func (m *model) reset(width, height int) {
	n := width * height
	floats := func() []float32 { return make([]float32, n) }
	*m = model{width: width, height: height, background: floats(), usual: floats(), before: floats(), raw: floats(), lo: floats(), hi: floats(),
		picture: floats(), light: floats(), across: floats(), mask: make([]uint8, n)}
}

func (m *model) share(pixels int) float64 { return float64(pixels) / float64(len(m.mask)) }

// scale turns a sum of nine shades into one shade of a scale on which light that is
// multiplied is a step, the same at any shade.
var scale = func() (s [9*255 + 1]float32) {
	const dark, middle = 40, 110
	for i := range s {
		s[i] = float32((middle + dark) * math.Log1p(float64(i)/9/dark))
	}
	return s
}()

// see takes a picture: it averages each pixel with its eight neighbours, because a
// sensor's noise is finer than anything worth seeing, brings it to scale, and measures
// the scene's contrast.
func (m *model) see(pix []byte) {
	w, h := m.width, m.height
	var histogram [9*255 + 1]int32
	for y := range h {
		up, row, down := pix[max(y-1, 0)*w:][:w], pix[y*w:][:w], pix[min(y+1, h-1)*w:][:w]
		out := m.picture[y*w:][:w]
		column := func(x int) int { return int(up[x]) + int(row[x]) + int(down[x]) }
		left, here := column(0), column(0)
		for x := range w {
			right := here
			if x+1 < w {
				right = column(x + 1)
			}
			sum := left + here + right
			histogram[sum]++
			out[x] = scale[sum]
			left, here = here, right
		}
	}
	m.measure(&histogram)
}

// measure takes the 4th and the 96th percentile of the picture, on the scale, into
// their averages. A scene of little contrast is looked at more closely: that is what
// stretching its contrast would do, but leaves the background as it is.
func (m *model) measure(histogram *[9*255 + 1]int32) {
	few := int32(len(m.mask) / 25)
	percentile := func(step, i int) float32 {
		for n := int32(0); ; i += step {
			if n += histogram[i]; n > few {
				return scale[i]
			}
		}
	}
	d, b := percentile(1, 0), percentile(-1, len(histogram)-1)
	if m.contrast == 0 {
		m.darkest, m.brightest = d, b
	}
	m.darkest += (d - m.darkest) / memory
	m.brightest += (b - m.brightest) / memory
	m.contrast = min(1, max(narrow, (m.brightest-m.darkest)/wide))
}

// compare takes the light out of the picture and marks the pixels that stand out.
func (m *model) compare() {
	m.smooth()
	m.out, m.changed = 0, 0
	var t [levels]float32
	for l := range t {
		t[l] = thresholds[l].shades * m.contrast
	}
	n := len(m.picture)
	picture, light, before, beforeRaw := m.picture, m.light[:n], m.before[:n], m.raw[:n]
	background, usual, mask := m.background[:n], m.usual[:n], m.mask[:n]
	still, nothing := change*m.contrast, t[high]
	for i, raw := range picture {
		l := light[i]
		p := raw - l
		// What changed with the light has changed no more than that, or not at all
		// where the light does not fall.
		by := smaller(abs(p-before[i]), abs(raw-beforeRaw[i])) - larger(still, 3*usual[i])
		picture[i], beforeRaw[i], mask[i] = p, raw, 0
		if by > 0 {
			m.changed++
		}
		// How much brighter it is than any light would make it, or darker than any shade.
		diff := raw - background[i]
		if l *= 1 + shaded; l > 0 {
			diff = larger(diff-l, -diff)
		} else {
			diff = larger(diff, l-diff)
		}
		if diff <= nothing {
			continue
		}
		if diff > t[medium] {
			m.out++ // for the light it does not matter what is usual
		}
		for l := low; l < levels; l++ {
			if diff > t[l] && diff > thresholds[l].usual*usual[i] {
				mask[i] = uint8(levels - l)
				if by > 0 {
					mask[i] |= hasMoved
				}
				break
			}
		}
	}
}

// smooth finds out what differs smoothly: the mean difference in a large square around
// each pixel, to which what stands out can add only so much.
func (m *model) smooth() {
	w, h := m.width, m.height
	r := max(w, h) / 6
	for y := range h {
		row, out := m.across[y*w:][:w], m.light[y*w:][:w]
		picture, background := m.picture[y*w:][:w], m.background[y*w:][:w]
		for x, p := range picture {
			row[x] = smaller(clamped, larger(-clamped, p-background[x]))
		}
		mean(out, row, r)
	}
	copy(m.across, m.light)
	sums, n := make([]float32, w), 0
	add := func(y int, sign float32) {
		if y < 0 || y >= h {
			return
		}
		n += int(sign)
		sums := sums[:w]
		for x, v := range m.across[y*w:][:w] {
			sums[x] += sign * v
		}
	}
	for y := range min(r, h) {
		add(y, 1)
	}
	for y := range h {
		add(y+r, 1)
		add(y-r-1, -1)
		part, light := 1/float32(n), m.light[y*w:][:w]
		for x, v := range sums {
			light[x] = v * part
		}
	}
}

// mean writes the mean of what is r to the left and right of each.
func mean(out, in []float32, r int) {
	sum, n := float32(0), 0
	for _, v := range in[:min(r, len(in))] {
		sum, n = sum+v, n+1
	}
	for x := range in {
		if x+r < len(in) {
			sum, n = sum+in[x+r], n+1
		}
		if x-r-1 >= 0 {
			sum, n = sum-in[x-r-1], n-1
		}
		out[x] = sum / float32(n)
	}
}

// take takes the picture as the background.
func (m *model) take() {
	for _, to := range [][]float32{m.background, m.before, m.lo, m.hi} {
		copy(to, m.raw)
	}
}

// adapt moves the background and the usual differences towards the picture.
func (m *model) adapt(elapsed time.Duration, learning bool) {
	still, standing, light := rate(elapsed, learnSlowly), rate(elapsed, standsStill), rate(elapsed, lightly)
	if learning {
		still = rate(elapsed, learnQuickly)
		standing, light = still, still
	}
	n := len(m.picture)
	background, bright, usual, before, mask := m.background[:n], m.light[:n], m.usual[:n], m.before[:n], m.mask[:n]
	for i, p := range m.picture {
		diff, r := p-background[i], still
		if mask[i] != 0 {
			r = standing // one thing passing must not blind a place to the next
		}
		background[i] += r*diff + light*bright[i]
		usual[i] += r * (smaller(abs(diff), usually) - usual[i])
		before[i] = p
	}
	if learning {
		for i, p := range m.picture {
			m.lo[i], m.hi[i] = min(m.lo[i], p), max(m.hi[i], p)
		}
	}
}

// forget begins to measure the range of each pixel anew.
func (m *model) forget() {
	copy(m.lo, m.before)
	copy(m.hi, m.before)
}

// learned takes what pixels ranged over while they were learned for what is usual:
// leaves in the wind are slower than the background follows then.
func (m *model) learned() {
	for i := range m.usual {
		m.usual[i] = max(m.usual[i], min((m.hi[i]-m.lo[i])/2, usually))
	}
}

// abs, smaller and larger are of numbers that are some: min and max would look for those
// that are none at every pixel.
func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }

func smaller(x, y float32) float32 {
	if x < y {
		return x
	}
	return y
}

func larger(x, y float32) float32 {
	if x > y {
		return x
	}
	return y
}
