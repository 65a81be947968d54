package motion

import "time"

// spot is a cell of the picture in which enough stands out to be looked at.
type spot struct {
	cell  uint16
	out   [levels]uint8 // pixels that stand out, by level; at higher levels never fewer
	moved uint8         // pixels among those of the highest level that differ from the picture before
}

// sketch is what is kept of a picture: enough to decide, with any config.
type sketch struct {
	at, received  time.Time
	width, height int    // of the picture
	weight        int    // what it counts for
	anew          bool   // the background was learned anew: what was before says nothing
	spots         []spot // by cell
}

// columns and rows are the cells of a picture of that many pixels.
func cells(pixels int) int { return (pixels + cellSide - 1) / cellSide }

// spots counts what compare has marked.
func (m *model) spots(out []spot) []spot {
	w, h := m.width, m.height
	columns := cells(w)
	row := make([]spot, columns)
	for y := 0; y < h; y += cellSide {
		clear(row)
		any := false
		for j := y; j < min(y+cellSide, h); j++ {
			for x, v := range m.mask[j*w:][:w] {
				if v == 0 || m.alone(x, j) {
					continue
				}
				any = true
				s := &row[x/cellSide]
				for l := levels - int(v&^hasMoved); l < levels; l++ {
					s.out[l]++
				}
				if v&hasMoved != 0 {
					s.moved++
				}
			}
		}
		for x := range row {
			if any && row[x].out[high] >= sparse {
				row[x].cell = uint16(y/cellSide*columns + x)
				out = append(out, row[x])
			}
		}
	}
	return out
}

// alone reports whether too few of a pixel's neighbours stand out too.
func (m *model) alone(x, y int) bool {
	n := -1
	for j := max(0, y-1); j <= min(m.height-1, y+1); j++ {
		for i := max(0, x-1); i <= min(m.width-1, x+1); i++ {
			if m.mask[j*m.width+i] != 0 {
				n++
			}
		}
	}
	return n < lonely
}

// likeness says how good the picture of what was found in it is, 0 to 1.
func (m *model) likeness(pix []byte, v verdict) float64 {
	if v.area == 0 {
		return 0
	}
	x0, y0 := v.box.x0*cellSide, v.box.y0*cellSide
	x1, y1 := min(m.width, (v.box.x1+1)*cellSide), min(m.height, (v.box.y1+1)*cellSide)
	sum, n := 0, 1
	for y := y0; y < y1-1; y++ {
		for x := x0; x < x1-1; x++ {
			here := int(pix[y*m.width+x])
			sum += max(here-int(pix[y*m.width+x+1]), int(pix[y*m.width+x+1])-here)
			sum += max(here-int(pix[(y+1)*m.width+x]), int(pix[(y+1)*m.width+x])-here)
			n++
		}
	}
	sharp := min(1, 0.5+float64(sum)/float64(n)/40)
	if x0 == 0 || x1 == m.width {
		return sharp / 2 // half of somebody who is just coming in
	}
	return sharp
}
