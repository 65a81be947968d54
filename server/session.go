package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// asMember finds the session of the home in the address, by the cookie that this home
// has, and lets in only a page that holds one of its MAC keys.
func (a *asking) asMember(home latchkey.HomeID) error {
	secret, err := cookie(a.r, home)
	if err != nil {
		return err
	}
	if err := a.anew(secret); err != nil {
		return err
	}
	in, err := a.server.session(a.r.Context(), home, secret)
	if err != nil {
		return err
	}
	ok, err := a.provenBy(in.session.Keys)
	if err != nil {
		return err
	}
	if !ok {
		a.crossedSession(in.session)
		return signedOut()
	}
	a.server.inside.add(secret, a.server.now())
	a.home, a.session, a.title, a.place = home, in.session, in.title, in.place
	a.server.see(a.r.Context(), in.session)
	if !a.route.Closed || in.place.Ended { // said to nobody who has not proven the session
		err = opened(in.place)
	}
	return err
}

// entry is a session that holds, with its home's title, open or closed, and where that
// title's chain ends.
type entry struct {
	session archive.Session
	title   *deed.Title
	place   archive.HomeHead
}

// cookie returns the secret of the session whose cookie a request brings for a home.
func cookie(r *http.Request, home latchkey.HomeID) (archive.Secret, error) {
	cookies := r.CookiesNamed(api.CookieName(home))
	if len(cookies) != 1 {
		return archive.Secret{}, signedOut()
	}
	return hashOf(cookies[0].Value), nil
}

// session returns a session that holds now. The head comes first: from it follows which
// sessions that are kept may still count.
func (s *Server) session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (in entry, err error) {
	if in.place, err = s.heads.of(ctx, home); err == nil {
		in.session, err = ask(ctx, s.kept, in.place, sessionForm, sessionKey(secret), func(ctx context.Context) (archive.Session, error) {
			return s.config.Archive.Sessions.Session(ctx, home, secret)
		})
	}
	if errors.Is(err, archive.ErrNotFound) {
		return entry{}, signedOut()
	} else if err != nil {
		return entry{}, err
	}
	if in.session.Home != home || in.session.Secret != secret {
		s.alarm.misroute("session", true, "asked", home.String(), "found", in.session.Home.String())
		return entry{}, signedOut()
	}
	if in.title, err = s.titles.at(ctx, in.place); err != nil {
		return entry{}, err
	}
	if !s.holding(in.session, in.title) {
		return entry{}, signedOut()
	}
	return in, nil
}

// holding says whether a session holds now: it has not run out, and the deeds have not
// taken the right away.
func (s *Server) holding(session archive.Session, t *deed.Title) bool {
	if session.Expires < timeOf(s.now()) {
		return false
	}
	if arriving(session) {
		_, ok := t.Person(session.Person)
		return ok
	}
	device, ok := t.Device(session.Device)
	return ok && device.Person == session.Person
}

// see notes that a session was used. That nobody can write it down takes no right away.
func (s *Server) see(ctx context.Context, session archive.Session) {
	now := s.now()
	if timeOf(now) < session.Seen+archive.SeenEvery || !s.sightings.allow(session.Secret, now) {
		return
	}
	if err := s.config.Archive.Sessions.SeeSession(ctx, session.Home, session.ID, timeOf(now)); err != nil && ctx.Err() == nil {
		s.log.Warn("see session", "home", session.Home, "session", session.ID, "error", err)
	}
}

func (s *Server) challenge(a *asking) error {
	var in api.AskChallenge
	if err := a.read(&in); err != nil {
		return err
	}
	nonce, expires := s.nonces.challenge(aboutDevice(in.Home, in.Device), api.ChallengeLife, s.now())
	a.answer(api.SignInChallenge{Home: in.Home, Nonce: nonce, Expires: expires})
	return nil
}

func (s *Server) signIn(a *asking) error {
	var in api.SignIn
	if err := a.read(&in); err != nil {
		return err
	}
	return s.admit(a, claim{
		home: in.Home, nonceOf: in.Device, nonce: in.Nonce, head: latchkey.Head(in.Head), mac: in.MACKey, signature: in.Signature,
		find: func(t *deed.Title) (deed.Device, []deed.Key, bool) {
			d, ok := t.Device(in.Device)
			return d, d.Signing, ok
		},
		message: func(key api.MACKey) []byte {
			return api.SignInMessage(in.Nonce, in.Home, in.Device, latchkey.Head(in.Head), key)
		},
	})
}

// signInPerson signs in a person with their own key. What they may do with it is in the
// table of routes.
func (s *Server) signInPerson(a *asking) error {
	var in api.SignInPerson
	if err := a.read(&in); err != nil {
		return err
	}
	return s.admit(a, claim{
		home: in.Home, nonceOf: latchkey.DeviceID(in.Person), nonce: in.Nonce, head: latchkey.Head(in.Head), mac: in.MACKey, signature: in.Signature,
		find: func(t *deed.Title) (deed.Device, []deed.Key, bool) {
			p, ok := t.Person(in.Person)
			return deed.Device{Person: p.ID}, p.Signing, ok && p.Role != deed.Link
		},
		message: func(key api.MACKey) []byte {
			return api.SignInPersonMessage(in.Nonce, in.Home, in.Person, latchkey.Head(in.Head), key)
		},
	})
}

// claim is what somebody says who signs in.
type claim struct {
	home      latchkey.HomeID
	nonceOf   latchkey.DeviceID // or the bytes of a person's ID
	nonce     []byte
	head      latchkey.Head
	mac       []byte
	signature []byte
	find      func(t *deed.Title) (d deed.Device, keys []deed.Key, ok bool) // whose keys prove it, and as what
	message   func(key api.MACKey) []byte                                   // that is signed
}

// admit checks a claim and begins the session that it comes to.
func (s *Server) admit(a *asking, c claim) error {
	if len(c.mac) != len(api.MACKey{}) {
		return malformed("A MAC key has 32 bytes.")
	}
	key := api.MACKey(c.mac)
	// One answer for an unknown home, an unknown device and a wrong signature.
	no := refuse(http.StatusForbidden, api.SignInRefused, "This device is not one of that home's, or the sign-in took too long. Try again.")
	if !s.nonces.genuine(c.nonce, aboutDevice(c.home, c.nonceOf), s.now()) {
		return no
	}
	title, at, err := s.titles.look(a.r.Context(), c.home)
	if errors.Is(err, archive.ErrNotFound) {
		return no
	} else if err != nil {
		return err
	}
	device, keys, ok := c.find(title)
	if !ok || len(keys) != 1 || !keys[0].Verify(c.message(key), c.signature) || !s.nonces.spend(c.nonce, s.now()) {
		return no
	}
	if at.Ended {
		return homeDeleted()
	}
	// One that knows of newer deeds is let in, so that it can give them back.
	if err := s.claimed(title, c.head, "device", device.ID.String()); err != nil {
		return err
	}
	n, secret := s.begin(a, c.home, device, key)
	if err := s.config.Archive.Sessions.StartSession(a.r.Context(), n); err != nil {
		return err
	}
	a.key = &n.Keys[0]
	s.inside.add(n.Secret, s.now())
	s.setCookie(a, n.Home, secret, int(api.SessionLife.Seconds()))
	a.answer(api.Session{Home: n.Home, Session: n.ID, Device: n.Device, Expires: n.Expires})
	return nil
}

// begin makes the session of a device that has proven itself. A browser that has one
// already, in another page or from before the page was loaded anew, goes on with it.
func (s *Server) begin(a *asking, home latchkey.HomeID, device deed.Device, key api.MACKey) (archive.Session, string) {
	now := s.now()
	n := archive.Session{
		Home: home, Keys: []api.MACKey{key}, Device: device.ID, Person: device.Person,
		Browser: browser(a.r.UserAgent()), Seen: timeOf(now), Expires: timeOf(now.Add(api.SessionLife)),
	}
	if was, err := cookie(a.r, home); err == nil {
		if in, err := s.session(a.r.Context(), home, was); err == nil && in.session.Device == n.Device && in.session.Person == n.Person {
			n.ID, n.Secret, n.Started = in.session.ID, in.session.Secret, in.session.Started
			return n, a.r.CookiesNamed(api.CookieName(home))[0].Value
		}
	}
	secret := rand.Text() + rand.Text()
	n.ID, n.Secret, n.Started = latchkey.NewSessionID(), hashOf(secret), n.Seen
	return n, secret
}

func (s *Server) setCookie(a *asking, home latchkey.HomeID, value string, age int) {
	s.setNamedCookie(a, api.CookieName(home), value, age)
}

func (s *Server) setNamedCookie(a *asking, name, value string, age int) {
	http.SetCookie(a.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.secure,
	})
}
