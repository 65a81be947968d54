package find

import (
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"github.com/latchkey-cam/latchkey/camera"
)

func seeds(f *testing.F, name string, atLeast int) {
	files, err := os.ReadDir("testdata/fuzz/" + name)
	if err != nil || len(files) < atLeast {
		f.Fatalf("%d seeds, want at least %d (%v)", len(files), atLeast, err)
	}
}

// FuzzTarget: what is taken for an address has a host and no secret, and the addresses
// made of it are addresses of cameras.
func FuzzTarget(f *testing.F) {
	seeds(f, "FuzzTarget", 8)
	f.Fuzz(func(t *testing.T, s string) {
		a, err := parseTarget(s)
		if err != nil {
			return
		}
		if a.host == "" || a.path != "" && a.path[0] != '/' {
			t.Errorf("%q is taken for %+v", s, a)
		}
		if a.onvifPort != 0 {
			return
		}
		made, err := camera.ParseAddress(a.address(8554, "/x"))
		if err != nil || strings.Contains(made.String(), "@") {
			t.Errorf("%q makes %v: %v", s, made, err)
		}
	})
}

// FuzzDescription reads answers as a device's.
func FuzzDescription(f *testing.F) {
	seeds(f, "FuzzDescription", 6)
	f.Fuzz(func(t *testing.T, b []byte) {
		a := read(&base.Response{StatusCode: base.StatusOK, Body: b})
		if a.status != base.StatusOK || a.width < 0 || a.width > 1<<14 || a.height < 0 || len(a.video) > 64 || len(a.audio) > 64 {
			t.Errorf("%+v", a)
		}
	})
}

// FuzzNeighbours: what is taken for a MAC is one.
func FuzzNeighbours(f *testing.F) {
	seeds(f, "FuzzNeighbours", 5)
	ip := netip.MustParseAddr("192.168.1.20")
	f.Fuzz(func(t *testing.T, table string) {
		mac := readNeighbours(table, ip)
		if parsed, err := net.ParseMAC(mac); mac != "" && (err != nil || len(parsed) != 6 || !strings.Contains(table, ip.String())) {
			t.Errorf("%q gives %q", table, mac)
		}
	})
}

// FuzzPath: a brand's path that is recognised has a camera's number.
func FuzzPath(f *testing.F) {
	seeds(f, "FuzzPath", 5)
	f.Fuzz(func(t *testing.T, path string) {
		for i := range brands {
			if n, ok := brands[i].match(path); ok && (n < 1 || n > 999) {
				t.Errorf("%s: %q is number %d", brands[i].name, path, n)
			}
		}
	})
}

func TestNeighbours(t *testing.T) {
	const table = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.2      0x1         0x2         00:11:22:33:44:55     *        eth0
192.168.1.20     0x1         0x2         AA:bb:cc:dd:ee:01     *        eth0
192.168.1.21     0x1         0x0         00:00:00:00:00:00     *        eth0
192.168.1.22     0x1         0x2         00:00:00:00:00:00     *        eth0
192.168.1.23     0x1         0x2         junk                  *        eth0
192.168.1.24     0x1
`
	for ip, want := range map[string]string{
		"192.168.1.20": "aa:bb:cc:dd:ee:01", "::ffff:192.168.1.20": "aa:bb:cc:dd:ee:01", "192.168.1.2": "00:11:22:33:44:55",
		"192.168.1.21": "", "192.168.1.22": "", "192.168.1.23": "", "192.168.1.24": "", "192.168.1.3": "", "fe80::1": "",
	} {
		if got := readNeighbours(table, netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %q, want %q", ip, got, want)
		}
	}
}

// Every brand has paths that are recognised as its own.
func TestBrands(t *testing.T) {
	for i := range brands {
		b := &brands[i]
		if guess(b.signs[0]) != b || len(b.main) == 0 || len(b.subs) == 0 {
			t.Errorf("%s is not recognised by its own sign, or has no paths", b.name)
		}
	}
	for path, want := range map[string]struct {
		brand string
		n     int
	}{
		"/Streaming/Channels/1602": {"Hikvision", 16}, "/cam/realmonitor?channel=3&subtype=1&unicast=true": {"Dahua", 3},
		"/h264Preview_04_sub": {"Reolink", 4}, "/unicast/c7/s1/live": {"Uniview", 7}, "/Streaming/Channels/1": {"Hikvision", 0},
		"/Streaming/Channels/01": {"Hikvision", 0}, "/Streaming/Channels/99999999999999999999901": {"Hikvision", 0},
	} {
		for i := range brands {
			if brands[i].name == want.brand {
				if n, _ := brands[i].match(path); n != want.n {
					t.Errorf("%s is camera %d, want %d", path, n, want.n)
				}
			}
		}
	}
}
