package agent

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/letter"
)

// who may have an agent do something (docs/letter.md, "Commands"). What nobody has
// thought about is for owners.
type who int

const (
	owners    who = iota
	household     // those who see the whole home
	viewers       // whoever sees the camera live
	members       // whoever stands in the home, with a device or without
)

// String is the word in the table of docs/letter.md.
func (w who) String() string {
	return [...]string{"owner", "household", "viewer", "member"}[w]
}

// order is something that a member can have an agent do.
type order struct {
	who    who
	handle handler
}

// orders is the table of what a member can have an agent do, and who may.
func (a *Agent) orders() map[string]order {
	return map[string]order{
		letter.Probe{}.Do():          {owners, a.probe},
		letter.Discover{}.Do():       {owners, a.discover},
		letter.AddCamera{}.Do():      {owners, a.addCamera},
		letter.DescribeCamera{}.Do(): {owners, a.describeCamera},
		letter.ChangeCamera{}.Do():   {owners, a.changeCamera},
		letter.ForgetCamera{}.Do():   {owners, a.forgetCamera},
		letter.AcceptDevice{}.Do():   {owners, a.acceptDevice},
		letter.StillPicture{}.Do():   {viewers, a.still},
		letter.WouldFire{}.Do():      {household, a.wouldFire},
		letter.ConfirmHead{}.Do():    {members, a.confirmHead},
		letter.Timeline{}.Do():       {household, a.timeline},
		letter.Stills{}.Do():         {household, a.stills},
		letter.Footage{}.Do():        {household, a.footage},
		letter.Save{}.Do():           {owners, a.save},
		letter.Unsave{}.Do():         {owners, a.unsave},
		letter.DeleteFootage{}.Do():  {owners, a.deleteFootage},
	}
}

// may asks the home's deeds whether whoever signed a command may have it obeyed. Rights
// that end have ended while nobody can be sure of the time.
func (w who) may(t *deed.Title, signer latchkey.KeyID, c letter.Command, at latchkey.Time, sure bool) bool {
	d, hasDevice := t.DeviceBySigningKey(signer)
	p, stands := t.Person(d.Person)
	if !hasDevice {
		p, stands = t.PersonBySigningKey(signer)
	}
	if !stands || p.Role == deed.Link || !hasDevice && w != members {
		return false
	}
	switch w {
	case members:
		return true
	case viewers:
		of, named := c.(letter.StillPicture)
		return named && (sure || p.Rights.Until == 0) && t.Covers(p.ID, of.Camera, deed.SeesLive, at)
	case household:
		return p.Role.SeesAll()
	}
	return p.Role == deed.Owner
}

// allowed says why a command is not obeyed by the deeds as they are now, nil if it is.
func (c *commands) allowed(o *obeyed) error {
	t := c.agent.chain.Title()
	at, sure := c.agent.surely(t)
	if !o.who.may(t, o.Letter().Signer, o.Command, at, sure) {
		return failure("not-allowed", "You may not have this agent do that. An owner of the home may change that.")
	}
	if t.Frozen() && stopped(o.Command) {
		return failure("frozen", "The home is frozen: somebody who lives there has closed it. An owner can open it again.")
	}
	return nil
}

// stopped says whether a freeze stops a command: what shows something of the home, and what
// has something of it go away.
func stopped(c letter.Command) bool {
	switch c.(type) {
	case letter.StillPicture, letter.Timeline, letter.Stills, letter.Footage, letter.Unsave, letter.DeleteFootage:
		return true
	}
	return false
}
