package onvif_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/camera/onvif"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

// look asks a responder on this machine as if the loopback were a network.
func look(t *testing.T, r *onviftest.Responder, network string) []onvif.Device {
	t.Helper()
	began := time.Now()
	devices, err := onvif.Discover(t.Context(), onvif.Discovery{
		Networks: []netip.Prefix{netip.MustParsePrefix(network)}, Group: r.Address(), Wait: 3 * time.Second,
	})
	if err != nil {
		t.Error(err)
	}
	if spent := time.Since(began); spent > 10*time.Second {
		t.Errorf("it took %v", spent)
	}
	return devices
}

func TestDevicesAreFound(t *testing.T) {
	t.Parallel()
	r := onviftest.Respond(t, func(id string, send func(netip.Addr, string)) {
		send(netip.MustParseAddr("127.0.0.9"), onviftest.Match(id,
			"http://[fe80::1]/onvif/device_service http://127.0.0.9:8899/onvif/device_service",
			"onvif://www.onvif.org/Profile/Streaming onvif://www.onvif.org/name/Front%20door onvif://www.onvif.org/hardware/Eye%1b2"))
		send(netip.MustParseAddr("127.0.0.7"), onviftest.Match(id, "", ""))
	})
	want := []onvif.Device{{Host: "127.0.0.7"}, {Host: "127.0.0.9", Name: "Front door", Hardware: "Eye 2", Address: "http://127.0.0.9:8899/onvif/device_service"}}
	if diff := cmp.Diff(want, look(t, r, "127.0.0.1/8")); diff != "" {
		t.Error(diff)
	}
	if n := r.Questions(); n != 2 {
		t.Errorf("it asked %d times, want once and once again", n)
	}
}

// Item 13 of the bad input. What a device says of other hosts is not believed: neither
// where the neighbour's camera is nor where a cloud keeps its secrets.
func TestDevicesSpeakForThemselvesAlone(t *testing.T) {
	t.Parallel()
	lies := []string{
		"http://0.0.0.0/onvif/device_service", "http://169.254.169.254/latest/meta-data", "http://8.8.8.8/onvif/device_service",
		"http://127.0.0.5/onvif/device_service", "http://[::]/", "http://camera.example/", "https://SELF/", "file:///etc/passwd",
		"http://u:p@SELF/", "http://2130706441/", "http://SELF.example/", "http://SELF@8.8.8.8/", "javascript:alert(1)", "http://%zz/", "",
	}
	var want []onvif.Device
	for i := range lies {
		want = append(want, onvif.Device{Host: fmt.Sprintf("127.0.3.%d", i+1)})
	}
	r := onviftest.Respond(t, func(id string, send func(netip.Addr, string)) {
		for i, lie := range lies {
			send(netip.MustParseAddr(want[i].Host), onviftest.Match(id, strings.ReplaceAll(lie, "SELF", want[i].Host), ""))
		}
	})
	if diff := cmp.Diff(want, look(t, r, "127.0.0.1/8")); diff != "" {
		t.Error(diff)
	}
}

// Answers that are no answer to this question, and those from outside of the network
// that was asked, are not counted. The one in TestDevicesAreFound is the control.
func TestStrangersAreNotHeard(t *testing.T) {
	t.Parallel()
	r := onviftest.Respond(t, func(id string, send func(netip.Addr, string)) {
		inside, outside := netip.MustParseAddr("127.0.0.9"), netip.MustParseAddr("127.7.0.9")
		send(outside, onviftest.Match(id, "http://127.7.0.9/", ""))
		send(inside, onviftest.Match("urn:uuid:00000000-0000-4000-8000-000000000000", "http://127.0.0.9/", ""))
		send(inside, "junk")
		send(inside, strings.Repeat("x", 20<<10))
		send(netip.MustParseAddr("127.0.0.10"), onviftest.Match(id, "http://127.0.0.10/", ""))
	})
	if diff := cmp.Diff([]onvif.Device{{Host: "127.0.0.10", Address: "http://127.0.0.10/"}}, look(t, r, "127.0.0.1/24")); diff != "" {
		t.Error(diff)
	}
}

// Item 13 again: ten thousand answers, from one device and from six hundred, end as few.
func TestAFloodOfAnswers(t *testing.T) {
	t.Parallel()
	r := onviftest.Respond(t, func(id string, send func(netip.Addr, string)) {
		loud := netip.MustParseAddr("127.0.9.9")
		for range 5000 {
			send(loud, onviftest.Match(id, "http://127.0.9.9/", ""))
		}
		for i := range 600 {
			sender := netip.AddrFrom4([4]byte{127, 1, byte(i / 200), byte(i%200 + 1)})
			send(sender, onviftest.Match(id, "http://"+sender.String()+"/", strings.Repeat("onvif://www.onvif.org/name/x ", 100)))
		}
		for range 5000 {
			send(loud, onviftest.Match(id, "http://127.0.9.9/", ""))
		}
	})
	found := look(t, r, "127.0.0.1/8")
	if len(found) == 0 || len(found) > 256 {
		t.Errorf("%d devices are told of", len(found))
	}
}
