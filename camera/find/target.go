package find

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/latchkey-cam/latchkey/camera"
)

// target is what a person has typed.
type target struct {
	host   string // as typed, for addresses that are kept
	port   uint16 // of its streams; 0 if it was not said
	secure bool
	path   string // with its question; "" if none was said

	// Where it answers ONVIF, if that was said.
	onvifPort uint16
	onvifPath string
}

var errNoAddress = errors.New("this is no address of a camera; type its host, as in 192.168.1.20, or all of it, as in rtsp://192.168.1.20:554/stream1")

func parseTarget(s string) (target, error) {
	s = strings.TrimSpace(s)
	if a, err := netip.ParseAddr(s); err == nil {
		s = (&url.URL{Host: netip.AddrPortFrom(a, 0).String()}).Host
		s = strings.TrimSuffix(s, ":0")
		if a.Zone() != "" {
			s = strings.Replace(s, "%", "%25", 1)
		}
	}
	scheme, _, given := strings.Cut(s, "://")
	switch {
	case !given:
		s = "rtsp://" + s
	case scheme == "http":
		return parseService(s)
	}
	address, err := camera.ParseAddress(s)
	if err != nil {
		return target{}, err
	}
	u, err := url.Parse(address.String())
	if err != nil {
		return target{}, errNoAddress
	}
	t := target{host: u.Hostname(), secure: u.Scheme == "rtsps"}
	if !isHost(t.host) {
		return target{}, errNoAddress
	}
	if t.port, err = portOf(u); err != nil {
		return target{}, err
	}
	if u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		t.path = u.RequestURI()
	}
	return t, nil
}

// parseService reads the address at which a device answers ONVIF.
func parseService(s string) (target, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > 2048 || u.User != nil || !isHost(u.Hostname()) || u.Fragment != "" {
		return target{}, errNoAddress
	}
	t := target{host: u.Hostname(), onvifPath: u.Path}
	if t.onvifPort, err = portOf(u); err != nil {
		return target{}, err
	}
	if t.onvifPort == 0 {
		t.onvifPort = 80
	}
	return t, nil
}

// isHost reports whether a host is an IP address or may be a name.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return s != "" && len(s) < 254 && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '.' && r != '-' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

func portOf(u *url.URL) (uint16, error) {
	if u.Port() == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || n == 0 {
		return 0, errors.New("the port in the camera's address must be a number from 1 to 65535")
	}
	return uint16(n), nil
}

// address spells the address of one of its streams.
func (t target) address(port uint16, path string) string {
	scheme, usual := "rtsp", uint16(554)
	if t.secure {
		scheme, usual = "rtsps", 322
	}
	host := t.host
	if strings.Contains(host, ":") {
		host = "[" + strings.Replace(host, "%", "%25", 1) + "]"
	}
	if port != usual {
		host += ":" + strconv.Itoa(int(port))
	}
	return scheme + "://" + host + path
}

// resolve looks the host up once. What it returns is what is connected to.
func (t target) resolve(ctx context.Context, public bool) (netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", t.host)
	if err != nil || len(all) == 0 {
		return netip.Addr{}, &Error{"unreachable", "There is no " + t.host + " in this network. Check how it is spelled, or use the camera's IP address, which your router shows."}
	}
	var found netip.Addr
	for _, a := range all {
		a = a.Unmap()
		if admissible(a, public) && (!found.IsValid() || a.Is4() && !found.Is4()) {
			found = a
		}
	}
	if !found.IsValid() && !slices.ContainsFunc(all, func(a netip.Addr) bool { return admissible(a.Unmap(), true) }) {
		return netip.Addr{}, &Error{"address", "No camera can be at " + t.host + ": that address has another meaning."}
	}
	if !found.IsValid() {
		return netip.Addr{}, &Error{"public", "The address " + t.host + " is not in a private network, so it is not asked. If the camera really is out there, use latchkey agent probe --public on the agent's machine."}
	}
	return found, nil
}

var shared = netip.MustParsePrefix("100.64.0.0/10") // carriers and overlay networks

// admissible reports whether a camera may be at an address. Those at which clouds hand
// their machines' secrets out are never a camera's.
func admissible(a netip.Addr, public bool) bool {
	switch a.WithZone("").String() {
	case "169.254.169.254", "169.254.170.2", "fd00:ec2::254", "255.255.255.255":
		return false
	}
	if a.IsUnspecified() || a.IsMulticast() || !a.IsValid() {
		return false
	}
	return public || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || shared.Contains(a)
}

// sentence makes of an error's text one.
func sentence(err error) string {
	s := err.Error()
	r, size := utf8.DecodeRuneInString(s)
	s = string(unicode.ToUpper(r)) + s[size:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}
