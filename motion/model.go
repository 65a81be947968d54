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
	for i, raw := range m.picture {
		light := m.light[i]
		p := raw - light
		m.picture[i], m.mask[i] = p, 0
		// What changed with the light has changed no more than that, or not at all
		// where the light does not fall.
		by := min(abs(p-m.before[i]), abs(raw-m.raw[i])) - max(change*m.contrast, 3*m.usual[i])
		m.raw[i] = raw
		if by > 0 {
			m.changed++
		}
		lit := raw - m.background[i]
		diff := max(lit-max(0, light*(1+shaded)), min(0, light*(1+shaded))-lit)
		if diff <= t[high] {
			continue
		}
		if diff > t[medium] {
			m.out++ // for the light it does not matter what is usual
		}
		for l := low; l < levels; l++ {
			if diff > t[l] && diff > thresholds[l].usual*m.usual[i] {
				m.mask[i] = uint8(levels - l)
				if by > 0 {
					m.mask[i] |= hasMoved
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
		for x := range w {
			row[x] = min(clamped, max(-clamped, m.picture[y*w+x]-m.background[y*w+x]))
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
		part := 1 / float32(n)
		for x, v := range sums {
			m.light[y*w+x] = v * part
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
	for i, p := range m.picture {
		diff, r := p-m.background[i], still
		if m.mask[i] != 0 {
			r = standing // one thing passing must not blind a place to the next
		}
		m.background[i] += r*diff + light*m.light[i]
		m.usual[i] += r * (min(abs(diff), usually) - m.usual[i])
		m.before[i] = p
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

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}
