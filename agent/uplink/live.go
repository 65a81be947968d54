package uplink

import (
	"context"
	"fmt"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Knock is a viewer's knock that came over the connection that stands. The grant goes the
// same way back, or nowhere.
type Knock struct {
	Bytes []byte

	conversation context.Context
	c            *conversation
}

// Answer sends the grant.
func (k Knock) Answer(grant []byte) error {
	return send(k.conversation, k.c.conn, api.GrantFrame{Home: k.c.u.config.Home, Grant: grant})
}

// wanted takes the server's word that somebody watches a stream, or nobody any more.
func (c *conversation) wanted(m api.WantedFrame) error {
	kind, known := sealed.ParseStreamKind(m.Stream)
	if m.Home != c.u.config.Home {
		return fmt.Errorf("%w: a stream of another home is wanted", errProtocol)
	}
	if !known {
		return nil // a newer server's; nothing of it is brought
	}
	of := sealed.Stream{Home: m.Home, Camera: m.Camera, Kind: kind}
	if m.Wanted {
		c.live[of] = true
	} else {
		delete(c.live, of)
	}
	c.tellWanted(of, m.Wanted)
	return nil
}

// unwanted is for the connection's end: nobody says any more what is wanted.
func (c *conversation) unwanted() {
	for of := range c.live {
		c.tellWanted(of, false)
	}
}

func (c *conversation) tellWanted(of sealed.Stream, wanted bool) {
	if c.u.config.Wanted != nil {
		c.u.config.Wanted(of, wanted)
	}
}

// Inlet opens a connection by which a stream goes to the server, if it is wanted there.
func (u *Uplink) Inlet(ctx context.Context, of sealed.Stream) (*api.Inlet, error) {
	ctx, stop := context.WithTimeout(ctx, openingWait)
	defer stop()
	return u.agent.Inlet(ctx, u.config.Chain.Title().Head(), of)
}
