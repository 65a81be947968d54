package camera_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

func source(t testing.TB, address, user, password string) camera.Source {
	t.Helper()
	a, err := camera.ParseAddress(address)
	if err != nil {
		t.Fatal(err)
	}
	return camera.Source{Address: a, Patience: 500 * time.Millisecond, Credentials: camera.Credentials{
		User: camera.NewSecret(user), Password: camera.NewSecret(password)}}
}

// patient is a source that is not impatient when the machine is busy.
func patient(t testing.TB, address string) camera.Source {
	t.Helper()
	s := source(t, address, "", "")
	s.Patience = 2 * time.Second
	return s
}

// receive receives until the session ends, for ten seconds at the most.
func receive(t testing.TB, s camera.Source, handle func(media.Unit)) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := camera.Receive(ctx, s, handle)
	if ctx.Err() != nil {
		t.Fatal("the session did not end by itself")
	}
	return err
}

func TestReceive(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=320x180:rate=15:duration=2")
	c := cameratest.Serve(t, film, nil)
	c.Play(t, film)
	var units []media.Unit
	began := time.Now()
	err := receive(t, patient(t, c.Address()), func(u media.Unit) { units = append(units, u) })
	if camera.StateOf(err) != camera.Silent {
		t.Errorf("ended with %v (%s), want %s after the film", err, camera.StateOf(err), camera.Silent)
	}
	if len(units) != len(film) || !units[0].Key || !units[0].Break {
		t.Fatalf("%d units of %d pictures", len(units), len(film))
	}
	for i, u := range units {
		if want := media.Ticks(i * media.Rate / cameratest.Rate); u.PTS != want {
			t.Errorf("unit %d is shown at %d, want %d", i, u.PTS, want)
		}
		if u.Taken.Before(began) || u.Taken.After(u.Received) || u.Received.After(time.Now()) {
			t.Errorf("unit %d was taken at %v and received at %v", i, u.Taken, u.Received)
		}
	}
	if p := units[0].Parameters; p.Width() != 320 || p.Height() != 180 {
		t.Errorf("%dx%d", p.Width(), p.Height())
	}
}

func TestPasswordsOfAllKinds(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	for _, method := range []auth.VerifyMethod{auth.VerifyMethodBasic, auth.VerifyMethodDigestMD5, auth.VerifyMethodDigestSHA256} {
		for _, password := range []string{"plain", `@:/?#%&'" \ `, "%41%2f", "пароль€", strings.Repeat("long", 16), " ", "***"} {
			c := cameratest.Serve(t, film, func(c *cameratest.Camera) {
				c.User, c.Password, c.Methods = "john.doe@home", password, []auth.VerifyMethod{method}
			})
			c.Play(t, film)
			st, err := camera.Probe(t.Context(), source(t, c.Address(), "john.doe@home", password))
			if err != nil || st.State != camera.Receiving || st.Width != 64 {
				t.Errorf("method %d, password %q: %v, %+v", method, password, err, st)
			}
		}
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	c := cameratest.Serve(t, film, func(c *cameratest.Camera) { c.User, c.Password = "admin", "right" })
	for _, password := range []string{"wrong", ""} {
		_, err := camera.Probe(t.Context(), source(t, c.Address(), "admin", password))
		if camera.StateOf(err) != camera.WrongPassword {
			t.Errorf("password %q: %v (%s)", password, err, camera.StateOf(err))
		}
	}
	if _, err := camera.Probe(t.Context(), source(t, c.Address(), "", "")); camera.StateOf(err) != camera.WrongPassword {
		t.Errorf("without a password: %v", err)
	}
}

// What a camera does wrong, and what people are told of it.
func TestIllCameras(t *testing.T) {
	reply := func(method, status, body string, header ...string) func(net.Conn, cameratest.Request) (string, bool) {
		return func(_ net.Conn, r cameratest.Request) (string, bool) {
			if r.Method == method {
				return cameratest.Reply(r, status, body, header...), true
			}
			return cameratest.Honest(r), true
		}
	}
	after := func(play func(conn net.Conn)) func(net.Conn, cameratest.Request) (string, bool) {
		return func(conn net.Conn, r cameratest.Request) (string, bool) {
			if r.Method == "PLAY" {
				conn.Write([]byte(cameratest.Honest(r)))
				play(conn)
				return "", true
			}
			return cameratest.Honest(r), true
		}
	}
	sdp := "Content-Type: application/sdp"
	for name, test := range map[string]struct {
		answer func(net.Conn, cameratest.Request) (string, bool)
		want   []camera.State
	}{
		"says nothing":      {nil, []camera.State{camera.Silent}},
		"hangs up":          {func(net.Conn, cameratest.Request) (string, bool) { return "", false }, []camera.State{camera.Lost}},
		"drips":             {func(c net.Conn, _ cameratest.Request) (string, bool) { drip(c); return "", false }, []camera.State{camera.Silent}},
		"answers in junk":   {func(c net.Conn, _ cameratest.Request) (string, bool) { junk(c, 1<<20); return "", true }, []camera.State{camera.Silent, camera.Lost, camera.Unusable}},
		"does not know it":  {reply("DESCRIBE", "404 Not Found", ""), []camera.State{camera.NotFound}},
		"is full":           {reply("SETUP", "453 Not Enough Bandwidth", ""), []camera.State{camera.Busy}},
		"breaks down":       {reply("PLAY", "500 Oops", ""), []camera.State{camera.Unusable}},
		"sends no SDP":      {reply("DESCRIBE", "200 OK", "<html>", "Content-Type: text/html"), []camera.State{camera.Unusable}},
		"sends a torn SDP":  {reply("DESCRIBE", "200 OK", "v=0\r\nm=video", sdp), []camera.State{camera.Unusable}},
		"sends 2 MB of SDP": {reply("DESCRIBE", "200 OK", strings.Repeat("a=x\r\n", 400_000), sdp), []camera.State{camera.Unusable}},
		"sends MJPEG only":  {reply("DESCRIBE", "200 OK", "v=0\r\ns=x\r\nm=video 0 RTP/AVP 26\r\na=control:t\r\n", sdp), []camera.State{camera.Unsupported}},
		"sends sound only":  {reply("DESCRIBE", "200 OK", "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 0\r\na=control:t\r\n", sdp), []camera.State{camera.NoVideo}},
		"has an address of its own that is none": {func(_ net.Conn, r cameratest.Request) (string, bool) {
			switch {
			case r.Method == "DESCRIBE" && r.Header["Authorization"] == "":
				return cameratest.Reply(r, "401 Unauthorized", "", `WWW-Authenticate: Basic realm="r"`), true
			case r.Method == "DESCRIBE":
				return cameratest.Reply(r, "200 OK", cameratest.SDP("track%zz"), sdp), true
			}
			return cameratest.Honest(r), true
		}, []camera.State{camera.Unusable}},
		"stops in the middle":     {after(func(net.Conn) {}), []camera.State{camera.Silent}},
		"lies about lengths":      {after(func(c net.Conn) { junkFrames(c, 2000) }), []camera.State{camera.Silent, camera.Lost}},
		"sends junk for pictures": {after(func(c net.Conn) { junkPackets(c, 2000) }), []camera.State{camera.Silent, camera.Unusable, camera.Lost}},
		"has a picture of a mile": {after(func(c net.Conn) { packet(c, 1, absurdSPS) }), []camera.State{camera.Unusable}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := cameratest.Play(t, test.answer)
			began := time.Now()
			err := receive(t, source(t, s.Address(), "admin", "secret"), func(media.Unit) {})
			var e *camera.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is no *camera.Error", err)
			}
			ok := false
			for _, state := range test.want {
				ok = ok || e.State == state
			}
			if !ok || e.State.Says() == "" {
				t.Errorf("%v (%s), want %v", err, e.State, test.want)
			}
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// absurdSPS is a sequence parameter set for 65535x65535 macroblocks.
var absurdSPS = []byte{0x67, 66, 0xc0, 0x1f, 0xda, 0x00, 0x00, 0x80, 0x00, 0x00, 0x08, 0x00, 0x0c, 0x80}

func drip(c net.Conn) {
	for _, b := range []byte("RTSP/1.0 200 OK and so on, for ever and ever and ever, without an end to it") {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func junk(c net.Conn, n int) {
	b := make([]byte, n)
	rand.New(rand.NewSource(1)).Read(b)
	c.Write(b)
}

func junkFrames(c net.Conn, n int) {
	r := rand.New(rand.NewSource(2))
	for range n {
		b := make([]byte, r.Intn(300))
		r.Read(b)
		c.Write(append([]byte{'$', byte(r.Intn(4)), byte(r.Intn(3)), byte(r.Intn(256))}, b...))
	}
}

func junkPackets(c net.Conn, n int) {
	r := rand.New(rand.NewSource(3))
	for i := range n {
		b := make([]byte, 1+r.Intn(200))
		r.Read(b)
		packet(c, uint16(i), b)
	}
}

// packet sends one RTP packet that ends a picture.
func packet(c net.Conn, number uint16, payload []byte) {
	p := append([]byte{0x80, 0x80 | 96, byte(number >> 8), byte(number), 0, 0, byte(number >> 8), byte(number), 1, 2, 3, 4}, payload...)
	c.Write(append([]byte{'$', 0, byte(len(p) >> 8), byte(len(p))}, p...))
}

// Redirections are followed on the camera itself, a few times, and never elsewhere:
// whoever answers there would be given the password.
func TestRedirections(t *testing.T) {
	t.Parallel()
	other := cameratest.Play(t, func(_ net.Conn, r cameratest.Request) (string, bool) { return cameratest.Honest(r), true })
	to := func(target func(self string) string) (*cameratest.Script, error) {
		var s *cameratest.Script
		s = cameratest.Play(t, func(_ net.Conn, r cameratest.Request) (string, bool) {
			if r.Method == "DESCRIBE" && !strings.HasSuffix(r.URL, "/right") {
				return cameratest.Reply(r, "302 Moved", "", "Location: "+target(s.Address())), true
			}
			return cameratest.Honest(r), true
		})
		return s, receive(t, source(t, s.Address(), "admin", "secret"), func(media.Unit) {})
	}
	if _, err := to(func(string) string { return other.Address() }); camera.StateOf(err) != camera.Elsewhere {
		t.Errorf("to another host: %v", err)
	}
	if n := other.Connections(); n != 0 {
		t.Errorf("the other host was called %d times", n)
	}
	if s, err := to(func(self string) string { return self }); camera.StateOf(err) != camera.Elsewhere || s.Connections() > 4 {
		t.Errorf("in a circle: %v after %d connections", err, s.Connections())
	}
	if _, err := to(func(self string) string { return self + "/right" }); camera.StateOf(err) != camera.Silent {
		t.Errorf("to the right path: %v (%s), want to wait for pictures", err, camera.StateOf(err))
	}
	if _, err := to(func(string) string { return "file:///etc/passwd" }); camera.StateOf(err) != camera.Elsewhere {
		t.Errorf("to a file: %v", err)
	}
}

const secret = `s3cr%t "p@ss:wörd"/?`

// spellings are the ways in which the secret could leak.
var spellings = []string{secret, url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:],
	base64.StdEncoding.EncodeToString([]byte("admin:" + secret)), strings.Trim(fmt.Sprintf("%q", secret), `"`)}

func leaks(text string) bool {
	for _, s := range spellings {
		if strings.Contains(text, s) {
			return true
		}
	}
	return false
}

// A camera that repeats the password wherever it can does not get it into an error, a
// status or a log.
func TestNoErrorHoldsThePassword(t *testing.T) {
	everything := strings.Join(spellings, " ")
	answers := map[string]func(net.Conn, cameratest.Request) (string, bool){}
	for _, method := range []string{"OPTIONS", "DESCRIBE", "SETUP", "PLAY"} {
		answers[method+" status"] = func(_ net.Conn, r cameratest.Request) (string, bool) {
			if r.Method != method {
				return cameratest.Honest(r), true
			}
			if r.Header["Authorization"] == "" {
				return cameratest.Reply(r, "401 Unauthorized", "", `WWW-Authenticate: Basic realm="r"`), true
			}
			return cameratest.Reply(r, "400 "+r.Header["Authorization"]+" "+everything, ""), true
		}
	}
	for name, header := range map[string]string{"type": "Content-Type: ", "session": "Session: ", "base": "Content-Type: application/sdp\r\nContent-Base: rtsp://%zz",
		"length": "Content-Length: ", "key": "Key-Mgmt: "} {
		answers["header "+name] = func(_ net.Conn, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "200 OK", "", header+everything), true
		}
	}
	answers["redirection"] = func(_ net.Conn, r cameratest.Request) (string, bool) {
		if r.Method == "DESCRIBE" {
			return cameratest.Reply(r, "302 Moved", "", "Location: rtsp://%zz"+everything), true
		}
		return cameratest.Honest(r), true
	}
	answers["sdp"] = func(_ net.Conn, r cameratest.Request) (string, bool) {
		if r.Method == "DESCRIBE" {
			return cameratest.Reply(r, "200 OK", everything, "Content-Type: application/sdp"), true
		}
		return cameratest.Honest(r), true
	}
	for name, answer := range answers {
		s := cameratest.Play(t, answer)
		err := receive(t, source(t, s.Address(), "admin", secret), func(media.Unit) {})
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Error("camera", "error", err, "status", camera.Status{Err: err})
		if text := fmt.Sprintf("%v %+v %#v %q %s", err, err, err, err, &log); leaks(text) {
			t.Errorf("%s: the error holds the password: %s", name, text)
		}
	}
	// The control: the library by itself repeats what such a camera says.
	s := cameratest.Play(t, answers["DESCRIBE status"])
	c := gortsplib.Client{Scheme: "rtsp", Host: strings.TrimSuffix(strings.TrimPrefix(s.Address(), "rtsp://"), "/stream")}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	u, err := base.ParseURL(s.Address())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("admin", secret)
	if _, _, err = c.Describe(u); err == nil || !leaks(err.Error()) {
		t.Errorf("the library's own error does not hold the password, so this test shows nothing: %v", err)
	}
	if !leaks(s.Heard()) {
		t.Error("the camera was not given the password, so this test shows nothing")
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := camera.Credentials{User: camera.NewSecret("admin"), Password: camera.NewSecret(secret)}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", c, "p", c.Password)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "c", c, "p", c.Password)
	j, err := json.Marshal(map[camera.Secret]any{c.Password: c})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(c, &c, c.Password) + fmt.Sprintf("%s %v %+v %#v %q %x %d %08.3f %c", c, c, c, c, c, c, c.Password, c.Password, c.Password) + log.String() + string(j)
	if leaks(text) || strings.Contains(text, "admin") || strings.Contains(text, fmt.Sprintf("%x", secret)) {
		t.Errorf("printed: %s", text)
	}
	if c.Password.Reveal() != secret {
		t.Error("the secret does not keep its text")
	}
}

// A bug of ours in one camera's callback ends that camera's session and nothing else.
func TestPanicIsOneCamerasTrouble(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=2")
	sick, well := cameratest.Serve(t, film, nil), cameratest.Serve(t, film, nil)
	sick.Play(t, film)
	well.Play(t, film)
	done := make(chan error)
	go func() {
		done <- camera.Receive(t.Context(), patient(t, sick.Address()), func(media.Unit) { panic("a bug") })
	}()
	n := 0
	receive(t, patient(t, well.Address()), func(media.Unit) { n++ })
	if err := <-done; err == nil || !strings.Contains(err.Error(), "a bug") {
		t.Errorf("the sick camera ended with %v", err)
	}
	if n != len(film) {
		t.Errorf("the other camera gave %d of %d units", n, len(film))
	}
}
