package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// The cookie is HOME.SECRET. The home in it is only where to look: the row that is found
// there says what the session is of, and the home's deeds whether it still may be.

func (a *asking) signedIn() error {
	cookies := a.r.CookiesNamed(api.Cookie)
	if len(cookies) != 1 {
		return signedOut()
	}
	text, secret, _ := strings.Cut(cookies[0].Value, ".")
	home, err := latchkey.ParseHomeID(text)
	if err != nil {
		return signedOut()
	}
	session, title, err := a.server.session(a.r.Context(), home, hashOf(secret))
	if err != nil {
		return err
	}
	a.session, a.title = session, title
	return nil
}

// session returns a session that holds now, and its home's title.
func (s *Server) session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, *deed.Title, error) {
	session, err := s.config.Archive.Sessions.Session(ctx, home, secret)
	if errors.Is(err, archive.ErrNotFound) {
		return session, nil, signedOut()
	} else if err != nil {
		return session, nil, err
	}
	if session.Home != home || session.Secret != secret {
		s.alarm.misroute("session", true, "asked", home.String(), "found", session.Home.String())
		return archive.Session{}, nil, signedOut()
	}
	if session.Expires < timeOf(s.now()) {
		return archive.Session{}, nil, signedOut()
	}
	title, err := s.titles.of(ctx, home)
	if errors.Is(err, archive.ErrNotFound) {
		return archive.Session{}, nil, signedOut()
	} else if err != nil {
		return archive.Session{}, nil, err
	}
	if device, ok := title.Device(session.Device); !ok || device.Person != session.Person {
		return archive.Session{}, nil, signedOut() // the deeds have taken the right away
	}
	return session, title, nil
}

func (s *Server) challenge(a *asking) error {
	var in api.AskChallenge
	if err := a.read(&in); err != nil {
		return err
	}
	nonce, expires := s.nonces.challenge(in.Home, in.Device, s.now())
	a.answer(api.SignInChallenge{Home: in.Home, Nonce: nonce, Expires: expires})
	return nil
}

func (s *Server) signIn(a *asking) error {
	var in api.SignIn
	if err := a.read(&in); err != nil {
		return err
	}
	// One answer for an unknown home, an unknown device and a wrong signature.
	no := refuse(http.StatusForbidden, api.SignInRefused, "This device is not one of that home's, or the sign-in took too long. Try again.")
	if !s.nonces.genuine(in.Nonce, in.Home, in.Device, s.now()) {
		return no
	}
	title, err := s.titles.of(a.r.Context(), in.Home)
	if errors.Is(err, archive.ErrNotFound) {
		return no
	} else if err != nil {
		return err
	}
	device, ok := title.Device(in.Device)
	message := api.SignInMessage(in.Nonce, in.Home, in.Device, latchkey.Head(in.Head))
	if !ok || len(device.Signing) != 1 || !device.Signing[0].Verify(message, in.Signature) || !s.nonces.spend(in.Nonce, s.now()) {
		return no
	}
	if !title.OnChain(latchkey.Head(in.Head)) {
		return unknownHead()
	}
	secret := rand.Text() + rand.Text()
	n := archive.Session{
		Home: in.Home, Secret: hashOf(secret), Device: device.ID, Person: device.Person,
		Started: timeOf(s.now()), Expires: timeOf(s.now().Add(api.SessionLife)),
	}
	if err := s.config.Archive.Sessions.StartSession(a.r.Context(), n); err != nil {
		return err
	}
	s.setCookie(a, in.Home.String()+"."+secret, int(api.SessionLife.Seconds()))
	a.answer(api.Session{Home: n.Home, Device: n.Device, Expires: n.Expires})
	return nil
}

func (s *Server) signOut(a *asking) error {
	if err := s.config.Archive.Sessions.EndSession(a.r.Context(), a.session.Home, a.session.Secret); err != nil {
		return err
	}
	s.hub.end(a.session.Secret)
	s.setCookie(a, "", -1)
	a.answer(api.OK{OK: true})
	return nil
}

func (s *Server) setCookie(a *asking, value string, age int) {
	http.SetCookie(a.w, &http.Cookie{
		Name: api.Cookie, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.secure,
	})
}
