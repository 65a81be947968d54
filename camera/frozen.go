package camera

import (
	"hash/maphash"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

const (
	// defaultUnchanged is for how long a camera may send the same picture.
	defaultUnchanged = 60 * time.Second

	// frozenKeys is how many key units in a row must have been sent before.
	frozenKeys = 8

	// thawEvery is how many times that long a frozen camera is left alone before it is
	// connected to anew.
	thawEvery = 10
)

// frozen notices a picture that never changes.
//
// It looks at key units alone, as they were sent. A sensor has noise: no two pictures
// of a real camera are alike, be the scene ever so still or dark, and an encoder that
// is given different pictures does not give the same bytes. An encoder that is given
// the same picture again and again soon settles and repeats itself, or goes round
// among two to four key units (it numbers them alternately, and its rate control
// swings). So the picture is taken for frozen if all key units for some time were
// among the last four different ones. Only the second half of a unit counts: before it
// are the number, and what some cameras write the time into.
//
// What that does not see: a frozen picture into which the camera writes a clock, and
// one that is encoded with noise of the encoder's own. What it sees wrongly: a still
// that the camera sends on purpose, with its shutter closed.
type frozen struct {
	seed  maphash.Seed
	last  [4]uint64 // different key units, the newest first
	again int       // key units in a row that were among them
	since time.Time // when the last one came that was not
}

// look takes a unit and reports whether, as far as is known, it shows something new.
func (f *frozen) look(u media.Unit, now time.Time) (fresh bool) {
	if f.since.IsZero() {
		f.seed, f.since = maphash.MakeSeed(), now
	}
	if u.Key {
		largest := u.NALs[0]
		for _, nal := range u.NALs {
			if len(nal) > len(largest) {
				largest = nal
			}
		}
		sum := maphash.Bytes(f.seed, largest[len(largest)/2:])
		f.again++
		place := len(f.last) - 1
		for i, known := range f.last {
			if known == sum {
				place = i
				break
			}
		}
		if f.last[place] != sum {
			f.again, f.since = 0, now
		}
		copy(f.last[1:place+1], f.last[:place])
		f.last[0] = sum
	}
	return f.again < frozenKeys
}

// is reports whether the picture has not changed for that long.
func (f *frozen) is(now time.Time, unchanged time.Duration) bool {
	return f.again >= frozenKeys && now.Sub(f.since) >= unchanged
}
