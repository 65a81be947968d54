package motion

import "time"

// WithoutVeto makes a detector that takes changes of the light for anything else, for a
// control.
func WithoutVeto() *Detector { return &Detector{lax: lax{noVeto: true}} }

// AtOnce makes a detector for which one picture is enough, for a control.
func AtOnce() *Detector { return &Detector{lax: lax{once: true}} }

// Remember adds a picture in which a blob of so many cells moves.
func (l *Log) Remember(at time.Time, blob int) {
	s := sketch{at: at, width: 160, height: 90, weight: 1}
	for i := range blob {
		s.spots = append(s.spots, spot{cell: uint16(100 + i%8 + i/8*32), out: [levels]uint8{20, 22, 25}, moved: 12})
	}
	l.add(s)
}

// Bytes returns how much is remembered.
func (l *Log) Bytes() (n int) {
	for _, c := range l.chunks {
		n += cap(c.data)
	}
	return n
}
