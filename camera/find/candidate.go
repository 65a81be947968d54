package find

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"github.com/latchkey-cam/latchkey/camera/onvif"
)

// candidate is a stream that the device may have.
type candidate struct {
	port   uint16
	path   string
	source string // of the picture; candidates with the same show the same
	rank   int    // the lower the likelier the main stream, where sizes are not known

	answer   answer
	verified bool // the device has described it, and does not so describe everything
}

func (c candidate) pixels() int { return c.answer.width * c.answer.height }

// recordable reports whether it may be a stream that we record.
func (c candidate) recordable() bool {
	return c.verified && (c.answer.video == "H264" || c.answer.video == "H265" || c.answer.video == "")
}

// control finds the device's port and asks for a path that cannot be. A device that
// answers this like any other does not tell paths apart.
func (p *probe) control(ctx context.Context) error {
	ports := p.RTSP
	if p.target.port != 0 {
		ports = []uint16{p.target.port}
	} else if p.target.secure {
		ports = []uint16{322}
	}
	var failure error
	for _, port := range ports {
		a := p.asker(port)
		if err := a.connect(ctx); err != nil {
			failure = cmp.Or(failure, err)
			continue
		}
		var random [6]byte
		rand.Read(random[:])
		res, err := a.describe(ctx, fmt.Sprintf("/latchkey-%x", random))
		p.brand = guess(a.server, a.realm)
		switch {
		case errors.Is(err, errRefused):
			p.rtsp = a
			return p.wrongPassword()
		case err != nil:
			a.close()
			failure = err
			continue
		}
		p.rtsp = a
		if res.status == base.StatusOK {
			p.bogus = &res
		}
		return nil
	}
	return failure
}

func (p *probe) asker(port uint16) *asker {
	return &asker{address: netip.AddrPortFrom(p.ip, port), secure: p.target.secure, credentials: p.Credentials, patience: p.Patience}
}

// profiles asks the device by ONVIF what it is and which streams it has. That it has no
// ONVIF, or other users there, is no failure.
func (p *probe) profiles(ctx context.Context) {
	ports := p.ONVIF
	if p.target.onvifPort != 0 {
		ports = []uint16{p.target.onvifPort}
	}
	client := dialONVIF(ctx, p.ip, ports, onvif.Config{Path: p.target.onvifPath, Credentials: p.Credentials, Patience: min(p.Patience, 5*time.Second)})
	if client == nil {
		return
	}
	defer client.Close()
	if ahead, known := client.Clock(); known {
		p.found.Clock = Clock{true, ahead.Milliseconds()}
	}
	about, err := client.Information(ctx)
	if errors.Is(err, onvif.ErrRefused) && p.Credentials.User.Reveal() != "" {
		p.note(Warning, "onvif-refused", "The camera does not take this user by ONVIF, so it does not tell its serial number and its streams.",
			"Some cameras have users of their own for ONVIF: make one of the same name and password in the camera's web page.")
	}
	if p.target.onvifPort == 0 || slices.Contains(p.ONVIF, p.target.onvifPort) && (p.target.onvifPath == "" || p.target.onvifPath == onvif.DevicePath) {
		p.found.Pin.Serial = genuine(about.Serial) // elsewhere a [Guard] would not find it again
	}
	if b := guess(about.Manufacturer, about.Model); b != nil {
		p.brand = b
	} else if p.brand == nil && about.Manufacturer != "" {
		p.found.Brand = about.Manufacturer
	}
	if err != nil {
		return
	}
	p.ownMAC, _ = client.MAC(ctx) // some do not tell
	all, err := client.Profiles(ctx)
	if err != nil {
		return
	}
	seen := map[string]bool{}
	for i, profile := range all {
		if profile.Source != "" && !seen[profile.Source] {
			seen[profile.Source] = true
			p.sources++
		}
		if profile.Encoding == "" || i >= maxStreams {
			continue // of sound alone, or of data
		}
		u, err := client.StreamURI(ctx, profile.Token)
		if err != nil || (u.Scheme == "rtsps") != p.target.secure {
			continue
		}
		port, err := portOf(u)
		if err != nil {
			continue
		}
		if p.rtsp != nil && (port == 0 || p.target.port != 0) {
			port = p.rtsp.address.Port() // the one that has answered, where the device may be behind a router
		}
		c := candidate{port: cmp.Or(port, 554), path: u.RequestURI(), source: profile.Source, rank: i}
		c.answer.video = strings.ReplaceAll(strings.ToUpper(profile.Encoding), "JPEG", "MJPEG")
		c.answer.width, c.answer.height = profile.Width, profile.Height
		p.add(c)
	}
}

// maxStreams is how many streams of a device are looked at: the two or three of each
// camera of a recorder with eight.
const maxStreams = 24

// dialONVIF returns a client at the first port that speaks ONVIF, or nil.
func dialONVIF(ctx context.Context, ip netip.Addr, ports []uint16, config onvif.Config) *onvif.Client {
	for _, port := range ports {
		config.Address = netip.AddrPortFrom(ip, port)
		if client, err := onvif.Open(ctx, config); err == nil {
			return client
		}
		if ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// add takes a candidate unless it is known.
func (p *probe) add(c candidate) {
	for i, known := range p.candidates {
		if known.path == c.path && known.port == c.port {
			if known.source == "" {
				p.candidates[i].source = c.source
			}
			return
		}
	}
	p.candidates = append(p.candidates, c)
}

// paths asks for the streams: the one that was named, those that ONVIF told of, those
// that the brand has, and what cameras have in general, until there is enough.
func (p *probe) paths(ctx context.Context) error {
	if p.rtsp == nil { // only ONVIF knows the port
		p.rtsp = p.asker(p.candidates[0].port)
	}
	port, channel := p.rtsp.address.Port(), 1
	if p.target.path != "" {
		channel = p.addNamed(port)
	}
	if err := p.verify(ctx); err != nil || p.complete() {
		return err
	}
	if p.brand != nil {
		source := fmt.Sprint("camera ", channel)
		if p.target.path != "" {
			source = p.candidates[0].source
		}
		for rank, patterns := range [][]string{p.brand.main, p.brand.subs} {
			for _, pattern := range patterns {
				path := pattern
				if number.MatchString(pattern) {
					path = fmt.Sprintf(pattern, channel)
				}
				p.add(candidate{port: port, path: path, source: source, rank: 100 + rank})
			}
		}
		if err := p.verify(ctx); err != nil || p.complete() {
			return err
		}
	}
	if slices.ContainsFunc(p.candidates, candidate.recordable) {
		return nil
	}
	if p.bogus != nil && p.bogus.video != "" { // what it shows at any address it shows at none
		p.add(candidate{port: port, path: "/"})
		return p.verify(ctx)
	}
	for rank, path := range generic {
		p.add(candidate{port: port, path: path, rank: 200 + rank})
	}
	return p.verify(ctx)
}

// addNamed puts the path that was typed before all others, and returns the number of the
// camera that it means.
func (p *probe) addNamed(port uint16) (channel int) {
	channel = 1
	named := candidate{port: port, path: p.target.path}
	for i := range brands {
		if _, ok := brands[i].match(p.target.path); ok && p.brand == nil && number.MatchString(brands[i].main[0]) {
			p.brand = &brands[i] // it answers as that brand does, or the other paths will not exist
		}
	}
	if p.brand != nil {
		if n, ok := p.brand.match(p.target.path); ok {
			channel, named.source = n, fmt.Sprint("camera ", n)
		}
	}
	for i, c := range p.candidates {
		if c.path == named.path { // ONVIF knows it, too
			named.source, named.rank, named.answer = c.source, c.rank, c.answer
			p.candidates = slices.Delete(p.candidates, i, i+1)
			break
		}
	}
	p.candidates = slices.Insert(p.candidates, 0, named)
	return channel
}

// verify asks for the candidates that have not been asked for yet. It stops where the
// password is refused, and after a pair of generic paths that exists.
func (p *probe) verify(ctx context.Context) error {
	for i := range p.candidates {
		c := &p.candidates[i]
		if c.answer.status != 0 || c.rank >= 200 && c.rank%2 == 0 && p.complete() {
			continue
		}
		if c.port != p.rtsp.address.Port() {
			old := p.rtsp
			old.close()
			p.rtsp = p.asker(c.port)
			p.rtsp.login, p.rtsp.proven, p.rtsp.asked = nil, false, old.asked
			p.rtsp.server, p.rtsp.realm = old.server, old.realm
		}
		got, err := p.rtsp.describe(ctx, c.path)
		if p.brand == nil {
			p.brand = guess(p.rtsp.server, p.rtsp.realm)
		}
		switch {
		case errors.Is(err, errRefused):
			return p.wrongPassword()
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			c.answer.status = base.StatusServiceUnavailable
			continue
		case got.status == base.StatusUnauthorized:
			return p.needsPassword()
		}
		if got.video == "" {
			got.video = c.answer.video
		}
		if got.width == 0 {
			got.width, got.height = c.answer.width, c.answer.height
		}
		c.answer = got
		same := p.bogus != nil && p.bogus.extra == got.extra
		c.verified = got.status == base.StatusOK && (!same || c.rank < 100)
	}
	return nil
}

// complete reports whether a main stream and a sub-stream are known.
func (p *probe) complete() bool {
	chosen := p.choose()
	return len(chosen) == 2
}

// choose returns the index of the main stream and, if there is one, of the sub-stream.
func (p *probe) choose() []int {
	var all []int
	for i, c := range p.candidates {
		if c.recordable() {
			all = append(all, i)
		}
	}
	if len(all) == 0 {
		return nil
	}
	all = slices.DeleteFunc(all, func(i int) bool { return !p.together(all[0], i) })
	main := all[0]
	for _, i := range all[1:] {
		a, b := p.candidates[main], p.candidates[i]
		if a.pixels() > 0 && b.pixels() > a.pixels() || a.pixels() == 0 && b.rank < a.rank {
			main = i
		}
	}
	chosen := []int{main}
	best := -1
	for _, i := range all {
		c := p.candidates[i]
		if i != main && suits(p.candidates[main].answer, c.answer) && (best < 0 || c.pixels() > p.candidates[best].pixels()) {
			best = i
		}
	}
	if best >= 0 {
		chosen = append(chosen, best)
	}
	return chosen
}

// together reports whether two streams show the same picture. Of a device that has many
// cameras only those do of which it is known.
func (p *probe) together(a, b int) bool {
	x, y := p.candidates[a], p.candidates[b]
	return a == b || x.source == y.source && (x.source != "" || p.sources <= 1) ||
		p.sources <= 1 && (x.source == "" || y.source == "" || y.source == "camera 1")
}

// suits reports whether one stream may be another's sub-stream, as far as is known.
func suits(main, sub answer) bool {
	if sub.width == 0 {
		return true
	}
	return sub.width >= 320 && sub.width <= 720 && sub.width <= main.width && alike(main.width, main.height, sub.width, sub.height)
}

// alike reports whether two pictures have the same shape, to within 3 in 100: sizes are
// rounded to blocks.
func alike(w1, h1, w2, h2 int) bool {
	a, b := w1*h2, w2*h1
	return 100*max(a-b, b-a) <= 3*max(a, b)
}

// genuine returns a serial number if it is one: some devices give the same to all.
func genuine(serial string) string {
	if strings.Trim(serial, "0 -:.") == "" || len(serial) < 3 {
		return ""
	}
	switch strings.ToLower(serial) {
	case "none", "null", "unknown", "n/a", "default", "serial", "serialnumber", "123456", "1234567890":
		return ""
	}
	return serial
}
