package motion

import "math"

const (
	standsOut = 1
	hasMoved  = 2
	counted   = 4
)

// blur averages each pixel with its eight neighbours: a sensor's noise is finer than
// anything worth seeing.
func blur(out []float32, in []byte, w, h int) {
	for y := range h {
		up, down := max(y-1, 0)*w, min(y+1, h-1)*w
		row := y * w
		for x := range w {
			l, r := max(x-1, 0), min(x+1, w-1)
			sum := int(in[up+l]) + int(in[up+x]) + int(in[up+r]) +
				int(in[row+l]) + int(in[row+x]) + int(in[row+r]) +
				int(in[down+l]) + int(in[down+x]) + int(in[down+r])
			out[row+x] = float32(sum) / 9
		}
	}
}

// match gives the picture the background's brightness and contrast. What moves hardly
// changes either; a cloud or the camera's exposure does. The second reckoning leaves
// out the pixels that differ after the first, so that a dark car does not make the
// street light.
func (d *Detector) match() {
	const trim = 40
	gain, offset := 1.0, 0.0
	for _, within := range []float32{math.MaxFloat32, trim} {
		var n, sp, sb, pp, bb float64
		for i, p := range d.blurred {
			x, b := float64(p), float64(d.background[i])
			if abs(float32(x*gain+offset-b)) < within {
				n, sp, sb, pp, bb = n+1, sp+x, sb+b, pp+x*x, bb+b*b
			}
		}
		if n < float64(len(d.blurred))/2 {
			break // too different to match better; compare will say so
		}
		mp, mb := sp/n, sb/n
		gain = 1
		if vp, vb := pp/n-mp*mp, bb/n-mb*mb; vp > 1 && vb > 1 {
			gain = min(2, max(0.5, math.Sqrt(vb/vp)))
		}
		offset = mb - mp*gain
	}
	for i, p := range d.blurred {
		d.picture[i] = float32(float64(p)*gain + offset)
	}
}

// compare marks the pixels that stand out and returns how many do, and the area of
// the blobs among them that are large enough and have moved.
func (d *Detector) compare() (area, out int) {
	for i, p := range d.picture {
		d.mask[i] = 0
		diff := abs(p - d.background[i])
		if diff > threshold {
			out++ // for the light it does not matter what is usual
			if diff > noiseFactor*d.usual[i] {
				d.mask[i] = standsOut
				if abs(p-d.before[i]) > change {
					d.mask[i] |= hasMoved
				}
			}
		}
	}
	least := max(4, int(smallest*float64(len(d.mask))))
	for i := range d.mask {
		if d.mask[i]&standsOut != 0 && d.mask[i]&counted == 0 {
			size, moved := d.blob(int32(i))
			if size >= least && moved >= min(changedMost, max(3, int(changedPart*float64(size)))) {
				area += size
			}
		}
	}
	return area, out
}

// blob counts the pixels that hang together with the one at start, over gaps of one
// pixel, and how many of them have moved.
func (d *Detector) blob(start int32) (size, moved int) {
	w, h := int32(d.width), int32(d.height)
	d.stack = append(d.stack[:0], start)
	d.mask[start] |= counted
	for len(d.stack) > 0 {
		i := d.stack[len(d.stack)-1]
		d.stack = d.stack[:len(d.stack)-1]
		size++
		if d.mask[i]&hasMoved != 0 {
			moved++
		}
		x, y := i%w, i/w
		for ny := max(0, y-2); ny <= min(h-1, y+2); ny++ {
			for nx := max(0, x-2); nx <= min(w-1, x+2); nx++ {
				if j := ny*w + nx; d.mask[j]&standsOut != 0 && d.mask[j]&counted == 0 {
					d.mask[j] |= counted
					d.stack = append(d.stack, j)
				}
			}
		}
	}
	return size, moved
}
