package crossed

import (
	"fmt"

	"github.com/latchkey-cam/latchkey"
)

// Result is what came of a drill.
type Result struct {
	Homes     int      `json:"homes"`
	Reads     int64    `json:"reads"`      // of Latchkey's that were verified, over the wire and in process
	ReadsWire int64    `json:"reads_wire"` // those of viewers, over HTTP
	Faults    int64    `json:"faults"`     // that were injected, in all arms
	Seed      uint64   `json:"seed"`
	Cache     string   `json:"cache"`   // "embedded", or the address of the service
	Seconds   float64  `json:"seconds"` // that all of it took
	Arms      []Arm    `json:"arms"`
	Flood     Flood    `json:"in_process"`
	Verdict   string   `json:"verdict"`           // pass or fail
	Reasons   []string `json:"reasons,omitempty"` // why it is fail
}

// Arm is one cloud under the same faults as the others: a control arm, which has to
// leak, or Latchkey.
type Arm struct {
	Name    string  `json:"name"`
	Says    string  `json:"says"` // what it is, in a sentence
	Control bool    `json:"control"`
	Figures         // of all scenes together
	Scenes  []Scene `json:"scenes"`
	// OverTime is what was shown in all scenes, by how long ago everybody came back.
	OverTime []Moment `json:"over_time"`

	affected, exposed map[latchkey.HomeID]bool // in any scene
}

// Scene is the outage with one fault in it, or with none.
type Scene struct {
	Homes int    `json:"homes"` // that came back in it
	Fault string `json:"fault"` // F1 to F16, or "outage"
	Name  string `json:"name"`
	Says  string `json:"says"`           // what is done, in a sentence
	With  string `json:"with,omitempty"` // the client, if the arm has several
	live  bool   // people watched their cameras
	Figures
}

// Figures are counted at the viewer, who alone knows whose picture it is.
type Figures struct {
	Injected       int64 `json:"injected"` // faults
	Shown          int64 `json:"shown"`    // pictures, or answers of stock clients
	ShownForeign   int64 `json:"shown_foreign"`
	PeopleAffected int   `json:"people_affected"` // who were shown a stranger's picture
	HomesExposed   int   `json:"homes_exposed"`   // whose picture a stranger was shown
	Tapped         int64 `json:"tapped"`
	// Crossed are answers of another home that a page was given where a check before it
	// must have refused them: a list that it believed, or a picture that it could not open.
	Crossed     int64 `json:"crossed"`
	Refused     int64 `json:"refused"` // pictures that were asked for and did not come
	Misses      int64 `json:"misses"`
	OriginReads int64 `json:"origin_reads"`
	Crashes     int64 `json:"crashes"` // of the process that held the client
	// NoticedMS is after how long the system's own check spoke up, from the first fault on.
	// HealedMS is how long after the last everybody saw everything again. Nil: never. An arm's
	// is its worst scene's: nil if strangers' pictures were shown in one and no check
	// spoke up, or if one did not heal.
	NoticedMS *float64 `json:"noticed_ms"`
	HealedMS  *float64 `json:"healed_ms"`
}

// The names of the arms.
const (
	Arm2024    = "2024"
	ArmStamp   = "2024 with a stamp"
	ArmClients = "stock clients"
	ArmOurs    = "latchkey"
)

// Passed says whether the promise held, and the drill proves something.
func (r Result) Passed() bool { return r.Verdict == "pass" }

// judge wants Latchkey to show nobody a stranger's picture, to notice and to heal, and
// every control arm to leak under the same faults.
func (r *Result) judge() {
	for _, a := range r.Arms {
		switch {
		case a.Control && a.ShownForeign == 0:
			r.fail("The control arm %q showed nobody a stranger's picture: the drill proves nothing.", a.Name)
		case a.Control:
		case a.ShownForeign > 0:
			r.fail("Latchkey showed %d strangers' pictures to %d people.", a.ShownForeign, a.PeopleAffected)
		case a.Shown == 0:
			r.fail("Latchkey showed no picture at all: the drill proves nothing.")
		}
		if !a.Control {
			for _, s := range a.Scenes {
				r.judgeScene(s)
			}
		}
	}
	if r.Flood.Foreign > 0 {
		r.fail("The cache alone handed out %d answers to other questions.", r.Flood.Foreign)
	}
	r.Verdict = map[bool]string{true: "pass", false: "fail"}[len(r.Reasons) == 0]
}

// sum adds the scenes of each arm up.
func (r *Result) sum() {
	for i := range r.Arms {
		a := &r.Arms[i]
		a.Figures = Figures{PeopleAffected: len(a.affected), HomesExposed: len(a.exposed), NoticedMS: new(float64), HealedMS: new(float64)}
		noticed := false
		for _, s := range a.Scenes {
			a.Figures.add(s.Figures)
			noticed = noticed || s.NoticedMS != nil
		}
		if !noticed {
			a.NoticedMS = nil
		}
		r.Faults += a.Injected
		if !a.Control {
			r.ReadsWire = a.Shown + a.Refused
		}
	}
	r.Reads = r.ReadsWire + r.Flood.Reads
	r.Faults += r.Flood.Faults
}

// add adds a scene. What happened once and was never noticed, or never healed, decides.
func (f *Figures) add(s Figures) {
	f.Injected, f.Shown, f.ShownForeign = f.Injected+s.Injected, f.Shown+s.Shown, f.ShownForeign+s.ShownForeign
	f.Tapped, f.Refused, f.Misses = f.Tapped+s.Tapped, f.Refused+s.Refused, f.Misses+s.Misses
	f.Crossed += s.Crossed
	f.OriginReads, f.Crashes = f.OriginReads+s.OriginReads, f.Crashes+s.Crashes
	if s.ShownForeign > 0 || s.NoticedMS != nil {
		f.NoticedMS = worst(f.NoticedMS, s.NoticedMS)
	}
	f.HealedMS = worst(f.HealedMS, s.HealedMS)
}

// worst is the longer of two times; nil is for ever.
func worst(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	return new(max(*a, *b))
}

func (r *Result) judgeScene(s Scene) {
	switch {
	case s.Injected == 0:
		r.fail("%s (%s) was never put in: the drill proves nothing of it.", s.Fault, s.Name)
	case s.Crossed > 0:
		r.fail("%s (%s): Latchkey gave pages %d answers of other homes, though sealed.", s.Fault, s.Name, s.Crossed)
	case s.HealedMS == nil:
		r.fail("Latchkey did not heal from %s.", s.Fault)
	case (s.live || s.Refused > 0 && s.Fault != outage.ID) && s.NoticedMS == nil:
		r.fail("Latchkey did not notice %s.", s.Fault)
	}
}

func (r *Result) fail(format string, args ...any) {
	r.Reasons = append(r.Reasons, fmt.Sprintf(format, args...))
}
