package media_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/media"
)

// madeAt is when every clip of these tests was made.
var madeAt = time.Date(2026, 11, 26, 12, 34, 56, 0, time.UTC)

func clipOf(t testing.TB, units []media.Unit) *media.Clip {
	t.Helper()
	ring := media.Ring{Limit: 64 << 20}
	for _, u := range units {
		ring.Add(u)
	}
	clip, err := media.NewClip(ring.Since(time.Time{}), madeAt)
	if err != nil {
		t.Fatal(err)
	}
	return clip
}

// made is when a file says that it was made.
type made struct {
	Created time.Time `json:"creation_time"`
}

// probe is what ffprobe says of a clip.
type probe struct {
	Streams []struct {
		Codec  string `json:"codec_name"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		Start  string `json:"start_time"`
		Tag    string `json:"codec_tag_string"`
		Tags   made   `json:"tags"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"`
		Tags     made   `json:"tags"`
	} `json:"format"`
	Packets []struct {
		PTS   int64  `json:"pts"`
		DTS   int64  `json:"dts"`
		Flags string `json:"flags"`
	} `json:"packets"`
}

func ffprobe(t testing.TB, clip []byte) probe {
	t.Helper()
	file := filepath.Join(t.TempDir(), "clip.mp4")
	if err := os.WriteFile(file, clip, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ffprobe", "-v", "warning", "-of", "json", "-show_streams", "-show_format", "-show_packets", file)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffprobe: %v: %s", err, &complaints)
	}
	var p probe
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestClipPlays(t *testing.T) {
	for name, args := range map[string][]string{
		"as cameras send it":                {"-tune", "zerolatency"},
		"pictures that refer to later ones": {"-bf", "2", "-b_strategy", "0", "-b-pyramid", "none"},
	} {
		t.Run(name, func(t *testing.T) {
			pictures := encode(t, 3, "160x120", args...)
			// In the order of decoding: what is shown when is in the stream alone.
			if args[0] == "-bf" {
				stampByOrder(pictures)
			}
			var a media.Assembler
			units := assemble(t, &a, pictures)
			clip := clipOf(t, units)
			var b bytes.Buffer
			if n, err := clip.WriteTo(&b); err != nil || n != clip.Size() || int(n) != b.Len() {
				t.Fatalf("wrote %d of %d bytes: %v", n, clip.Size(), err)
			}
			p := ffprobe(t, b.Bytes())
			if s := p.Streams[0]; s.Codec != "h264" || s.Width != 160 || s.Height != 120 || s.Start != "0.000000" {
				t.Errorf("stream: %+v", s)
			}
			if d, _ := strconv.ParseFloat(p.Format.Duration, 64); d < 2.9 || d > 3.1 || clip.Duration() < 2900*time.Millisecond {
				t.Errorf("lasts %s s, says %v; want 3 s", p.Format.Duration, clip.Duration())
			}
			if !p.Format.Tags.Created.Equal(madeAt) || !p.Streams[0].Tags.Created.Equal(madeAt) {
				t.Errorf("made at %v, its pictures at %v; want %v", p.Format.Tags.Created, p.Streams[0].Tags.Created, madeAt)
			}
			if len(p.Packets) != 45 || p.Packets[0].Flags[0] != 'K' {
				t.Fatalf("%d packets, the first %v", len(p.Packets), p.Packets[0])
			}
			for i := 1; i < len(p.Packets); i++ {
				if p.Packets[i].DTS <= p.Packets[i-1].DTS {
					t.Errorf("packet %d is decoded at %d, after one at %d", i, p.Packets[i].DTS, p.Packets[i-1].DTS)
				}
			}
			if out, err := decode(b.Bytes()); err != nil || len(out) > 0 {
				t.Errorf("decoding complains: %v: %s", err, out)
			}
		})
	}
}

// stampByOrder gives the pictures of a stream with I, P and two B pictures between
// them the stamps that its camera would: IPBBPBB is shown as IBBPBBP.
func stampByOrder(pictures []picture) {
	shown := 0
	for i := 0; i < len(pictures); {
		if pictures[i].nals[0][0]&0x1f == 7 || isKey(pictures[i]) {
			pictures[i].stamp = uint32(shown) * 6000
			i, shown = i+1, shown+1
			continue
		}
		b := i + 1
		for b < len(pictures) && pictures[b].nals[len(pictures[b].nals)-1][0]>>5 == 0 { // nobody refers to it
			b++
		}
		pictures[i].stamp = uint32(shown+b-i-1) * 6000
		for j := i + 1; j < b; j++ {
			pictures[j].stamp = uint32(shown+j-i-1) * 6000
		}
		i, shown = b, shown+b-i
	}
}

func isKey(p picture) bool {
	for _, nal := range p.nals {
		if nal[0]&0x1f == 5 {
			return true
		}
	}
	return false
}

func decode(clip []byte) ([]byte, error) {
	cmd := exec.Command("ffmpeg", "-v", "warning", "-xerror", "-i", "pipe:0", "-f", "null", "-")
	cmd.Stdin = bytes.NewReader(clip)
	return cmd.CombinedOutput()
}

// An independent reader finds in the clip exactly the units that went in.
func TestClipHoldsWhatTheCameraSent(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 3, "160x120"))
	clip := clipOf(t, units)
	var b bytes.Buffer
	if _, err := clip.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	var header fmp4.Init
	if err := header.Unmarshal(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	p := units[0].Parameters
	if diff := cmp.Diff(&codecs.H264{SPS: p.SPS, PPS: p.PPS[0]}, header.Tracks[0].Codec); diff != "" {
		t.Errorf("codec (-want +got):\n%s", diff)
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(b.Bytes()[bytes.Index(b.Bytes(), []byte("moof"))-4:]); err != nil {
		t.Fatal(err)
	}
	if len(parts) != 3 {
		t.Errorf("%d fragments of 3 groups", len(parts))
	}
	i, next := 0, uint64(0)
	for n, part := range parts {
		if part.Tracks[0].BaseTime != next {
			t.Errorf("fragment %d begins at %d, want %d", n, part.Tracks[0].BaseTime, next)
		}
		for _, s := range part.Tracks[0].Samples {
			nals, err := s.GetH264()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(units[i].NALs, nals); diff != "" || s.IsNonSyncSample == units[i].Key {
				t.Errorf("unit %d differs", i)
			}
			i, next = i+1, next+uint64(s.Duration)
		}
	}
	if i != len(units) || media.Ticks(next).Duration() != clip.Duration() {
		t.Errorf("%d samples of %d units, %v of %v", i, len(units), media.Ticks(next).Duration(), clip.Duration())
	}
	if want := fmt.Sprintf("video/mp4; codecs=%q", p.Codec()); clip.Type() != want {
		t.Errorf("type %s, want %s", clip.Type(), want)
	}
}

func TestClipIsOfOneStream(t *testing.T) {
	var a, b media.Assembler
	one := assemble(t, &a, encode(t, 1, "128x96"))
	two := assemble(t, &b, encode(t, 1, "64x48"))
	groups := []media.Group{{Units: one}, {Units: two}}
	if _, err := media.NewClip(groups, madeAt); err == nil {
		t.Error("a clip was made of two sessions")
	}
	two[0].Break = false
	if _, err := media.NewClip(groups, madeAt); err == nil {
		t.Error("a clip was made of pictures of two sizes")
	}
	if _, err := media.NewClip(nil, madeAt); err == nil {
		t.Error("a clip was made of nothing")
	}
}

type full struct{ room int }

var errFull = errors.New("no room")

func (f *full) Write(p []byte) (int, error) {
	if len(p) > f.room {
		return 0, errFull
	}
	f.room -= len(p)
	return len(p), nil
}

func TestClipReportsItsWritersError(t *testing.T) {
	var a media.Assembler
	clip := clipOf(t, assemble(t, &a, encode(t, 3, "320x240")))
	for _, room := range []int{0, 70 << 10} {
		if _, err := clip.WriteTo(&full{room}); !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: %v, want %v", room, err, errFull)
		}
	}
	if _, err := clip.WriteTo(io.Discard); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
