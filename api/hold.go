package api

import (
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// HoldScope is how much an operator's hold stops.
type HoldScope string

// The scopes.
const (
	HoldEverything HoldScope = "everything" // every home, at every server of the archive
	HoldServer     HoldScope = "server"     // every home, at one server
	HoldHome       HoldScope = "home"       // one home, at every server
	HoldRoute      HoldScope = "route"      // one route, for everybody
)

// HoldSaid is what people are told of a hold. Why it was made, and by whom, is the
// operator's and not among it.
type HoldSaid struct {
	Scope HoldScope     `json:"scope" doc:"everything, server, home or route"`
	Since latchkey.Time `json:"since"`
	Says  string        `json:"says" doc:"the operator's words for people, empty for none"`
}

// RouteByID returns a route of the table.
func RouteByID(id string) (Route, bool) {
	i := slices.IndexFunc(Routes, func(r Route) bool { return r.ID == id })
	if i < 0 {
		return Route{}, false
	}
	return Routes[i], true
}
