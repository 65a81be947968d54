package server

import (
	"math"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// provenBy says whether the request carries a MAC by one of the keys, and has the answer
// carry one by the same. On this comparison it depends that a cookie which reaches
// another browser opens nothing there.
func (a *asking) provenBy(keys []api.MACKey) (bool, error) {
	check, err := a.proof()
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if check(k) {
			a.key = &k
			return true, nil
		}
	}
	return false, nil
}

// proof reads the request and returns what says whether its MAC is by a key.
func (a *asking) proof() (func(k api.MACKey) bool, error) {
	got, path := a.r.Header.Get(api.HeaderMAC), a.r.URL.RequestURI()
	if a.route.Form == api.Websocket {
		q, err := a.query() // the request's ID and this MAC, and nothing that it would not cover
		if err != nil {
			return nil, err
		}
		got, path = q.Get("mac"), a.r.URL.Path
	}
	if len(path) > math.MaxUint16 {
		return nil, notFound()
	}
	body, err := a.whole()
	if err != nil {
		return nil, err
	}
	return func(k api.MACKey) bool {
		return api.SameMAC(got, k.RequestMAC(a.r.Method, path, a.id, body))
	}, nil
}

// crossedSession counts and tells that a session's cookie came without the MAC of any of
// its pages. If the MAC is by another session of the home then two browsers' cookies
// were crossed, and that is certain. If it is by none, then the cookie may have reached
// a browser of another home; it may also be a page that its browser has long forgotten.
// Somebody who does it on purpose is counted, and gets no more lines than that.
func (a *asking) crossedSession(session archive.Session) {
	s := a.server
	if !s.crossings.allow(session.Secret, s.now()) {
		s.counters.misroutes.WithLabelValues("crossed-session", "false").Inc()
		return
	}
	by := a.maker(session)
	s.alarm.misroute("crossed-session", by != "", "home", session.Home.String(), "cookie", session.ID.String(),
		"mac", by, "request", a.id, "route", a.route.ID)
}

// maker names the other session of the home that a request's MAC is by, "" for none.
func (a *asking) maker(session archive.Session) string {
	check, err := a.proof()
	if err != nil {
		return ""
	}
	all, err := a.server.sessionsAt(a.r.Context(), session.Home)
	if err != nil {
		return "" // counted as one that cannot be told
	}
	for _, n := range all {
		for _, k := range n.Keys {
			if n.ID != session.ID && check(k) {
				return n.ID.String()
			}
		}
	}
	return ""
}
