package onvif

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
)

func seeds(f *testing.F, name string, atLeast int) {
	files, err := os.ReadDir("testdata/fuzz/" + name)
	if err != nil || len(files) < atLeast {
		f.Fatalf("%d seeds, want at least %d (%v)", len(files), atLeast, err)
	}
}

// FuzzAnswer reads documents as answers and as matches.
func FuzzAnswer(f *testing.F) {
	seeds(f, "FuzzAnswer", 6)
	sender := netip.MustParseAddr("192.168.1.9")
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := parse(b); err == nil {
			e.refuses()
			e.time()
			for _, p := range e.all("Profiles") {
				if n := p.number("Width"); n < 0 || n > 1<<16 {
					t.Errorf("a width of %d", n)
				}
			}
			if s := e.text("SerialNumber"); len(s) > maxText || !utf8.ValidString(s) || strings.ContainsAny(s, "\r\n\x1b\x00") {
				t.Errorf("a serial number of %q", s)
			}
		}
		if d, ok := readMatch(b, sender, "urn:uuid:1"); ok {
			if d.Host != "192.168.1.9" || d.Address != "" && !strings.HasPrefix(d.Address, "http://192.168.1.9") {
				t.Errorf("%+v", d)
			}
		}
	})
}

// FuzzMessages reads documents as what has happened. Seeded besides from the vectors of
// what cameras say.
func FuzzMessages(f *testing.F) {
	seeds(f, "FuzzMessages", 7)
	b, err := os.ReadFile("testdata/sightings.json")
	if err != nil {
		f.Fatal(err)
	}
	var vectors []struct {
		Topic, Operation string
		Data             [][2]string
	}
	if err := json.Unmarshal(b, &vectors); err != nil || len(vectors) < 40 {
		f.Fatalf("%d vectors, %v", len(vectors), err)
	}
	for _, v := range vectors {
		items := ""
		for _, d := range v.Data {
			items += `<SimpleItem Name="` + escape(d[0]) + `" Value="` + escape(d[1]) + `"/>`
		}
		f.Add([]byte(`<NotificationMessage><Topic>` + escape(v.Topic) + `</Topic><Message PropertyOperation="` + v.Operation + `"><Data>` + items + `</Data></Message></NotificationMessage>`))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parse(b)
		if err != nil {
			return
		}
		all := messagesIn(e)
		if len(all) > maxMessages {
			t.Errorf("%d messages", len(all))
		}
		for _, m := range all {
			if len(m.Topic) > 512 || len(m.Source) > maxItems || len(m.Data) > maxItems || !utf8.ValidString(m.Topic) {
				t.Errorf("%+v", m)
			}
			if s := m.Sighting(); s&^latchkey.SawAll != 0 || s != 0 && (len(m.Data) == 0 || m.Operation == "Initialized") {
				t.Errorf("%+v saw %v", m, s.Names())
			}
			if m.about([]string{"mine"}) && len(m.Source) == 0 || !m.about(nil) {
				t.Errorf("%+v is taken for one of another source", m)
			}
		}
	})
}

// FuzzChallenge answers challenges; the answer is one line and does not hold the password.
func FuzzChallenge(f *testing.F) {
	seeds(f, "FuzzChallenge", 5)
	c := camera.Credentials{User: camera.NewSecret("user"), Password: camera.NewSecret("hunter2 is long")}
	f.Fuzz(func(t *testing.T, s string) {
		d := parseDigest([]string{s})
		if d == nil {
			return
		}
		line := d.answer(c, "/onvif")
		if strings.ContainsAny(line, "\r\n\x00") || !strings.HasPrefix(line, "Digest ") || !strings.Contains(s, "hunter2") && strings.Contains(line, "hunter2") {
			t.Errorf("%q is answered by %q", s, line)
		}
	})
}
