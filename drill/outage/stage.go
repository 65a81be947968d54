package outage

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey/certificate"
)

// stage is what all arms are played on.
type stage struct {
	Config
	data    string
	listen  string // of the cloud, once it was started
	founded founding

	fleet, cloud, people *process
}

func (d *stage) close() error {
	for _, p := range []*process{d.people, d.fleet, d.cloud} {
		if p != nil {
			p.kill() // what it had to say was heard
		}
	}
	return nil
}

// serve starts the cloud, where it was before.
func (d *stage) serve(ctx context.Context, ungated bool) (at place, err error) {
	if d.listen == "" {
		d.listen = "127.0.0.1:0"
	}
	if d.cloud, err = start(d.Child(ctx, partCloud, false)); err != nil {
		return at, err
	}
	if err := d.cloud.ask(order{Do: doServe, Data: d.data, Listen: d.listen, Ungated: ungated}, &at); err != nil {
		return at, err
	}
	d.listen = at.Address
	return at, nil
}

// measure says how many agents a second can come back at most.
func (d *stage) measure(ctx context.Context) (rate float64, err error) {
	at, err := d.serve(ctx, true)
	if err != nil {
		return 0, err
	}
	if err := d.fleet.ask(order{Do: doMeasure, Place: at}, &rate); err != nil {
		return 0, err
	}
	if rate <= 0 {
		return 0, errors.New("nobody could come in")
	}
	return rate, d.endCloud()
}

func (d *stage) endCloud() error {
	cloud := d.cloud
	d.cloud = nil
	return cloud.end()
}

// play has a fleet connect, ends its server, starts it again, and watches.
func (d *stage) play(ctx context.Context, arm string, overload float64) (a Arm, err error) {
	a.Name = arm
	ungated := arm != ArmOurs || d.Ungated
	least := time.Duration(overload * float64(time.Second))
	d.Tell(arm + ": all agents connect.")
	at, err := d.serve(ctx, ungated)
	if err != nil {
		return a, err
	}
	var empty standing
	if err := d.cloud.ask(order{Do: doStand}, &empty); err != nil {
		return a, err
	}
	if err := d.fleet.ask(order{Do: doConnect, Place: at, Arm: arm}, nil); err != nil {
		return a, err
	}
	full, err := d.connected(ctx, least)
	if err != nil {
		return a, err
	}
	a.IdleBytes = (full.Resident - empty.Resident) / float64(d.Agents)
	if d.people, err = start(d.Child(ctx, partPeople, false)); err != nil {
		return a, err
	}
	if err := d.people.ask(order{Do: doLook, Place: at, People: d.founded.People}, nil); err != nil {
		return a, err
	}
	if !sleep(ctx, calm) {
		return a, ctx.Err()
	}

	d.Tell(fmt.Sprintf("%s: the server is killed, and away for %v.", arm, d.Outage))
	killed := time.Now()
	d.cloud.kill()
	if err := d.fleet.ask(order{Do: doOutage}, nil); err != nil {
		return a, err
	}
	if !sleep(ctx, time.Until(killed.Add(d.Outage))) {
		return a, ctx.Err()
	}
	if at, err = d.serve(ctx, ungated); err != nil {
		return a, err
	}
	opened, err := answers(ctx, at)
	if err != nil {
		return a, err
	}
	if err := d.fleet.ask(order{Do: doOpen, Since: opened.UnixMicro()}, nil); err != nil {
		return a, err
	}
	ended, err := d.back(ctx, opened, max(mostTimes*least, leastWait), &a)
	if err != nil {
		return a, err
	}
	if !sleep(ctx, calm) {
		return a, ctx.Err()
	}
	return a, d.heard(ctx, &a, killed, opened, ended, overload)
}

// connected waits until all agents are, and says how the server stands then.
func (d *stage) connected(ctx context.Context, least time.Duration) (s standing, err error) {
	for deadline := time.Now().Add(mostTimes*least + time.Minute); time.Now().Before(deadline); {
		if err := d.cloud.ask(order{Do: doStand}, &s); err != nil {
			return s, err
		}
		if int(s.Agents) >= d.Agents {
			return s, nil
		}
		if !sleep(ctx, time.Second) {
			return s, ctx.Err()
		}
	}
	return s, fmt.Errorf("only %.0f of %d agents could connect", s.Agents, d.Agents)
}

// answers waits until a cloud completes a handshake, and says when that was.
func answers(ctx context.Context, at place) (time.Time, error) {
	root, err := certificate.ParseFingerprint(at.Trust)
	if err != nil {
		return time.Time{}, err
	}
	host, _, err := net.SplitHostPort(at.Address)
	if err != nil {
		return time.Time{}, err
	}
	dialer := tls.Dialer{Config: certificate.Trust(root, host)}
	for {
		one, stop := context.WithTimeout(ctx, time.Second)
		c, err := dialer.DialContext(one, "tcp", at.Address)
		stop()
		if err == nil {
			return time.Now(), c.Close()
		}
		if !sleep(ctx, 20*time.Millisecond) {
			return time.Time{}, errors.Join(ctx.Err(), err)
		}
	}
}

// back watches until all are back or the time is over.
func (d *stage) back(ctx context.Context, opened time.Time, most time.Duration, a *Arm) (ended time.Time, err error) {
	for {
		var c count
		if err := d.fleet.ask(order{Do: doCount}, &c); err != nil {
			return ended, err
		}
		a.Curve = append(a.Curve, Point{time.Since(opened).Seconds(), c.Back})
		a.Back = c.Back
		if c.Back >= d.Agents && c.Backlog == 0 || time.Since(opened) > most {
			return time.Now(), nil
		}
		if !sleep(ctx, lookEvery) {
			return ended, ctx.Err()
		}
	}
}

// heard takes everybody's word, ends the arm, and looks what the server has kept.
func (d *stage) heard(ctx context.Context, a *Arm, killed, opened, ended time.Time, overload float64) error {
	var agents report
	var people looks
	var stood standing
	err := errors.Join(
		d.fleet.ask(order{Do: doReport}, &agents), d.people.ask(order{Do: doTell}, &people), d.cloud.ask(order{Do: doStand}, &stood),
		d.fleet.ask(order{Do: doPart}, nil), d.people.end(), d.endCloud(),
	)
	d.people = nil
	if err != nil {
		return err
	}
	var kept audit
	if err := d.fleet.ask(order{Do: doAudit, Data: d.data}, &kept); err != nil {
		return err
	}
	a.Lost, a.Twice = kept.Lost, kept.Twice
	a.Foreign, a.Misroutes = agents.Foreign+people.Foreign, int(stood.Misroutes)
	a.Attempts, a.Handshakes = float64(agents.Attempts)/float64(d.Agents), int(agents.Handshakes)
	slices.Sort(agents.Back)
	at := func(share float64) *float64 {
		i := int(math.Ceil(share*float64(d.Agents))) - 1
		if i >= len(agents.Back) {
			return nil
		}
		return new(float64(agents.Back[i]) / 1e6)
	}
	a.T50, a.T95, a.T99, a.T100 = at(0.50), at(0.95), at(0.99), at(1)
	if a.T95 != nil {
		a.Efficiency = 0.95 * overload / *a.T95
	}
	a.Foreground.Before, a.Failed.Before = between(people.Looks, time.Time{}, killed)
	a.Foreground.During, a.Failed.During = between(people.Looks, opened, ended)
	a.Foreground.After, a.Failed.After = between(people.Looks, ended, time.Now())
	return nil
}

// between is how long 99 of 100 looks took that began in a time, in ms, and how many failed.
func between(all []look, from, until time.Time) (p99, failed float64) {
	var took []int64
	for _, l := range all {
		if l.At < from.UnixMicro() || l.At >= until.UnixMicro() {
			continue
		}
		if l.Failed {
			failed++
			continue
		}
		took = append(took, l.Took)
	}
	if len(took) == 0 {
		return 0, failed
	}
	slices.Sort(took)
	return float64(took[(len(took)*99+99)/100-1]) / 1000, failed
}

// sleep is false if ctx ended it.
func sleep(ctx context.Context, d time.Duration) bool {
	pause(ctx, d)
	return ctx.Err() == nil
}
