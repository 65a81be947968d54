package find_test

import (
	"bytes"
	"context"
	"errors"
	"image/color"
	"image/jpeg"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/camera/find/findtest"
	"github.com/latchkey-cam/latchkey/camera/onvif/onviftest"
)

// films are encoded once.
var films = sync.OnceValue(func() map[string]cameratest.Film { return map[string]cameratest.Film{} })

var filming sync.Mutex

func film(t *testing.T, size string, args ...string) cameratest.Film {
	t.Helper()
	filming.Lock()
	defer filming.Unlock()
	name := size + strings.Join(args, " ")
	if films()[name] == nil {
		films()[name] = cameratest.Encode(t, "testsrc2=size="+size+":rate=15:duration=1", args...)
	}
	return films()[name]
}

func login(user, password string) camera.Credentials {
	return camera.Credentials{User: camera.NewSecret(user), Password: camera.NewSecret(password)}
}

// config probes a device on this machine, which has no ONVIF unless it is given.
func config(s *findtest.Server, device *onviftest.Server) find.Config {
	c := find.Config{
		Address: s.Address().String(), Credentials: login(s.User, s.Password), Watch: 1500 * time.Millisecond,
		Patience: 5 * time.Second, ONVIF: []uint16{},
	}
	if device != nil {
		c.ONVIF = []uint16{device.Address().Port()}
	}
	return c
}

func probe(t *testing.T, c find.Config) find.Found {
	t.Helper()
	found, err := find.Probe(t.Context(), c)
	if err != nil {
		t.Fatalf("%v (%+v)", err, found)
	}
	return found
}

func stream(t *testing.T, f find.Found, r find.Role, address string) find.Stream {
	t.Helper()
	s, ok := f.Stream(r)
	if s.Address != address || ok != (address != "") {
		t.Errorf("the %s stream is %q, want %q", r, s.Address, address)
	}
	return s
}

func codes(findings []find.Finding, severity find.Severity) string {
	var all []string
	for _, f := range findings {
		if f.Severity == severity {
			all = append(all, f.Code)
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// A camera that tells everything: its streams are those that ONVIF names, at the host
// that answered and not at the one that it names.
func TestProbeByONVIF(t *testing.T) {
	t.Parallel()
	s := findtest.Serve(t, findtest.Device{User: "admin", Password: `p@:/?#%&'" \ä`, Films: map[string]cameratest.Film{
		"/a?x=1&y=2": film(t, "1280x720"), "/b": film(t, "640x360"), "/c": film(t, "320x240"),
	}})
	device := onviftest.Serve(t, onviftest.Device{User: s.User, Password: s.Password, Manufacturer: "HIKVISION", Serial: "DS-2CD-77",
		MACs: []string{"00:11:22:33:44:55"}, Ahead: -3 * time.Hour, Streams: []onviftest.Stream{
			{Token: "3", Source: "v", Encoding: "H264", URI: "rtsp://10.0.0.99/c"}, {Token: "2", Source: "v", Encoding: "H264", Width: 640, Height: 360, URI: "rtsp://0.0.0.0/b"},
			{Token: "1", Source: "v", Encoding: "H264", Width: 1280, Height: 720, URI: "rtsp://camera.example:554/a?x=1&y=2"},
		}})
	var said []find.Progress
	c := config(s, device)
	c.Progress = func(p find.Progress) { said = append(said, p) }
	found := probe(t, c)
	main, sub := stream(t, found, find.Main, s.URL("/a?x=1&y=2")), stream(t, found, find.Sub, s.URL("/b"))
	if main.Width != 1280 || main.Height != 720 || main.Codec != "H264" || main.Profile == "" || main.Rate < 10 || main.Rate > 20 ||
		main.KeyIntervalMS < 700 || main.KeyIntervalMS > 1800 || main.BFrames || main.Bitrate < 10_000 || main.Audio != "" {
		main.Still = nil
		t.Errorf("the main stream is %+v", main)
	}
	for _, still := range [][]byte{main.Still, sub.Still} {
		if p, err := jpeg.DecodeConfig(bytes.NewReader(still)); err != nil || p.Width != 640 || p.Height != 360 {
			t.Errorf("a still of %d bytes: %v, %v", len(still), p, err)
		}
	}
	if found.Brand != "Hikvision" || found.Pin.Serial != "DS-2CD-77" || !found.Clock.Known || found.Clock.OffsetMS > -3590*3*1000 || found.Host != "127.0.0.1" {
		t.Errorf("%q %+v %+v %q", found.Brand, found.Pin, found.Clock, found.Host)
	}
	if w := codes(found.Findings, find.Warning); w != "clock" {
		t.Errorf("warnings %q, want of its clock alone", w)
	}
	if g := codes(found.Findings, find.Good); g != "pin sub" {
		t.Errorf("good is %q", g)
	}
	if s.MostSessions() > 2 || s.Played() != 2 || s.Refused() != 0 {
		t.Errorf("%d sessions at once, %d played, %d refused", s.MostSessions(), s.Played(), s.Refused())
	}
	last := said[len(said)-1]
	if len(said) < 5 || last.Done != last.Of {
		t.Errorf("progress %+v", said)
	}
	if len(found.Streams) != 3 || found.Streams[2].Role != find.Other || found.Streams[2].Width != 320 {
		t.Errorf("%d streams", len(found.Streams))
	}
}

// Without ONVIF the streams are where cameras of that brand have them, found by the path
// that was given or by trying.
func TestProbeByPaths(t *testing.T) {
	t.Parallel()
	big, small := film(t, "1280x720"), film(t, "640x360")
	for name, test := range map[string]struct {
		given     string
		films     map[string]cameratest.Film
		main, sub string
	}{
		"a recorder's third camera": {"/Streaming/Channels/301", map[string]cameratest.Film{
			"/Streaming/Channels/301": big, "/Streaming/Channels/302": small, "/Streaming/Channels/101": big, "/Streaming/Channels/102": small}, "/Streaming/Channels/301", "/Streaming/Channels/302"},
		"its twelfth": {"/cam/realmonitor?channel=12&subtype=0", map[string]cameratest.Film{
			"/cam/realmonitor?channel=12&subtype=0": big, "/cam/realmonitor?channel=12&subtype=1": small, "/cam/realmonitor?channel=1&subtype=1": small}, "/cam/realmonitor?channel=12&subtype=0", "/cam/realmonitor?channel=12&subtype=1"},
		"the sub-stream was given": {"/Streaming/Channels/102", map[string]cameratest.Film{"/Streaming/Channels/101": big, "/Streaming/Channels/102": small}, "/Streaming/Channels/101", "/Streaming/Channels/102"},
		"only a host":              {"", map[string]cameratest.Film{"/stream1": big, "/stream2": small}, "/stream1", "/stream2"},
		"another pair":             {"", map[string]cameratest.Film{"/11": big, "/12": small}, "/11", "/12"},
		"nothing but one":          {"/odd/path", map[string]cameratest.Film{"/odd/path": big}, "/odd/path", ""},
		"another shape":            {"", map[string]cameratest.Film{"/ch0": big, "/ch1": film(t, "640x480")}, "/ch0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := findtest.Serve(t, findtest.Device{Films: test.films})
			c := config(s, nil)
			c.Address, c.Watch = s.URL(test.given), 300*time.Millisecond
			found := probe(t, c)
			stream(t, found, find.Main, s.URL(test.main))
			sub := test.sub
			if sub != "" {
				sub = s.URL(sub)
			}
			stream(t, found, find.Sub, sub)
			if !strings.Contains(s.Asked()[0], "/latchkey-") {
				t.Errorf("it was not asked for a path that cannot be first: %v", s.Asked())
			}
			want := map[string]string{"another shape": "no-pin open sub-shape", "nothing but one": "no-pin open sub-missing"}[name]
			if want == "" {
				want = "no-pin open"
			}
			if got := codes(found.Findings, find.Warning); got != want {
				t.Errorf("warnings %q, want %q", got, want)
			}
		})
	}
}

// Of a recorder one camera is chosen, and its streams are not mixed with another's.
func TestProbeDoesNotMixCameras(t *testing.T) {
	t.Parallel()
	big, small := film(t, "1280x720"), film(t, "640x360")
	s := findtest.Serve(t, findtest.Device{Films: map[string]cameratest.Film{"/1": film(t, "640x480"), "/2": big, "/2s": small}})
	device := onviftest.Serve(t, onviftest.Device{Serial: "NVR", Streams: []onviftest.Stream{
		{Token: "a", Source: "one", Encoding: "H264", URI: "rtsp://h/1"}, {Token: "b", Source: "two", Encoding: "H264", URI: "rtsp://h/2"}, {Token: "c", Source: "two", Encoding: "H264", URI: "rtsp://h/2s"},
	}})
	for given, want := range map[string][2]string{"": {"/1", ""}, "/2": {"/2", "/2s"}, "/2s": {"/2", "/2s"}} {
		c := config(s, device)
		c.Address, c.Watch = s.URL(given), 300*time.Millisecond
		found := probe(t, c)
		stream(t, found, find.Main, s.URL(want[0]))
		if sub, _ := found.Stream(find.Sub); want[1] != "" && sub.Address != s.URL(want[1]) || want[1] == "" && sub.Address != "" {
			t.Errorf("given %q the sub-stream is %q", given, sub.Address)
		}
		if !strings.Contains(codes(found.Findings, find.Warning), "several") {
			t.Error("it is not said that there are several cameras")
		}
	}
}

// A device that has the same at every path is believed only where the path was given.
func TestADeviceThatTellsNoPathsApart(t *testing.T) {
	t.Parallel()
	s := findtest.Serve(t, findtest.Device{Any: true, Films: map[string]cameratest.Film{"/": film(t, "1280x720")}})
	for _, given := range []string{"/Streaming/Channels/101", ""} {
		c := config(s, nil)
		c.Address, c.Watch = s.URL(given), 300*time.Millisecond
		found := probe(t, c)
		want := given
		if given == "" {
			want = "/"
		}
		stream(t, found, find.Main, s.URL(want))
		stream(t, found, find.Sub, "")
		if !strings.Contains(codes(found.Findings, find.Warning), "any-path") {
			t.Errorf("given %q: %+v", given, found.Findings)
		}
	}
}

// A wrong password is told once, whatever the device has, and ONVIF is not tried with it.
func TestAWrongPasswordIsToldOnce(t *testing.T) {
	t.Parallel()
	s := findtest.Serve(t, findtest.Device{User: "admin", Password: "right", Films: map[string]cameratest.Film{"/stream1": film(t, "640x360")}})
	device := onviftest.Serve(t, onviftest.Device{User: "admin", Password: "right"})
	c := config(s, device)
	c.Credentials = login("admin", "geheim")
	_, err := find.Probe(t.Context(), c)
	reason(t, err, "wrong-password")
	told, _ := device.Told()
	if strings.Contains(err.Error(), "geheim") || s.Refused() != 1 || told != 0 {
		t.Errorf("%v; refused %d times, ONVIF was told %d times", err, s.Refused(), told)
	}
	c.Credentials = camera.Credentials{}
	_, err = find.Probe(t.Context(), c)
	if reason(t, err, "needs-password"); s.Refused() != 1 {
		t.Error("something was told as a password without one")
	}
	c.Credentials = login("admin", "right") // the control
	c.Watch = 100 * time.Millisecond
	if found := probe(t, c); len(found.Streams) != 1 || s.Refused() != 1 {
		t.Errorf("%+v after %d refusals", found, s.Refused())
	}
}

func reason(t *testing.T, err error, want string) {
	t.Helper()
	var e *find.Error
	if !errors.As(err, &e) || e.Reason != want || e.Message == "" {
		t.Errorf("%v, want reason %q", err, want)
	}
}

// The brand is in the name under which a camera asks for the password, so that the right
// account can be asked for.
func TestTheBrandSaysWhichAccount(t *testing.T) {
	t.Parallel()
	for realm, want := range map[string][2]string{
		"Login to 9J0123PAG": {"Dahua", "locks the account"}, "IP Camera(E3669)": {"Hikvision", "ONVIF has users of its own"},
		"TP-LINK IP-Camera": {"TP-Link Tapo", "camera account"}, "whatever": {"", "maker's cloud"},
	} {
		s := cameratest.Play(t, func(_ net.Conn, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "401 Unauthorized", "", `WWW-Authenticate: Digest realm="`+realm+`", nonce="x"`), true
		})
		found, err := find.Probe(t.Context(), find.Config{Address: s.Address(), Credentials: login("a", "b"), ONVIF: []uint16{}})
		reason(t, err, "wrong-password")
		if err == nil || found.Brand != want[0] || !strings.Contains(err.Error(), want[1]) || strings.Count(s.Heard(), "Authorization:") != 1 {
			t.Errorf("%s: brand %q, %v\n%s", realm, found.Brand, err, s.Heard())
		}
	}
}

// ONVIF often has users of its own. One refusal there ends asking there.
func TestONVIFWithOtherUsers(t *testing.T) {
	t.Parallel()
	s := findtest.Serve(t, findtest.Device{User: "admin", Password: "right", Films: map[string]cameratest.Film{"/stream1": film(t, "1280x720"), "/stream2": film(t, "640x360")}})
	device := onviftest.Serve(t, onviftest.Device{User: "onvif", Password: "other", Serial: "S77"})
	c := config(s, device)
	c.Watch = 300 * time.Millisecond
	found := probe(t, c)
	stream(t, found, find.Sub, s.URL("/stream2"))
	if told, wrong := device.Told(); told != 1 || wrong != 1 || !strings.Contains(codes(found.Findings, find.Warning), "onvif-refused") || found.Pin.Serial != "" {
		t.Errorf("told %d, wrong %d, %+v", told, wrong, found.Findings)
	}
}

// What is wrong with a stream is said with what to do about it.
func TestFindings(t *testing.T) {
	t.Parallel()
	t.Run("key frames far apart", func(t *testing.T) {
		t.Parallel()
		long := cameratest.Encode(t, "testsrc2=size=640x360:rate=15:duration=5", "-g", "300", "-x264-params", "aud=1:scenecut=0")
		s := findtest.Serve(t, findtest.Device{Films: map[string]cameratest.Film{"/stream1": long}})
		device := onviftest.Serve(t, onviftest.Device{Manufacturer: "Dahua"})
		c := config(s, device)
		c.Address, c.Watch, c.Patience = s.URL("/stream1"), 4300*time.Millisecond, 20*time.Second
		main := stream(t, probe(t, c), find.Main, s.URL("/stream1"))
		i := slices.IndexFunc(main.Findings, func(f find.Finding) bool { return f.Code == "key-interval" })
		if main.KeyIntervalMS < 4000 || i < 0 || main.Findings[i].Severity == find.Good || !strings.Contains(main.Findings[i].Fix, "Smart Codec") {
			t.Errorf("%d ms: %+v", main.KeyIntervalMS, main.Findings)
		}
	})
	t.Run("B-frames", func(t *testing.T) {
		t.Parallel()
		s := findtest.Serve(t, findtest.Device{Reordered: true, Films: map[string]cameratest.Film{"/stream1": film(t, "640x360")}})
		c := config(s, nil)
		c.Address = s.URL("/stream1")
		if main := stream(t, probe(t, c), find.Main, s.URL("/stream1")); !main.BFrames || !strings.Contains(codes(main.Findings, find.Warning), "b-frames") {
			t.Errorf("%+v", main.Findings)
		}
	})
	t.Run("MJPEG", func(t *testing.T) {
		t.Parallel()
		s := findtest.Serve(t, findtest.Device{Video: "MJPEG", Films: map[string]cameratest.Film{"/stream1": nil}})
		_, err := find.Probe(t.Context(), config(s, nil))
		if reason(t, err, "no-stream"); err == nil || !strings.Contains(err.Error(), "only MJPEG") || !strings.Contains(err.Error(), "H.264") {
			t.Error(err)
		}
	})
	t.Run("one session at a time", func(t *testing.T) {
		t.Parallel()
		s := findtest.Serve(t, findtest.Device{Sessions: 1, Films: map[string]cameratest.Film{"/stream1": film(t, "1280x720"), "/stream2": film(t, "640x360")}})
		c := config(s, nil)
		c.Watch = 700 * time.Millisecond
		found := probe(t, c)
		stream(t, found, find.Sub, s.URL("/stream2"))
		if !strings.Contains(codes(found.Findings, find.Warning), "one-session") {
			t.Errorf("%+v", found.Findings)
		}
	})
}

// H.265 and G.711 are what many cameras send from the factory; both are named.
func TestProbeH265WithSound(t *testing.T) {
	t.Parallel()
	filming.Lock()
	film := cameratest.Encode265(t, "testsrc2=size=640x360:rate=15:duration=1")
	filming.Unlock()
	s := cameratest.Serve(t, film, func(c *cameratest.Camera) {
		c.H265, c.Sound, c.Reports = true, cameratest.EncodeSound(t, "PCMA", "sine=duration=8:sample_rate=8000"), true
	})
	s.Play(t, film, film, film, film, film, film, film, film)
	found := probe(t, find.Config{Address: s.Address(), Watch: 2 * time.Second, Patience: 20 * time.Second, ONVIF: []uint16{}})
	main := stream(t, found, find.Main, s.Address())
	if main.Codec != "H265" || main.Width != 640 || main.Rate < 8 || len(main.Still) == 0 || !strings.HasPrefix(main.Audio, "PCMA") {
		t.Errorf("%s %dx%d %.1f %q, a still of %d bytes", main.Codec, main.Width, main.Height, main.Rate, main.Audio, len(main.Still))
	}
	if w, g := codes(main.Findings, find.Warning), codes(main.Findings, find.Good); w != "h265" || g != "audio key-interval" {
		t.Errorf("warnings %q, good %q: %+v", w, g, main.Findings)
	}
}

// Public addresses and those where clouds keep secrets are not connected to.
func TestWhereAProbeDoesNotGo(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"8.8.8.8": "public", "rtsp://[2606:4700::1111]/x": "public", "http://1.1.1.1/onvif/device_service": "public",
		"169.254.169.254": "address", "0.0.0.0": "address", "224.0.0.1": "address", "255.255.255.255": "address", "::": "address", "[fd00:ec2::254]": "address", "[::ffff:8.8.8.8]:554": "public",
		"rtsp://u:geheim@127.0.0.1/": "address", "file:///etc/passwd": "address", "127.0.0.1:0": "address", "127.0.0.1:99999": "address", "": "address",
		"http://u:geheim@127.0.0.1/": "address", "a b": "address", "rtsp://127.0.0.1/a#b": "address",
	} {
		began := time.Now()
		_, err := find.Probe(t.Context(), find.Config{Address: address})
		reason(t, err, want)
		if err != nil && strings.Contains(err.Error(), "geheim") || time.Since(began) > 4*time.Second {
			t.Errorf("%s: %v after %v", address, err, time.Since(began))
		}
	}
	// The control: with Public it is tried. Where clouds keep secrets is refused all the same.
	_, err := find.Probe(t.Context(), find.Config{Address: "192.0.2.1", Public: true, Limit: 200 * time.Millisecond})
	if e := (*find.Error)(nil); !errors.As(err, &e) || e.Reason == "public" {
		t.Errorf("a public address, which was allowed: %v", err)
	}
	_, err = find.Probe(t.Context(), find.Config{Address: "169.254.169.254", Public: true})
	reason(t, err, "address")
}

// A device that answers nothing, or for ever, ends a probe in time, and so does its person.
func TestAProbeEnds(t *testing.T) {
	t.Parallel()
	silent := cameratest.Play(t, nil)
	began := time.Now()
	_, err := find.Probe(t.Context(), find.Config{Address: silent.Address(), Patience: 300 * time.Millisecond, ONVIF: []uint16{}})
	if reason(t, err, "unreachable"); time.Since(began) > 10*time.Second {
		t.Errorf("after %v", time.Since(began))
	}
	hang := make(chan struct{})
	defer close(hang)
	device := onviftest.Serve(t, onviftest.Device{Answer: func(http.ResponseWriter, string, string) bool { <-hang; return true }})
	_, err = find.Probe(t.Context(), find.Config{Address: silent.Address(), Limit: 500 * time.Millisecond, ONVIF: []uint16{device.Address().Port()}})
	reason(t, err, "timeout")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := find.Probe(ctx, find.Config{Address: silent.Address()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want that of the context", err)
	}
	_, err = find.Probe(t.Context(), find.Config{Address: "127.0.0.1", RTSP: []uint16{2}, ONVIF: []uint16{2}})
	if reason(t, err, "no-rtsp"); err == nil || !strings.Contains(err.Error(), "batteries") {
		t.Error(err)
	}
}

// Descriptions that are junk make a stream without properties, not a crash.
func TestDescriptionsThatAreJunk(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "<html>", strings.Repeat("a=x\r\n", 400_000), "v=0\r\nm=video", "v=0\r\ns=x\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets=Z0IAHukBQHpCAAAAAA==,aM4=\r\n"} {
		s := cameratest.Play(t, func(_ net.Conn, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "200 OK", body, "Content-Type: application/sdp"), true
		})
		_, err := find.Probe(t.Context(), find.Config{Address: s.Address(), Patience: 300 * time.Millisecond, Watch: 300 * time.Millisecond, Limit: 5 * time.Second, ONVIF: []uint16{}})
		var e *find.Error
		if !errors.As(err, &e) || s.Connections() > 20 {
			t.Errorf("%.40q: %v after %d connections", body, err, s.Connections())
		}
	}
}

// Item 14 of the bad input. A camera's own JPEGs are not asked for, by ONVIF or as a
// stream, so that none of their tricks come in: every still is decoded from video and
// encoded in our child, in a size of ours, and has no fields for where it was taken.
func TestStillsAreOurOwn(t *testing.T) {
	t.Parallel()
	s := findtest.Serve(t, findtest.Device{Films: map[string]cameratest.Film{"/a": film(t, "1280x720")}})
	snapshots := 0
	device := onviftest.Serve(t, onviftest.Device{Serial: "S-1", Streams: []onviftest.Stream{
		{Token: "j", Source: "v", Encoding: "JPEG", Width: 65535, Height: 65535, URI: "rtsp://h/jpeg"}, {Token: "a", Source: "v", Encoding: "H264", URI: "rtsp://h/a"},
	}, Answer: func(w http.ResponseWriter, operation, _ string) bool {
		if operation == "" || operation == "GetSnapshotUri" {
			snapshots++
		}
		return false
	}})
	c := config(s, device)
	c.Watch = 300 * time.Millisecond
	found := probe(t, c)
	still := stream(t, found, find.Main, s.URL("/a")).Still
	if snapshots != 0 || slices.Contains(s.Asked(), "/jpeg/") {
		t.Errorf("%d snapshots were asked for, and %v", snapshots, s.Asked())
	}
	if p, err := jpeg.DecodeConfig(bytes.NewReader(still)); err != nil || p.Width != 640 || p.Height != 360 || p.ColorModel != color.YCbCrModel {
		t.Errorf("the still is %v, %v", p, err)
	}
	for i := 2; i+4 < len(still) && still[i] == 0xff && still[i+1] != 0xda; i += 2 + int(still[i+2])<<8 + int(still[i+3]) {
		if still[i+1] > 0xe0 && still[i+1] <= 0xef {
			t.Errorf("the still has a field of kind %x", still[i+1])
		}
	}
}
