package export

import (
	"encoding/json"
	"path"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/sealed"
)

func folder(t testing.TB) *durable.Dir {
	t.Helper()
	d, err := durable.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func put(t testing.TB, to Folder, name, text string) {
	t.Helper()
	if err := durable.WriteBytes(to, name, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// TestPlaces: cameras of the same name have folders of their own, and a camera keeps its
// folder when it is called something else.
func TestPlaces(t *testing.T) {
	var p places
	a, b, c := latchkey.NewCameraID(), latchkey.NewCameraID(), latchkey.NewCameraID()
	for _, w := range []struct {
		camera     latchkey.CameraID
		name, want string
	}{{a, "Door", "door"}, {b, "DOOR", "door 2"}, {c, "../door", "door 3"}, {a, "Gate", "door"}, {b, "", "door 2"}} {
		if got := p.of(w.camera, w.name).Folder; got != w.want {
			t.Errorf("%q is in %q, want %q", w.name, got, w.want)
		}
	}
	if p.Cameras[0].Name != "Gate" || p.Cameras[1].Name != "DOOR" {
		t.Errorf("they are called %+v", p.Cameras)
	}
}

// TestPlacesOfOthers: an export is not mixed with another home's, nor with what somebody
// keeps in a folder.
func TestPlacesOfOthers(t *testing.T) {
	home := latchkey.HomeID{1}
	for name, c := range map[string]struct{ file, text, want string }{
		"another home's":   {placesFile, `{"v":1,"home":"` + latchkey.HomeID{2}.String() + `"}`, "another home"},
		"a later version":  {placesFile, `{"v":2,"home":"` + home.String() + `"}`, "this version"},
		"no JSON":          {placesFile, `{`, "this version"},
		"one that leaves":  {placesFile, `{"v":1,"home":"` + home.String() + `","cameras":[{"camera":"` + latchkey.CameraID{}.String() + `","folder":".."}]}`, "altered"},
		"somebody's files": {"letter.txt", "Dear", "neither empty nor an export"},
	} {
		to := folder(t)
		put(t, to, c.file, c.text)
		if _, err := readPlaces(to, home); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzPlaces: whatever export.json says, no camera's folder is elsewhere.
func FuzzPlaces(f *testing.F) {
	home := latchkey.HomeID{1}
	p := places{V: 1, Home: home}
	p.of(latchkey.NewCameraID(), "Door")
	text, err := json.Marshal(p)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	for _, s := range []string{"../x", "a/b", `a\\b`, ".", "", "/"} {
		f.Add(strings.Replace(string(text), `"folder":"door"`, `"folder":"`+s+`"`, 1))
	}
	to := folder(f)
	f.Fuzz(func(t *testing.T, text string) {
		put(t, to, placesFile, text)
		p, err := readPlaces(to, home)
		if err != nil {
			return
		}
		for _, c := range p.Cameras {
			if path.Dir(path.Join("day", c.Folder)) != "day" {
				t.Fatalf("a camera's folder is %q", c.Folder)
			}
		}
	})
}

// FuzzRecord: whatever an event's .json says, its files are beside it.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{"a.mp4", "../a.mp4", "/a", ".", ""} {
		f.Add(`{"v":1,"files":[{"file":"` + s + `"}]}`)
	}
	to := folder(f)
	f.Fuzz(func(t *testing.T, text string) {
		put(t, to, "event.json", text)
		r, ok := readRecord(to, "event.json")
		for _, file := range r.Files {
			if !ok || path.Dir(path.Join("day", file.File)) != "day" {
				t.Fatalf("a file is %q", file.File)
			}
		}
	})
}

// FuzzDescription: what a description says is taken as it may be shown, or refused.
func FuzzDescription(f *testing.F) {
	f.Add([]byte(`{"v":1,"start":1,"end":2,"cause":"motion","score":0.4,"names":{"camera":"Door","home":"Ours","zone":"Europe/Berlin"}}`))
	f.Add([]byte(`{"v":2,"start":1,"end":2}`))
	f.Add([]byte(`{"v":1,"start":1,"end":2,"cause":"\u202e"}`))
	f.Add([]byte(`{"v":1,"start":1,"end":2,"saw":["person","unicorn",7]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseDescription(b)
		if err != nil {
			if sealed.ReasonOf(err) == "" {
				t.Fatalf("refused without a reason: %v", err)
			}
			return
		}
		if d.saw&^latchkey.SawAll != 0 {
			t.Fatalf("it saw %b", d.saw)
		}
		for _, s := range []string{d.cause, d.camera, d.home, d.zone} {
			if s != fields.Clean(s, maxWord) {
				t.Fatalf("%q is taken", s)
			}
		}
	})
}
