package deed_test

import (
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// BenchmarkFold1000 verifies and folds a chain of 1,000 deeds as a home makes them over
// the years: devices come and go, guests get other rights.
func BenchmarkFold1000(b *testing.B) {
	o := keytest.NewOwner()
	o.Found()
	hall := o.PlaceAgent()
	cameras := []latchkey.CameraID{o.PlaceCamera(hall), o.PlaceCamera(hall)}
	gus := o.Join(keytest.NewPerson(), keytest.AsGuest())
	for i := 0; o.Title().Head().Seq < 998; i++ {
		o.Strike(o.AddDevice().Device)
		o.Change(gus, keytest.AsGuest(cameras[i%2]), 0)
	}
	for o.Title().Head().Seq < 999 {
		o.AddDevice()
	}
	deeds := o.Deeds()
	for b.Loop() {
		if _, err := deed.Fold(o.Home(), deeds); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(deeds)), "ns/deed")
}

// question is one that a server asks of a full home for every object.
type question struct {
	device latchkey.DeviceID
	person latchkey.PersonID
	camera latchkey.CameraID
	kind   latchkey.Kind
	at     latchkey.Time
	want   bool
}

// fullHome is a home of 64 people with 16 devices each and 256 cameras, and questions
// that it must say yes and no to.
func fullHome(t testing.TB) (*deed.Title, []question) {
	t.Helper()
	cameras := " -> agent hall" + repeat(" -> camera c%d@hall", 256)
	h := draw(t, "found"+cameras+people(31)+repeat(" -> invite g%[1]d guest -> admit g%[1]d", 31)+" -> invite gus guest{"+repeat("camera c%d; ", 64)+"clips; for 30 minutes} -> admit gus"+
		repeat(" -> device d%d@gus", 15)+repeat(" -> device d%d@p7", 15))
	title, err := deed.Start(h.deeds...)
	if err != nil {
		t.Fatal(err)
	}
	for name := range h.people {
		if name != "gus" && name != "p7" {
			for i := range 15 {
				h.add("device e"+string(rune('a'+i))+"@"+name, nil)
			}
		}
	}
	if title, err = title.Append(h.deeds[title.Head().Seq+1:]...); err != nil {
		t.Fatal(err)
	}
	resident, guest := h.some("p7"), h.some("gus")
	now := h.now
	q := func(who *someone, device string, camera string, kind latchkey.Kind, at latchkey.Time, want bool) question {
		return question{who.devices[device], who.keys.Person, h.camera(camera), kind, at, want}
	}
	return title, []question{
		q(resident, "d14", "c255", latchkey.Thumbnail, now, true),
		q(guest, "d14", "c63", latchkey.Clip, now, true),
		q(guest, "d14", "c64", latchkey.Clip, now, false),
		q(guest, "d14", "c63", latchkey.Thumbnail, now, false),
		q(guest, "d14", "c63", latchkey.Clip, now+60*minute, false),
		q(guest, "d15", "c63", latchkey.Clip, now, false),
		q(resident, "d14", "c256", latchkey.Clip, now, false),
		q(h.some("nobody"), "browser", "c0", latchkey.Clip, now, false),
		{resident.devices["d14"], guest.keys.Person, h.camera("c0"), latchkey.Clip, now, false},
	}
}

func (q question) ask(t *deed.Title) bool { return t.Sees(q.device, q.person, q.camera, q.kind, q.at) }

// TestSeesIsQuickToAsk: a question takes no memory, whatever the answer is.
func TestSeesIsQuickToAsk(t *testing.T) {
	title, questions := fullHome(t)
	for i, q := range questions {
		if have := q.ask(title); have != q.want {
			t.Errorf("question %d: %v, want %v", i, have, q.want)
		}
		if n := testing.AllocsPerRun(100, func() { q.ask(title) }); n != 0 {
			t.Errorf("question %d takes memory %v times", i, n)
		}
	}
}

// BenchmarkSees is one check of a right in a home as large as one may be.
func BenchmarkSees(b *testing.B) {
	title, questions := fullHome(b)
	questions = slices.DeleteFunc(questions, func(q question) bool { return !q.want })
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if !questions[i%len(questions)].ask(title) {
			b.Fatal("no")
		}
		i++
	}
}
