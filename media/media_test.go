package media_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"

	"github.com/latchkey-cam/latchkey/media"
)

// picture is one access unit as an RTP reader would hand it over.
type picture struct {
	nals  [][]byte
	stamp uint32
}

// encode lets ffmpeg make a stream with 15 pictures a second; the arguments say what
// is encoded and how. Pictures come in the order of decoding.
func encode(t testing.TB, seconds int, size string, args ...string) []picture {
	t.Helper()
	line := append([]string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i",
		fmt.Sprintf("testsrc2=size=%s:rate=15:duration=%d", size, seconds), "-pix_fmt", "yuv420p",
		"-c:v", "libx264", "-preset", "ultrafast", "-threads", "1", "-g", "15", "-x264-params", "aud=1"}, args...)
	out, err := exec.Command("ffmpeg", append(line, "-f", "h264", "pipe:1")...).Output()
	if err != nil {
		t.Fatalf("encode a test stream: %v", err)
	}
	return split(t, out)
}

// split cuts an elementary stream at its access unit delimiters.
func split(t testing.TB, stream []byte) []picture {
	t.Helper()
	var pictures []picture
	for at := 0; at < len(stream); {
		end := bytes.Index(stream[at+5:], []byte{0, 0, 0, 1, 9})
		if end < 0 {
			end = len(stream)
		} else {
			end += at + 5
		}
		var nals h264.AnnexB
		if err := nals.Unmarshal(stream[at:end]); err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, picture{nals, uint32(len(pictures)) * 6000})
		at = end
	}
	return pictures
}

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// assemble runs pictures through an assembler as if they arrived on time.
func assemble(t testing.TB, a *media.Assembler, pictures []picture) []media.Unit {
	t.Helper()
	var units []media.Unit
	for i, p := range pictures {
		u, ok, err := a.Unit(p.nals, p.stamp, noon.Add(time.Duration(i)*time.Second/15))
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			units = append(units, u)
		}
	}
	return units
}

func TestTicksAndDurations(t *testing.T) {
	for _, d := range []time.Duration{0, time.Second, 40 * time.Millisecond, 10*365*24*time.Hour + time.Second/3} {
		if got := media.TicksOf(d).Duration(); got > d || d-got > time.Second/media.Rate {
			t.Errorf("%v came back as %v", d, got)
		}
	}
	for n := media.Ticks(0); n < 2*media.Rate; n += 7 {
		if got := media.TicksOf(n.Duration()); got != n && got != n-1 {
			t.Fatalf("%d ticks came back as %d", n, got)
		}
	}
}
