// Package outage rehearses the return of a fleet. A server with thousands of agents is
// killed, stays away for a while and comes back; all of them come back at once, while people
// go on opening their homes. How long it takes until everything is as before is held against
// how long it would take a server that did nothing but let agents in, one after the other,
// which is measured in the same run.
//
// An agent is back when the server has welcomed it, its head is that of the deeds, and a
// thumbnail that it sealed while the server was away is durable there; in some of the homes
// somebody waits for it, opens it, and only then the home counts. Server, agents and people
// are processes of their own, and the agents' has less of the processors: it stands for
// machines elsewhere.
package outage

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// Config says what is rehearsed.
type Config struct {
	Dir     string        // for everything that is kept
	Agents  int           // each in a home of its own
	Outage  time.Duration // how long the server is away
	Arms    []string      // nil: all
	Ungated bool          // has Latchkey's arm without its gate, with which the drill fails
	// Child makes a process of this program that calls [Serve] with that part. A spare one
	// has what the others leave of the processors.
	Child func(ctx context.Context, part string, spare bool) *exec.Cmd
	Tell  func(sentence string) // what is being done
}

// The arms.
const (
	ArmFixed       = "fixed"       // agents that come again each five seconds, and no gate
	ArmExponential = "exponential" // agents that wait twice as long each time, up to a minute, drawn at random, and no gate
	ArmOurs        = "latchkey"
)

// Arms are all of them, in the order in which they are played.
var Arms = []string{ArmFixed, ArmExponential, ArmOurs}

// Result is what came of it. Times count from when the server could have served somebody
// again.
type Result struct {
	Agents    int      `json:"agents"`
	OutageS   float64  `json:"outage_s"`
	Capacity  float64  `json:"capacity_per_s"` // agents that could come back, one after the other
	OverloadS float64  `json:"overload_s"`     // how long all of them would take at that rate
	Arm                // Latchkey's
	Arms      []Arm    `json:"arms"`
	Seconds   float64  `json:"seconds"` // that all of it took
	Says      []string `json:"says,omitempty"`
	Verdict   string   `json:"verdict"` // pass or fail
}

// Arm is what came of it for one kind of agents and servers.
type Arm struct {
	Name       string   `json:"name"`
	Back       int      `json:"back"`
	T50        *float64 `json:"t50_s"` // until half of them were back; null: never
	T95        *float64 `json:"t95_s"`
	T99        *float64 `json:"t99_s"`
	T100       *float64 `json:"t100_s"`
	Efficiency float64  `json:"efficiency"`         // the least time for 95 of 100, over what it took
	Attempts   float64  `json:"attempts_per_agent"` // connections and refusals, since the server was there
	Handshakes int      `json:"handshakes"`         // of TLS in them that were really made, by their agents
	Foreground Quantile `json:"foreground_p99_ms"`  // how long it took people to open their homes
	Failed     Quantile `json:"foreground_failed"`  // how many did not get to see them in time
	Lost       int      `json:"lost_events"`
	Twice      int      `json:"duplicate_events"`
	Foreign    int      `json:"shown_foreign"`
	Misroutes  int      `json:"misroutes"` // that the server has noticed, and shown to nobody
	IdleBytes  float64  `json:"idle_bytes_per_agent"`
	Curve      []Point  `json:"curve"`
}

// Ours says whether the arm is Latchkey's.
func (a Arm) Ours() bool { return a.Name == ArmOurs }

// Called is what people read instead of the arm's name.
func (a Arm) Called() string {
	switch a.Name {
	case ArmFixed:
		return "Each five seconds, no gate"
	case ArmExponential:
		return "Exponential with jitter, no gate"
	case ArmOurs:
		return "Latchkey"
	}
	return a.Name
}

// Unopened is how many times somebody did not get to see their home in time.
func (a Arm) Unopened() float64 { return a.Failed.Before + a.Failed.During + a.Failed.After }

// Point is how many were back at a time.
type Point struct {
	Seconds float64 `json:"s"`
	Back    int     `json:"back"`
}

// Quantile is a figure of people's: before the outage, until all were back, and afterwards.
type Quantile struct {
	Before float64 `json:"before"`
	During float64 `json:"during"`
	After  float64 `json:"after"`
}

// Passed says whether Latchkey came back as it is to.
func (r Result) Passed() bool { return r.Verdict == "pass" }

const (
	// measured is how long the limit is measured.
	measured = 4 * time.Second
	// calm is how long people are watched before and after.
	calm = 4 * time.Second
	// mostTimes is after how many times the least time an arm ends, all back or not, and
	// leastWait how long it has in any case.
	mostTimes = 6
	leastWait = 20 * time.Second
	// lookEvery is how often it is looked who is back.
	lookEvery = 100 * time.Millisecond
)

// Run rehearses.
func Run(ctx context.Context, c Config) (r Result, err error) {
	began := time.Now()
	r = Result{Agents: c.Agents, OutageS: c.Outage.Seconds()}
	d := &stage{Config: c, data: filepath.Join(c.Dir, "cloud")}
	defer func() { err = errors.Join(err, d.close()) }()
	if d.fleet, err = start(c.Child(ctx, partFleet, true)); err != nil {
		return r, err
	}
	c.Tell(fmt.Sprintf("%d homes are founded.", c.Agents))
	if err := d.fleet.ask(order{Do: doFound, Data: d.data, Agents: c.Agents}, &d.founded); err != nil {
		return r, err
	}
	c.Tell("How many agents a second can this machine let in?")
	if r.Capacity, err = d.measure(ctx); err != nil {
		return r, err
	}
	r.OverloadS = float64(c.Agents) / r.Capacity
	c.Tell(fmt.Sprintf("%.0f a second: all of them take %.1f s at the least.", r.Capacity, r.OverloadS))
	for _, name := range Arms {
		if len(c.Arms) > 0 && !slices.Contains(c.Arms, name) {
			continue
		}
		a, err := d.play(ctx, name, r.OverloadS)
		if err != nil {
			return r, fmt.Errorf("arm %s: %w", name, err)
		}
		r.Arms = append(r.Arms, a)
		if name == ArmOurs {
			r.Arm = a
		}
	}
	r.Seconds = time.Since(began).Seconds()
	r.Judge()
	return r, nil
}
