package outage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/latchkey-cam/latchkey/server"
)

// Orders to the cloud.
const (
	doServe = "serve"
	doStand = "stand"
)

// place is where a cloud is reached, and by which certificate.
type place struct {
	Origin  string `json:"origin"`
	Address string `json:"address"`
	Trust   string `json:"trust"` // the root's fingerprint
}

// standing is how a cloud is doing.
type standing struct {
	Resident  float64 `json:"resident"` // bytes of memory
	Agents    float64 `json:"agents"`
	Misroutes float64 `json:"misroutes"`
}

// cloud is the real server, with a certificate of its own.
type cloud struct{ local *server.Local }

func (c *cloud) do(ctx context.Context, o order) (any, error) {
	switch o.Do {
	case doServe:
		var err error
		server.Spacious()
		if c.local, err = serve(ctx, o); err != nil {
			return nil, err
		}
		return placeOf(c.local), nil
	case doStand:
		return c.stand()
	}
	return nil, fmt.Errorf("the cloud does not know how to %s", o.Do)
}

func serve(ctx context.Context, o order) (*server.Local, error) {
	return server.Run(ctx, server.LocalConfig{
		Data: o.Data, Listen: o.Listen, Ungated: o.Ungated,
		Certificate: server.CertificateConfig{Own: true, Names: []string{"127.0.0.1"}},
		Log:         slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
}

func placeOf(l *server.Local) place {
	return place{Origin: l.Origin, Address: l.Address, Trust: l.Own.Fingerprint().String()}
}

// stand reads what the server counts itself, and its memory after a collection.
func (c *cloud) stand() (s standing, err error) {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return s, errors.New("this system does not say how much memory a process has")
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			kib, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				return s, err
			}
			s.Resident = kib * 1024
		}
	}
	families, err := c.local.Metrics().Gather()
	for _, f := range families {
		for _, m := range f.GetMetric() {
			switch f.GetName() {
			case "latchkey_agents":
				s.Agents += m.GetGauge().GetValue()
			case "latchkey_misroutes_total":
				s.Misroutes += m.GetCounter().GetValue()
			}
		}
	}
	return s, err
}

func (c *cloud) close() {
	if c.local != nil {
		_ = c.local.Close() // whoever wanted to know has gone
	}
}
