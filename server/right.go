package server

import (
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What somebody may is folded from the home's deeds for every request and never kept
// (docs/deed.md, "Who may do what"). Whoever may not is told the same as of a home that
// is not there.

// entitled says whether whoever has the session may use the route.
func (a *asking) entitled() error {
	p, ok := a.title.Person(a.session.Person)
	if !ok || arriving(a.session) && !a.route.Arriving {
		return notFound()
	}
	if p.Rights.Ended(timeOf(a.server.now())) && a.route.Right != api.Known {
		return notFound()
	}
	if !permits(p, a.route.Right) {
		return notFound()
	}
	return a.onPorch(p)
}

// onPorch says whether the server in a home may let somebody in, which hears of new deeds
// through its agent alone, and of none while nobody can be reached.
func (a *asking) onPorch(p deed.Person) error {
	porch := a.server.config.Porch
	switch {
	case porch == nil:
		return nil
	case !p.Role.SeesAll():
		return notFound() // a guest's rights end too soon for that
	case !porch():
		return refuse(http.StatusServiceUnavailable, api.Busy, "The home's server has not been reached for so long that nobody knows who still may see the home.").after(time.Minute)
	}
	return nil
}

// permits says whether a person's role is enough for a right.
func permits(p deed.Person, right api.Right) bool {
	switch right {
	case api.Known, api.Member:
		return true
	case api.Household:
		return p.Role.SeesAll()
	case api.Owner:
		return p.Role == deed.Owner
	}
	return false
}

// arriving says whether the session is of a person whose browser is no device of the
// home yet: it reads the chain, asks an agent which head is the newest, and becomes one.
func arriving(s archive.Session) bool { return s.Device == latchkey.DeviceID{} }

// sees says whether whoever has the session may see objects of that kind of a camera now.
func sees(t *deed.Title, s archive.Session, camera latchkey.CameraID, kind latchkey.Kind, now latchkey.Time) bool {
	return t.Sees(s.Device, s.Person, camera, kind, now)
}

// watches says whether whoever has the session may watch a camera live now.
func watches(t *deed.Title, s archive.Session, camera latchkey.CameraID, now latchkey.Time) bool {
	device, stands := t.Device(s.Device)
	_, placed := t.Camera(camera)
	return stands && device.Person == s.Person && placed && t.Covers(s.Person, camera, deed.SeesLive, now)
}

// seesNamed is sees for an object's name, and watches for that of a camera alone.
func seesNamed(t *deed.Title, s archive.Session, what latchkey.Name, now latchkey.Time) bool {
	if what == (latchkey.Name{Camera: what.Camera}) {
		return watches(t, s, what.Camera, now)
	}
	return sees(t, s, what.Camera, what.Kind, now)
}

// frozen is the answer of a home that somebody who lives there has closed.
func frozen() *refusal {
	return refuse(http.StatusForbidden, api.Frozen, "The home is frozen: somebody who lives there has closed it. An owner can open it again, under People.")
}

// envelope is the one with which the asker opens an object; there is none for what was
// not made for them, and then the object is not theirs to be handed out. An envelope
// under a key that is not the home's is another home's, and stays here.
func (s *Server) envelope(t *deed.Title, asker latchkey.PersonID, row archive.Row) (sealed.Envelope, bool) {
	e, crossed, ok := envelopeFor(t, asker, row)
	for _, c := range crossed {
		s.alarm.misroute("envelope", true, "asked", row.Name.String(), "found", c.Key.String())
	}
	return e, ok
}

// envelopeFor finds the asker's envelope, and those that are no key's of the home.
func envelopeFor(t *deed.Title, asker latchkey.PersonID, row archive.Row) (own sealed.Envelope, crossed []sealed.Envelope, ok bool) {
	p, stands := t.Person(asker)
	for _, e := range row.Envelopes {
		switch {
		case !known(t, e):
			crossed = append(crossed, e)
		case ok || !stands:
		case e.Recipient == sealed.ToEpoch && t.Has(p.ID, e.Epoch), e.Recipient != sealed.ToEpoch && e.Key == p.KEM.ID():
			own, ok = e, true
		}
	}
	return own, crossed, ok
}

// known says whether an envelope is for a key that this home has or had.
func known(t *deed.Title, e sealed.Envelope) bool {
	if e.Recipient == sealed.ToEpoch {
		id, ok := t.EpochKeyID(e.Epoch)
		return ok && id == e.Key
	}
	role, ok := t.PersonKEM(e.Key)
	return ok && (role == deed.Link) == (e.Recipient == sealed.ToLink)
}

// hears says whether a page is told that something of its home has changed. Hints about
// events go by camera and kind besides ([hub.happened]).
func hears(t *deed.Title, person latchkey.PersonID, what api.Change) bool {
	p, ok := t.Person(person)
	switch what {
	case api.EventsChanged, api.DeedsChanged, api.SparedChanged:
		return ok
	case api.SettingsChanged, api.ConditionsChanged:
		return ok && p.Role.SeesAll()
	case api.AsksChanged, api.JoinsChanged:
		return ok && p.Role == deed.Owner
	}
	return false
}

// growth says what a home's chain grows by, and what ends with it.
func growth(was, is *deed.Title, deeds [][]byte) archive.Growth {
	g := archive.Growth{Home: is.Home(), Deeds: deeds, Head: is.Head(), Epoch: is.Epoch()}
	for _, c := range is.Cameras() {
		if c.Since > was.Head().Seq {
			g.Placed = append(g.Placed, c.ID)
		}
	}
	for _, p := range was.Persons() {
		now, stands := is.Person(p.ID)
		if !stands || now.Signing[0].ID() != p.Signing[0].ID() {
			g.Gone = append(g.Gone, archive.Gone{Person: p.ID})
		}
		for _, d := range p.Devices {
			if _, stands := is.Device(d.ID); !stands {
				g.Gone = append(g.Gone, archive.Gone{Person: p.ID, Device: d.ID})
			}
		}
	}
	for _, agent := range was.Agents() {
		if now, stands := is.Agent(agent.ID); !stands || now.KEM.ID() != agent.KEM.ID() {
			g.Renewed = append(g.Renewed, agent.ID)
		}
	}
	return g
}
