package camera_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
)

// How cameras of well-known brands pack their pictures, which no standard has told
// them to: they are received all the same, whole and in one session.
func TestPacketsThatAreMeantWell(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=2")
	stamp := func(n int) uint32 { return uint32(n) * 90000 / cameratest.Rate }
	set := func(nal []byte) bool { return nal[0]&0x1f == 7 || nal[0]&0x1f == 8 }
	cameratest.AtOnce(t, map[string]func(c *cameratest.Call, n int, nals [][]byte) bool{
		"parameter sets as pictures of their own": func(c *cameratest.Call, n int, nals [][]byte) bool {
			var rest [][]byte
			for _, nal := range nals {
				if set(nal) {
					c.Packet(0, stamp(n), true, nal)
				} else {
					rest = append(rest, nal)
				}
			}
			return c.Stamped(rest, stamp(n))
		},
		"a picture in one piece with start codes": func(c *cameratest.Call, n int, nals [][]byte) bool {
			return c.Stamped([][]byte{bytes.Join(nals, []byte{0, 0, 0, 1})}, stamp(n))
		},
		"pieces that begin and end at once": func(c *cameratest.Call, n int, nals [][]byte) bool {
			for _, nal := range nals {
				if len(nal) < 1000 {
					c.Packet(0, stamp(n), false, append([]byte{nal[0]&0xe0 | 28, 0xc0 | nal[0]&0x1f}, nal[1:]...))
				} else {
					c.Stamped([][]byte{nal}, stamp(n))
				}
			}
			return c.On()
		},
		"parameter sets in one packet": func(c *cameratest.Call, n int, nals [][]byte) bool {
			packed, rest := []byte{24}, [][]byte{}
			for _, nal := range nals {
				if set(nal) {
					packed = append(append(packed, byte(len(nal)>>8), byte(len(nal))), nal...)
				} else {
					rest = append(rest, nal)
				}
			}
			if len(packed) > 1 {
				c.Packet(0, stamp(n), false, packed)
			}
			return c.Stamped(rest, stamp(n))
		},
		"no marker": func(c *cameratest.Call, n int, nals [][]byte) bool {
			for _, nal := range nals {
				for first := byte(0x80); len(nal) > 1; first = 0 {
					m := min(len(nal)-1, 1000)
					end := byte(0)
					if m == len(nal)-1 {
						end = 0x40
					}
					c.Packet(0, stamp(n), false, append([]byte{nal[0]&0xe0 | 28, first | end | nal[0]&0x1f}, nal[1:1+m]...))
					nal = append([]byte{nal[0]}, nal[1+m:]...)
				}
			}
			return c.On()
		},
		"parts of no known kind": func(c *cameratest.Call, n int, nals [][]byte) bool {
			return c.Stamped(append([][]byte{{0x1e, 1, 2}, {0, 1, 2}, {0x0c, 0xff}}, nals...), stamp(n))
		},
	}, func(name string, send func(*cameratest.Call, int, [][]byte) bool) func() {
		_, f := odd(t, film, plays(func(c *cameratest.Call) {
			began := time.Now()
			for n := 0; send(c, n, film[n%len(film)]); n++ {
				c.Sleep(time.Until(began.Add(time.Duration(n+1) * time.Second / cameratest.Rate)))
			}
		}), nil, nil)
		f.name = name
		return func() {
			f.await(t, "45 pictures", func(camera.Status) bool { return f.count() >= 45 })
			if s := f.now(); s.State != camera.Receiving || s.Sessions != 1 || s.Width != 160 || s.Damaged > 0 {
				t.Errorf("%s: %+v", name, s)
			}
		}
	})
}

// Packets come on other channels than were asked for, if the camera has said so.
func TestChannelsThatAreMeantWell(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=2")
	_, f := odd(t, film, cameratest.Misdeed{
		Answer: func(_ *cameratest.Call, r cameratest.Request) (string, bool) {
			return cameratest.Reply(r, "200 OK", "", "Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=6-7"), r.Method == "SETUP"
		},
		Play: func(c *cameratest.Call) {
			c.Channel = 6
			for n := 0; c.Picture(film[n%len(film)]) && c.Sleep(time.Second/cameratest.Rate); n++ {
			}
		},
	}, nil, nil)
	f.await(t, "to be received", received)
}
