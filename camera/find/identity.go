package find

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/onvif"
)

// Identity is what tells a device from another one at the same address. What is not
// known is empty. All of it can be imitated by somebody who tries; it is there against
// mistakes, of which a flat's shared network is full.
type Identity struct {
	MAC         string `json:"mac"`         // as this machine's network shows it, 00:11:22:aa:bb:cc
	Serial      string `json:"serial"`      // as the device says by ONVIF
	Certificate string `json:"certificate"` // SHA-256 of what it shows at rtsps, in hexadecimal
}

// says lists what is known.
func (i Identity) says() string {
	var all []string
	for _, part := range []struct{ value, name string }{
		{i.Serial, "its serial number"}, {i.Certificate, "its certificate"}, {i.MAC, "its network address (MAC)"},
	} {
		if part.value != "" {
			all = append(all, part.name)
		}
	}
	return strings.Join(all, ", ")
}

// ErrAnother is that a device is not the one that was pinned, or does not prove it.
var ErrAnother = errors.New("not the device that was pinned")

// Same returns nil if a device that was seen is the pinned one, and otherwise an
// [ErrAnother]. A serial number or certificate that was pinned must be there and the
// same. A MAC that is not seen, because there is a router in between, is left to the
// others; if there are none, nothing speaks for the device. Nothing pinned is nil.
func (i Identity) Same(seen Identity) error {
	for _, part := range []struct{ pinned, seen, name string }{
		{i.MAC, seen.MAC, "network address (MAC)"}, {i.Serial, seen.Serial, "serial number"}, {i.Certificate, seen.Certificate, "certificate"},
	} {
		if part.pinned != "" && part.seen != "" && !strings.EqualFold(part.pinned, part.seen) {
			return fmt.Errorf("%w: its %s is %q, and was %q", ErrAnother, part.name, part.seen, part.pinned)
		}
	}
	switch {
	case i.Serial != "" && seen.Serial == "":
		return fmt.Errorf("%w: it no longer tells its serial number; switch ONVIF on in it again, or accept the device that is there now", ErrAnother)
	case i.Certificate != "" && seen.Certificate == "":
		return fmt.Errorf("%w: it no longer shows a certificate", ErrAnother)
	case i.MAC != "" && seen.MAC == "" && i.Serial == "" && i.Certificate == "":
		return fmt.Errorf("%w: its network address (MAC) cannot be seen from here, and nothing else is known of it", ErrAnother)
	}
	return nil
}

// Guard lets a session with a camera begin only if the pinned device is at the address.
// Its Admit is for [camera.Source]. It may be used by several goroutines.
type Guard struct {
	Address     string // of the camera's stream
	Credentials camera.Credentials
	Pin         Identity

	// ONVIF are the ports at which the serial number is asked for; those that cameras
	// use if nil.
	ONVIF []uint16

	mu   sync.Mutex // protects port
	port uint16     // at which the device last answered ONVIF; 0 if it has not
}

// Admit returns nil if the device at the address is the pinned one. The device is told
// the password, for its serial number, only after whatever else is pinned has agreed.
// The error is an [ErrAnother], or a [*camera.Error] if that cannot be asked just now.
func (g *Guard) Admit(ctx context.Context) error {
	if g.Pin == (Identity{}) {
		return nil
	}
	_, err := g.look(ctx, g.Pin)
	return err
}

// Identify returns what can be told of the device at an address.
func Identify(ctx context.Context, address string, credentials camera.Credentials) (Identity, error) {
	g := &Guard{Address: address, Credentials: credentials}
	return g.Look(ctx)
}

// Look returns what can be told of the device that is at the address now, whatever is
// pinned.
func (g *Guard) Look(ctx context.Context) (Identity, error) { return g.look(ctx, Identity{}) }

// look looks at the device, and stops as soon as it is not the pinned one. What is not
// pinned is not asked for, unless nothing is.
func (g *Guard) look(ctx context.Context, pin Identity) (Identity, error) {
	var seen Identity
	t, err := parseTarget(g.Address)
	if err != nil {
		return seen, fmt.Errorf("identify camera: %w", err)
	}
	ip, err := t.resolve(ctx, true) // that it may be public was decided when it was added
	if err != nil {
		return seen, camera.NewError(camera.Unreachable, "identify camera: no such host")
	}
	if t.port == 0 {
		t.port = 554
		if t.secure {
			t.port = 322
		}
	}
	a := &asker{address: netip.AddrPortFrom(ip, t.port), secure: t.secure, patience: 5 * time.Second}
	if err := a.connect(ctx); err != nil {
		if ctx.Err() != nil {
			return seen, ctx.Err()
		}
		return seen, camera.NewError(camera.Unreachable, "identify camera: it cannot be connected to")
	}
	a.close()
	seen.MAC, seen.Certificate = neighbour(ip), a.certificate
	early := pin
	early.Serial = ""
	if pin.Serial != "" && pin.Certificate == "" && seen.MAC == "" {
		early.MAC = "" // the serial number decides
	}
	if err := early.Same(seen); err != nil {
		return seen, err
	}
	if pin.Serial == "" && pin != (Identity{}) {
		return seen, nil
	}
	own, err := g.askSerial(ctx, ip, pin.Serial != "", &seen)
	if err != nil {
		return seen, err
	}
	if pin == (Identity{}) && own != "" && own != seen.MAC {
		seen.MAC = "" // that of something in between
	}
	return seen, pin.Same(seen)
}

// askSerial asks the device for its serial number and, if none is pinned, its own MAC.
func (g *Guard) askSerial(ctx context.Context, ip netip.Addr, pinned bool, seen *Identity) (own string, err error) {
	ports := g.ONVIF
	if ports == nil {
		ports = onvifPorts
	}
	g.mu.Lock()
	if g.port != 0 {
		ports = append([]uint16{g.port}, ports...)
	}
	g.mu.Unlock()
	for _, port := range ports {
		client := dialONVIF(ctx, ip, []uint16{port}, onvif.Config{Credentials: g.Credentials, Patience: 3 * time.Second})
		if client == nil {
			continue
		}
		defer client.Close()
		about, err := client.Information(ctx)
		if errors.Is(err, onvif.ErrRefused) && pinned && g.Credentials.User.Reveal() != "" {
			return "", camera.NewError(camera.WrongPassword, "identify camera: it refuses this user and password by ONVIF")
		}
		if err == nil {
			g.mu.Lock()
			g.port = port
			g.mu.Unlock()
		}
		seen.Serial = genuine(about.Serial)
		if !pinned {
			own, _ = client.MAC(ctx) // some do not tell
		}
		return own, nil
	}
	return "", ctx.Err()
}

// readNeighbours finds an address in the kernel's table of neighbours: IP address, type,
// flags, MAC, mask, device. "" is that it is not there or not known.
func readNeighbours(table string, ip netip.Addr) string {
	want := machine(ip)
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 6 || f[0] != want || f[2] == "0x0" {
			continue
		}
		mac, err := net.ParseMAC(f[3])
		if err != nil || len(mac) != 6 || mac.String() == "00:00:00:00:00:00" {
			return ""
		}
		return mac.String()
	}
	return ""
}
