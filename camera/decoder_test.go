package camera_test

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// units assembles films as if they had been received one after another, in real time.
func units(t testing.TB, films ...cameratest.Film) []media.Unit {
	t.Helper()
	return unitsOf(t, &media.Assembler{}, films...)
}

func unitsOf(t testing.TB, a *media.Assembler, films ...cameratest.Film) []media.Unit {
	t.Helper()
	var all []media.Unit
	at := time.Now()
	for i, nals := range slices.Concat(films...) {
		u, ok, err := a.Unit(nals, uint32(i)*90000/cameratest.Rate, at.Add(time.Duration(i)*time.Second/cameratest.Rate))
		if err != nil || !ok {
			t.Fatalf("unit %d: %t, %v", i, ok, err)
		}
		all = append(all, u)
	}
	return all
}

var errEnd = errors.New("the end")

// feed returns a source of the units, so much faster than life, and then errEnd.
func feed(all []media.Unit, speed int) func(context.Context) (media.Unit, error) {
	return func(ctx context.Context) (media.Unit, error) {
		if len(all) == 0 {
			return media.Unit{}, errEnd
		}
		u := all[0]
		all = all[1:]
		time.Sleep(time.Second / time.Duration(cameratest.Rate*speed))
		return u, nil
	}
}

func mean(g camera.Grey) int {
	sum := 0
	for _, p := range g.Pix {
		sum += int(p)
	}
	return sum / len(g.Pix)
}

// brightening is a film whose brightness tells its time: 3 shades more every 15th.
const brightening = "color=c=black:size=320x180:rate=15:duration=4,format=gray,geq=lum='20+3*N',format=yuv420p"

func TestDecoderKnowsWhichPictureItShows(t *testing.T) {
	t.Parallel()
	all := units(t, cameratest.Encode(t, brightening, "-color_range", "pc"))
	var got []camera.Grey
	var shown []time.Time
	d := camera.Decoder{Interval: time.Millisecond}
	err := d.Run(t.Context(), feed(all, 4), func(g camera.Grey) {
		got, shown = append(got, g), append(shown, time.Now())
	})
	if !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if len(got) != len(all) {
		t.Fatalf("%d pictures of %d units", len(got), len(all))
	}
	for i, g := range got {
		if g.Width != 160 || g.Height != 90 || !g.Taken.Equal(all[i].Taken) || !g.Received.Equal(all[i].Received) {
			t.Errorf("picture %d: %dx%d, taken %v, want %v", i, g.Width, g.Height, g.Taken, all[i].Taken)
		}
		if i > 0 && mean(g) < mean(got[i-1]) {
			t.Errorf("picture %d is darker than the one before it", i)
		}
	}
}

// script makes a program of the lines, which end with the real ffmpeg.
func script(t *testing.T, lines string) (path string) {
	t.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\nexec "+ffmpeg+" \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// A child that is slow to begin has each picture all the same, and of its own unit.
func TestDecoderThatBeginsSlowly(t *testing.T) {
	t.Parallel()
	all := units(t, cameratest.Encode(t, brightening, "-color_range", "pc"))
	n := 0
	err := camera.Decoder{FFmpeg: script(t, "sleep 1.5"), Interval: time.Millisecond}.Run(t.Context(), feed(all, 4), func(g camera.Grey) {
		if !g.Taken.Equal(all[n].Taken) {
			t.Errorf("picture %d is taken for another", n)
		}
		n++
	})
	if !errors.Is(err, errEnd) || n != len(all) {
		t.Errorf("%d pictures of %d units, %v", n, len(all), err)
	}
}

// Units without a picture are forgotten after a while: what comes later is not taken for
// pictures of long ago.
func TestDecoderForgetsUnitsWithoutAPicture(t *testing.T) {
	t.Parallel()
	all := units(t, cameratest.Encode(t, brightening, "-color_range", "pc", "-g", "1"))
	for i := 5; i < 35; i++ { // two seconds
		all[i].NALs = [][]byte{{6, 5, 1, 0, 0x80}} // a message for the decoder, and nothing else
	}
	var last camera.Grey
	err := camera.Decoder{Interval: time.Millisecond}.Run(t.Context(), feed(all, 1), func(g camera.Grey) { last = g })
	if !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	// The film says by its shade which unit it is of.
	is := all[min((mean(last)-20+1)/3, len(all)-1)].Taken
	if older := is.Sub(last.Taken); older < 0 || older > 1200*time.Millisecond {
		t.Errorf("a picture of %v is taken for one %v older", is, older)
	}
}

func TestDecoderShowsFiveASecond(t *testing.T) {
	t.Parallel()
	film := cameratest.Encode(t, "testsrc2=size=480x640:rate=15:duration=4")
	n := 0
	err := camera.Decoder{}.Run(t.Context(), feed(units(t, film), 8), func(g camera.Grey) {
		if n++; g.Width != 120 || g.Height != 160 {
			t.Errorf("%dx%d", g.Width, g.Height)
		}
	})
	if !errors.Is(err, errEnd) || n != 20 {
		t.Errorf("%d pictures of 4 s: %v", n, err)
	}
	n = 0
	err = camera.Decoder{KeysAbove: 480 * 639}.Run(t.Context(), feed(units(t, film), 8), func(camera.Grey) { n++ })
	if !errors.Is(err, errEnd) || n != 4 {
		t.Errorf("%d pictures of 4 key units: %v", n, err)
	}
}

func TestDecoderFollowsAChangeOfSize(t *testing.T) {
	t.Parallel()
	all := units(t, cameratest.Encode(t, "testsrc2=size=320x180:rate=15:duration=2"), cameratest.Encode(t, "testsrc2=size=320x240:rate=15:duration=2"))
	sizes := map[int]int{}
	err := camera.Decoder{}.Run(t.Context(), feed(all, 4), func(g camera.Grey) { sizes[g.Height]++ })
	if !errors.Is(err, errEnd) || sizes[90] < 8 || sizes[120] < 8 {
		t.Errorf("pictures by height: %v, %v", sizes, err)
	}
}

// H.265 is decoded like H.264, and the one after the other when the camera is set anew.
func TestDecoderOfH265(t *testing.T) {
	t.Parallel()
	old := units(t, cameratest.Encode(t, "testsrc2=size=320x180:rate=15:duration=2"))
	modern := unitsOf(t, &media.Assembler{H265: true}, cameratest.Encode265(t, "testsrc2=size=320x240:rate=15:duration=2"))
	sizes := map[int]int{}
	err := camera.Decoder{}.Run(t.Context(), feed(append(old, modern...), 4), func(g camera.Grey) { sizes[g.Height]++ })
	if !errors.Is(err, errEnd) || sizes[90] < 8 || sizes[120] < 8 {
		t.Errorf("pictures by height: %v, %v", sizes, err)
	}
	picture, err := camera.Still(t.Context(), "", modern[:10])
	if err != nil {
		t.Fatal(err)
	}
	if c, err := jpeg.DecodeConfig(bytes.NewReader(picture)); err != nil || c.Width != 320 || c.Height != 240 {
		t.Errorf("still: %+v, %v", c, err)
	}
}

// The child is given nothing but its work.
func TestChildIsGivenNothing(t *testing.T) {
	t.Setenv("LATCHKEY_SECRET", secret)
	log := filepath.Join(t.TempDir(), "log")
	spy := script(t, "{ echo \"$@\"; /usr/bin/env; } >>"+log)
	all := units(t, cameratest.Encode(t, "testsrc2=size=320x180:rate=15:duration=1"))
	if err := (camera.Decoder{FFmpeg: spy}).Run(t.Context(), feed(all, 8), func(camera.Grey) {}); !errors.Is(err, errEnd) {
		t.Fatal(err)
	}
	if _, err := camera.Still(t.Context(), spy, all); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(text), "-protocol_whitelist pipe ") != 2 {
		t.Errorf("the children were started with %s", text)
	}
	if strings.Contains(string(text), "LATCHKEY") || strings.Contains(string(text), "://") || leaks(string(text)) {
		t.Errorf("the children were told %s", text)
	}
}

func TestDecoderThatDies(t *testing.T) {
	all := units(t, cameratest.Encode(t, "testsrc2=size=320x180:rate=15:duration=4"))
	t.Run("killed", func(t *testing.T) {
		killed := false
		err := camera.Decoder{}.Run(t.Context(), feed(all, 1), func(camera.Grey) {
			if !killed {
				killed = true
				killChildren(t)
			}
		})
		if err == nil || errors.Is(err, errEnd) {
			t.Errorf("ended with %v, want the child's death", err)
		}
	})
	t.Run("not installed", func(t *testing.T) {
		err := camera.Decoder{FFmpeg: "no-such-ffmpeg"}.Run(t.Context(), feed(all, 8), func(camera.Grey) {})
		if err == nil || !strings.Contains(err.Error(), "apt install ffmpeg") {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("complains", func(t *testing.T) {
		bad := filepath.Join(t.TempDir(), "bad")
		if err := os.WriteFile(bad, []byte("#!/bin/sh\necho this machine is too old >&2\nexit 1\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		err := camera.Decoder{FFmpeg: bad}.Run(t.Context(), feed(all, 8), func(camera.Grey) {})
		if err == nil || !strings.Contains(err.Error(), "too old") {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("of our bug", func(t *testing.T) {
		err := camera.Decoder{}.Run(t.Context(), feed(all, 1), func(camera.Grey) { panic("a bug") })
		if err == nil || !strings.Contains(err.Error(), "a bug") {
			t.Errorf("ended with %v", err)
		}
	})
	t.Run("when told to", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		began := time.Now()
		endless := func(ctx context.Context) (media.Unit, error) {
			select {
			case <-ctx.Done():
				return media.Unit{}, ctx.Err()
			case <-time.After(20 * time.Millisecond):
				return all[0], nil
			}
		}
		err := camera.Decoder{}.Run(ctx, endless, func(camera.Grey) {})
		if err == nil || time.Since(began) > 2*time.Second {
			t.Errorf("ended with %v after %v", err, time.Since(began))
		}
	})
}

// killChildren kills the ffmpegs that this process has started.
func killChildren(t *testing.T) {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(os.Getpid()), "-x", "ffmpeg").Output()
	if err != nil {
		t.Error(err)
	}
	for _, word := range strings.Fields(string(out)) {
		if pid, err := strconv.Atoi(word); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// Whatever is in the units, decoding ends in pictures or in an error, not in a hang.
func TestDecoderOfJunk(t *testing.T) {
	t.Parallel()
	all := units(t, cameratest.Encode(t, "testsrc2=size=320x180:rate=15:duration=3"))
	for i := range all {
		for j, nal := range all[i].NALs {
			if nal[0]&0x1f > 5 {
				continue
			}
			nal = bytes.Clone(nal)
			for k := 20; k < len(nal); k += 7 + i {
				nal[k] ^= byte(i*31 + k)
			}
			all[i].NALs[j] = nal
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	n := 0
	err := camera.Decoder{}.Run(ctx, feed(all, 4), func(camera.Grey) { n++ })
	if ctx.Err() != nil || err == nil {
		t.Errorf("%d pictures, then %v", n, err)
	}
	if _, err := camera.Still(ctx, "", all); ctx.Err() != nil {
		t.Errorf("still: %v", err)
	}
}

func TestStill(t *testing.T) {
	t.Parallel()
	all := units(t, cameratest.Encode(t, brightening, "-color_range", "pc"))[:15]
	var shades []uint32
	for _, n := range []int{1, 8, 15} {
		picture, err := camera.Still(t.Context(), "", all[:n])
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(picture))
		if err != nil {
			t.Fatal(err)
		}
		if b := img.Bounds(); b.Dx() != 320 || b.Dy() != 180 {
			t.Errorf("%v", b)
		}
		r, _, _, _ := img.At(160, 90).RGBA()
		shades = append(shades, r>>8)
	}
	// Units 0, 7 and 14 have shades of 20, 41 and 62.
	if shades[1] < shades[0]+15 || shades[2] < shades[1]+15 {
		t.Errorf("shades %v: not the last unit's picture", shades)
	}
	large := units(t, cameratest.Encode(t, "testsrc2=size=1920x1080:rate=15:duration=1"))
	picture, err := camera.Still(t.Context(), "", large)
	if err != nil {
		t.Fatal(err)
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil || c.Width != 640 || c.Height != 360 || len(picture) > 100<<10 {
		t.Errorf("%dx%d in %d bytes: %v", c.Width, c.Height, len(picture), err)
	}
	if _, err := camera.Still(t.Context(), "", all[1:3]); err == nil {
		t.Error("a still was made without a key unit")
	}
	if _, err := camera.Still(t.Context(), "", nil); err == nil {
		t.Error("a still was made of nothing")
	}
}
