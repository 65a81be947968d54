package find_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/camera/find/findtest"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

func TestSame(t *testing.T) {
	a, b, none := find.Identity{"00:11:22:aa:bb:cc", "S1", "c1"}, find.Identity{"00:11:22:aa:bb:dd", "S2", "c2"}, find.Identity{}
	for _, c := range []struct {
		pinned, seen find.Identity
		same         bool
	}{
		{a, a, true}, {a, find.Identity{"00:11:22:AA:BB:CC", "s1", "C1"}, true}, {none, a, true}, {none, none, true},
		{a, b, false}, {a, none, false},
		{a, find.Identity{b.MAC, a.Serial, a.Certificate}, false}, {a, find.Identity{a.MAC, b.Serial, a.Certificate}, false}, {a, find.Identity{a.MAC, a.Serial, b.Certificate}, false},
		{a, find.Identity{a.MAC, "", a.Certificate}, false}, {a, find.Identity{a.MAC, a.Serial, ""}, false}, // what was there and is not
		{a, find.Identity{"", a.Serial, a.Certificate}, true},                                                       // behind a router
		{find.Identity{MAC: a.MAC}, none, false}, {find.Identity{MAC: a.MAC}, find.Identity{"", "S1", "c1"}, false}, // nothing speaks for it
		{find.Identity{MAC: a.MAC}, a, true}, {find.Identity{Serial: "S1"}, a, true}, {find.Identity{Serial: "S1"}, find.Identity{MAC: "x"}, false},
	} {
		if err := c.pinned.Same(c.seen); (err == nil) != c.same || err != nil && !errors.Is(err, find.ErrAnother) {
			t.Errorf("%+v, seen as %+v: %v", c.pinned, c.seen, err)
		}
	}
}

// Item 16 of the bad input. Another camera at a camera's address, as after a new start of
// the router, is refused before it has been asked for anything. The neighbour's living
// room looks like any other.
func TestAnotherDeviceAtTheAddress(t *testing.T) {
	t.Parallel()
	film := film(t, "640x360")
	pinned, certificate := findtest.Certificate(t)
	other, _ := findtest.Certificate(t)
	for name, test := range map[string]struct {
		pin    find.Identity
		device onviftest.Device // what answers ONVIF there
		there  findtest.Device  // what is there
		state  camera.State     // "" if it is the right one
	}{
		"the one with the serial number": {find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-1"}, findtest.Device{}, ""},
		"the one with the certificate":   {find.Identity{Certificate: certificate}, onviftest.Device{}, findtest.Device{TLS: pinned}, ""},
		"the one with both":              {find.Identity{Certificate: certificate, Serial: "S-1", MAC: "00:11:22:33:44:55"}, onviftest.Device{Serial: "S-1", User: "u", Password: "p"}, findtest.Device{TLS: pinned, User: "u", Password: "p"}, ""},
		"nothing pinned":                 {find.Identity{}, onviftest.Device{Serial: "S-2"}, findtest.Device{}, ""},

		"another serial number":         {find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-2"}, findtest.Device{}, camera.AnotherDevice},
		"no serial number any more":     {find.Identity{Serial: "S-1"}, onviftest.Device{}, findtest.Device{}, camera.AnotherDevice},
		"another certificate":           {find.Identity{Certificate: certificate}, onviftest.Device{}, findtest.Device{TLS: other}, camera.AnotherDevice},
		"another, and the right serial": {find.Identity{Certificate: certificate, Serial: "S-1"}, onviftest.Device{Serial: "S-1", User: "u", Password: "p"}, findtest.Device{TLS: other, User: "u", Password: "p"}, camera.AnotherDevice},
		"an unknown MAC alone":          {find.Identity{MAC: "00:11:22:33:44:55"}, onviftest.Device{Serial: "S-1"}, findtest.Device{}, camera.AnotherDevice},
		"another password by ONVIF":     {find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-1", User: "u", Password: "x"}, findtest.Device{User: "u", Password: "p"}, camera.WrongPassword},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.there.Films = map[string]cameratest.Film{"/live": film}
			s, device := findtest.Serve(t, test.there), onviftest.Serve(t, test.device)
			address, err := camera.ParseAddress(s.URL("/live"))
			if err != nil {
				t.Fatal(err)
			}
			source := camera.Source{Address: address, Credentials: login(s.User, s.Password)}
			guard := &find.Guard{Address: s.URL("/live"), Credentials: source.Credentials, Pin: test.pin, ONVIF: []uint16{device.Address().Port()}}
			source.Admit = guard.Admit
			if _, err := camera.Probe(t.Context(), source); err == nil && test.state != "" || err != nil && camera.StateOf(err) != test.state {
				t.Errorf("%v (%s), want %q", err, camera.StateOf(err), test.state)
			}
			if test.state == "" {
				return
			}
			if asked := s.Asked(); len(asked) != 0 || s.Played() != 0 {
				t.Errorf("it was asked for %v and played %d times", asked, s.Played())
			}
			told, _ := device.Told()
			if test.state == camera.AnotherDevice && told != 0 {
				t.Errorf("it was told the password %d times", told)
			}
			if test.state == camera.WrongPassword && told != 1 {
				t.Errorf("it was told a wrong password %d times", told)
			}
			// The control: without the guard the same device is taken.
			source.Admit = nil
			if _, err := camera.Probe(t.Context(), source); err != nil || s.Played() != 1 {
				t.Errorf("without the guard: %v, played %d times", err, s.Played())
			}
		})
	}
}

// A camera that is off is not another device.
func TestADeviceThatIsAway(t *testing.T) {
	t.Parallel()
	g := &find.Guard{Address: "rtsp://127.0.0.1:2/live", Pin: find.Identity{Serial: "S-1"}}
	if err := g.Admit(t.Context()); camera.StateOf(err) != camera.Unreachable || errors.Is(err, find.ErrAnother) {
		t.Errorf("%v (%s)", err, camera.StateOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.Admit(ctx); !errors.Is(err, context.Canceled) && camera.StateOf(err) != camera.Unreachable {
		t.Error(err)
	}
}

// What a probe pins is what the guard wants, and over rtsps the certificate is part of it.
func TestWhatIsPinnedIsFoundAgain(t *testing.T) {
	t.Parallel()
	secure, certificate := findtest.Certificate(t)
	s := findtest.Serve(t, findtest.Device{TLS: secure, User: "u", Password: "p", Films: map[string]cameratest.Film{"/stream1": film(t, "1280x720"), "/stream2": film(t, "640x360")}})
	device := onviftest.Serve(t, onviftest.Device{Serial: "S-77", User: "u", Password: "p", HTTP: true})
	c := config(s, device)
	c.Address, c.Watch = s.URL("/"), 300*time.Millisecond
	found := probe(t, c)
	stream(t, found, find.Sub, s.URL("/stream2"))
	if want := (find.Identity{Serial: "S-77", Certificate: certificate}); found.Pin != want {
		t.Errorf("pinned is %+v, want %+v", found.Pin, want)
	}
	g := &find.Guard{Address: s.URL("/stream1"), Credentials: c.Credentials, Pin: found.Pin, ONVIF: c.ONVIF}
	if err := g.Admit(t.Context()); err != nil {
		t.Error(err)
	}
	if seen, err := g.Look(t.Context()); err != nil || seen != found.Pin {
		t.Errorf("it is seen as %+v, %v", seen, err)
	}
}

// A serial number is pinned only where it will be looked for: pinned from elsewhere it would
// lock its own camera out.
func TestASerialNumberAtAnOddPort(t *testing.T) {
	t.Parallel()
	s := findtest.Serve(t, findtest.Device{Films: map[string]cameratest.Film{"/stream1": film(t, "640x360")}})
	device := onviftest.Serve(t, onviftest.Device{Serial: "S-77", Manufacturer: "Reolink", Streams: []onviftest.Stream{{Token: "m", Encoding: "H264", URI: s.URL("/stream1")}}})
	c := config(s, nil)
	c.Watch = 300 * time.Millisecond
	for path, want := range map[string]string{"": "S-77", "/onvif/device_service": "S-77", "/other": ""} {
		c.Address, c.ONVIF = "http://"+device.Address().String()+path, []uint16{device.Address().Port()}
		if found := probe(t, c); found.Pin.Serial != want || found.Brand != "Reolink" {
			t.Errorf("%s: pinned is %+v of %q", path, found.Pin, found.Brand)
		}
		c.ONVIF = []uint16{2}
		if found := probe(t, c); found.Pin.Serial != "" {
			t.Errorf("%s at an odd port: pinned is %+v", path, found.Pin)
		}
	}
}

// Serial numbers that a maker gives to all its cameras tell nothing.
func TestSerialNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, serial := range []string{"0000-0000", "123456", "None", "1", "", "null"} {
		s := findtest.Serve(t, findtest.Device{Films: map[string]cameratest.Film{"/": film(t, "640x360")}})
		device := onviftest.Serve(t, onviftest.Device{Serial: serial})
		g := &find.Guard{Address: s.URL("/"), ONVIF: []uint16{device.Address().Port()}}
		if seen, err := g.Look(t.Context()); err != nil || seen.Serial != "" {
			t.Errorf("%q is taken for %+v, %v", serial, seen, err)
		}
	}
}
