package media_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey/media"
)

// groupsOf are the groups of units, the last one without an end.
func groupsOf(units []media.Unit) []media.Group {
	ring := media.Ring{Limit: 64 << 20}
	for _, u := range units {
		ring.Add(u)
	}
	return ring.Since(units[0].Taken)
}

// TestRecordingPlays: each group is a fragment at its place on the axis, all of them are a
// film without a hole, and any of them is one to begin with.
func TestRecordingPlays(t *testing.T) {
	const offset = 1000 * media.Rate
	for name, c := range map[string]struct {
		flags    []string
		reorders bool
	}{
		"H.264":                        {flags: []string{"-tune", "zerolatency", "-g", "15"}},
		"pictures refer to later ones": {flags: []string{"-g", "15", "-bf", "2", "-b_strategy", "0", "-b-pyramid", "none"}, reorders: true},
	} {
		t.Run(name, func(t *testing.T) {
			pictures := encode(t, 3, "160x120", c.flags...)
			if c.reorders {
				stampByOrder(pictures)
			}
			var a media.Assembler
			groups := groupsOf(assemble(t, &a, pictures))
			if len(groups) != 3 {
				t.Fatalf("%d groups", len(groups))
			}
			r := media.NewRecording(groups[0])
			whole, second := r.Init(), r.Init()
			for i, g := range groups {
				if !r.Fits(g) {
					t.Fatalf("group %d does not fit", i)
				}
				b := r.Add(g, offset)
				whole = append(whole, b...)
				if i == 1 {
					second = append(second, b...)
				}
			}
			p := ffprobe(t, whole)
			if len(p.Packets) != 45 {
				t.Fatalf("%d packets of 45 pictures", len(p.Packets))
			}
			shown := map[int64]bool{}
			for i, is := range p.Packets {
				if is.PTS < is.DTS || i > 0 && is.DTS <= p.Packets[i-1].DTS {
					t.Errorf("packet %d: %+v", i, is)
				}
				shown[is.PTS] = true
			}
			for i := range 45 {
				if !shown[offset+int64(i)*6000] {
					t.Errorf("no picture is shown at the place of picture %d", i)
				}
			}
			for what, film := range map[string][]byte{"whole": whole, "second": second} {
				if out, err := decode(film); err != nil || len(out) > 0 {
					t.Errorf("decoding the %s complains: %v: %s", what, err, out)
				}
			}
			if got := media.Length(groups[0]); got != media.Rate {
				t.Errorf("a group of a second lasts %d", got)
			}
			if got := media.Length(groups[2]); got != media.Rate {
				t.Errorf("the last group lasts %d", got)
			}
		})
	}
}

// TestRecordingWithSound: sounds lie beside the pictures of their time, without a hole
// where a group ends, and another kind of sound is another recording.
func TestRecordingWithSound(t *testing.T) {
	var a media.Assembler
	units := assemble(t, &a, encode(t, 3, "160x120", "-tune", "zerolatency", "-g", "15"))
	sounds, _ := tone(t, "3")
	for i, s := range sounds {
		units[min(len(units)-1, i*len(units)/len(sounds))].Sounds = append(units[min(len(units)-1, i*len(units)/len(sounds))].Sounds, s)
	}
	groups := groupsOf(units)
	r := media.NewRecording(groups[0])
	whole := r.Init()
	for _, g := range groups {
		whole = append(whole, r.Add(g, media.Rate)...)
	}
	p := ffprobe(t, whole)
	if len(p.Streams) != 2 || len(p.Packets) != len(units)+len(sounds) {
		t.Errorf("%d streams, %d packets of %d pictures and %d sounds", len(p.Streams), len(p.Packets), len(units), len(sounds))
	}
	if out, err := decode(whole); err != nil || len(out) > 0 {
		t.Errorf("decoding complains: %v: %s", err, out)
	}
	if want := `video/mp4; codecs="` + units[0].Parameters.Codec() + `,mp4a.40.2"`; r.Type() != want {
		t.Errorf("type %s, want %s", r.Type(), want)
	}
	other := *sounds[0].Coding
	loud := groups[1].Units[0]
	loud.Sounds = []media.Sound{{Coding: &other, Data: []byte{1}, Duration: 1}}
	if r.Fits(media.Group{Units: []media.Unit{loud}}) {
		t.Error("a sound of another make fits")
	}
	if silent := media.NewRecording(groupsOf(assemble(t, new(media.Assembler), encode(t, 1, "160x120")))[0]); silent.Fits(groups[0]) {
		t.Error("a first sound fits")
	}
}
