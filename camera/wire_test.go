package camera_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// selfSigned returns a certificate as a camera makes it for itself, and its SHA-256.
func selfSigned(t testing.TB) (*tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0)} // its clock says 1970
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, hex.EncodeToString(sum[:])
}

func TestEncryptedConnection(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	certificate, fingerprint := selfSigned(t)
	_, other := selfSigned(t)
	for name, test := range map[string]struct {
		pin  string
		want camera.State
	}{
		"not pinned":    {"", camera.Receiving},
		"pinned":        {strings.ToUpper(fingerprint), camera.Receiving},
		"another pin":   {other, camera.AnotherDevice},
		"no pin at all": {"none", camera.AnotherDevice},
	} {
		c := cameratest.Serve(t, film, func(c *cameratest.Camera) {
			c.Certificate, c.User, c.Password = certificate, "admin", secret
		})
		c.Play(t, film)
		s := source(t, c.Address(), "admin", secret)
		s.Patience, s.Certificate = 5*time.Second, test.pin
		var info camera.Info
		s.Info = func(i camera.Info) { info = i }
		st, err := camera.Probe(t.Context(), s)
		if test.want == camera.Receiving {
			if err != nil || st.State != camera.Receiving || info.Certificate != fingerprint || info.Auth == "" {
				t.Errorf("%s: %v, %+v", name, err, info)
			}
			continue
		}
		if camera.StateOf(err) != test.want || c.Sessions() != 0 || leaks(fmt.Sprint(err)) {
			t.Errorf("%s: %v (%s) after %d sessions", name, err, camera.StateOf(err), c.Sessions())
		}
	}
	// A camera that has no certificate at that port.
	plain := cameratest.Serve(t, film, nil)
	s := source(t, strings.Replace(plain.Address(), "rtsp:", "rtsps:", 1), "", "")
	if _, err := camera.Probe(t.Context(), s); err == nil {
		t.Error("an open connection is taken for an encrypted one")
	}
}

// What cameras answer that is not by the book and can be understood all the same.
func TestAnswersThatAreMeantWell(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	describe := func(header ...string) func(*cameratest.Call, cameratest.Request) (string, bool) {
		return func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "200 OK", cameratest.SDP("trackID=0"), header...), r.Method == "DESCRIBE"
		}
	}
	together(t, map[string]func(*cameratest.Call, cameratest.Request) (string, bool){
		"no type":                  describe(),
		"a type of its own":        describe("Content-Type: text/plain"),
		"a base that begins twice": describe("Content-Type: application/sdp", "Content-Base: rtsp://rtsp://127.0.0.1/stream/"),
		"a base that is none":      describe("Content-Type: application/sdp", "Content-Base: %zz:::"),
		"a base without a scheme":  describe("Content-Type: application/sdp", "Content-Base: 192.168.1.20/stream"),
		"two bases":                describe("Content-Type: application/sdp", "Content-Base: rtsp://127.0.0.1/", "Content-Base: rtsp://127.0.0.1/"),
		"an inner address":         describe("Content-Type: application/sdp", "Content-Base: rtsp://[::ffff:192.168.1.20]:554/stream/"),
		"numbers of its own": func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			r.CSeq = "7"
			return cameratest.Honest(r), r.Method == "OPTIONS"
		},
		"no numbers": func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			return strings.Replace(cameratest.Honest(r), "CSeq", "X", 1), r.Method == "OPTIONS"
		},
		"no OPTIONS": func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "501 Not Implemented", ""), r.Method == "OPTIONS"
		},
		"other channels": func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "200 OK", "", "Session: 1;timeout=20", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc=1"), r.Method == "SETUP"
		},
		"junk between its sentences": func(c *cameratest.Call, r cameratest.Request) (string, bool) {
			c.Send([]byte("\r\n\x00\xff oh\r\n"))
			return cameratest.Honest(r), r.Method == "OPTIONS"
		},
	}, func(t *testing.T, name string, answer func(*cameratest.Call, cameratest.Request) (string, bool)) {
		r := cameratest.Misbehave(t, film, cameratest.Misdeed{Answer: answer}, nil)
		if _, err := camera.Probe(t.Context(), patient(t, r.Address())); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
}

// When we end a session the camera is told, whatever it is sending at that moment.
func TestTheCameraIsToldOfTheEnd(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	r := cameratest.Misbehave(t, film, cameratest.Misdeed{Play: func(c *cameratest.Call) {
		for n := 0; c.Picture(film[n%len(film)]); n++ { // as fast as the line carries
		}
	}}, nil)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		camera.Receive(ctx, patient(t, r.Address()), func(media.Unit) { cancel() })
		cancel()
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		n := strings.Count(r.Heard(), "TEARDOWN rtsp://")
		if n == 5 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d of 5 sessions were ended with a word", n)
		}
	}
}

// A camera that chokes on the question for sound is not asked for it again at once.
func TestSoundThatCannotBeHad(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	sdp := cameratest.SDP("trackID=0") + "m=audio 0 RTP/AVP 8\r\na=control:trackID=1\r\n"
	together(t, map[string]string{"refuses": "461 Unsupported Transport", "hangs up": "", "talks nonsense": "200 OK"}, func(t *testing.T, name, status string) {
		r := cameratest.Misbehave(t, film, cameratest.Misdeed{Answer: func(c *cameratest.Call, q cameratest.Request) (string, bool) {
			if q.Method != "SETUP" || !strings.HasSuffix(q.URL, "trackID=1") {
				return "", false
			}
			if status == "" {
				c.HangUp()
			}
			return cameratest.Reply(q, status, "", "Session: 1", "Transport: ???"), true
		}}, func(r *cameratest.Rogue) { r.Describe = sdp })
		s := patient(t, r.Address())
		s.Sound, s.Delays = true, []time.Duration{20 * time.Millisecond}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var last camera.Status
		camera.Follow(ctx, s, func(media.Unit) {}, func(s camera.Status) {
			if last = s; s.State == camera.Receiving {
				cancel()
			}
		})
		if last.State != camera.Receiving || last.Sessions > 2 || last.Audio != "" {
			t.Errorf("%s: %+v", name, last)
		}
	})
}
