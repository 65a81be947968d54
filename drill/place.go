package drill

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/server"
)

// Place is a server on a port of its own, and how it is reached.
type Place struct {
	Server *server.Server
	Addr   string      // host and port
	Client *api.Client // of Addr

	front *http.Server
}

// Serve starts a server on loopback. It is called what the configuration says, or what it
// is reached by if that says nothing.
func Serve(ctx context.Context, c server.Config) (*Place, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Place{Addr: listener.Addr().String()}
	p.Client, err = api.NewClient("http://"+p.Addr, nil)
	if err == nil {
		if c.Origin == "" {
			c.Origin = p.Client.Origin()
		}
		c.Ungated = true // its clients come once, and do not insist
		p.Server, err = server.New(ctx, c)
	}
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.front = server.HTTPServer(p.Server.Handler())
	go p.front.Serve(listener) // until Close
	return p, nil
}

// Close ends it, and all connections.
func (p *Place) Close() error { return errors.Join(p.front.Close(), p.Server.Close()) }
