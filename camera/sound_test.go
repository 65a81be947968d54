package camera_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// For two fifths of a second from second 1 on the picture is white and a tone is heard.
const (
	flash = "color=c=black:size=160x120:rate=15:duration=3,geq=lum='if(between(T,0.99,1.39),235,16)':cb=128:cr=128,format=yuv420p"
	burst = "aevalsrc='if(between(t,1,1.4),0.5*sin(2*PI*440*t),0)':s=48000:d=3"
)

// record receives so many pictures of a camera, and on until the tone has been heard if
// it should be, and returns the clip of it all. The encoder of a busy machine may be late.
func record(t testing.TB, s camera.Source, pictures int, tone bool) (*media.Clip, []media.Unit) {
	ring := media.Ring{Limit: 64 << 20}
	var all []media.Unit
	heard := !tone
	s.Sound, s.Patience = true, 10*time.Second
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	err := camera.Receive(ctx, s, func(u media.Unit) {
		ring.Add(u)
		for _, s := range u.Sounds {
			heard = heard || s.PTS > media.TicksOf(1450*time.Millisecond)
		}
		if all = append(all, u); len(all) >= pictures && heard {
			cancel()
		}
	})
	if len(all) < pictures {
		t.Errorf("%d units of %d pictures: %v", len(all), pictures, err)
	}
	clip, err := media.NewClip(ring.Since(time.Time{}), time.Time{})
	if err != nil {
		t.Error(err)
	}
	return clip, all
}

// file writes the clip to a file.
func file(t testing.TB, clip *media.Clip) string {
	t.Helper()
	var b bytes.Buffer
	if _, err := clip.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("ffmpeg", append([]string{"-v", "error"}, args...)...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, &complaints)
	}
	return out
}

// flashAt and burstAt return when in a clip it becomes bright and loud, and for how long.
func flashAt(t testing.TB, name string) (at, lasts time.Duration) {
	const rate = 100
	grey := ffmpeg(t, "-i", name, "-map", "0:v", "-vf", "fps=100,scale=2:2,format=gray", "-f", "rawvideo", "-")
	first, n := -1, 0
	for i := 0; i+3 < len(grey); i += 4 {
		if grey[i] > 128 && (first < 0 || i/4 < first+rate) {
			if n++; first < 0 {
				first = i / 4
			}
		}
	}
	return time.Duration(first) * time.Second / rate, time.Duration(n) * time.Second / rate
}

func burstAt(t testing.TB, name string) (at, lasts time.Duration) {
	const rate = 8000
	pcm := ffmpeg(t, "-i", name, "-map", "0:a", "-af", "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "8000", "-f", "s16le", "-")
	first, n := -1, 0
	const step = rate / 100
	for i := 0; i+2*step <= len(pcm); i += 2 * step {
		power := 0.0
		for j := 0; j < 2*step; j += 2 {
			v := float64(int16(binary.LittleEndian.Uint16(pcm[i+j:])))
			power += v * v
		}
		if math.Sqrt(power/step) > 2000 && (first < 0 || i/2 < first+rate) {
			if n++; first < 0 {
				first = i / 2
			}
		}
	}
	return time.Duration(first) * time.Second / rate, time.Duration(n) * 10 * time.Millisecond
}

// together runs tests that wait for real time side by side, however few processors there
// are.
func together[T any](t *testing.T, tests map[string]T, run func(t *testing.T, name string, test T)) {
	var all sync.WaitGroup
	for name, test := range tests {
		all.Go(func() { run(t, name, test) })
	}
	all.Wait()
}

// A flash and the tone that belongs to it are found again in the clip, together.
func TestPictureAndSoundAreTogether(t *testing.T) {
	t.Parallel()
	type concert struct {
		kind, codec   string
		h265, reports bool
	}
	films := map[bool]cameratest.Film{false: cameratest.Encode(t, flash), true: cameratest.Encode265(t, flash)}
	together(t, map[string]concert{
		"PCMU":            {"PCMU", "mp4a.40.2", false, false},
		"PCMA, H.265":     {"PCMA", "mp4a.40.2", true, true},
		"AAC":             {"AAC", "mp4a.40.2", false, false},
		"AAC, with times": {"AAC", "mp4a.40.2", false, true},
		"Opus":            {"OPUS", "opus", false, true},
	}, func(t *testing.T, name string, test concert) {
		film := films[test.h265]
		c := cameratest.Serve(t, film, func(c *cameratest.Camera) {
			c.Sound, c.H265, c.Reports = cameratest.EncodeSound(t, test.kind, burst), test.h265, test.reports
		})
		c.Play(t, film, film, film, film, film)
		var info camera.Info
		s := patient(t, c.Address())
		s.Info = func(i camera.Info) { info = i }
		clip, _ := record(t, s, len(film), true)
		if info.Audio == "" || len(info.Tracks) != 2 || info.Ignored != "" || test.h265 != (info.Video == "H265") {
			t.Errorf("%s: the camera says %+v", name, info)
		}
		if test.reports && (!info.OffsetKnown || info.Offset.Abs() > 2*time.Second) {
			t.Errorf("%s: the camera's clock is %v ahead, known %t", name, info.Offset, info.OffsetKnown)
		}
		if typ := clip.Type(); !strings.HasSuffix(typ, ","+test.codec+`"`) || strings.Contains(typ, "hvc1.1.6.L30.") != test.h265 {
			t.Errorf("%s: type %s", name, typ)
		}
		path := file(t, clip)
		light, shone := flashAt(t, path)
		tone, rang := burstAt(t, path)
		if light < 0 || tone < 0 || shone < 300*time.Millisecond || rang < 300*time.Millisecond || rang > 550*time.Millisecond {
			t.Errorf("%s: it shines at %v for %v and rings at %v for %v", name, light, shone, tone, rang)
		}
		t.Logf("%s: the tone is %v behind the flash", name, tone-light)
		if apart := (tone - light).Abs(); apart > 80*time.Millisecond {
			t.Errorf("%s: the flash is at %v, the tone at %v", name, light, tone)
		}
	})
}

// A sound may do what it likes: every picture comes all the same, at its time.
func TestSoundNeverHarmsThePicture(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, flash)
	type trouble struct {
		skew  func(tick uint32) (uint32, bool)
		heard bool // the tone is where it should be
	}
	together(t, map[string]trouble{
		"starts late":    {func(tick uint32) (uint32, bool) { return tick, int32(tick) > 4000 }, true},
		"stops":          {func(tick uint32) (uint32, bool) { return tick, int32(tick) < 12000 }, true},
		"has gaps":       {func(tick uint32) (uint32, bool) { return tick, tick/1600%5 != 0 }, true},
		"drifts":         {func(tick uint32) (uint32, bool) { return tick + tick/20, true }, true},
		"stands still":   {func(uint32) (uint32, bool) { return 7, true }, false},
		"runs backwards": {func(tick uint32) (uint32, bool) { return -tick, true }, false},
		"leaps":          {func(tick uint32) (uint32, bool) { return tick * 2654435761, true }, false},
	}, func(t *testing.T, name string, test trouble) {
		c := cameratest.Serve(t, film, func(c *cameratest.Camera) {
			c.Sound = cameratest.EncodeSound(t, "PCMA", burst)
			c.Sound.Skew = test.skew
		})
		c.Play(t, film, film, film, film, film)
		clip, units := record(t, patient(t, c.Address()), len(film), test.heard)
		path := file(t, clip)
		if at, _ := flashAt(t, path); at < 800*time.Millisecond || at > 1200*time.Millisecond {
			t.Errorf("%s: the flash is at %v, want 1s", name, at)
		}
		if off := clip.Duration() - time.Duration(len(units))*time.Second/cameratest.Rate; off.Abs() > 200*time.Millisecond {
			t.Errorf("%s: the clip of %d pictures lasts %v", name, len(units), clip.Duration())
		}
		if !test.heard {
			return
		}
		if at, _ := burstAt(t, path); at < 800*time.Millisecond || at > 1300*time.Millisecond {
			t.Errorf("%s: the tone is at %v, want 1s", name, at)
		}
	})
}

// Without ffmpeg there is no sound, and nothing else is missing.
func TestSoundWithoutItsChild(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, flash)
	broken := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	together(t, map[string]string{"missing": "/nowhere/ffmpeg", "broken": broken}, func(t *testing.T, name, program string) {
		c := cameratest.Serve(t, film, func(c *cameratest.Camera) { c.Sound = cameratest.EncodeSound(t, "PCMU", burst) })
		c.Play(t, film, film, film, film, film)
		s := patient(t, c.Address())
		s.FFmpeg = program
		clip, units := record(t, s, len(film), false)
		for _, u := range units {
			if len(u.Sounds) > 0 {
				t.Errorf("%s: a sound without its encoder", name)
			}
		}
		if strings.Contains(clip.Type(), ",") {
			t.Errorf("%s: type %s", name, clip.Type())
		}
	})
}
