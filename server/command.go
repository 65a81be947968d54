package server

import (
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// busyWait is when to come back to an agent that could not be asked.
const busyWait = 2 * time.Second

// command carries a member's command to an agent and the replies back.
func (s *Server) command(a *asking) error {
	e := &errand{
		id: errandID(), home: a.home, agent: a.to, session: a.session, request: a.id,
		outcomes: make(chan outcome, queuedReplies), overrun: make(chan struct{}),
	}
	err := s.errand(a, e)
	outcome := "answered"
	if err != nil {
		outcome = string(asRefusal(err).body.Error.Reason)
	}
	s.counters.commands.WithLabelValues(outcome).Inc()
	if err != nil && a.w.status != 0 {
		// Some replies have left. Ending the connection tells the asker that they
		// were not all.
		panic(http.ErrAbortHandler)
	}
	return err
}

// errand sends the command that the request brings, and answers with what comes back.
func (s *Server) errand(a *asking, e *errand) error {
	if _, placed := a.title.Agent(a.to); !placed {
		return notFound()
	}
	letter, err := a.command()
	if err != nil {
		return err
	}
	e.command = letter.Hash()
	leave, ok := s.askings.enter(a.session.Secret)
	if !ok {
		return busy(busyWait)
	}
	defer leave()
	if leave, ok = s.commands.enter(a.home); !ok {
		return busy(busyWait)
	}
	defer leave()
	over := false
	defer func() { s.errands.end(e, over) }()
	if err := s.errands.send(e, letter.Bytes()); err != nil {
		over = true
		return err
	}
	a.allow(s.config.CommandLife+s.config.Patience, s.config.CommandLife+s.config.Patience)
	late := time.NewTimer(s.config.CommandLife)
	defer late.Stop()
	for !over {
		o := s.next(a, e, late.C)
		if o.err != nil {
			return o.err
		}
		over = o.last
		e.queued.Add(-int64(len(o.letter)))
		if err := a.reply(o.letter); err != nil {
			return err
		}
	}
	return nil
}

// next waits for the next reply, or a reason to wait no more. What has come is given
// before the news that the agent has gone.
func (s *Server) next(a *asking, e *errand, late <-chan time.Time) outcome {
	select {
	case o := <-e.outcomes:
		return o
	default:
	}
	select {
	case o := <-e.outcomes:
		return o
	case <-a.r.Context().Done():
		return outcome{err: a.r.Context().Err()}
	case <-s.ctx.Done():
		return outcome{err: s.ctx.Err()}
	case <-e.overrun:
		return outcome{err: busy(busyWait)}
	case <-late:
		r := busy(busyWait)
		r.status, r.body.Error.Message = http.StatusGatewayTimeout, "The agent took too long to answer. Try again."
		return outcome{err: r}
	case <-e.over.gone:
	}
	select {
	case o := <-e.outcomes:
		return o
	default:
		return outcome{err: agentAway()}
	}
}

// command reads the letter of a request and makes the checks that a carrier can make.
func (a *asking) command() (sealed.Letter, error) {
	if a.r.Header.Get("Content-Type") != "application/octet-stream" || a.r.Header.Get("Content-Encoding") != "" {
		return sealed.Letter{}, refuse(http.StatusUnsupportedMediaType, api.Malformed, "Want a body of type application/octet-stream that is not compressed.")
	}
	b, err := a.whole()
	if err != nil {
		return sealed.Letter{}, err
	}
	l, err := sealed.ParseLetter(b)
	if err != nil {
		return l, letterRefusal(err)
	}
	switch {
	case l.Kind != sealed.CommandLetter:
		return l, malformed("The letter is no command.")
	case l.Home != a.home:
		return l, refuse(http.StatusBadRequest, api.WrongHome, "The command is for another home than its address.")
	case l.Agent != a.to:
		return l, refuse(http.StatusBadRequest, api.WrongAgent, "The command is for another agent than its address.")
	}
	if err := sealed.VerifyLetter(l, a.title); err != nil {
		return l, letterRefusal(err)
	}
	if !a.signed(l) {
		return l, refuse(http.StatusForbidden, api.Reason(sealed.NotAllowed), "The command is signed by another device than the one that is signed in.")
	}
	return l, nil
}

// signed says whether a command was signed by whoever is signed in: the device, or the
// person who has none yet.
func (a *asking) signed(l sealed.Letter) bool {
	if arriving(a.session) {
		by, ok := a.title.PersonBySigningKey(l.Signer)
		return ok && by.ID == a.session.Person
	}
	by, ok := a.title.DeviceBySigningKey(l.Signer)
	return ok && by.ID == a.session.Device
}

// reply sends one reply on, at once.
func (a *asking) reply(letter []byte) error {
	c := http.NewResponseController(a.w)
	if a.w.status == 0 {
		a.w.Header().Set("Content-Type", "application/octet-stream")
		a.w.WriteHeader(a.route.Status)
	}
	_ = c.SetWriteDeadline(time.Now().Add(a.server.config.Patience * time.Duration(1+len(letter)/piece))) // a recorder in a test has none
	if err := api.WriteReply(a.w, letter); err != nil {
		return err
	}
	return c.Flush()
}
