package agent

import (
	"errors"
	"io"
	"io/fs"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Unsent is what an agent has recorded and the home's server has not taken yet, for a
// porch. It is what the server would be sent, with the same header and the same bytes, and
// envelopes that are made at that moment, for the newest epoch.
type Unsent struct{ agent *Agent }

// Unsent is what the agent has in its spool.
func (a *Agent) Unsent() Unsent { return Unsent{a} }

// List gives a header for each object, of which name, event, time and length hold.
func (u Unsent) List() []sealed.Header { return u.agent.spool.Waiting() }

// Changed is closed when something has been added since the call.
func (u Unsent) Changed() <-chan struct{} { return u.agent.spool.Changed() }

// Open opens an object, and makes the envelope for those who see the whole home. What the
// home's server would not take from this agent is not there.
func (u Unsent) Open(name latchkey.Name) (sealed.File, io.ReadCloser, error) {
	o, err := u.agent.spool.Get(name)
	if errors.Is(err, spool.ErrGone) || errors.Is(err, spool.ErrDamaged) {
		return sealed.File{}, nil, fs.ErrNotExist
	} else if err != nil {
		return sealed.File{}, nil, err
	}
	t := u.agent.chain.Title()
	err = sealed.Verify(o.Header, name, t)
	if sealed.ReasonOf(err) != "" {
		err = fs.ErrNotExist
	}
	var e sealed.Envelope
	if err == nil {
		e, err = seal.WrapForEpoch(o.Key, o.Header.Binding, t)
	}
	if err != nil {
		return sealed.File{}, nil, errors.Join(err, o.Body.Close())
	}
	return sealed.File{Header: o.Header, Envelopes: []sealed.Envelope{e}}, o.Body, nil
}
