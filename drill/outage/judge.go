package outage

import "fmt"

// What Latchkey's arm is held to.
const (
	// leastEfficiency is of a fleet that takes ten seconds at the least. One that takes
	// less is back before its agents have tried twice, and is held to leastOfFew.
	leastEfficiency = 0.8
	leastOfFew      = 0.5
	many            = 10 // seconds
	mostAttempts    = 2.5
	// mostSlower is how many times as long as before people wait while all come back, and
	// slow how long they may wait in any case, in ms.
	mostSlower = 2
	slow       = 100
)

// Judge says what is wrong, and the verdict.
func (r *Result) Judge() {
	r.Says = nil
	a := r.Arm
	say := func(wrong bool, format string, args ...any) {
		if wrong {
			r.Says = append(r.Says, fmt.Sprintf(format, args...))
		}
	}
	want := leastEfficiency
	if r.OverloadS < many {
		want = leastOfFew
	}
	if a.Name == "" {
		r.Says, r.Verdict = []string{"Latchkey's arm was not played"}, "fail"
		return
	}
	say(a.Back < r.Agents, "%d of %d agents are not back", r.Agents-a.Back, r.Agents)
	say(a.Efficiency < want, "the efficiency is %.2f, and %.2f is wanted", a.Efficiency, want)
	say(a.Attempts > mostAttempts, "an agent tries %.1f times, and %.1f is the most", a.Attempts, mostAttempts)
	say(a.Foreground.During > max(mostSlower*a.Foreground.Before, slow), "people wait for %.0f ms while all come back, and for %.0f before", a.Foreground.During, a.Foreground.Before)
	say(a.Unopened() > 0, "%.0f times somebody could not open their home", a.Unopened())
	say(a.Lost > 0, "%d events are lost", a.Lost)
	say(a.Twice > 0, "%d events are there twice", a.Twice)
	for _, arm := range r.Arms {
		say(arm.Foreign > 0, "%s: something of another home came to somebody, %d times", arm.Name, arm.Foreign)
	}
	if r.Verdict = "pass"; len(r.Says) > 0 {
		r.Verdict = "fail"
	}
}
