package motion_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

// The seeds of the clips. The detector's figures were chosen by looking at clips of
// the development seeds and at no others; the test below runs the held-out ones, and
// whoever changes a figure looks at the development seeds again:
//
//	LATCHKEY_SEEDS=development go test -run TestTable -v ./motion
const (
	development = 1
	heldOut     = 1 << 32
)

const batchSize = 15 // clips encoded as one stream

// seen is a clip as a camera's decoder shows it: five pictures a second.
type seen struct {
	*clip
	pictures []camera.Grey
}

// filmed paints, encodes and decodes all clips from those seeds on.
func filmed(t testing.TB, seeds uint64) []seen {
	t.Helper()
	var all []*clip
	for class := range classes {
		for i := range classes[class].clips {
			all = append(all, newClip(class, seeds+uint64(i)))
		}
	}
	out := make([]seen, len(all))
	two := make(chan struct{}, 2)
	var wait sync.WaitGroup
	for from := 0; from < len(all); from += batchSize {
		wait.Go(func() {
			two <- struct{}{}
			defer func() { <-two }()
			batch := all[from:min(from+batchSize, len(all))]
			rate := 60 + from*7%140 // kbit/s
			if err := decode(encode(t, batch, rate), batch, out[from:]); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return out
}

// encode encodes the clips one after another, at a rate in kbit/s at which a camera's
// sub stream already shows blocks, with a key frame every two seconds.
func encode(t testing.TB, clips []*clip, rate int) []byte {
	cmd := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "gray",
		"-s", fmt.Sprintf("%dx%d", clipWidth, clipHeight), "-r", fmt.Sprint(clipRate), "-i", "pipe:0",
		"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "superfast", "-tune", "zerolatency", "-threads", "1",
		"-x264-params", fmt.Sprintf("aud=1:repeat-headers=1:keyint=%d:min-keyint=%d:scenecut=0:force-cfr=1", 2*clipRate, 2*clipRate),
		"-b:v", fmt.Sprintf("%dk", rate), "-maxrate", fmt.Sprintf("%dk", rate), "-bufsize", fmt.Sprintf("%dk", 2*rate), "-f", "h264", "pipe:1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Error(err)
		return nil
	}
	go func() {
		defer in.Close()
		frame := make([]byte, clipWidth*clipHeight)
		for _, c := range clips {
			for n := range clipSeconds * clipRate {
				c.frame(frame, n)
				if _, err := in.Write(frame); err != nil {
					return
				}
			}
		}
	}()
	stream, err := cmd.Output()
	if err != nil {
		t.Errorf("encode clips: %v", err)
	}
	return stream
}

var delimiter = []byte{0, 0, 0, 1, 9}

// decode lets a camera's decoder look at the stream, and deals its pictures out.
func decode(stream []byte, clips []*clip, out []seen) error {
	begin := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	var a media.Assembler
	n := 0
	next := func(context.Context) (media.Unit, error) {
		if len(stream) == 0 {
			return media.Unit{}, io.EOF
		}
		end := len(stream)
		if i := bytes.Index(stream[5:], delimiter); i >= 0 {
			end = i + 5
		}
		var nals h264.AnnexB
		if err := nals.Unmarshal(stream[:end]); err != nil {
			return media.Unit{}, err
		}
		stream = stream[end:]
		at := begin.Add(time.Duration(n) * time.Second / clipRate)
		u, ok, err := a.Unit(nals, uint32(n)*90000/clipRate, at)
		if n++; err == nil && !ok {
			err = errors.New("no unit")
		}
		u.Taken, u.Received = at, at
		return u, err
	}
	for i, c := range clips {
		out[i].clip = c
	}
	err := camera.Decoder{}.Run(context.Background(), next, func(g camera.Grey) {
		at := g.Taken.Sub(begin)
		if i := int(at / (clipSeconds * time.Second)); i < len(clips) {
			g.Taken = g.Taken.Add(-time.Duration(i) * clipSeconds * time.Second)
			out[i].pictures = append(out[i].pictures, g)
		}
	})
	for i := range clips {
		if len(out[i].pictures) < clipSeconds*5*9/10 {
			return fmt.Errorf("clip %d has %d pictures: %w", i, len(out[i].pictures), err)
		}
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// fires reports whether the detector found in the clip what it is to find, or
// anything if it is to find nothing.
func (s seen) fires(d *motion.Detector, c motion.Config) bool {
	begin := s.pictures[0].Taken
	for _, g := range s.pictures {
		at := g.Taken.Sub(begin).Seconds()
		if a := d.Look(g, c, nil); a.Moving && (s.to == 0 || at >= s.from && at < s.to+1) {
			return true
		}
	}
	return false
}

var sensitivities = []motion.Sensitivity{motion.Low, motion.Medium, motion.High}

// count counts by class how many of the clips fire.
func count(clips []seen, c motion.Config, detector func() *motion.Detector) (fired, of map[string]int) {
	fired, of = map[string]int{}, map[string]int{}
	for _, s := range clips {
		of[s.class]++
		if s.fires(detector(), c) {
			fired[s.class]++
			if os.Getenv("LATCHKEY_SEEDS") == "development" {
				fired[fmt.Sprintf("%s %d", s.class, s.seed)]++
			}
		}
	}
	return fired, of
}

// verdict says what is wrong with a table, nothing if it is good enough.
func verdict(fired, of map[string]int) string {
	var bad []string
	found, false_, rest := fired[classes[0].name], 0, 0
	for _, class := range classes[1:] {
		false_, rest = false_+fired[class.name], rest+of[class.name]
	}
	if found*100 < 95*of[classes[0].name] {
		bad = append(bad, fmt.Sprintf("%d of %d walk-bys were found, want 95 %%", found, of[classes[0].name]))
	}
	if false_*100 > 2*rest {
		bad = append(bad, fmt.Sprintf("%d of %d others fired, want 2 %% at the most", false_, rest))
	}
	return strings.Join(bad, "; ")
}

func TestTable(t *testing.T) {
	seeds := uint64(heldOut)
	if os.Getenv("LATCHKEY_SEEDS") == "development" {
		seeds = development
	}
	began := time.Now()
	clips := filmed(t, seeds)
	t.Logf("%d clips were filmed in %v", len(clips), time.Since(began).Round(time.Second))
	fired, of := map[motion.Sensitivity]map[string]int{}, map[string]int{}
	for _, s := range sensitivities {
		fired[s], of = count(clips, motion.Config{Sensitivity: s}, func() *motion.Detector { return new(motion.Detector) })
	}
	t.Logf("%-20s %5s %14s %14s %14s", "class", "clips", "low", "medium", "high")
	for _, c := range classes {
		row := fmt.Sprintf("%-20s %5d", c.name, of[c.name])
		for _, s := range sensitivities {
			row += fmt.Sprintf(" %6d %5.1f %%", fired[s][c.name], 100*float64(fired[s][c.name])/float64(of[c.name]))
		}
		t.Log(row)
	}
	if bad := verdict(fired[motion.Medium], of); bad != "" {
		t.Error(bad)
	}
}
