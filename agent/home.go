package agent

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
)

// HomeStatus is the home as the agent knows it. Its people compare it with what their
// pages show: a server that made up another home, or rolled this one back, shows other
// words.
type HomeStatus struct {
	Fingerprint []string       `json:"fingerprint"`          // the home's ID, in words
	Head        string         `json:"head,omitempty"`       // the newest deed that is known; empty while none is
	HeadWords   []string       `json:"head_words,omitempty"` // its hash, in words
	People      map[string]int `json:"people,omitempty"`     // how many stand in the home, by role
}

// homeStatus is that of a home whose title may not be known yet.
func homeStatus(home latchkey.HomeID, t *deed.Title) HomeStatus {
	s := HomeStatus{Fingerprint: latchkey.Words(home[:latchkey.FingerprintWords])}
	if t == nil {
		return s
	}
	head := t.Head()
	s.Head, s.HeadWords, s.People = head.String(), latchkey.Words(head.Hash[:latchkey.FingerprintWords]), map[string]int{}
	for _, p := range t.Persons() {
		s.People[p.Role.String()]++
	}
	return s
}

// Joined is the home that an agent has joined.
type Joined struct {
	Home latchkey.HomeID
	HomeStatus
}
