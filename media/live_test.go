package media_test

import (
	"bytes"
	"strconv"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// film has a muxer make fragments of units, and returns what a player is given.
func film(t *testing.T, known int, units []media.Unit, offset media.Ticks) (whole []byte, fragments int) {
	t.Helper()
	live := media.NewLive(units[:known])
	whole = live.Init()
	for _, u := range units {
		b, first := live.Add(u, offset)
		if b == nil {
			continue
		}
		if fragments++; fragments == 1 && !first.Key {
			t.Error("the first fragment does not begin with a key unit")
		}
		whole = append(whole, b...)
	}
	return whole, fragments
}

// TestLivePlays: of each picture there is a fragment at once, and all of them together
// are a film without a hole.
func TestLivePlays(t *testing.T) {
	const offset = 1000 * media.Rate
	for name, c := range map[string]struct {
		pictures []picture
		h265     bool
		codec    string
	}{
		"H.264": {encode(t, 3, "160x120", "-tune", "zerolatency"), false, "h264"},
		"H.265": {encode265(t, 3, "160x120", asCamerasDo), true, "hevc"},
	} {
		t.Run(name, func(t *testing.T) {
			a := media.Assembler{H265: c.h265}
			units := assemble(t, &a, c.pictures)
			whole, n := film(t, 1, units, offset)
			p := ffprobe(t, whole)
			if n != 45 || len(p.Packets) != 45 {
				t.Fatalf("%d fragments and %d packets of 45 pictures", n, len(p.Packets))
			}
			if s := p.Streams[0]; s.Codec != c.codec || s.Width != 160 || s.Height != 120 {
				t.Errorf("stream: %+v", s)
			}
			for i, is := range p.Packets {
				if want := int64(offset) + int64(i-1)*6000; is.PTS != want || is.DTS != want || (is.Flags[0] == 'K') != units[i].Key {
					t.Fatalf("packet %d: %+v, want %d", i, is, want)
				}
			}
			if out, err := decode(whole); err != nil || len(out) > 0 {
				t.Errorf("decoding complains: %v: %s", err, out)
			}
			live := media.NewLive(units[:1])
			if want := "video/mp4; codecs=" + strconv.Quote(units[0].Parameters.Codec()); live.Type() != want {
				t.Errorf("type %s, want %s", live.Type(), want)
			}
		})
	}
}

// TestLiveWaits: pictures that refer to later ones are shown in their order.
func TestLiveWaits(t *testing.T) {
	pictures := encode(t, 3, "160x120", "-bf", "2", "-b_strategy", "0", "-b-pyramid", "none")
	stampByOrder(pictures)
	var a media.Assembler
	units := assemble(t, &a, pictures)
	for name, c := range map[string]struct{ known, want int }{"it is known": {5, 45}, "it is noticed": {1, 32}} {
		t.Run(name, func(t *testing.T) {
			whole, n := film(t, c.known, units, 0)
			p := ffprobe(t, whole)
			if n >= 30 || len(p.Packets) < c.want-3 || len(p.Packets) > c.want {
				t.Errorf("%d fragments and %d packets, of %d", n, len(p.Packets), c.want)
			}
			shown := map[int64]bool{}
			for i, is := range p.Packets {
				if is.PTS < is.DTS || shown[is.PTS] {
					t.Errorf("packet %d: %+v", i, is)
				}
				shown[is.PTS] = true
			}
			if out, err := decode(whole); err != nil || len(out) > 0 {
				t.Errorf("decoding complains: %v: %s", err, out)
			}
		})
	}
}

// TestLiveAfterALoss: what is missing makes no hole: the picture before it lasts.
func TestLiveAfterALoss(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 3, "160x120", "-tune", "zerolatency"))
	whole, _ := film(t, 1, append(units[:20:20], units[30:]...), 0)
	p := ffprobe(t, whole)
	if len(p.Packets) != 35 || p.Packets[20].PTS != 19*6000 || p.Packets[21].PTS != 30*6000 {
		t.Errorf("%d packets, those behind the loss at %d and %d", len(p.Packets), p.Packets[20].PTS, p.Packets[21].PTS)
	}
}

// TestLiveSound: sounds come in one piece, whatever is missing and whatever comes twice.
func TestLiveSound(t *testing.T) {
	sounds, _ := tone(t, "3")
	const lasts = 1024 * media.Rate / 16000
	coding := sounds[0].Coding
	if live := media.NewLiveSound(coding); live.Type() != `audio/mp4; codecs="mp4a.40.2"` || live.Coding() != coding {
		t.Errorf("type %s", live.Type())
	}
	of := func(sounds []media.Sound, by int) probe {
		live := media.NewLiveSound(coding)
		whole := bytes.NewBuffer(live.Init())
		for len(sounds) > 0 {
			n := min(by, len(sounds))
			whole.Write(live.Add(sounds[:n], 10*media.Rate))
			sounds = sounds[n:]
		}
		p := ffprobe(t, whole.Bytes())
		for i := 1; i < len(p.Packets); i++ {
			if gap := p.Packets[i].PTS - p.Packets[i-1].PTS; gap < 1 || gap > 2048 {
				t.Errorf("packet %d comes %d samples after the one before", i, gap)
			}
		}
		return p
	}
	for name, given := range map[string][]media.Sound{
		"all":       sounds,
		"twice":     append(append(sounds[:20:20], sounds[10:20]...), sounds[20:]...),
		"with hole": append(sounds[:10:10], sounds[30:]...),
	} {
		t.Run(name, func(t *testing.T) {
			for _, by := range []int{1, 3} {
				p := of(given, by)
				if s := p.Streams[0]; s.Codec != "aac" || len(p.Streams) != 1 {
					t.Errorf("streams: %+v", p.Streams)
				}
				begin, end := p.Packets[0].PTS, p.Packets[len(p.Packets)-1].PTS
				if begin != 10*16000-1024 || end != begin+int64(len(sounds)-1)*1024 || len(p.Packets) != len(sounds) {
					t.Errorf("%d packets of %d, from %d to %d", len(p.Packets), len(sounds), begin, end)
				}
			}
		})
	}
	live := media.NewLiveSound(coding)
	late := sounds[5]
	late.PTS += 60 * media.Rate
	if live.Add(sounds[:5], 0) == nil || len(live.Add([]media.Sound{late}, 0)) > 2000 {
		t.Error("a minute of silence is made up")
	}
	if b := live.Add([]media.Sound{{Coding: &media.Coding{Name: "opus"}, Data: []byte{1}, PTS: late.PTS + lasts, Duration: lasts}, {Coding: coding}}, 0); b != nil {
		t.Error("a sound of another coding, and an empty one, are taken")
	}
}

// TestLiveIsAtOnce: no fragment waits for the next picture.
func TestLiveIsAtOnce(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 1, "64x48", "-tune", "zerolatency"))
	live := media.NewLive(units[:1])
	for i, u := range units {
		b, first := live.Add(u, media.TicksOf(time.Hour))
		if b == nil || first.Key != (i == 0) || len(b) > u.Size()+200 {
			t.Fatalf("picture %d: %d bytes", i, len(b))
		}
	}
}
