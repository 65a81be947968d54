package motion

import (
	"slices"
	"time"
)

const (
	wanted, among = 3, 6 // pictures of the last ones that must show a moving blob

	changedPart = 0.12 // of a blob: how much of it must have changed since the picture before
	changedMost = 30   // pixels: but that many are enough, however large the blob
)

// smallest is the share of the picture that the smallest blob covers, by level: of
// 160x90 some 110, 55 and 25 pixels.
var smallest = [levels]float64{low: 0.0076, medium: 0.0038, high: 0.0017}

// judge decides by sketches whether something moves. It is the same in the detector
// and when a day's sketches are looked at again.
type judge struct {
	config        Config
	width, height int
	counts        []bool // by cell: whether the config lets it count
	recent        []seen // the newest last
	since         seen   // while moving
	moving        bool

	at    []int32 // scratch: a cell's spot plus one
	stack []int32 // scratch
}

// seen is a picture and whether a moving blob was in it.
type seen struct {
	at, received time.Time
	weight       int
}

// verdict is what is decided of a picture.
type verdict struct {
	moving bool
	since  seen
	area   int // pixels of the moving blobs
	box    box // around the largest of them, in cells
}

type box struct{ x0, y0, x1, y1 int }

// look takes the next sketch. Once is for a control: one picture is enough.
func (j *judge) look(s sketch, c Config, once bool) verdict {
	if s.width != j.width || s.height != j.height || !c.Equal(j.config) {
		j.width, j.height, j.config = s.width, s.height, c
		j.config.Zones, j.config.Masks = clone(c.Zones), clone(c.Masks)
		j.counts = c.cells(s.width, s.height)
		j.at = make([]int32, len(j.counts))
	}
	if s.anew {
		j.recent, j.moving = j.recent[:0], false
	}
	var v verdict
	if len(s.spots) > 0 {
		v.area, v.box = j.blobs(s.spots)
	}
	now := seen{at: s.at, received: s.received}
	if v.area > 0 {
		now.weight = s.weight
	}
	j.decide(now, once)
	v.moving, v.since = j.moving, j.since
	return v
}

func clone(polygons [][]Point) [][]Point {
	out := make([][]Point, len(polygons))
	for i, p := range polygons {
		out[i] = slices.Clone(p)
	}
	return out
}

// decide takes the picture among the recent ones: wanted of among begin a motion, and
// none in wanted ends it.
func (j *judge) decide(now seen, once bool) {
	j.recent = append(j.recent, now)
	j.recent = slices.Delete(j.recent, 0, max(0, len(j.recent)-among))
	n, quiet := 0, 0
	var earliest seen
	for i := len(j.recent) - 1; i >= 0; i-- {
		if w := j.recent[i].weight; w > 0 {
			n, earliest = n+w, j.recent[i]
		} else if n == 0 {
			quiet++
		}
	}
	switch {
	case !j.moving && (n >= wanted || once && n > 0):
		j.moving, j.since = true, earliest
	case quiet >= wanted:
		j.moving = false
	}
}

// blobs returns the area of the blobs that are large enough and have moved, and the
// box around the largest.
func (j *judge) blobs(spots []spot) (area int, around box) {
	level := j.config.level()
	least := max(4, int(smallest[level]*float64(j.width*j.height)))
	clear(j.at)
	for i, s := range spots {
		if int(s.cell) < len(j.counts) && j.counts[s.cell] && s.out[level] >= sparse {
			j.at[s.cell] = int32(i + 1)
		}
	}
	largest := 0
	for _, s := range spots {
		if int(s.cell) >= len(j.at) || j.at[s.cell] == 0 {
			continue
		}
		size, moved, b := j.blob(spots, level, s.cell)
		if size >= least && moved >= min(changedMost, max(3, int(changedPart*float64(size)))) {
			area += size
			if size > largest {
				largest, around = size, b
			}
		}
	}
	return area, around
}

// blob counts the pixels that stand out in the cells that hang together with that one,
// and how many of them have moved.
func (j *judge) blob(spots []spot, level int, start uint16) (size, moved int, b box) {
	columns, rows := cells(j.width), cells(j.height)
	b = box{columns, rows, 0, 0}
	visit := func(cell int) {
		s := spots[j.at[cell]-1]
		j.at[cell] = 0
		size += int(s.out[level])
		moved += int(min(s.moved, s.out[level]))
		j.stack = append(j.stack, int32(cell))
	}
	visit(int(start))
	for len(j.stack) > 0 {
		cell := int(j.stack[len(j.stack)-1])
		j.stack = j.stack[:len(j.stack)-1]
		x, y := cell%columns, cell/columns
		b = box{min(b.x0, x), min(b.y0, y), max(b.x1, x), max(b.y1, y)}
		for ny := max(0, y-1); ny <= min(rows-1, y+1); ny++ {
			for nx := max(0, x-1); nx <= min(columns-1, x+1); nx++ {
				if next := ny*columns + nx; j.at[next] != 0 {
					visit(next)
				}
			}
		}
	}
	return size, moved, b
}
