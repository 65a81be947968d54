package camera_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// The streams in this file are odd, but they are streams: they are received, and the
// tests say how.

// odd follows a rogue camera with the password that does m.
func odd(t *testing.T, film cameratest.Film, m cameratest.Misdeed, keep func(media.Unit), change func(*cameratest.Rogue, *camera.Source)) (*cameratest.Rogue, *followed) {
	t.Helper()
	var s camera.Source
	r := cameratest.Misbehave(t, film, m, func(r *cameratest.Rogue) {
		r.User, r.Password = "admin", secret
		if change != nil {
			change(r, &s)
		}
	})
	base := source(t, r.Address(), "admin", secret)
	base.Unchanged, base.Sound = s.Unchanged, s.Sound
	base.Patience, base.Delays = 2*time.Second, []time.Duration{50 * time.Millisecond}
	if s.Patience > 0 {
		base.Patience = s.Patience
	}
	return r, follow(t, base, keep)
}

// Another size in the same session, another codec in the same session, and back.
func TestSizeAndCodecChange(t *testing.T) {
	t.Parallel()
	small := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=3")
	large := cameratest.Encode(t, "testsrc2=size=320x192:rate=15:duration=3")
	r, f := odd(t, small, cameratest.Misdeed{}, nil, func(_ *cameratest.Rogue, s *camera.Source) { s.Patience = 400 * time.Millisecond })
	f.await(t, "the small picture", func(s camera.Status) bool { return s.Width == 160 })
	r.Do(plays(func(c *cameratest.Call) {
		for n := 0; c.Picture(large[n%len(large)]) && c.Sleep(time.Second/cameratest.Rate); n++ {
		}
	}))
	if s := f.await(t, "the large picture", func(s camera.Status) bool { return s.Width == 320 }); s.Sessions != 1 || s.State != camera.Receiving || s.Height != 192 {
		t.Errorf("%+v, want the same session to go on", s)
	}
	modern := cameratest.Encode265(t, "testsrc2=size=192x128:rate=15:duration=3")
	m := described(strings.ReplaceAll(strings.ReplaceAll(cameratest.SDP("trackID=0"), "H264", "H265"), "a=fmtp:96 packetization-mode=1\r\n", ""))
	m.Play = func(c *cameratest.Call) {
		c.H265 = true
		for n := 0; c.Picture(modern[n%len(modern)]) && c.Sleep(time.Second/cameratest.Rate); n++ {
		}
	}
	r.Do(m)
	if s := f.await(t, "H.265", func(s camera.Status) bool { return s.Width == 192 }); s.Sessions < 2 || !strings.HasPrefix(s.Codec, "hvc1") {
		t.Errorf("%+v, want another session with H.265", s)
	}
	r.Behave()
	if s := f.await(t, "H.264 again", func(s camera.Status) bool { return s.Width == 160 }); !strings.HasPrefix(s.Codec, "avc1") {
		t.Errorf("%+v", s)
	}
}

// With a patience of two seconds, a key frame each four seconds is what one in 20 seconds is
// with the true patience of ten; the limit is nine times the patience.
func TestKeyFrameAMinute(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=8", "-g", "60")
	film = append(slices.Clone(film[30:]), film[:30]...)
	_, f := odd(t, film, cameratest.Misdeed{}, nil, func(_ *cameratest.Rogue, s *camera.Source) { s.Patience = 2 * time.Second })
	f.await(t, "to be received", received)
	f.await(t, "the next key frame", func(camera.Status) bool { return f.count() > 65 })
	if s := f.now(); s.Sessions > 2 { // the first may be cut off by a busy machine
		t.Errorf("%+v", s)
	}
}

// Whatever a camera stamps its pictures with, they are shown in their order, at about
// the pace at which they came, and were taken now.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=2")
	const tick = 90000 / cameratest.Rate
	cameratest.AtOnce(t, map[string]func(n uint32) uint32{
		"always 0":              func(uint32) uint32 { return 0 },
		"backwards":             func(n uint32) uint32 { return 1<<31 - n*tick },
		"a jump of 10 hours":    func(n uint32) uint32 { return n*tick + n/15*36000*90000 },
		"a jump back":           func(n uint32) uint32 { return 1<<30 + n*tick - n/20*90000*100 },
		"wrapping":              func(n uint32) uint32 { return n*tick - 10*tick },
		"beginning anew":        func(n uint32) uint32 { return n % 20 * tick },
		"all over":              func(n uint32) uint32 { return n * 2654435761 },
		"a thousand times fast": func(n uint32) uint32 { return n * tick * 1000 },
	}, func(name string, stamp func(uint32) uint32) func() {
		began := time.Now()
		var units []media.Unit
		_, f := odd(t, film, plays(func(c *cameratest.Call) {
			for n := 0; c.Stamped(film[n%len(film)], stamp(uint32(n))) && c.Sleep(time.Second/cameratest.Rate); n++ {
			}
		}), func(u media.Unit) { units = append(units, u) }, nil)
		f.name = name
		return func() {
			f.await(t, "60 pictures", func(camera.Status) bool { return f.count() >= 60 })
			if s := f.now(); s.State != camera.Receiving || s.Sessions != 1 {
				t.Errorf("%s: %+v", name, s)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			var key media.Ticks
			for i, u := range units {
				if u.Taken.Before(began) || u.Taken.After(u.Received.Add(time.Millisecond)) {
					t.Errorf("%s: unit %d was taken %v after the beginning, received %v", name, i, u.Taken.Sub(began), u.Received.Sub(began))
				}
				if u.Key {
					if u.PTS <= key && i > 0 {
						t.Errorf("%s: the key unit %d is shown at %d, after one at %d", name, i, u.PTS, key)
					}
					key = u.PTS
				}
			}
			last := units[len(units)-1]
			spent, shown := last.Received.Sub(units[0].Received), (last.PTS - units[0].PTS).Duration()
			if name != "a thousand times fast" && shown > 3*spent+5*time.Second {
				t.Errorf("%s: what came in %v is shown in %v", name, spent, shown)
			}
		}
	})
}

// The camera's own clock is not believed: neither what its reports say (RTCP) nor its
// description.
func TestCameraClock(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=2")
	cameratest.AtOnce(t, map[string]int{"1900": 1900, "1970": 1970, "2036": 2036, "2099": 2099}, func(name string, year int) func() {
		began := time.Now()
		seconds := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC).Unix() + 2208988800
		_, f := odd(t, film, plays(func(c *cameratest.Call) {
			for n := 0; c.Picture(film[n%len(film)]) && c.Sleep(time.Second/cameratest.Rate); n++ {
				report := []byte{0x80, 200, 0, 6, 1, 2, 3, 0}
				report = binary.BigEndian.AppendUint32(report, uint32(seconds))
				report = binary.BigEndian.AppendUint32(report, 0)
				report = binary.BigEndian.AppendUint32(report, uint32(n)*6000)
				c.Frame(1, append(report, make([]byte, 8)...))
			}
		}), func(u media.Unit) {
			if u.Taken.Before(began) || u.Taken.After(time.Now()) {
				t.Errorf("%s: taken %v", name, u.Taken)
			}
		}, func(r *cameratest.Rogue, _ *camera.Source) {
			r.Describe = strings.Replace(r.Describe, "t=0 0", fmt.Sprintf("t=%d %d\r\na=range:clock=%d0101T000000Z-", seconds, seconds+60, year), 1)
		})
		f.name = name
		return func() {
			f.await(t, "40 pictures", func(camera.Status) bool { return f.count() >= 40 })
			if s := f.now(); s.State != camera.Receiving || s.Sessions != 1 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	})
}

// The same picture over and over is said, connected to anew once in a while, and
// handed on all the same; TestFrozen shows what is taken for frozen and what is not.
func TestFrozenCamera(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=8", "-g", "3")
	r, f := odd(t, film, plays(func(c *cameratest.Call) {
		for c.Picture(film[0]) && c.Sleep(time.Second/cameratest.Rate) {
		}
	}), nil, func(_ *cameratest.Rogue, s *camera.Source) { s.Unchanged = time.Second })
	s := f.await(t, "to be frozen", func(s camera.Status) bool { return s.State == camera.Frozen })
	if time.Since(s.Since) < time.Second || !strings.Contains(s.State.Says(), "same picture") {
		t.Errorf("%+v", s)
	}
	again := f.await(t, "another session", func(s camera.Status) bool { return s.Sessions == 2 && s.Width == 160 })
	if again.State != camera.Frozen || again.Err != nil || again.Since.Before(s.Since.Add(-time.Second)) {
		t.Errorf("%+v, want it to be frozen still", again)
	}
	seen := f.count()
	time.Sleep(500 * time.Millisecond)
	if s := f.now(); f.count() == seen || s.Sessions != 2 {
		t.Errorf("%d pictures more, %+v", f.count()-seen, s)
	}
	r.Behave()
	f.await(t, "to be received", received)
}

func TestManyPicturesASecond(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=4")
	_, f := odd(t, film, plays(func(c *cameratest.Call) {
		began := time.Now()
		for n := 0; c.Picture(film[n%len(film)]); n++ {
			c.Sleep(time.Until(began.Add(time.Duration(n) * time.Second / 120)))
		}
	}), nil, nil)
	s := f.await(t, "to be measured", func(s camera.Status) bool { return s.Rate > 0 })
	if s.State != camera.Receiving || s.Sessions != 1 || s.Damaged != 0 || s.Rate < 60 || s.Rate > 180 {
		t.Errorf("%+v", s)
	}
}

// Against a camera that checks the password by the book, without a library.
func TestPasswordsByTheBook(t *testing.T) {
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1")
	for _, scheme := range []string{"Basic", "Digest", "SHA-256"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			for _, password := range []string{`@:/?#%&'" \`, "a b", " a ", "%41+%2f", "пароль€😀", strings.Repeat("64", 32), `\"\\`, ",=;", "***"} {
				r := cameratest.Misbehave(t, film, cameratest.Misdeed{}, func(r *cameratest.Rogue) {
					r.User, r.Password, r.Scheme = "john.doe@home", password, scheme
				})
				s := source(t, r.Address(), "john.doe@home", password)
				s.Patience = 5 * time.Second
				if st, err := camera.Probe(t.Context(), s); err != nil || st.Width != 64 {
					t.Errorf("%q: %v, %+v", password, err, st)
				}
				if right, wrong := r.Logins(); right == 0 || wrong > 0 {
					t.Errorf("%q: %d right logins, %d wrong ones", password, right, wrong)
				}
				s.Credentials.Password = camera.NewSecret(password + "x")
				if _, err := camera.Probe(t.Context(), s); camera.StateOf(err) != camera.WrongPassword {
					t.Errorf("%qx: %v", password, err)
				}
				if _, wrong := r.Logins(); wrong != 1 {
					t.Errorf("%qx: %d logins were tried, want 1", password, wrong)
				}
			}
		})
	}
}

// Sound is not worth a picture: whatever it is, and whether it comes or not, the
// pictures are received in one session. What comes of good sound is shown by the tests
// of sound.
func TestOddSound(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=2")
	alaw := bytes.Repeat([]byte{0xd5}, 533)
	type track struct {
		describe string // of the track
		sound    []byte // with each picture
		from, to int    // pictures
		refuse   bool   // to set it up
	}
	cameratest.AtOnce(t, map[string]track{
		"of an unknown coding":  {"a=rtpmap:97 X-NONE/8000", alaw, 0, 999, false},
		"of G.726":              {"a=rtpmap:97 G726-32/8000", alaw, 0, 999, false},
		"without a description": {"a=x", alaw, 0, 999, false},
		"that starts late":      {"a=rtpmap:97 PCMA/8000", alaw, 30, 999, false},
		"that stops":            {"a=rtpmap:97 PCMA/8000", alaw, 0, 20, false},
		"that never comes":      {"a=rtpmap:97 PCMU/8000", nil, 0, 0, false},
		"that is refused":       {"a=rtpmap:97 PCMA/8000", nil, 0, 0, true},
		"at an absurd rate":     {"a=rtpmap:97 PCMA/4000000000", alaw, 0, 999, false},
		"in large packets":      {"a=rtpmap:97 PCMA/8000", make([]byte, 60_000), 0, 999, false},
		"of AAC, undescribed":   {"a=rtpmap:97 MPEG4-GENERIC/16000/1", alaw, 0, 999, false},
		"of AAC, misdescribed":  {"a=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 config=zz;sizelength=99;indexlength=-3", alaw, 0, 999, false},
		"of AAC, in junk":       {"a=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 mode=AAC-hbr;config=1408;sizelength=13;indexlength=3;indexdeltalength=3", bytes.Repeat([]byte{0xff}, 700), 0, 999, false},
		"of Opus, in junk":      {"a=rtpmap:97 opus/48000/2", bytes.Repeat([]byte{0xff}, 700), 0, 999, false},
	}, func(name string, test track) func() {
		m := plays(func(c *cameratest.Call) {
			began := time.Now()
			for n := 0; c.Picture(film[n%len(film)]); n++ {
				if n >= test.from && n < test.to {
					c.Packet(2, uint32(n)*533, true, test.sound)
				}
				c.Sleep(time.Until(began.Add(time.Duration(n+1) * time.Second / cameratest.Rate)))
			}
		})
		m.Answer = func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			refused := test.refuse && r.Method == "SETUP" && strings.HasSuffix(r.URL, "trackID=1")
			return cameratest.Reply(r, "461 Unsupported Transport", ""), refused
		}
		_, f := odd(t, film, m, nil, func(r *cameratest.Rogue, s *camera.Source) {
			r.Describe += "m=audio 0 RTP/AVP 97\r\na=control:trackID=1\r\n" + test.describe + "\r\n"
			s.Sound = true
		})
		f.name = name
		return func() {
			f.await(t, "60 pictures", func(camera.Status) bool { return f.count() >= 60 })
			if s := f.now(); s.State != camera.Receiving || s.Sessions != 1 || s.Width != 160 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	})
}
