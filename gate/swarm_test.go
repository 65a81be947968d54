package gate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/gate"
)

// server is one with a single processor, which does what comes in the order in which it
// comes, also for those who have given up meanwhile.
type server struct {
	mu   sync.Mutex // protects busy
	busy time.Time  // until when it has work
}

// work waits until so much has been done for somebody, or they give up.
func (s *server) work(ctx context.Context, cost time.Duration) error {
	s.mu.Lock()
	if now := time.Now(); s.busy.Before(now) {
		s.busy = now
	}
	s.busy = s.busy.Add(cost)
	at := s.busy
	s.mu.Unlock()
	return sleep(ctx, time.Until(at))
}

func (s *server) behind() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Until(s.busy)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// swarm is a fleet that comes back.
type swarm struct {
	agents int
	gated  bool
	spread time.Duration // within which agents come
	until  time.Duration // it is given up; 0: never

	back     []time.Duration
	attempts int
	mu       sync.Mutex      // protects what follows
	delays   []time.Duration // of people, who come all the time
}

const (
	bears  = 300 // agents a second can be let in, if nothing else is done
	cost   = time.Second / bears
	gaveUp = 3 * time.Second // an agent that is not answered
)

// run has them all come, and says how it went.
func (s *swarm) run(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		if s.until > 0 {
			time.AfterFunc(s.until, stop)
		}
		g := gate.New(gate.Config{First: 0.8 * bears})
		defer g.Close()
		cloud := &server{}
		began := time.Now()
		var agents, others sync.WaitGroup
		others.Go(func() {
			for sleep(ctx, 20*time.Millisecond) == nil {
				g.Strain("processors", float64(cloud.behind())/float64(40*time.Millisecond))
			}
		})
		others.Go(func() {
			for sleep(ctx, 50*time.Millisecond) == nil {
				others.Go(func() {
					came := time.Now()
					if s.gated && g.Enter(ctx, gate.Person, "") != nil || cloud.work(ctx, cost) != nil {
						return
					}
					s.mu.Lock()
					defer s.mu.Unlock()
					s.delays = append(s.delays, time.Since(came))
				})
			}
		})
		s.back = make([]time.Duration, s.agents)
		tries := make([]int, s.agents)
		for i := range s.agents {
			agents.Go(func() {
				if sleep(ctx, rand.N(s.spread)) != nil {
					return
				}
				var place gate.Place
				for {
					tries[i]++
					wait, err := s.attempt(ctx, g, cloud, &place, tries[i])
					if err == nil {
						s.back[i] = time.Since(began)
						return
					}
					if sleep(ctx, wait) != nil {
						return
					}
				}
			})
		}
		agents.Wait()
		for _, n := range tries {
			s.attempts += n
		}
		stop()
		others.Wait()
	})
}

// attempt is one: the handshake is a twentieth of what the server does for an agent.
func (s *swarm) attempt(ctx context.Context, g *gate.Gate, cloud *server, place *gate.Place, n int) (wait time.Duration, err error) {
	ctx, stop := context.WithTimeout(ctx, gaveUp)
	defer stop()
	mute := time.Duration(min(1<<min(n, 6), 60)) * time.Second
	mute = mute/2 + rand.N(mute/2)
	if err := cloud.work(ctx, cost/20); err != nil {
		return mute, err
	}
	if s.gated {
		err := g.Enter(ctx, gate.Agent, *place)
		var later *gate.Later
		if errors.As(err, &later) {
			*place = later.Place
			return later.After, err
		}
		if err != nil {
			return mute, err
		}
	}
	return mute, cloud.work(ctx, cost)
}

func (s *swarm) at(percent int) time.Duration {
	slices.Sort(s.back)
	return s.back[len(s.back)*percent/100-1]
}

func (s *swarm) efficiency() float64 {
	limit := time.Duration(s.agents) * time.Second / bears * 95 / 100
	return float64(limit) / float64(s.at(95))
}

// delay is that which so many of a hundred people do not exceed.
func (s *swarm) delay(percent int) time.Duration {
	slices.Sort(s.delays)
	return s.delays[len(s.delays)*percent/100]
}

// TestSwarm has a fleet of so many seconds' work come back: within the time that the server
// has told its agents ([gate.Gate.Spread]), as they do when they know nothing of it, and
// without a gate.
func TestSwarm(t *testing.T) {
	for _, c := range []struct {
		name       string
		of         *swarm
		efficiency float64 // at least
		attempts   float64 // of an agent, at most
		delay      time.Duration
	}{
		{"few", &swarm{agents: 300, gated: true, spread: time.Second}, 0.8, 1.1, 100 * time.Millisecond},
		{"many, told", &swarm{agents: 3000, gated: true, spread: 10 * time.Second}, 0.8, 1.5, 100 * time.Millisecond},
		{"more, told", &swarm{agents: 9000, gated: true, spread: 30 * time.Second}, 0.8, 2.5, 100 * time.Millisecond},
		{"many at once", &swarm{agents: 3000, gated: true, spread: 2 * time.Second}, 0.7, 2.5, 200 * time.Millisecond},
		{"more at once", &swarm{agents: 9000, gated: true, spread: 2 * time.Second}, 0.5, 4.5, 2 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.of
			s.run(t)
			attempts := float64(s.attempts) / float64(s.agents)
			said := fmt.Sprintf("back T50 %v, T95 %v, T100 %v; efficiency %.2f, %.2f attempts, people's p99 %v",
				s.at(50), s.at(95), s.at(100), s.efficiency(), attempts, s.delay(99))
			t.Log(said)
			if s.efficiency() < c.efficiency || attempts > c.attempts || s.delay(99) > c.delay {
				t.Error(said)
			}
		})
	}
}

// TestSwarmWithoutAGate is the control: at the same server people wait for all that was begun
// for agents who have given up meanwhile.
func TestSwarmWithoutAGate(t *testing.T) {
	s := swarm{agents: 3000, spread: 2 * time.Second, until: time.Minute}
	s.run(t)
	if s.delay(99) < time.Second {
		t.Errorf("people's p99 is %v without a gate: what the other tests show is not the gate's doing", s.delay(99))
	}
}
