package camera_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// followed is a camera that is followed until the test ends.
type followed struct {
	name string
	want []camera.State

	mu     sync.Mutex // protects what follows
	said   []camera.Status
	text   strings.Builder // everything that was said, as logs and people would have it
	units  int
	newest media.Unit
	keep   func(media.Unit)
}

func follow(t *testing.T, s camera.Source, keep func(media.Unit)) *followed {
	t.Helper()
	f := &followed{keep: keep}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		camera.Follow(ctx, s, f.take, f.tell)
	}()
	t.Cleanup(func() {
		stop()
		<-done
	})
	return f
}

func (f *followed) take(u media.Unit) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.units++
	f.newest = u
	if f.keep != nil {
		f.keep(u)
	}
}

func (f *followed) tell(s camera.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.said = append(f.said, s)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Warn("camera", "status", s, "error", s.Err)
	fmt.Fprintf(&f.text, "%+v %s %s", s, s.State.Says(), &log)
}

func (f *followed) now() camera.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.said) == 0 {
		return camera.Status{}
	}
	return f.said[len(f.said)-1]
}

func (f *followed) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.units
}

// await waits until the status is as wished, and returns it.
func (f *followed) await(t *testing.T, what string, wish func(camera.Status) bool) camera.Status {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if s := f.now(); wish(s) {
			return s
		}
	}
	s := f.now()
	t.Errorf("%s: want %s, it stays %s (%v)", f.name, what, s.State, s.Err)
	return s
}

// spared checks that a good camera that was followed all the while has noticed nothing.
func (f *followed) spared(t *testing.T, since time.Time) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if want := int(time.Since(since).Seconds() * cameratest.Rate * 0.7); f.units < want {
		t.Errorf("the good camera gave %d pictures in %v, want at least %d", f.units, time.Since(since), want)
	}
	for _, s := range f.said {
		if s.State != camera.Connecting && s.State != camera.Receiving || s.Sessions > 1 || s.Damaged > 0 {
			t.Errorf("the good camera became %+v", s)
		}
	}
}

// heap samples how many bytes live in memory until the returned function is called,
// which returns the most above what there were at first.
func heap() func() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	runtime.GC()
	return cameratest.Peak(func() int64 { metrics.Read(sample); return int64(sample[0].Value.Uint64()) })
}

// ill is a misdeed and the states of which it must lead to one.
type ill struct {
	cameratest.Misdeed
	want []camera.State
}

func at(method string, answer func(*cameratest.Call, cameratest.Request) string) cameratest.Misdeed {
	return cameratest.Misdeed{Answer: func(c *cameratest.Call, r cameratest.Request) (string, bool) {
		if r.Method != method || method == "DESCRIBE" && r.Header["Authorization"] == "" {
			return "", false // it wants to know who asks first
		}
		return answer(c, r), true
	}}
}

func described(sdp string) cameratest.Misdeed {
	return at("DESCRIBE", func(_ *cameratest.Call, r cameratest.Request) string {
		return cameratest.Reply(r, "200 OK", sdp, "Content-Type: application/sdp")
	})
}

func refused(method, status string, header ...string) cameratest.Misdeed {
	return at(method, func(_ *cameratest.Call, r cameratest.Request) string {
		return cameratest.Reply(r, status, "", header...)
	})
}

func silent(method string) cameratest.Misdeed {
	return at(method, func(*cameratest.Call, cameratest.Request) string { return "" })
}

func plays(play func(*cameratest.Call)) cameratest.Misdeed { return cameratest.Misdeed{Play: play} }

// ills are what cameras do to us; the numbers are the rows of docs/bad-input.md.
func ills(film cameratest.Film, elsewhere string) map[string]ill {
	key := film[0]
	with := func(sps []byte) cameratest.Misdeed {
		return plays(func(c *cameratest.Call) { c.Picture(append([][]byte{sps}, key[1:]...)) })
	}
	one := func(s ...camera.State) []camera.State { return s }
	return map[string]ill{
		"1: a torn description":            {described("v=0\r\nm=video"), one(camera.Unusable)},
		"1: an empty description":          {described(""), one(camera.Unusable, camera.NoVideo)},
		"1: a description of 2 MB":         {described(strings.Repeat("a=x\r\n", 400_000)), one(camera.Unusable)},
		"1: no description":                {refused("DESCRIBE", "200 OK", "Content-Type: text/html"), one(camera.Unusable)},
		"2: junk for pictures":             {plays(func(c *cameratest.Call) { noise(c, true) }), one(camera.Silent, camera.Unusable, camera.Lost)},
		"2: junk for packets":              {plays(func(c *cameratest.Call) { noise(c, false) }), one(camera.Silent, camera.Unusable, camera.Lost)},
		"2: a length that lies":            {plays(func(c *cameratest.Call) { c.Send([]byte{'$', 0, 0xff, 0xff, 1, 2, 3}) }), one(camera.Silent)},
		"2: frames without a $":            {plays(func(c *cameratest.Call) { c.Send(bytes.Repeat([]byte{0, 0, 20}, 1000)) }), one(camera.Silent, camera.Lost, camera.Unusable)},
		"3: parameters of 64 KB":           {with(append(slices.Clone(key[1]), make([]byte, 64<<10)...)), one(camera.Unusable, camera.NoKeyFrame, camera.Silent)},
		"3: a picture of a mile":           {with(absurdSPS), one(camera.Unusable)},
		"3: a picture of nothing":          {with([]byte{0x67, 66, 0xc0, 0x1f}), one(camera.Unusable)},
		"5: never a key frame":             {plays(func(c *cameratest.Call) { withoutKeys(c, film) }), one(camera.NoKeyFrame)},
		"8: redirections in a circle":      {refused("DESCRIBE", "302 Moved", "Location: /stream"), one(camera.Elsewhere)},
		"8: a redirection to another host": {refused("DESCRIBE", "302 Moved", "Location: "+elsewhere), one(camera.Elsewhere)},
		"8: a redirection to a file":       {refused("DESCRIBE", "302 Moved", "Location: file:///etc/passwd"), one(camera.Elsewhere)},
		"9: no word at all":                {silent("OPTIONS"), one(camera.Silent)},
		"9: no word after the password":    {silent("DESCRIBE"), one(camera.Silent)},
		"9: no word in the end":            {plays(func(*cameratest.Call) {}), one(camera.Silent)},
		"10: a byte at a time of an answer": {at("DESCRIBE", func(c *cameratest.Call, r cameratest.Request) string {
			c.Drip([]byte(cameratest.Reply(r, "200 OK", strings.Repeat("a=x\r\n", 1000))), 50*time.Millisecond)
			return ""
		}), one(camera.Silent)},
		"10: a byte at a time of a picture": {plays(func(c *cameratest.Call) {
			c.Drip(append([]byte{'$', 0, 4, 0}, make([]byte, 1024)...), 50*time.Millisecond)
		}), one(camera.Silent)},
		"11: 401 for ever":        {refused("SETUP", "401 Unauthorized", `WWW-Authenticate: Digest realm="a camera", nonce="6f1a"`), one(camera.WrongPassword)},
		"too many watch":          {refused("SETUP", "453 Not Enough Bandwidth"), one(camera.Busy)},
		"no such stream":          {refused("DESCRIBE", "404 Not Found"), one(camera.NotFound)},
		"a broken camera":         {refused("PLAY", "500 Oops"), one(camera.Unusable)},
		"a camera that hangs up":  {plays(func(c *cameratest.Call) { c.HangUp() }), one(camera.Lost)},
		"19: more than any needs": {plays(func(c *cameratest.Call) { flood(c, film) }), one(camera.Flood)},
	}
}

// TestHostileCameras follows all of them at once, beside a good one: each has its
// state and sentence, all together take little memory, the good one notices nothing,
// and each is received as soon as it behaves.
func TestHostileCameras(t *testing.T) {
	film := cameratest.Encode(t, "testsrc2=size=160x96:rate=15:duration=4")
	other := cameratest.Play(t, func(_ net.Conn, r cameratest.Request) (string, bool) { return cameratest.Honest(r), true })
	locked := func(r *cameratest.Rogue) { r.User, r.Password = "admin", secret }
	good := cameratest.Misbehave(t, film, cameratest.Misdeed{}, locked)
	peak, began := heap(), time.Now()
	well := follow(t, patientAs(t, good.Address()), nil)
	well.await(t, "to be received", received)

	var all sync.WaitGroup
	for name, test := range ills(film, other.Address()) {
		r := cameratest.Misbehave(t, film, test.Misdeed, locked)
		s := source(t, r.Address(), "admin", secret)
		s.Delays = []time.Duration{50 * time.Millisecond, 200 * time.Millisecond}
		f := follow(t, s, nil)
		f.name, f.want = name, test.want
		all.Go(func() {
			s := f.await(t, fmt.Sprint(test.want), func(s camera.Status) bool { return slices.Contains(test.want, s.State) })
			if s.State.Says() == "" || s.Since.Before(began) || s.Err == nil || s.Retry.IsZero() {
				t.Errorf("%s: %+v", name, s)
			}
			r.Behave()
			s = f.await(t, "to be received again", received)
			if s.Err != nil || time.Since(s.Last) > 10*time.Second || s.Width != 160 {
				t.Errorf("%s: afterwards %+v", name, s)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			if leaks(f.text.String()) {
				t.Errorf("%s: the password is in %s", name, &f.text)
			}
			if right, wrong := r.Logins(); right == 0 || wrong > 0 {
				t.Errorf("%s: %d right and %d wrong logins, so this shows nothing of the password", name, right, wrong)
			}
		})
	}
	all.Wait()
	well.spared(t, began)
	if n := other.Connections(); n != 0 {
		t.Errorf("the other host was called %d times", n)
	}
	most := peak()
	t.Logf("at most %d MB more memory than before", most>>20)
	if most > 128<<20 {
		t.Errorf("all together took %d MB", most>>20)
	}
}

// patientAs is a source with the password, for a camera that must not be disturbed.
func patientAs(t *testing.T, address string) camera.Source {
	s := source(t, address, "admin", secret)
	s.Patience = 5 * time.Second
	return s
}

func received(s camera.Status) bool { return s.State == camera.Receiving }

// noise sends frames of random bytes, with an RTP header of ours or without.
func noise(c *cameratest.Call, header bool) {
	for i := 0; i < 2000 && c.On(); i++ {
		b := make([]byte, 1+i*7919%300)
		for j := range b {
			b[j] = byte((i*31 + j*17) * (j + 3) >> 2)
		}
		if header {
			c.Packet(0, uint32(i)*6000, true, b)
		} else {
			c.Frame(byte(i%3), b)
		}
	}
}

func withoutKeys(c *cameratest.Call, film cameratest.Film) {
	for n := 0; ; n++ {
		if n%cameratest.Rate != 0 && !c.Picture(film[n%len(film)]) || !c.Sleep(time.Second/cameratest.Rate) {
			return
		}
	}
}

func flood(c *cameratest.Call, film cameratest.Film) {
	for n := 0; c.Picture(film[n%len(film)]); n++ {
	}
}
