package media_test

import (
	"bytes"
	"io"
	"os/exec"
	"testing"
	"time"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mp4/codecs"
	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/media"
)

// tone returns a tone as AAC, and as one stream.
func tone(t testing.TB, seconds string) (sounds []media.Sound, stream []byte) {
	t.Helper()
	stream, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=f=440:r=16000:d="+seconds,
		"-c:a", "aac", "-f", "adts", "pipe:1").Output()
	if err != nil {
		t.Fatalf("encode a test sound: %v", err)
	}
	var coding *media.Coding
	for in := bytes.NewReader(stream); in.Len() > 0; {
		frame, c, err := media.ReadADTS(in)
		if err != nil {
			t.Fatal(err)
		}
		if coding == nil {
			coding = &c
		}
		sounds = append(sounds, media.Sound{Coding: coding, Data: frame, Duration: 1024 * media.Rate / 16000,
			PTS: media.Ticks(len(sounds)-1) * 1024 * media.Rate / 16000})
	}
	return sounds, stream
}

// withSounds gives the units their sounds, each to the unit that comes after it.
func withSounds(units []media.Unit, sounds []media.Sound) []media.Unit {
	units = append([]media.Unit(nil), units...)
	for i := range units {
		for len(sounds) > 0 && (sounds[0].PTS+sounds[0].Duration <= units[i].PTS || i == len(units)-1) {
			units[i].Sounds = append(units[i].Sounds, sounds[0])
			sounds = sounds[1:]
		}
	}
	return units
}

func write(t testing.TB, clip *media.Clip) []byte {
	t.Helper()
	var b bytes.Buffer
	if n, err := clip.WriteTo(&b); err != nil || n != clip.Size() || int(n) != b.Len() {
		t.Fatalf("wrote %d of %d bytes: %v", n, clip.Size(), err)
	}
	return b.Bytes()
}

func TestClipWithSound(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 3, "160x120"))
	sounds, _ := tone(t, "3")
	clip := clipOf(t, withSounds(units, sounds))
	b := write(t, clip)
	if want := `video/mp4; codecs="` + units[0].Parameters.Codec() + `,mp4a.40.2"`; clip.Type() != want {
		t.Errorf("type %s, want %s", clip.Type(), want)
	}
	p := ffprobe(t, b)
	if len(p.Streams) != 2 || p.Streams[1].Codec != "aac" || p.Streams[1].Start != "0.000000" || p.Streams[0].Start != "0.000000" {
		t.Fatalf("streams: %+v", p.Streams)
	}
	if out, err := decode(b); err != nil || len(out) > 0 {
		t.Errorf("decoding complains: %v: %s", err, out)
	}
	var header fmp4.Init // an independent reader
	if err := header.Unmarshal(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	want := &codecs.MPEG4Audio{Config: mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: 16000, ChannelConfig: 1, ChannelCount: 1}}
	if diff := cmp.Diff(want, header.Tracks[1].Codec); diff != "" {
		t.Errorf("codec (-want +got):\n%s", diff)
	}
	var parts fmp4.Parts
	if err := parts.Unmarshal(b[bytes.Index(b, []byte("moof"))-4:]); err != nil {
		t.Fatal(err)
	}
	n, next := 1, uint64(0) // the first is from before the clip
	for i, part := range parts {
		if len(part.Tracks) != 2 || i > 0 && part.Tracks[1].BaseTime != next {
			t.Fatalf("fragment %d: %d tracks, sound at %d, want %d", i, len(part.Tracks), part.Tracks[1].BaseTime, next)
		}
		next = part.Tracks[1].BaseTime
		for _, s := range part.Tracks[1].Samples {
			if !bytes.Equal(s.Payload, sounds[n].Data) {
				t.Fatalf("sound %d is another one", n)
			}
			n, next = n+1, next+uint64(s.Duration)
		}
	}
	if n < len(sounds)-1 {
		t.Errorf("%d of %d sounds", n, len(sounds))
	}
}

// Holes are filled with silence, so that the track is as long as the pictures' and what
// is heard stays where it was.
func TestHolesInSound(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 4, "160x120"))
	all, _ := tone(t, "4")
	for name, keep := range map[string]func(i int) bool{
		"late":   func(i int) bool { return i > 30 },
		"early":  func(i int) bool { return i < 20 },
		"hole":   func(i int) bool { return i < 20 || i > 45 },
		"single": func(i int) bool { return i == 33 },
		"every":  func(i int) bool { return i%3 == 0 },
	} {
		var some []media.Sound
		for i, s := range all {
			if keep(i) {
				some = append(some, s)
			}
		}
		b := write(t, clipOf(t, withSounds(units, some)))
		if out, err := decode(b); err != nil || len(out) > 0 {
			t.Errorf("%s: decoding complains: %v: %s", name, err, out)
		}
		cmd := exec.Command("ffmpeg", "-v", "error", "-i", "pipe:0", "-map", "0:a", "-f", "s16le", "pipe:1")
		cmd.Stdin = bytes.NewReader(b)
		pcm, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		if lasts := time.Duration(len(pcm)/2) * time.Second / 16000; lasts < 3850*time.Millisecond || lasts > 4100*time.Millisecond {
			t.Errorf("%s: the sound lasts %v of 4s", name, lasts)
		}
		// Frame i is heard from (i-1)*64 ms on; the frames beside it are not looked at.
		for i := 2; i < 60; i++ {
			loud := false
			for at := (i - 1) * 2048; at < i*2048-1 && at < len(pcm)-1; at += 2 {
				v := int(int16(uint16(pcm[at]) | uint16(pcm[at+1])<<8))
				loud = loud || v > 1000
			}
			if want := keep(i); loud != want && keep(i-1) == want && keep(i+1) == want {
				t.Errorf("%s: frame %d heard: %t, want %t", name, i, loud, want)
			}
		}
	}
}

// Sounds of other makes, without end or on top of one another do not spoil a clip.
func TestOddSounds(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 2, "160x120"))
	good, _ := tone(t, "2")
	other := &media.Coding{Name: "aac", Rate: 8000, Channels: 2, Config: []byte{0x15, 0x90}}
	bad := &media.Coding{Name: "aac", Rate: 0, Channels: 1}
	var odd []media.Sound
	for i, s := range good {
		odd = append(odd, s, s, media.Sound{Coding: other, Data: s.Data, PTS: s.PTS, Duration: s.Duration})
		odd = append(odd, media.Sound{Coding: bad, Data: s.Data, PTS: s.PTS}, media.Sound{Coding: s.Coding, PTS: s.PTS})
		odd = append(odd, media.Sound{Coding: s.Coding, Data: make([]byte, 1<<20), PTS: s.PTS},
			media.Sound{Coding: s.Coding, Data: s.Data, PTS: s.PTS + media.Ticks(i)<<40, Duration: s.Duration})
	}
	units = append([]media.Unit(nil), units...)
	units[5].Sounds = odd
	b := write(t, clipOf(t, units))
	if p := ffprobe(t, b); len(p.Streams) != 2 {
		t.Errorf("streams: %+v", p.Streams)
	}
	if len(b) > 1<<20 {
		t.Errorf("%d bytes", len(b))
	}
	units[5].Sounds = []media.Sound{{Coding: bad, Data: []byte{1}}}
	if p := ffprobe(t, write(t, clipOf(t, units))); len(p.Streams) != 1 {
		t.Errorf("streams: %+v", p.Streams)
	}
}

// What is read as a frame has a coding that a clip can hold.
func FuzzADTS(f *testing.F) {
	seeds(f, "FuzzADTS", 4)
	f.Fuzz(func(t *testing.T, stream []byte) {
		in := bytes.NewReader(stream)
		for {
			frame, c, err := media.ReadADTS(in)
			if err != nil {
				if in.Len() > len(stream) || err == io.EOF {
					t.Fatal("read more than there is, or said nothing of it")
				}
				return
			}
			if err := c.Check(); err != nil || len(frame) == 0 || len(frame) > 8191 {
				t.Fatalf("%d bytes, %+v: %v", len(frame), c, err)
			}
		}
	})
}
