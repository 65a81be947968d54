package server

import (
	"net/url"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
)

// choice is which events of a home somebody wants listed. It only ever leaves something
// out of what they may see: pages are read, kept and compared without it, so that a place
// in the list is one question and not one for each way to look at it.
type choice struct {
	camera latchkey.CameraID // zero: of all
	from   latchkey.Time
	until  latchkey.Time // zero: up to the newest
}

func parseChoice(q url.Values) (c choice, err error) {
	if q.Has("camera") {
		text := q.Get("camera")
		if c.camera, err = latchkey.ParseCameraID(text); err != nil || c.camera.String() != text {
			return c, malformed("The parameter camera is no camera's ID.")
		}
	}
	from, err := number(q, "from", 0, latchkey.MaxInt, 0)
	if err != nil {
		return c, err
	}
	until, err := number(q, "until", 1, latchkey.MaxInt, 0)
	if err != nil {
		return c, err
	}
	if until != 0 && from >= until {
		return c, malformed("The parameter until is not after from.")
	}
	c.from, c.until = latchkey.Time(from), latchkey.Time(until)
	return c, nil
}

// begin is the place in the list after which they are looked for, given what the page
// before gave as next.
func (c choice) begin(next string) (archive.Cursor, error) {
	end := archive.Cursor{Time: c.until}
	if next == "" {
		return end, nil
	}
	before, err := parseCursor(next)
	if err == nil && c.until != 0 && end.Before(before) {
		return end, nil
	}
	return before, err
}

// has says whether what a camera recorded is wanted.
func (c choice) has(camera latchkey.CameraID) bool {
	return c.camera == (latchkey.CameraID{}) || camera == c.camera
}
