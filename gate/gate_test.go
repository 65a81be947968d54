package gate_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/latchkey-cam/latchkey/gate"
)

// later is what somebody is told who is not let in.
func later(t *testing.T, err error) *gate.Later {
	t.Helper()
	var l *gate.Later
	if !errors.As(err, &l) || l.After <= 0 {
		t.Fatalf("want to be told when to come back, got %v", err)
	}
	return l
}

// come comes back when it is told to until it is let in, and says how often that was.
func come(t *testing.T, g *gate.Gate, place gate.Place) (times int) {
	t.Helper()
	for times = 1; ; times++ {
		err := g.Enter(t.Context(), gate.Agent, place)
		if err == nil {
			return times
		}
		l := later(t, err)
		if l.Place != place {
			t.Fatal("the place was not kept")
		}
		time.Sleep(l.After)
	}
}

// crowded runs a test at a gate that lets ten in a second, at which so many agents have come
// at once, and gives the places of those who were sent away.
func crowded(t *testing.T, agents int, test func(t *testing.T, g *gate.Gate, sent []*gate.Later)) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{First: 10})
		defer g.Close()
		g.Strain("test", 1) // and no more than that
		var mu sync.Mutex
		var sent []*gate.Later
		var all sync.WaitGroup
		for range agents {
			all.Go(func() {
				if err := g.Enter(t.Context(), gate.Agent, ""); err != nil {
					mu.Lock()
					defer mu.Unlock()
					sent = append(sent, later(t, err))
				}
			})
		}
		synctest.Wait()
		slices.SortFunc(sent, func(a, b *gate.Later) int { return int(a.After - b.After) })
		test(t, g, sent)
		all.Wait()
	})
}

func TestNobodyWaitsWhereFewCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{})
		defer g.Close()
		began := time.Now()
		for range 50 {
			time.Sleep(20 * time.Millisecond)
			if err := errors.Join(g.Enter(t.Context(), gate.Agent, ""), g.Enter(t.Context(), gate.Person, "")); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began) - time.Second; took > 20*time.Millisecond {
			t.Errorf("they waited for %v", took)
		}
	})
}

func TestAPlaceLetsInWhenItIsItsTurn(t *testing.T) {
	crowded(t, 100, func(t *testing.T, g *gate.Gate, sent []*gate.Later) {
		if len(sent) < 50 {
			t.Fatalf("%d of 100 were sent away", len(sent))
		}
		first, last := sent[0], sent[len(sent)-1]
		if last.After < first.After+3*time.Second {
			t.Errorf("the first is to come in %v, the last in %v", first.After, last.After)
		}
		// Who comes too early keeps the place.
		early := later(t, g.Enter(t.Context(), gate.Agent, last.Place))
		if early.Place != last.Place {
			t.Errorf("who came too early got another place")
		}
		time.Sleep(early.After)
		if times := come(t, g, last.Place); times > 2 { // fewer may have gone in than it seemed
			t.Errorf("at its turn it had to come %d times", times)
		}
		// It was good once.
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() { _ = g.Enter(t.Context(), gate.Agent, "") })
		}
		synctest.Wait()
		if again := later(t, g.Enter(t.Context(), gate.Agent, last.Place)); again.Place == last.Place {
			t.Error("a place that was used is good once more")
		}
		all.Wait()
	})
}

func TestWhoIsLateGoesFirst(t *testing.T) {
	crowded(t, 200, func(t *testing.T, g *gate.Gate, sent []*gate.Later) {
		time.Sleep(time.Minute) // everybody's turn has come, and nobody
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { _ = g.Enter(t.Context(), gate.Agent, "") })
		}
		synctest.Wait()
		began := time.Now()
		if err := g.Enter(t.Context(), gate.Agent, sent[0].Place); err != nil || time.Since(began) > 200*time.Millisecond {
			t.Errorf("who is late waited for %v, and then %v", time.Since(began), err)
		}
		all.Wait()
	})
}

func TestPeopleBeforeMachines(t *testing.T) {
	crowded(t, 1000, func(t *testing.T, g *gate.Gate, _ []*gate.Later) {
		for range 10 {
			began := time.Now()
			if err := g.Enter(t.Context(), gate.Person, ""); err != nil || time.Since(began) > 250*time.Millisecond {
				t.Errorf("somebody waited for %v, and then %v", time.Since(began), err)
			}
			time.Sleep(300 * time.Millisecond)
		}
	})
}

// However many people come, machines have a share.
func TestMachinesAreNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{First: 50})
		defer g.Close()
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		var all sync.WaitGroup
		for range 200 { // who go on coming, far more than can go in
			for _, rank := range []gate.Rank{gate.Person, gate.Agent} {
				all.Go(func() {
					for ctx.Err() == nil {
						_ = g.Enter(ctx, rank, "")
						_ = sleep(ctx, 20*time.Millisecond)
					}
				})
			}
		}
		all.Wait()
		s := g.Status()
		people, agents := s.Ranks[gate.Person].Entered, s.Ranks[gate.Agent].Entered
		if part := float64(agents) / float64(people+agents); people < 50 || part < 0.08 || part > 0.3 {
			t.Errorf("%d people and %d agents went in", people, agents)
		}
	})
}

func TestAnothersPlaceIsNone(t *testing.T) {
	crowded(t, 100, func(t *testing.T, g *gate.Gate, sent []*gate.Later) {
		place := sent[0].Place
		other := gate.New(gate.Config{First: 10})
		defer other.Close()
		for name, wrong := range map[string]gate.Place{
			"cut": place[:10], "altered": "A" + place[1:], "no base64": "*" + place[1:], "longer": place + "A", "nothing": "", "long": gate.Place(strings.Repeat("A", 1<<20)),
		} {
			if wrong == place {
				wrong = "B" + place[1:]
			}
			if l := later(t, g.Enter(t.Context(), gate.Agent, wrong)); l.After < sent[len(sent)-1].After-time.Second {
				t.Errorf("%s: in %v, before the last who came", name, l.After)
			}
		}
		if err := other.Enter(t.Context(), gate.Agent, place); err != nil {
			t.Errorf("at another gate, where nobody is: %v", err)
		}
	})
}

// A gate goes slower while something is under strain, leaves things out in their order while
// that goes on, and is as before some time afterwards.
func TestStrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gate.New(gate.Config{First: 100})
		defer g.Close()
		before := g.Status().Pace
		for range 70 {
			g.Strain("database", 1.5)
			g.Strain("memory", 0.3)
			time.Sleep(100 * time.Millisecond)
		}
		s := g.Status()
		if s.Pace > before/5 || s.Strains["database"] < 1 || !slices.Equal(s.Spared, []gate.Feature{gate.Filmstrips, gate.Backfill, gate.Clips}) {
			t.Errorf("under strain: %+v", s)
		}
		if !g.Spares(gate.Clips) || g.Spares(gate.LiveQuality) {
			t.Error("what it spares is not what its status says")
		}
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 400 {
			all.Go(func() {
				for ctx.Err() == nil {
					_ = g.Enter(ctx, gate.Agent, "")
					_ = sleep(ctx, time.Second)
				}
			})
		}
		time.Sleep(30 * time.Second)
		if s := g.Status(); s.Pace < before || len(s.Strains)+len(s.Spared) > 0 {
			t.Errorf("half a minute afterwards: %+v", s)
		}
		stop()
		all.Wait()
	})
}

func TestWhoGoesAwayKeepsThePlace(t *testing.T) {
	crowded(t, 100, func(t *testing.T, g *gate.Gate, sent []*gate.Later) {
		var all sync.WaitGroup
		for _, l := range sent[:10] { // they wait before it
			all.Go(func() { come(t, g, l.Place) })
		}
		synctest.Wait()
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer stop()
		time.Sleep(sent[10].After - time.Second)
		if err := g.Enter(ctx, gate.Agent, sent[10].Place); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("who does not wait: %v", err)
		}
		come(t, g, sent[10].Place)
		all.Wait()
	})
}

func TestClosedGateStopsNobody(t *testing.T) {
	crowded(t, 100, func(t *testing.T, g *gate.Gate, sent []*gate.Later) {
		if err := g.Close(); err != nil {
			t.Fatal(err)
		}
		if err := g.Enter(t.Context(), gate.Agent, ""); err != nil {
			t.Error(err)
		}
	})
}
