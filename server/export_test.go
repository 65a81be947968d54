package server

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What the server compares, for a table of everything that can differ.
var (
	Compare       = compare
	ConditionFits = fits
	Among         = among
)

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
