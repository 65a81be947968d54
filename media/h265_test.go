package media_test

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/media"
)

// encode265 is encode for H.265. The parameters are x265's.
func encode265(t testing.TB, seconds int, size, parameters string) []picture {
	t.Helper()
	stream, err := exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i",
		fmt.Sprintf("testsrc2=size=%s:rate=15:duration=%d", size, seconds), "-pix_fmt", "yuv420p",
		"-c:v", "libx265", "-preset", "ultrafast", "-x265-params",
		"log-level=none:aud=1:repeat-headers=1:info=0:frame-threads=1:pools=none:keyint=15:min-keyint=15:"+parameters,
		"-f", "hevc", "pipe:1").Output()
	if err != nil {
		t.Fatalf("encode a test stream: %v", err)
	}
	var pictures []picture
	for len(stream) > 0 {
		end := len(stream)
		if i := bytes.Index(stream[5:], []byte{0, 0, 0, 1, 0x46}); i >= 0 {
			end = i + 5
		}
		var nals h264.AnnexB
		if err := nals.Unmarshal(stream[:end]); err != nil {
			t.Fatal(err)
		}
		pictures, stream = append(pictures, picture{nals, uint32(len(pictures)) * 6000}), stream[end:]
	}
	return pictures
}

const asCamerasDo = "bframes=0:open-gop=0"

func TestH265ClipPlays(t *testing.T) {
	var a = media.Assembler{H265: true}
	units := assemble(t, &a, encode265(t, 3, "160x120", asCamerasDo))
	if len(units) != 45 || !units[0].Key || !units[15].Key || units[16].Key {
		t.Fatalf("%d units", len(units))
	}
	p := units[0].Parameters
	if p.Width() != 160 || p.Height() != 120 || p.Codec() != "hvc1.1.6.L30.90" {
		t.Errorf("parameters say %dx%d, %s", p.Width(), p.Height(), p.Codec())
	}
	clip := clipOf(t, units)
	var b bytes.Buffer
	if n, err := clip.WriteTo(&b); err != nil || n != clip.Size() || int(n) != b.Len() {
		t.Fatalf("wrote %d of %d bytes: %v", n, clip.Size(), err)
	}
	got := ffprobe(t, b.Bytes())
	if s := got.Streams[0]; s.Codec != "hevc" || s.Tag != "hvc1" || s.Width != 160 || s.Height != 120 || s.Start != "0.000000" {
		t.Errorf("stream: %+v", s)
	}
	if d, _ := strconv.ParseFloat(got.Format.Duration, 64); d < 2.9 || d > 3.1 || len(got.Packets) != 45 {
		t.Errorf("%d packets in %s s", len(got.Packets), got.Format.Duration)
	}
	if out, err := decode(b.Bytes()); err != nil || len(out) > 0 {
		t.Errorf("decoding complains: %v: %s", err, out)
	}
	var header fmp4.Init // an independent reader
	if err := header.Unmarshal(bytes.NewReader(b.Bytes())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&codecs.H265{VPS: p.VPS, SPS: p.SPS, PPS: p.PPS[0]}, header.Tracks[0].Codec); diff != "" {
		t.Errorf("codec (-want +got):\n%s", diff)
	}
}

// With pictures that refer to later ones across key pictures, groups stand on their own
// all the same.
func TestH265GroupsStandOnTheirOwn(t *testing.T) {
	pictures := encode265(t, 4, "160x120", "bframes=2:b-adapt=0:open-gop=1:rc-lookahead=5")
	var a = media.Assembler{H265: true}
	units := assemble(t, &a, pictures)
	if len(units) >= len(pictures) || len(units) < len(pictures)*3/4 {
		t.Fatalf("%d units of %d pictures: no leading ones were dropped, so this test shows nothing, or too many", len(units), len(pictures))
	}
	second := units
	for len(second) > 1 && !second[1].Key {
		second = second[1:]
	}
	clip := clipOf(t, append([]media.Unit(nil), second[1:]...))
	var b bytes.Buffer
	if _, err := clip.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	// Of the times it complains rightly: the test has stamped in the order of decoding.
	if out, err := decode(b.Bytes()); err != nil || bytes.Contains(out, []byte("[hevc")) {
		t.Errorf("decoding complains: %v: %s", err, out)
	}
}

func TestParametersThatChangeInMidStream(t *testing.T) {
	for name, streams := range map[string][2][]picture{
		"H.264": {encode(t, 1, "128x96"), encode(t, 1, "160x120")},
		"H.265": {encode265(t, 1, "128x96", asCamerasDo), encode265(t, 1, "160x120", asCamerasDo)},
	} {
		for i := range streams[1] {
			streams[1][i].stamp += 15 * 6000
		}
		var a = media.Assembler{H265: name == "H.265"}
		units := assemble(t, &a, append(streams[0], streams[1]...))
		if len(units) != 30 || units[14].Parameters.Width() != 128 || units[15].Parameters.Width() != 160 || units[15].Break {
			t.Errorf("%s: %d units", name, len(units))
		}
		ring := media.Ring{Limit: 1 << 20}
		for _, u := range units {
			ring.Add(u)
		}
		if groups := ring.Since(time.Time{}); len(groups) != 1 || groups[0].Parameters().Height() != 120 {
			t.Errorf("%s: %d groups since the change", name, len(groups))
		}
	}
}

// Sets that come by themselves, as with a marker bit of their own, count for the next
// key picture.
func TestParametersOnTheirOwn(t *testing.T) {
	small, large := encode265(t, 1, "128x96", asCamerasDo), encode265(t, 1, "160x120", asCamerasDo)
	var a = media.Assembler{H265: true}
	var alone []picture
	for i, p := range append(small, large...) {
		stamp := uint32(i) * 6000
		rest := picture{stamp: stamp}
		for _, nal := range p.nals {
			if kind := nal[0] >> 1 & 0x3f; kind >= 32 && kind <= 34 {
				alone = append(alone, picture{[][]byte{nal}, stamp})
			} else {
				rest.nals = append(rest.nals, nal)
			}
		}
		alone = append(alone, rest)
	}
	units := assemble(t, &a, alone)
	if len(units) != 30 || units[0].Parameters.Width() != 128 || units[15].Parameters.Width() != 160 {
		t.Fatalf("%d units, of %d and then %d pixels", len(units), units[0].Parameters.Width(), units[len(units)-1].Parameters.Width())
	}
	if stream := units[0].AppendAnnexB(nil); stream[4]>>1 != 32 || !bytes.Contains(stream, units[0].Parameters.PPS[0]) {
		t.Error("a decoder's stream begins without the parameters")
	}
}

// bigSPS265 is a sequence parameter set for a picture of w x h pixels.
func bigSPS265(w, h uint32) []byte {
	var bits []byte
	put := func(v uint32) { // Exp-Golomb
		n := 0
		for uint64(v)+1 >= 1<<(n+1) {
			n++
		}
		for range n {
			bits = append(bits, 0)
		}
		for i := n; i >= 0; i-- {
			bits = append(bits, byte((uint64(v)+1)>>i&1))
		}
	}
	put(0) // its number
	put(1) // chroma
	put(w)
	put(h)
	bits = append(bits, 0) // no crop
	put(0)
	put(0)
	bits = append(bits, 1)
	sps := []byte{0x42, 1, 1, 1, 0x60, 0xff, 0xff, 0x90, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 93}
	for len(bits)%8 != 0 {
		bits = append(bits, 0)
	}
	for i := 0; i < len(bits); i += 8 {
		var b byte
		for j := range 8 {
			b = b<<1 | bits[i+j]
		}
		sps = append(sps, b)
	}
	return sps
}

func TestAbsurdParametersOfH265AreRefused(t *testing.T) {
	vps, pps := []byte{0x40, 1, 0x0c, 1}, []byte{0x44, 1, 0xc0, 0xf2}
	if p, err := media.NewParameters265(vps, bigSPS265(1920, 1080), pps); err != nil || p.Width() != 1920 {
		t.Fatalf("the control: %v", err)
	}
	key := []byte{19 << 1, 1, 0xaf}
	for name, sps := range map[string][]byte{
		"0x0": bigSPS265(0, 0), "32768x32768": bigSPS265(32768, 32768), "8192x8192": bigSPS265(8192, 8192),
		"a line": bigSPS265(4096, 1), "cut off": bigSPS265(1920, 1080)[:17], "nothing": {0x42, 1},
		"64 KB":             append(bigSPS265(1920, 1080), make([]byte, 64<<10)...),
		"4294967294 pixels": bigSPS265(1<<32-2, 16),
	} {
		var a = media.Assembler{H265: true}
		if _, _, err := a.Unit([][]byte{vps, sps, pps, key}, 0, noon); !errors.Is(err, media.ErrParameters) {
			t.Errorf("%s: %v, want %v", name, err, media.ErrParameters)
		}
	}
	var a = media.Assembler{H265: true}
	if _, _, err := a.Unit([][]byte{append(vps, make([]byte, 64<<10)...), bigSPS265(64, 64), pps, key}, 0, noon); !errors.Is(err, media.ErrParameters) {
		t.Errorf("video parameter set of 64 KB: %v", err)
	}
	if _, err := media.NewParameters265(vps, bigSPS265(64, 64), append([]byte{0x44, 1}, make([]byte, 64)...)); !errors.Is(err, media.ErrParameters) {
		t.Errorf("picture parameter set of zeros: %v", err)
	}
}
