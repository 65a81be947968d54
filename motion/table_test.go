package motion_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
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
			stream := encode(t, batch, rate)
			err := decode(stream, batch, out[from:])
			for again := 0; err != nil && again < 3; again++ { // the machine was too busy for the decoder
				err = decode(stream, batch, out[from:])
			}
			if err != nil {
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
	// A camera's decoder is fed as pictures come in, and gives up those that do not come
	// out within a second; so no more is fed at a time than comes out at once.
	flying := make(chan struct{}, 4)
	next := func(context.Context) (media.Unit, error) {
		select {
		case flying <- struct{}{}:
		case <-time.After(2 * time.Second):
		}
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
		out[i] = seen{clip: c}
	}
	err := camera.Decoder{Interval: time.Millisecond}.Run(context.Background(), next, func(g camera.Grey) {
		select {
		case <-flying:
		default:
		}
		at := g.Taken.Sub(begin)
		if at%(time.Second/5) != 0 {
			return
		}
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

// table is how many clips of each class fired.
type table struct {
	name  string
	fired map[string]int
}

// try shows all clips to detectors, on all cores.
func try(name string, clips []seen, c motion.Config, detector func() *motion.Detector) table {
	fired := make([]bool, len(clips))
	var wait sync.WaitGroup
	var next atomic.Int64
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(clips); i = int(next.Add(1)) - 1 {
				fired[i] = clips[i].fires(detector(), c)
			}
		})
	}
	wait.Wait()
	t := table{name, map[string]int{}}
	for i, f := range fired {
		if f {
			t.fired[clips[i].class]++
		}
	}
	return t
}

// verdict says what is wrong with a table, nothing if it is good enough.
func (b table) verdict() string {
	var bad []string
	walks, found := classes[0].clips, b.fired[classes[0].name]
	rest, wrong := 0, 0
	for _, class := range classes[1:] {
		rest, wrong = rest+class.clips, wrong+b.fired[class.name]
	}
	if found*100 < 95*walks {
		bad = append(bad, fmt.Sprintf("%d of %d walk-bys were found, want 95 %%", found, walks))
	}
	if wrong*100 > 2*rest {
		bad = append(bad, fmt.Sprintf("%d of %d others fired, want 2 %% at the most", wrong, rest))
	}
	return strings.Join(bad, "; ")
}

// At medium sensitivity the detector finds at least 95 % of those who walk by, and of
// everything else at most 2 % makes it fire. A detector without the veto of the light,
// or one for which a single picture is enough, does not manage that.
func TestTable(t *testing.T) {
	t.Parallel()
	seeds := uint64(heldOut)
	if os.Getenv("LATCHKEY_SEEDS") == "development" {
		seeds = development
	}
	began := time.Now()
	clips := filmed(t, seeds)
	t.Logf("%d clips of %d s were filmed in %v", len(clips), clipSeconds, time.Since(began).Round(time.Second))
	usual := func() *motion.Detector { return new(motion.Detector) }
	tables := []table{
		try("medium", clips, motion.Config{}, usual),
		try("low", clips, motion.Config{Sensitivity: motion.Low}, usual),
		try("high", clips, motion.Config{Sensitivity: motion.High}, usual),
		try("no veto", clips, motion.Config{}, motion.WithoutVeto),
		try("at once", clips, motion.Config{}, motion.AtOnce),
	}
	row := fmt.Sprintf("%-18s %5s", "class", "clips")
	for _, b := range tables {
		row += fmt.Sprintf(" %12s", b.name)
	}
	t.Log(row)
	for _, c := range classes {
		row := fmt.Sprintf("%-18s %5d", c.name, c.clips)
		for _, b := range tables {
			row += fmt.Sprintf(" %4d %5.1f %%", b.fired[c.name], 100*float64(b.fired[c.name])/float64(c.clips))
		}
		t.Log(row)
	}
	if bad := tables[0].verdict(); bad != "" {
		t.Error(bad)
	}
	for _, b := range tables[3:] {
		if b.verdict() == "" {
			t.Errorf("control: the detector %q is as good", b.name)
		}
	}
}

// BenchmarkLook is what one picture costs, five of which are looked at in a second.
func BenchmarkLook(b *testing.B) {
	c := newClip(0, development)
	var pictures []camera.Grey
	frame := make([]byte, clipWidth*clipHeight)
	at := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	for n := 0; n < clipSeconds*clipRate; n += 2 {
		c.frame(frame, n)
		g := camera.Grey{Width: clipWidth / 2, Height: clipHeight / 2, Pix: make([]byte, clipWidth*clipHeight/4), Taken: at}
		for i := range g.Pix {
			g.Pix[i] = frame[i/(clipWidth/2)*2*clipWidth+i%(clipWidth/2)*2]
		}
		pictures, at = append(pictures, g), at.Add(time.Second/5)
	}
	var d motion.Detector
	var log motion.Log
	for i := 0; b.Loop(); i++ {
		d.Look(pictures[i%len(pictures)], motion.Config{}, &log)
	}
}
