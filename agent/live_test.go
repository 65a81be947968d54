package agent_test

import (
	"context"
	"crypto"
	"encoding/json"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/settings"
)

// screen is a member who watches a stream, and what they have been shown.
type screen struct {
	h      *house
	of     sealed.Stream
	page   *api.Home
	viewer *live.Viewer
	socket *api.Live

	init  live.Init
	film  []byte // init segment and fragments of the newest run
	shown int    // fragments of it
	runs  int
	gaps  uint32
	again bool   // the agent has said that the run ends
	word  string // the newest of a server or an agent
}

// watch opens a websocket and knocks.
func (h *house) watch(o *owner, device crypto.Signer, camera latchkey.CameraID, kind sealed.StreamKind) *screen {
	h.t.Helper()
	of := sealed.Stream{Home: h.owner.Home(), Camera: camera, Kind: kind}
	s := &screen{h: h, of: of, page: o.home, viewer: live.NewViewer(device, of)}
	s.open()
	return s
}

func (s *screen) open() {
	s.h.t.Helper()
	var err error
	if s.socket, err = s.page.Live(s.h.ctx, s.of.Camera, s.of.Kind); err != nil {
		s.h.t.Fatal(err)
	}
	s.h.t.Cleanup(func() { s.socket.Close() })
	s.knock()
}

func now() latchkey.Time { return latchkey.TimeOf(time.Now()) }

func (s *screen) knock() {
	s.h.t.Helper()
	k, err := s.viewer.Knock(s.h.owner.Title(), now())
	if err == nil {
		err = s.socket.Knock(s.h.ctx, k)
	}
	if err != nil {
		s.h.t.Fatal(err)
	}
	s.again = false
}

// next takes what comes next.
func (s *screen) next(ctx context.Context) error {
	s.h.t.Helper()
	b, word, err := s.socket.Next(ctx)
	if err != nil {
		return err
	}
	if word != "" {
		s.word = word
		return nil
	}
	step, err := s.viewer.Take(b, s.h.owner.Title(), now())
	if err != nil {
		// What was on its way: of the former run, or of the time before a freeze.
		if r := sealed.ReasonOf(err); r != sealed.WrongRun && r != sealed.Frozen {
			s.h.t.Errorf("the viewer refuses what comes: %v", err)
		}
		return nil
	}
	if step.Init != nil {
		s.init, s.film, s.shown = *step.Init, slices.Clone(step.Init.Segment), 0
		s.runs++
	}
	if step.Media != nil {
		s.film = append(s.film, step.Media...)
		s.shown++
	}
	s.gaps += step.Missing
	s.again = s.again || step.Knock
	if step.Refused != "" {
		s.word = step.Refused
	}
	return nil
}

// until takes what comes until something is true.
func (s *screen) until(what string, is func() bool) {
	s.h.t.Helper()
	ctx, stop := context.WithTimeout(s.h.ctx, 30*time.Second)
	defer stop()
	for !is() {
		if err := s.next(ctx); err != nil {
			s.h.t.Fatalf("not %s: %v; %d fragments were shown, the last word was %q", what, err, s.shown, s.word)
		}
	}
}

// plays wants so many more pictures.
func (s *screen) plays(n int) {
	s.h.t.Helper()
	from, runs := s.shown, s.runs
	s.until("shown more", func() bool { return s.shown-from >= n && s.runs == runs || s.runs > runs && s.shown >= n })
}

// ended wants the connection to end.
func (s *screen) ended(what string) {
	s.h.t.Helper()
	ctx, stop := context.WithTimeout(s.h.ctx, 10*time.Second)
	defer stop()
	for s.next(ctx) == nil {
	}
	if ctx.Err() != nil {
		s.h.t.Errorf("%s: what is watched goes on", what)
	}
}

// wants is what ffprobe must find in what was shown.
func (s *screen) wants(codec string) {
	s.h.t.Helper()
	file := filepath.Join(s.h.t.TempDir(), "film.mp4")
	if err := os.WriteFile(file, s.film, 0o600); err != nil {
		s.h.t.Fatal(err)
	}
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "csv=p=0", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", file).CombinedOutput()
	name, frames, _ := strings.Cut(strings.TrimSpace(string(out)), ",")
	if err != nil || name != codec || frames == "" || frames == "0" || frames == "N/A" {
		s.h.t.Errorf("what was shown is %q, %v, want %s", out, err, codec)
	}
}

// runs are those that an agent seals for, by what its log says.
type runs struct {
	mu    sync.Mutex // protects going
	going map[string]bool
}

func (r *runs) Write(line []byte) (int, error) {
	var m struct{ Msg, Run string }
	if err := json.Unmarshal(line, &m); err != nil {
		return 0, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch m.Msg {
	case "live view begins":
		r.going[m.Run] = true
	case "live view ends":
		delete(r.going, m.Run)
	}
	return len(line), nil
}

func (r *runs) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.going))
}

// filmed is a house whose agent records a real camera with pictures and sound.
func filmed(t *testing.T, log *slog.Logger, films ...cameratest.Film) (*house, *agent.Agent, latchkey.CameraID, func() error) {
	t.Helper()
	if films == nil {
		films = []cameratest.Film{cameratest.Encode(t, cameratest.Mover(320, 180, 3, 20, 21))}
	}
	c := cameratest.Serve(t, films[0], func(c *cameratest.Camera) {
		c.Sound = cameratest.EncodeSound(t, "AAC", "sine=f=440:r=16000:d=120")
	})
	c.Play(t, slices.Repeat(films, 40)...)
	h := newHouse(t).joined()
	a, stop := h.talking(agent.Config{Log: log})
	yard, ok := h.do(a, letter.AddCamera{Source: letter.Source{Name: "Yard", Main: c.Address()}}).(letter.Added)
	if !ok {
		t.Fatal("not added")
	}
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	h.until("it records", func() bool { return stateOf(a, yard.Camera).Recording })
	return h, a, yard.Camera, stop
}

// TestLiveView has nothing made up between an RTSP camera and those who watch it: it comes
// at once, to all by one connection, with its sound; to nobody, nothing; and it is there
// again after agent and server were started anew.
func TestLiveView(t *testing.T) {
	t.Parallel()
	h, a, camera, stop := filmed(t, nil)
	if n := agent.Brought(a); n != 0 {
		t.Errorf("nobody watches, and %d streams are brought", n)
	}
	_, device := h.owner.Device()
	began := time.Now()
	one := h.watch(h.owner, device, camera, sealed.MainStream)
	one.plays(1)
	t.Logf("the first picture came after %s", time.Since(began).Round(time.Millisecond))
	one.plays(20)
	one.wants("h264")
	if !strings.HasPrefix(one.init.Type, `video/mp4; codecs="avc1.`) {
		t.Errorf("its type is %s", one.init.Type)
	}
	if behind, ok := one.viewer.Behind(now()); !ok || behind > 10*time.Second {
		t.Errorf("it is %s behind", behind)
	}
	person, second := h.join(keytest.AsResident)
	two := h.watch(second, person.Keys.DeviceSigning, camera, sealed.MainStream)
	two.plays(20)
	if n := agent.Brought(a); n != 1 {
		t.Errorf("%d streams are brought for two who watch one", n)
	}
	sound := h.watch(h.owner, device, camera, sealed.SoundStream)
	sound.plays(20)
	sound.wants("aac")
	if sound.init.Type != `audio/mp4; codecs="mp4a.40.2"` {
		t.Errorf("the sound's type is %s", sound.init.Type)
	}
	sub := h.watch(h.owner, device, camera, sealed.SubStream)
	sub.until("told", func() bool { return sub.word == "no-stream" })
	for _, s := range []*screen{two, sound, sub} {
		s.socket.Close()
	}
	one.plays(20)
	if one.gaps != 0 {
		t.Errorf("%d fragments are missing", one.gaps)
	}

	if err := stop(); err != nil {
		t.Fatal(err)
	}
	one.until("told that the agent is away", func() bool { return one.word == api.LiveAway })
	a, _ = h.talking(agent.Config{})
	h.until("it records", func() bool { return stateOf(a, camera).Recording })
	runs := one.runs
	one.knock()
	one.plays(10)
	if one.runs != runs+1 {
		t.Errorf("it has gone on by %d runs", one.runs-runs)
	}

	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	one.ended("the server has stopped")
	var err error
	h.server, err = server.Run(h.ctx, server.LocalConfig{Data: h.data, Listen: h.server.Address, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.until("the agent is connected", func() bool { return a.Status().Uplink.State == uplink.Connected })
	one.open()
	one.plays(10)
	one.socket.Close()
	h.until("nobody watches, nothing is brought", func() bool { return agent.Brought(a) == 0 })
}

// TestLiveViewOfAnotherPicture: a camera that changes its picture gets another run, and
// whoever watches goes on with it.
func TestLiveViewOfAnotherPicture(t *testing.T) {
	t.Parallel()
	small, large := cameratest.Encode(t, cameratest.Mover(320, 180, 2, 20, 21)), cameratest.Encode(t, cameratest.Mover(640, 360, 2, 20, 21))
	h, _, camera, _ := filmed(t, nil, small, large)
	_, device := h.owner.Device()
	s := h.watch(h.owner, device, camera, sealed.MainStream)
	s.plays(1)
	for range 2 {
		runs, init := s.runs, s.init
		s.until("shown another run", func() bool {
			if s.word == api.LiveAway {
				s.word = ""
				s.knock()
			}
			return s.runs > runs && s.shown > 10 && !slices.Equal(init.Segment, s.init.Segment)
		})
		s.wants("h264")
	}
}

// TestLiveViewEnds: whoever is removed is shown nothing more, and no other run; whoever
// stays goes on with another. A frozen home and a camera that is off show nothing.
func TestLiveViewEnds(t *testing.T) {
	t.Parallel()
	sealing := &runs{going: map[string]bool{}}
	h, a, camera, _ := filmed(t, slog.New(slog.NewJSONHandler(sealing, nil)))
	person, other := h.join(keytest.AsResident)
	_, device := h.owner.Device()
	stays := h.watch(h.owner, device, camera, sealed.MainStream)
	goes := h.watch(other, person.Keys.DeviceSigning, camera, sealed.MainStream)
	stays.plays(5)
	goes.plays(5)

	onto := h.owner.Title().Head()
	h.owner.Dismiss(person)
	if err := h.owner.publish(h.ctx, onto); err != nil {
		t.Fatal(err)
	}
	goes.ended("dismissed")
	stays.until("told that the run ends", func() bool { return stays.again })
	runs, former := stays.runs, sealing.all()
	stays.knock()
	stays.until("shown another run", func() bool { return stays.runs == runs+1 && stays.shown > 20 })
	if stays.gaps != 0 {
		t.Errorf("whoever stays misses %d fragments", stays.gaps)
	}
	h.until("the former run is over", func() bool {
		runs := sealing.all()
		return len(runs) == 1 && !slices.Contains(former, runs[0])
	})

	onto = h.owner.Title().Head()
	h.owner.Sign(deed.FreezeBody{})
	if err := h.owner.publish(h.ctx, onto); err != nil {
		t.Fatal(err)
	}
	stays.ended("frozen")
	h.until("nothing is sealed", func() bool { return len(sealing.all()) == 0 })
	if _, err := h.owner.home.Live(h.ctx, camera, sealed.MainStream); api.ReasonOf(err) != api.Frozen {
		t.Errorf("a frozen home: %v", err)
	}
	onto = h.owner.Title().Head()
	h.owner.Sign(deed.ThawBody{})
	if err := h.owner.publish(h.ctx, onto); err != nil {
		t.Fatal(err)
	}
	h.until("the agent knows it", func() bool { return agent.Head(a) == h.owner.Title().Head() })
	stays.open()
	stays.plays(5)

	h.settle(nil, "Europe/Berlin", map[latchkey.CameraID]settings.Camera{camera: {Name: "Yard", Off: true}})
	h.until("it is off, and nothing is sealed", func() bool {
		return stateOf(a, camera).State == agent.CameraOff && len(sealing.all()) == 0
	})
	stays.knock()
	stays.until("told", func() bool { return stays.word == "off" })
}

// TestSlowLine: what waits for a line that is too slow is bounded, and what is left out
// ends with a key frame.
func TestSlowLine(t *testing.T) {
	for name, size := range map[string]int{"small pictures": 100, "large pictures": 1 << 20} {
		waits := agent.Waiting(2000, 30, size)
		if len(waits) == 0 || len(waits) > 512 || len(waits)*size > 9<<20 || waits[0]%30 != 0 {
			t.Errorf("%s: %d wait, from %v on", name, len(waits), waits[:min(len(waits), 1)])
		}
		for i := 1; i < len(waits); i++ {
			if waits[i] != waits[i-1]+1 && waits[i]%30 != 0 {
				t.Errorf("%s: %d follows %d", name, waits[i], waits[i-1])
			}
		}
		if last := waits[len(waits)-1]; last < 1999-30 {
			t.Errorf("%s: the newest is %d", name, last)
		}
	}
}

// TestLiveViewControl: an agent that does not ask the deeds again goes on with a run whose
// key somebody has who may not watch any more.
func TestLiveViewControl(t *testing.T) {
	control(t, "TestLiveViewEnds", "not told that the run ends",
		sabotage.Cut{File: "agent/bring.go", Old: "if v.May(title, now) != nil {", New: "if false && v.May(title, now) != nil {"})
}
