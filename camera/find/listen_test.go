package find_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/camera/find/findtest"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

// listened is the guard of a camera at an address: streams, and what answers ONVIF for them.
func listened(t *testing.T, pin find.Identity, d onviftest.Device) (*find.Guard, *onviftest.Server) {
	t.Helper()
	s := findtest.Serve(t, findtest.Device{Films: map[string]cameratest.Film{"/one": film(t, "640x360"), "/two": film(t, "640x360")}})
	d.Events = true
	for i := range d.Streams {
		d.Streams[i].URI = s.URL(d.Streams[i].URI)
	}
	device := onviftest.Serve(t, d)
	return &find.Guard{Address: s.URL("/two"), Credentials: login("u", "p"), Pin: pin, ONVIF: []uint16{device.Address().Port()}}, device
}

// A device with several cameras tells everybody of all of them; of the one whose stream
// is at the address it is heard what it sees, and of no other.
func TestOneCameraOfSeveralIsListenedTo(t *testing.T) {
	t.Parallel()
	g, device := listened(t, find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-1", User: "u", Password: "p", Streams: []onviftest.Stream{
		{Token: "a", Source: "first", Encoding: "H264", URI: "/one"}, {Token: "b", Source: "second", Encoding: "H264", URI: "/two"},
	}})
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	saw := make(chan latchkey.Sighting, 10)
	done := make(chan error, 1)
	go func() { done <- g.Listen(ctx, func(s latchkey.Sighting) { saw <- s }) }()
	for device.Subscribers() == 0 {
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	tell := func(source, rule string) {
		device.Tell(onviftest.Notification("tns1:RuleEngine/MyRuleDetector/"+rule, "Changed", source, "State", "true"))
	}
	tell("of-first", "PeopleDetect")
	tell("first", "PeopleDetect")
	tell("of-second", "DogCatDetect")
	var all latchkey.Sighting
	for all&latchkey.SawAnimal == 0 {
		all |= <-saw
	}
	tell("second", "VehicleDetect")
	for all&latchkey.SawVehicle == 0 {
		all |= <-saw
	}
	if names := all.Names(); !slices.Equal(names, []string{"vehicle", "animal"}) {
		t.Errorf("it saw %v", names)
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) || device.Subscribers() != 0 {
		t.Errorf("%v; %d subscriptions are left", err, device.Subscribers())
	}
}

// Nobody is listened to but the pinned device, and one that does not say of which of its
// cameras it speaks is not.
func TestWhoIsNotListenedTo(t *testing.T) {
	t.Parallel()
	several := []onviftest.Stream{{Token: "a", Source: "first", Encoding: "H264", URI: "/one"}, {Token: "b", Source: "second", Encoding: "H264", URI: "/other"}}
	for name, test := range map[string]struct {
		pin    find.Identity
		device onviftest.Device
		state  camera.State // "" if it is another error
		told   int          // how often the password may be told
	}{
		"another device":           {find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-2"}, camera.AnotherDevice, 0},
		"nothing pinned":           {find.Identity{}, onviftest.Device{Serial: "S-1"}, "", 0},
		"pinned by something else": {find.Identity{MAC: "00:11:22:33:44:55"}, onviftest.Device{Serial: "S-1"}, "", 0},
		"another password":         {find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-1", User: "u", Password: "x"}, camera.WrongPassword, 1},
		"one of several, unknown":  {find.Identity{Serial: "S-1"}, onviftest.Device{Serial: "S-1", Streams: several}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, device := listened(t, test.pin, test.device)
			if known := test.pin.Serial != ""; g.CanListen() != known {
				t.Errorf("that it can be listened to is %v", g.CanListen())
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := g.Listen(ctx, func(s latchkey.Sighting) { t.Errorf("it saw %v", s.Names()) })
			if err == nil || ctx.Err() != nil || test.state != "" && stateOf(err) != test.state {
				t.Errorf("%v (%s), want %q", err, camera.StateOf(err), test.state)
			}
			if told, _ := device.Told(); told > test.told || slices.Contains(device.Asked(), "CreatePullPointSubscription") {
				t.Errorf("the password was told %d times; it was asked for %v", told, device.Asked())
			}
		})
	}
}

func stateOf(err error) camera.State {
	if errors.Is(err, find.ErrAnother) {
		return camera.AnotherDevice
	}
	return camera.StateOf(err)
}
