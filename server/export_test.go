package server

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/gate"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What the server compares, for a table of everything that can differ.
var (
	Compare       = compare
	ConditionFits = fits
	Among         = among
	EnvelopeFor   = envelopeFor
	Hears         = hears
	Growth        = growth
	Stopped       = stopped
	Of            = of
	Bears         = bears
	CheckReport   = checkReport
	Asked         = asked
	Lasting       = lasting
	NewNonces     = newNonces
	NewPace       = newPace
	NewCrowd      = newCrowd
	Another       = another
)

// What the nonces of a server do.
var (
	Challenge = (*nonces).challenge
	Genuine   = (*nonces).genuine
	Spend     = (*nonces).spend
	Fresh     = (*nonces).fresh
	Allow     = (*pace).allow
)

// StillMay says whether a session goes on that came in by a route with that right.
func StillMay(t *deed.Title, session archive.Session, right api.Right, what latchkey.Name) (latchkey.Time, bool) {
	return stillMay(t, asker{session: session, route: api.Route{Right: right}}, what)
}

// Greet counts so many agents more that are connected and have not said who they are, and
// returns how many it is then.
func Greet(s *Server, more int64) int64 { return s.greetings.Add(more) }

// Occupy has one of everything that is spared be under way, until it is over.
func Occupy(s *Server) (over func()) {
	var leave []func()
	for f := range gate.Features {
		l, _ := s.spared.enter(f)
		leave = append(leave, l)
	}
	return func() {
		for _, l := range leave {
			l()
		}
	}
}

// Hang has somebody keep what every request needs, until it is released.
func Hang(s *Server) (release func()) {
	s.hub.mu.Lock()
	return s.hub.mu.Unlock
}

// Describe tells of all that a server counts.
func Describe(s *Server, to chan<- *prometheus.Desc) { s.counters.registry.Describe(to) }

// Heeded says whether a server has heeded all that was committed before, and told of it.
func Heeded(ctx context.Context, s *Server) (bool, error) {
	last, err := s.news.outbox.LastMove(ctx)
	return err == nil && s.news.upTo() >= last, err
}

// Range says which part of a file of that length a request asks for.
func Range(asked string, of uint64) (from, length uint64, ok bool) {
	e, err := extentOf(asked, "", of)
	return e.from, e.length, err == nil
}

// Holds says whether a session holds at a time.
func Holds(t *deed.Title, session archive.Session, at time.Time) bool {
	return (&Server{now: func() time.Time { return at }}).holding(session, t)
}

// Signed says whether a command is by whoever has a session.
func Signed(t *deed.Title, session archive.Session, l sealed.Letter) bool {
	return (&asking{title: t, session: session}).signed(l)
}

// AgentStillMay says whether an agent with that key goes on.
func AgentStillMay(t *deed.Title, agent latchkey.AgentID, key latchkey.KeyID) bool {
	_, ok := stillMay(t, asker{agent: agent, key: key}, latchkey.Name{})
	return ok
}

// Errand is what a reply is compared with: where the command went and what it was.
type Errand struct {
	Home    latchkey.HomeID
	Agent   latchkey.AgentID
	Command [32]byte
}

// AnsweredBy says whether a letter that came over the errand's connection, or over
// another, answers it.
func (e Errand) AnsweredBy(l sealed.Letter, sameConnection bool) bool {
	over, other := newListener(e.Home), newListener(e.Home)
	if sameConnection {
		other = over
	}
	return (&errand{home: e.Home, agent: e.Agent, command: e.Command, over: over}).answeredBy(other, l)
}

// What a cache keeps, and under which question.
var (
	Keeps         = smallForm.fit
	KeepsDeeds    = deedsForm.fit
	KeepsPage     = pageForm(span{}).fit
	SmallAgain    = again(smallForm)
	DeedsAgain    = again(deedsForm)
	PageAgain     = again(pageForm(span{}))
	DeedsQuestion = (&kept{generation: "7/"}).deeds
)

// Small is an object that is kept whole.
func Small(row archive.Row, h sealed.Header, body []byte) small { return small{row, h, body} }

// again writes something as it is kept, and reads it.
func again[T any](f form[T]) func(v T) (T, error) {
	return func(v T) (T, error) {
		var w wire.Writer
		f.write(&w, v)
		r := wire.NewReader(w.Bytes())
		v = f.read(r)
		return v, r.Done()
	}
}

func (k *kept) deeds(home latchkey.HomeID, what string, floor uint64) bound.Question {
	return k.question(home, codecDeeds, what, floor)
}

// Expire looks at once for what was kept for long enough.
func Expire(ctx context.Context, s *Server) error { return s.deletions.step(ctx, true) }
