package notify

import (
	"context"
	"net"

	"github.com/wneessen/go-mail"
)

// ReachAt makes every connection go to that address, whatever the server's name.
func (s *SMTP) ReachAt(address string) {
	s.options = append(s.options, mail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}))
}
