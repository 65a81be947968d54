package event_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/event"
)

// misbehave starts a rogue camera with the password.
func misbehave(t *testing.T, film cameratest.Film, m cameratest.Misdeed) *cameratest.Rogue {
	t.Helper()
	return cameratest.Misbehave(t, film, m, func(r *cameratest.Rogue) { r.User, r.Password = "viewer", password })
}

// A house with five cameras that do what they can, each in another way, and a good one:
// that one's event is recorded whole. When the others behave, theirs are, too.
//
// The machine is a small one: one processor for us, and 256 MB of which ours is what Go
// holds; the ffmpegs have theirs besides.
func TestHostileCamerasInOneHouse(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	film := cameratest.Encode(t, cameratest.Mover(320, 180, 7, 4, 6))
	misdeeds := map[string]cameratest.Misdeed{
		"floods": {Play: func(c *cameratest.Call) {
			for n := 0; c.Picture(film[n%len(film)]); n++ {
			}
		}},
		"sends huge pictures": {Play: func(c *cameratest.Call) {
			huge := append([][]byte{}, film[0]...)
			huge[len(huge)-1] = append(append([]byte{}, film[0][len(film[0])-1]...), bytes.Repeat([]byte{0xaa}, 3<<20)...)
			for c.Picture(huge) && c.Sleep(50*time.Millisecond) {
			}
		}},
		"sends junk": {Play: func(c *cameratest.Call) {
			for n := uint32(0); c.Packet(0, n*6000, n%3 == 0, bytes.Repeat([]byte{byte(n), byte(n >> 3)}, 500)); n++ {
				c.Sleep(time.Millisecond)
			}
		}},
		"hangs up": {Play: func(c *cameratest.Call) {
			c.Picture(film[0])
			c.HangUp()
		}},
		"sends torn pictures": {Play: func(c *cameratest.Call) {
			for n := 0; ; n++ {
				var torn [][]byte
				for i, nal := range film[n%len(film)] {
					if nal = bytes.Clone(nal); i > 2 || len(nal) > 40 {
						for j := 9; j < len(nal); j += 7 {
							nal[j] ^= byte(n + j)
						}
					}
					torn = append(torn, nal)
				}
				if !c.Picture(torn) || !c.Sleep(time.Second/cameratest.Rate) {
					return
				}
			}
		}},
	}
	peak := heap()
	rogues := map[string]*cameratest.Rogue{}
	ill := map[string]*watched{}
	for name, m := range misdeeds {
		r := misbehave(t, film, m)
		rogues[name] = r
		ill[name] = watch(t, func(_ *watched, c *event.Config) {
			c.Main, c.Delays = r.Address(), []time.Duration{300 * time.Millisecond}
		})
	}
	good := misbehave(t, film, cameratest.Misdeed{})
	well := watch(t, func(_ *watched, c *event.Config) { c.Main, c.Patience = good.Address(), 10*time.Second })
	b, e := await(t, well.begun), await(t, well.ended)
	checkPair(t, b, e)
	checkClip(t, e, 320, 180)
	if s := well.now(); s.Main.State != camera.Receiving || s.Main.Sessions != 1 || s.Main.Damaged != 0 || s.Lost != 0 {
		t.Errorf("the good camera: %+v", s)
	}
	var all sync.WaitGroup
	for name, w := range ill {
		if s := w.now(); s.Says() == "" || s.Main.Since.IsZero() {
			t.Errorf("%s: %+v", name, s)
		}
		rogues[name].Behave()
		all.Go(func() {
			for {
				select {
				case e := <-w.ended: // the misdeed may have looked like motion; an event of the film ends it
					if e.Clip.Duration > 2*time.Second && e.Start.Wall.Time().After(b.at) {
						return
					}
				case <-w.begun:
				case <-time.After(40 * time.Second):
					t.Errorf("%s: no event since it behaves; %+v", name, w.now())
					return
				}
			}
		})
	}
	all.Wait()
	most := peak()
	t.Logf("at most %d MB more memory than before", most>>20)
	if most > 256<<20 {
		t.Errorf("six cameras took %d MB", most>>20)
	}
}

// heap samples how much memory Go holds until the returned function is called, which
// returns the most above what it was at first.
func heap() func() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	runtime.GC()
	return cameratest.Peak(func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64() - sample[1].Value.Uint64())
	})
}

// Everything that can be wrong with ffmpeg is named, the camera is received all the
// same, and as soon as there is a good one motion is looked for.
func TestFFmpegTroubles(t *testing.T) {
	t.Parallel()
	real, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	film := cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=2", "-g", "1")
	type program struct {
		script string // none if empty
		want   string
		starts int // that are waited for
	}
	cameratest.AtOnce(t, map[string]program{
		"missing":          {"", "ffmpeg is not installed", 0},
		"no program":       {"not a program", "ffmpeg cannot be started", 0},
		"too old":          {`case $1 in -version) echo "ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright";; *) echo "Unrecognized option 'fps_mode'." >&2; exit 1;; esac`, "ffmpeg 4.4.2 is installed, which is too old. Install ffmpeg 5.1", 2},
		"killed":           {`kill -9 $$`, "killed; it is started again", 30},
		"killed, with kin": {`sleep 30 & kill -9 $$`, "killed; it is started again", 2},
		"writes nonsense":  {`head -c 100000 /dev/urandom; head -c 100000 /dev/urandom >&2; exit 3`, "it is started again", 2},
	}, func(name string, test program) func() {
		dir := t.TempDir()
		program, count := filepath.Join(dir, "ffmpeg"), filepath.Join(dir, "count")
		put := func(script string) {
			next := program + ".next"
			if err := os.WriteFile(next, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(next, program); err != nil {
				t.Fatal(err)
			}
		}
		switch {
		case test.script == "not a program":
			put(test.script)
		case test.script != "":
			put("#!/bin/sh\n[ \"$1\" = -version ] || echo >>" + count + "\n" + test.script + "\n")
		}
		r := misbehave(t, film, cameratest.Misdeed{})
		w := watch(t, func(_ *watched, c *event.Config) {
			c.Main, c.FFmpeg, c.Delays = r.Address(), program, []time.Duration{time.Millisecond}
		})
		return func() {
			w.eventually(func(s event.Status) bool {
				return s.Main.State == camera.Receiving && !s.Looking && strings.Contains(s.Says(), test.want) &&
					strings.Contains(s.Says(), "no events are recorded")
			})
			for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				text, _ := os.ReadFile(count)
				if len(text) >= test.starts {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%s: started %d times", name, len(text))
				}
			}
			put("#!/bin/sh\nexec " + real + " \"$@\"\n")
			w.eventually(func(s event.Status) bool { return s.Looking && s.Motion == nil })
			if s := w.now(); s.Main.Sessions != 1 || s.Main.State != camera.Receiving {
				t.Errorf("%s: %+v: the stream broke off", name, s)
			}
		}
	})
}

// A child that ends is buried: no process of ours stays a zombie. One that is killed
// again and again is not started faster and faster.
func TestNoZombies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program, count := filepath.Join(dir, "ffmpeg"), filepath.Join(dir, "count")
	script := "#!/bin/sh\n[ \"$1\" = -version ] || echo $$ >>" + count + "\nkill -9 $$\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	r := misbehave(t, cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=2", "-g", "1"), cameratest.Misdeed{})
	w := watch(t, func(_ *watched, c *event.Config) { c.Main, c.FFmpeg, c.Delays = r.Address(), program, nil })
	w.eventually(func(s event.Status) bool { return s.Motion != nil })
	time.Sleep(4 * time.Second)
	text, err := os.ReadFile(count)
	if err != nil {
		t.Fatal(err)
	}
	pids := strings.Fields(string(text))
	if len(pids) < 2 || len(pids) > 4 { // after 1, 2 and 5 s
		t.Errorf("started %d times within 4 s", len(pids))
	}
	for _, pid := range pids[:len(pids)-1] {
		if isZombie(pid) {
			t.Errorf("process %s was not buried", pid)
		}
	}
}

// isZombie says whether a child of this process that was killed still waits to be buried.
// A living one is another that has the number by now.
func isZombie(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	after := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return err == nil && len(after) > 1 && after[0] == "Z" && after[1] == strconv.Itoa(os.Getpid())
}

// A true ffmpeg that is killed while it decodes, five times or, with LATCHKEY_LONG, a
// hundred: motion is looked for again each time, and the stream goes on.
func TestFFmpegIsKilled(t *testing.T) {
	t.Parallel()
	real, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	program, started := filepath.Join(dir, "ffmpeg"), filepath.Join(dir, "started")
	script := "#!/bin/sh\n[ \"$1\" = -version ] || echo $$ >>" + started + "\nexec " + real + " \"$@\"\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	r := misbehave(t, cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=2", "-g", "1"), cameratest.Misdeed{})
	w := watch(t, func(_ *watched, c *event.Config) {
		c.Main, c.FFmpeg, c.Delays = r.Address(), program, []time.Duration{time.Millisecond}
	})
	times := 5
	if os.Getenv("LATCHKEY_LONG") != "" {
		times = 100
	}
	for n := range times {
		w.eventually(func(s event.Status) bool { return s.Looking && s.Motion == nil })
		text, err := os.ReadFile(started)
		if err != nil {
			t.Fatal(err)
		}
		pids := strings.Fields(string(text))
		pid, err := strconv.Atoi(pids[len(pids)-1])
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatalf("kill %d., %d: %v", n, pid, err)
		}
		w.eventually(func(s event.Status) bool {
			text, err := os.ReadFile(started)
			return err == nil && len(strings.Fields(string(text))) > len(pids)
		})
	}
	w.eventually(func(s event.Status) bool { return s.Looking && s.Motion == nil })
	if s := w.now(); s.Main.Sessions != 1 || s.Main.State != camera.Receiving || s.Main.Damaged != 0 {
		t.Errorf("%+v: the stream broke off", s)
	}
	text, err := os.ReadFile(started)
	if err != nil {
		t.Fatal(err)
	}
	pids := strings.Fields(string(text))
	for _, pid := range pids[:len(pids)-1] {
		w.eventually(func(event.Status) bool { return !isZombie(pid) }) // it is waited for beside the next
	}
}

// Another device at a camera's address is shown as that; nothing of it is recorded, and
// it is not even called.
func TestAnotherDeviceIsNotWatched(t *testing.T) {
	t.Parallel()
	r := misbehave(t, cameratest.Encode(t, "testsrc2=size=64x48:rate=15:duration=2"), cameratest.Misdeed{})
	var same atomic.Bool
	w := watch(t, func(_ *watched, c *event.Config) {
		c.Main = r.Address()
		c.Admit = func(context.Context) error {
			if same.Load() {
				return nil
			}
			return errors.New("another serial number")
		}
	})
	w.eventually(func(s event.Status) bool {
		return s.Main.State == camera.AnotherDevice && !s.Recording && strings.Contains(s.Says(), "Another device")
	})
	if n := r.Connections(); n != 0 {
		t.Errorf("it was called %d times", n)
	}
	same.Store(true)
	w.eventually(func(s event.Status) bool { return s.Main.State == camera.Receiving && s.Recording })
}

// Films that ffmpeg encoded, served by GStreamer: our agent's part in it is only what
// comes between, and ffprobe says whether the clip is one.
func TestRecordsWhatOthersServe(t *testing.T) {
	t.Parallel()
	mover := cameratest.Mover(320, 180, 12, 6, 8)
	type film struct {
		args         []string
		launch       string
		video, audio string
	}
	cameratest.AtOnce(t, map[string]film{
		"H.264 and AAC": {[]string{"-c:v", "libx264", "-c:a", "aac", "-ar", "16000"},
			"d. ! queue ! h264parse ! rtph264pay name=pay0 pt=96 d. ! queue ! aacparse ! rtpmp4gpay name=pay1 pt=97", "h264", "aac"},
		"H.265 and A-law": {[]string{"-c:v", "libx265", "-x265-params", fmt.Sprintf("keyint=%d:log-level=error:pools=1", cameratest.Rate), "-c:a", "pcm_alaw"},
			"d. ! queue ! h265parse ! rtph265pay name=pay0 pt=96 d. ! queue ! audio/x-alaw ! rtppcmapay name=pay1", "hevc", "aac"},
		"H.264 with B-frames and µ-law": {[]string{"-c:v", "libx264", "-bf", "2", "-c:a", "pcm_mulaw"},
			"d. ! queue ! h264parse ! rtph264pay name=pay0 pt=96 d. ! queue ! audio/x-mulaw ! rtppcmupay name=pay1", "h264", "aac"},
	}, func(name string, test film) func() {
		file := cameratest.File(t, mover, test.args...)
		address := cameratest.ServeGStreamer(t, "filesrc location="+file+" ! matroskademux name=d "+test.launch, "viewer", password)
		w := watch(t, func(_ *watched, c *event.Config) { c.Main, c.Patience = address, 10*time.Second })
		return func() {
			b, e := await(t, w.begun), await(t, w.ended)
			checkPair(t, b, e)
			if video, audio := codecs(t, e); video != test.video || audio != test.audio {
				t.Errorf("%s: the clip holds %q and %q, want %s and %s", name, video, audio, test.video, test.audio)
			}
		}
	})
}

// codecs asks ffprobe what is in a clip, and lets ffmpeg decode it whole.
func codecs(t *testing.T, e taken) (video, audio string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, e.clip, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffprobe", "-v", "warning", "-of", "json", "-show_streams", file)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Errorf("ffprobe: %v: %s", err, &complaints)
	}
	var p struct {
		Streams []struct {
			Type string `json:"codec_type"`
			Name string `json:"codec_name"`
		}
	}
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Streams {
		switch s.Type {
		case "video":
			video += s.Name
		case "audio":
			audio += s.Name
		}
	}
	if out, err := exec.Command("ffmpeg", "-v", "error", "-i", file, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("ffmpeg: %v: %s", err, out)
	}
	return video, audio
}
