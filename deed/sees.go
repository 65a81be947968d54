package deed

import (
	"github.com/latchkey-cam/latchkey"
)

// Sees says whether somebody who asks with that device may see objects of that kind of
// a camera at that moment: the device stands in the home and is that person's, the
// camera is or was placed there, and they see the whole home or have rights to it. It
// is asked for every object that leaves a server, so it takes no memory.
func (t *Title) Sees(device latchkey.DeviceID, person latchkey.PersonID, camera latchkey.CameraID, kind latchkey.Kind, at latchkey.Time) bool {
	i, stands := t.personAt(person)
	if !stands {
		return false
	}
	p := &t.persons[i]
	for j := range p.Devices {
		if p.Devices[j].ID == device {
			return t.covers(p, camera, kindsOf(kind), at)
		}
	}
	return false
}

// Covers says whether a person who stands in the home may see that of a camera at that
// moment. What is not an object, live view and footage, is asked for here.
func (t *Title) Covers(person latchkey.PersonID, camera latchkey.CameraID, what Kinds, at latchkey.Time) bool {
	i, stands := t.personAt(person)
	return stands && t.covers(&t.persons[i], camera, what, at)
}

// covers asks the later of the clock and the newest deed whether rights have ended: a
// clock that is slow gives nobody more.
func (t *Title) covers(p *Person, camera latchkey.CameraID, what Kinds, at latchkey.Time) bool {
	c, placed := t.placed[camera]
	if !placed || what == 0 {
		return false
	}
	if p.Role.SeesAll() {
		return true
	}
	return t.cameras[c].Until == 0 && p.Rights.Kinds&what == what && !p.Rights.Ended(max(at, t.last)) && p.Rights.Camera(camera)
}

// Recipients returns the guests and links who get an envelope of their own for an
// object of that kind of a camera, sealed at the head with that number, at that
// moment: their rights cover it, and they stood in the home at that head. If the clock
// cannot be believed (sure is false) there is none for rights that end.
func (t *Title) Recipients(camera latchkey.CameraID, kind latchkey.Kind, head uint64, at latchkey.Time, sure bool) []Person {
	var all []Person
	for i := range t.persons {
		p := &t.persons[i]
		if p.Role.limited() && p.Since <= head && (sure || p.Rights.Until == 0) && t.covers(p, camera, kindsOf(kind), at) {
			all = append(all, *p)
		}
	}
	return all
}
