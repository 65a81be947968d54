package paint

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// picture is one encoded picture. A key frame brings its parameter sets.
type picture struct {
	stamp    uint32 // when it was painted, by a clock of 90 kHz
	units    [][]byte
	sps, pps []byte
}

// encoder is an ffmpeg child that is fed painted frames at their pace.
type encoder struct {
	main, sub <-chan picture
	command   *exec.Cmd
	stderr    *tail
	finished  sync.WaitGroup
	stamps    [2]chan uint32 // of the frames in the child, for main and sub
	began     time.Time      // when the stamp was 0
}

// startEncoder starts the child and the painter before it. They end when ctx does.
func startEncoder(ctx context.Context, scene Scene, strip bool) (*encoder, error) {
	const keyEvery = "keyint=%d:min-keyint=%d:scenecut=0:repeat-headers=1:aud=1"
	x264 := fmt.Sprintf(keyEvery, FrameRate, FrameRate)
	output := func(filter, rate, pipe string) []string {
		return []string{
			"-map", "0:v", "-vf", filter, "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-threads", "1",
			"-x264-params", x264, "-pix_fmt", "yuv420p", "-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-flush_packets", "1", "-f", "h264", pipe,
		}
	}
	args := []string{
		"-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe", "-f", "rawvideo", "-pix_fmt", "rgba",
		"-s", fmt.Sprintf("%dx%d", Width, Height), "-r", fmt.Sprint(FrameRate), "-i", "pipe:0",
	}
	args = append(args, output("null", "900k", "pipe:1")...)
	args = append(args, output("scale=iw/2:ih/2:flags=fast_bilinear", "200k", "pipe:3")...)

	e := &encoder{began: time.Now(), command: exec.CommandContext(ctx, "ffmpeg", args...), stderr: &tail{},
		stamps: [2]chan uint32{make(chan uint32, 10*FrameRate), make(chan uint32, 10*FrameRate)}}
	e.command.Stderr = e.stderr
	frames, err := e.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	mainPipe, err := e.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	subPipe, subEnd, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	e.command.ExtraFiles = []*os.File{subEnd} // descriptor 3
	err = e.command.Start()
	subEnd.Close()
	if err != nil {
		subPipe.Close()
		return nil, fmt.Errorf("start ffmpeg: %w", err)
	}
	e.main, e.sub = e.pictures(mainPipe, e.stamps[0]), e.pictures(subPipe, e.stamps[1])
	e.finished.Go(func() {
		defer frames.Close()
		e.paint(ctx, frames, scene, strip)
	})
	return e, nil
}

// paint writes a frame of the scene at each tick until ctx ends or the child does. On
// a busy machine ticks are left out; the stamps tell when a frame is really of.
func (e *encoder) paint(ctx context.Context, w io.Writer, scene Scene, strip bool) {
	tick := time.NewTicker(time.Second / FrameRate)
	defer tick.Stop()
	img := image.NewRGBA(image.Rect(0, 0, Width, Height))
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			paintFrame(img, scene, now)
			if strip {
				newCanvas(img).strip(scene, now)
			}
			for _, stamps := range e.stamps {
				select {
				case <-ctx.Done():
					return
				case stamps <- e.stamp(now):
				}
			}
			if _, err := w.Write(img.Pix); err != nil {
				return
			}
		}
	}
}

// stamp is what a frame of that moment is stamped with.
func (e *encoder) stamp(at time.Time) uint32 {
	return uint32(uint64(at.Sub(e.began).Seconds() * clockRate))
}

// painted is when a picture was painted. Its stamp alone does not tell: it begins anew
// twice a day.
func (e *encoder) painted(p picture) time.Time {
	now := time.Now()
	return now.Add(-time.Duration(e.stamp(now)-p.stamp) * time.Second / clockRate)
}

// wait returns when the child has ended and everything it wrote is read.
func (e *encoder) wait() {
	e.finished.Wait()
	_ = e.command.Wait() // it was told to end; how it took that does not matter
}

func (e *encoder) complaint() string { return e.stderr.String() }

// pictures cuts what the child writes into pictures, one for each frame that it was
// fed. The channel is closed at its end.
func (e *encoder) pictures(r io.ReadCloser, stamps <-chan uint32) <-chan picture {
	out := make(chan picture, FrameRate)
	e.finished.Go(func() {
		defer close(out)
		defer r.Close()
		scanner := bufio.NewScanner(r)
		scanner.Buffer(make([]byte, 1<<20), 4<<20)
		scanner.Split(splitPictures)
		for scanner.Scan() {
			var units h264.AnnexB
			if units.Unmarshal(scanner.Bytes()) != nil {
				return
			}
			p := picture{stamp: <-stamps}
			for _, u := range units {
				u = bytes.Clone(u)
				switch h264.NALUType(u[0] & 0x1f) {
				case h264.NALUTypeAccessUnitDelimiter:
					continue
				case h264.NALUTypeSPS:
					p.sps = u
				case h264.NALUTypePPS:
					p.pps = u
				}
				p.units = append(p.units, u)
			}
			select {
			case out <- p:
			default: // nobody takes it: the camera is closing
			}
		}
	})
	return out
}

// delimiter begins each picture, because x264 was told to write access unit delimiters.
var delimiter = []byte{0, 0, 0, 1, 9}

// splitPictures is a [bufio.SplitFunc]: one picture, from its delimiter to the next.
func splitPictures(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if len(data) > len(delimiter) {
		if i := bytes.Index(data[len(delimiter):], delimiter); i >= 0 {
			end := i + len(delimiter)
			return end, data[:end], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// tail keeps the last words of a child, a few kilobytes of them.
type tail struct {
	mu   sync.Mutex // protects text
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-2048):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
