package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/demo/paint"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

const password = `p@ss:w%rd "1"/?`

// watched is a camera that is being watched, and the sink of its events.
type watched struct {
	t      *testing.T
	refuse bool // the sink takes nothing

	begun, ended chan taken
	done         chan error
	stop         context.CancelFunc

	mu     sync.Mutex // protects what follows
	log    bytes.Buffer
	status event.Status
	said   []string
}

// taken is what the sink was told.
type taken struct {
	event.Event
	at        time.Time
	thumbnail []byte
	clip      []byte
}

var errRefused = errors.New("the disk is full")

func (w *watched) Begin(_ context.Context, e event.Event, thumbnail []byte) error {
	w.begun <- taken{e, time.Now(), thumbnail, nil}
	if w.refuse {
		return errRefused
	}
	return nil
}

func (w *watched) End(_ context.Context, e event.Event, clip func(io.Writer) error) error {
	var b, again bytes.Buffer
	if err := errors.Join(clip(&b), clip(&again)); err != nil || !bytes.Equal(b.Bytes(), again.Bytes()) {
		w.t.Errorf("write clip: %v", err)
	}
	w.ended <- taken{e, time.Now(), nil, b.Bytes()}
	if w.refuse {
		return errRefused
	}
	return nil
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(p)
}

func (w *watched) told(s event.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status, w.said = s, append(w.said, s.Says(), fmt.Sprintf("%+v", s))
}

func (w *watched) now() event.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.status
}

// watch watches a camera with short rolls until the test ends.
func watch(t *testing.T, change func(*watched, *event.Config)) *watched {
	t.Helper()
	w := &watched{t: t, begun: make(chan taken, 1000), ended: make(chan taken, 1000), done: make(chan error, 1)}
	ctx, stop := context.WithCancel(t.Context())
	w.stop = stop
	c := event.Config{
		Camera: latchkey.NewCameraID(), Sink: w, Status: w.told, Log: slog.New(slog.NewTextHandler(w, nil)),
		Credentials: camera.Credentials{User: camera.NewSecret("viewer"), Password: camera.NewSecret(password)},
		PreRoll:     time.Second, PostRoll: time.Second, Together: time.Millisecond, Patience: 3 * time.Second, Delays: []time.Duration{100 * time.Millisecond},
	}
	change(w, &c)
	go func() { w.done <- event.Watch(ctx, c) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-w.done:
			if err != nil {
				t.Errorf("watch: %v", err)
			}
		case <-time.After(patience):
			t.Error("the watching does not end")
		}
		if text := w.log.String() + strings.Join(w.said, "\n"); strings.Contains(text, password) || strings.Contains(text, "w%25rd") {
			t.Errorf("the password is in what was said or logged:\n%s", text)
		}
	})
	return w
}

// patience is how long anything may take on a machine that does much else.
const patience = time.Minute

func await[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("nothing within %v", patience)
		panic("unreachable")
	}
}

// eventually waits until the camera's status is as wished.
func (w *watched) eventually(wish func(event.Status) bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); !wish(w.now()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("the status stays %+v", w.now())
		}
	}
}

func serve(t *testing.T, film cameratest.Film) *cameratest.Camera {
	t.Helper()
	return cameratest.Serve(t, film, func(c *cameratest.Camera) { c.User, c.Password = "viewer", password })
}

// checkPair checks an event's beginning and end against each other.
func checkPair(t *testing.T, b, e taken) {
	t.Helper()
	if b.ID != e.ID || b.ID == (latchkey.EventID{}) || b.Camera != e.Camera || b.Start != e.Start || e.Picture != b.Picture {
		t.Errorf("begun as %+v, ended as %+v", b.Event, e.Event)
	}
	order := []clock.Moment{e.Clip.Start, e.Start, e.Stages.Received, e.Stages.Decided, e.Stages.Still}
	for i := 1; i < len(order); i++ {
		if order[i].Sub(order[i-1]) < -time.Millisecond { // two readings of two clocks
			t.Errorf("moment %d is before the one before it: %+v", i, order)
		}
	}
	if at := e.Start.Wall.Time(); time.Since(at) < 0 || time.Since(at) > time.Minute {
		t.Errorf("the event is of %v", at)
	}
	if img, err := jpeg.Decode(bytes.NewReader(b.thumbnail)); err != nil || img.Bounds().Dx() > 640 {
		t.Errorf("thumbnail of %d bytes: %v", len(b.thumbnail), err)
	}
	if int64(len(e.clip)) != e.Clip.Bytes {
		t.Errorf("clip of %d bytes, %d announced", len(e.clip), e.Clip.Bytes)
	}
}

// checkClip asks ffprobe what it thinks of a clip.
func checkClip(t *testing.T, e taken, width, height int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, e.clip, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffprobe", "-v", "warning", "-of", "json", "-show_format", "-show_streams", "-show_packets", "-select_streams", "v", file)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffprobe: %v: %s", err, &complaints)
	}
	var p struct {
		Streams []struct{ Width, Height int }
		Format  struct{ Duration string }
		Packets []struct {
			DTS   int64
			Flags string
		}
	}
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	if p.Streams[0].Width != width || p.Streams[0].Height != height || e.Clip.Width != width || e.Clip.Height != height {
		t.Errorf("%+v, announced as %dx%d", p.Streams, e.Clip.Width, e.Clip.Height)
	}
	seconds, _ := strconv.ParseFloat(p.Format.Duration, 64)
	if d := e.Clip.Duration.Seconds(); seconds < d-0.1 || seconds > d+0.1 {
		t.Errorf("lasts %g s, announced as %g", seconds, d)
	}
	if p.Packets[0].Flags[0] != 'K' || p.Packets[0].DTS != 0 {
		t.Errorf("begins with %+v", p.Packets[0])
	}
	for i := 1; i < len(p.Packets); i++ {
		if p.Packets[i].DTS <= p.Packets[i-1].DTS {
			t.Errorf("packet %d is decoded at %d, after one at %d", i, p.Packets[i].DTS, p.Packets[i-1].DTS)
		}
	}
}

// The whole chain, with a main and a sub stream.
func TestWatch(t *testing.T) {
	t.Parallel()
	mainFilm := cameratest.Encode(t, cameratest.Mover(640, 360, 10, 4, 6))
	subFilm := cameratest.Encode(t, cameratest.Mover(320, 180, 10, 4, 6))
	mainCamera, subCamera := serve(t, mainFilm), serve(t, subFilm)
	mainCamera.Play(t, mainFilm)
	subCamera.Play(t, subFilm)
	var units, looked [2]atomic.Int64 // those of the main stream and of the other
	w := watch(t, func(_ *watched, c *event.Config) {
		c.Main, c.Sub = mainCamera.Address(), subCamera.Address()
		tap := func(stream, width int) func(media.Unit) {
			return func(u media.Unit) {
				if units[stream].Add(1); u.Parameters.Width() != width {
					t.Errorf("a unit of a picture %d pixels wide, want %d", u.Parameters.Width(), width)
				}
			}
		}
		c.OnMain, c.OnSub = tap(0, 640), tap(1, 320)
		c.OnMotion = func(a motion.Activity) {
			looked[0].Add(1)
			if a.Moving {
				looked[1].Add(1)
			}
		}
	})
	b := await(t, w.begun)
	e := await(t, w.ended)
	checkPair(t, b, e)
	checkClip(t, e, 320, 180)
	if !e.Clip.Sub {
		t.Error("the clip of the sub-stream is not said to be that")
	}
	if picture, err := jpeg.DecodeConfig(bytes.NewReader(b.thumbnail)); err != nil || picture.Width != 640 {
		t.Errorf("the thumbnail is %d pixels wide, want the main stream's 640", picture.Width)
	}
	if units[0].Load() < 60 || units[1].Load() < 60 || looked[0].Load() < 20 || looked[1].Load() < 3 {
		t.Errorf("%d units of the main stream and %d of the other, %d pictures looked at, %d of them moving",
			units[0].Load(), units[1].Load(), looked[0].Load(), looked[1].Load())
	}
	if !b.at.Before(e.at) {
		t.Error("the event ended before it began")
	}
	// Moving from 4 to 6 s, a second before and after; whole groups are of a second.
	if d := e.Clip.Duration; d < 3*time.Second || d > 6*time.Second {
		t.Errorf("the clip lasts %v", d)
	}
	if moved := e.End.Sub(e.Start); moved < time.Second || moved > 3500*time.Millisecond {
		t.Errorf("it moved for %v, want 2 s", moved)
	}
	t.Logf("decided %v, still %v, told %v after the first moving picture was received",
		b.Stages.Decided.Sub(b.Stages.Received), b.Stages.Still.Sub(b.Stages.Received), b.at.Sub(b.Stages.Received.Wall.Time()))
	if s := w.now(); s.Main.State != camera.Receiving && s.Main.State != camera.Silent || s.Motion != nil || s.Lost != 0 {
		t.Errorf("status %+v", s)
	}
}

// The same with a painted camera, as the demo has it.
func TestWatchAPaintedCamera(t *testing.T) {
	t.Parallel()
	c, err := paint.Serve(t.Context(), paint.Config{Scene: paint.Driveway, User: "viewer", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w := watch(t, func(_ *watched, config *event.Config) { config.Main, config.Sub = c.URL(), c.SubURL() })
	b := await(t, w.begun)
	e := await(t, w.ended)
	w.stop()
	checkPair(t, b, e)
	checkClip(t, e, paint.Width/2, paint.Height/2)
	if !strings.Contains(e.Clip.Type, ",mp4a.40.2") {
		t.Errorf("the clip is of type %s, want one with the sound of the scene", e.Clip.Type)
	}
}

// Motion is looked for in the main stream if there is no other, and the size of the
// picture changes while something moves.
func TestChangeOfSizeWhileSomethingMoves(t *testing.T) {
	t.Parallel()
	first := cameratest.Encode(t, cameratest.Mover(320, 180, 5, 3, 5))
	second := cameratest.Encode(t, cameratest.Mover(480, 272, 7, 3, 5))
	c := serve(t, first)
	c.Play(t, first, second)
	w := watch(t, func(_ *watched, config *event.Config) { config.Main = c.Address() })
	b, e := await(t, w.begun), await(t, w.ended)
	checkPair(t, b, e)
	checkClip(t, e, 320, 180)
	b, e = await(t, w.begun), await(t, w.ended)
	checkPair(t, b, e)
	checkClip(t, e, 480, 272)
}

// A sink that fails is reported, and does not stop the next event from coming.
func TestSinkThatFails(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 6, 3, 4))
	again := cameratest.Encode(t, cameratest.Mover(320, 180, 6, 1, 2))
	c := serve(t, film)
	c.Play(t, slices.Repeat([]cameratest.Film{film, again}, 5)...) // motion is missed while ffmpeg starts on a slow machine
	w := watch(t, func(w *watched, config *event.Config) { config.Main, w.refuse = c.Address(), true })
	await(t, w.begun)
	await(t, w.ended)
	w.eventually(func(s event.Status) bool {
		return errors.Is(s.SinkErr, errRefused) && strings.Contains(s.Says(), "could not be kept")
	})
	await(t, w.begun)
	await(t, w.ended)
	if s := w.now(); s.Events != 0 {
		t.Errorf("%d events counted as taken", s.Events)
	}
}

// A camera that falls silent while something moves, and an agent that is stopped then:
// what there is of the event is kept.
func TestEventThatIsCutOff(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 8, 3, 7))
	for name, test := range map[string]struct {
		film cameratest.Film
		stop bool
	}{
		"the camera falls silent": {film[:5*cameratest.Rate], false},
		"the watching is stopped": {film, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := serve(t, test.film)
			c.Play(t, test.film)
			w := watch(t, func(_ *watched, config *event.Config) { config.Main = c.Address() })
			b := await(t, w.begun)
			if test.stop {
				w.stop()
			}
			e := await(t, w.ended)
			checkPair(t, b, e)
			checkClip(t, e, 320, 180)
			if !test.stop {
				w.eventually(func(s event.Status) bool { return s.Main.State == camera.Silent || s.Main.Sessions > 1 })
			}
		})
	}
}

// Without a decoder the camera is received all the same, and people are told.
func TestWithoutFFmpeg(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 6, 3, 4))
	c := serve(t, film)
	c.Play(t, film)
	w := watch(t, func(_ *watched, config *event.Config) { config.Main, config.FFmpeg = c.Address(), "no-such-ffmpeg" })
	w.eventually(func(s event.Status) bool {
		return s.Main.State == camera.Receiving && s.Motion != nil && strings.Contains(s.Says(), "ffmpeg")
	})
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	c := serve(t, cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=1"))
	w := watch(t, func(_ *watched, config *event.Config) {
		config.Main, config.Credentials.User = c.Address(), camera.NewSecret("nobody")
	})
	w.eventually(func(s event.Status) bool {
		return s.Main.State == camera.WrongPassword && strings.Contains(s.Says(), "password")
	})
}

// A sink with a bug takes its own camera down for a while, and no other.
func TestPanicIsOneCamerasTrouble(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 6, 3, 4))
	sick, well := serve(t, film), serve(t, film)
	sick.Play(t, film)
	well.Play(t, film)
	s := watch(t, func(w *watched, config *event.Config) {
		config.Main, config.Sink = sick.Address(), buggy{w.begun}
	})
	w := watch(t, func(_ *watched, config *event.Config) { config.Main = well.Address() })
	await(t, s.begun)
	e := await(t, w.ended)
	checkClip(t, e, 320, 180)
	s.eventually(func(event.Status) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(s.log.String(), "begins anew")
	})
}

type buggy struct{ begun chan taken }

func (b buggy) Begin(context.Context, event.Event, []byte) error {
	b.begun <- taken{}
	panic("a bug")
}

func (buggy) End(context.Context, event.Event, func(io.Writer) error) error { return nil }

func TestConfigThatCannotWork(t *testing.T) {
	t.Parallel()
	sink := buggy{}
	for name, c := range map[string]event.Config{
		"no sink":               {Main: "rtsp://192.0.2.1/"},
		"no address":            {Sink: sink},
		"password in address":   {Sink: sink, Main: "rtsp://admin:geheim@192.0.2.1/"},
		"sub with password":     {Sink: sink, Main: "rtsp://192.0.2.1/", Sub: "rtsp://admin:geheim@192.0.2.1/"},
		"password of two lines": {Sink: sink, Main: "rtsp://192.0.2.1/", Credentials: camera.Credentials{Password: camera.NewSecret("a\ngeheim")}},
	} {
		if err := event.Watch(t.Context(), c); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
