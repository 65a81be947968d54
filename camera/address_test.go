package camera_test

import (
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/camera"
)

func TestAddresses(t *testing.T) {
	for _, good := range []string{"rtsp://192.168.1.20/", "rtsp://cam.local:8554/Streaming/Channels/101?x=1&y=@", "rtsp://[fe80::1]:554/live", "rtsps://192.168.1.20/s"} {
		if a, err := camera.ParseAddress(good); err != nil || a.String() != good {
			t.Errorf("%s: %v, %v", good, a, err)
		}
	}
	for bad, word := range map[string]string{
		"rtsp://admin:geheim@192.168.1.20/":   "without them",
		"rtsp://admin:ge%heim@192.168.1.20/":  "without them",
		"rtsp://admin@192.168.1.20/":          "without them",
		"http://192.168.1.20/":                "must begin with rtsp://",
		"file:///etc/passwd":                  "must begin with rtsp://",
		"192.168.1.20":                        "must begin with rtsp://",
		"rtsp:///stream":                      "no host",
		"rtsp://h/a#b":                        "%23",
		"rtsp://h/a\r\nX: y":                  "control character",
		"rtsp://[":                            "no address",
		"":                                    "must begin with rtsp://",
		"rtsp://" + strings.Repeat("x", 4000): "longer",
	} {
		if _, err := camera.ParseAddress(bad); err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "heim") {
			t.Errorf("%.60q: %v, want a sentence with %q", bad, err, word)
		}
	}
}

func TestCredentialsThatNoCameraTakes(t *testing.T) {
	for _, c := range []camera.Credentials{
		{User: camera.NewSecret("a\r\nb")}, {Password: camera.NewSecret("a\nb")}, {User: camera.NewSecret(`a"b`)},
		{Password: camera.NewSecret(strings.Repeat("x", 256))},
	} {
		if err := c.Check(); err == nil {
			t.Errorf("%q, %q is let through", c.User.Reveal(), c.Password.Reveal())
		}
	}
}

// An address that is taken has no password in it, whatever it looks like.
func FuzzAddress(f *testing.F) {
	files, err := os.ReadDir("testdata/fuzz/FuzzAddress")
	if err != nil || len(files) < 5 {
		f.Fatalf("%d seeds, want at least 5 (%v)", len(files), err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := camera.ParseAddress(s)
		if err != nil {
			return
		}
		u, err := url.Parse(a.String())
		if err != nil || u.User != nil || u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Hostname() == "" {
			t.Errorf("%q became %q: %v", s, a, err)
		}
	})
}
