package agent_test

import (
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/server"
)

// TestOutageOfDays takes the server away for days, on each of which three things happen, until
// as much waits as is allowed. What does not fit is said; of what did, all arrives when the
// server is back, from the first day to the last.
func TestOutageOfDays(t *testing.T) {
	t.Parallel()
	const most = 40 // days
	h := newHouse(t).joined()
	w := &wrong{boot: latchkey.NewBootID(), began: time.Now()}
	day := func(n int) time.Duration { return time.Duration(n-most) * 24 * time.Hour }
	w.set(day(0), true)
	a, o, _ := h.placed(agent.Config{Clock: w, SpoolBytes: 8 << 20})
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	n, err := 0, error(nil)
	for ; err == nil && n < most; n++ {
		w.set(day(n), true)
		a.Status() // it notices
		for range 3 {
			err = errors.Join(err, o.one())
		}
	}
	s := a.Status()
	if !errors.Is(err, spool.ErrFull) || n < 7 || s.Spool.Lost == 0 {
		t.Fatalf("after %d days: %v, %+v", n, err, s.Spool)
	}
	t.Logf("%d things have happened in %d days, and %d MiB wait", len(o.ids), n, s.Spool.Bytes>>20)
	h.server, err = server.Run(h.ctx, server.LocalConfig{Data: h.data, Listen: h.server.Address, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	h.arrived(a, o)
	all, err := h.owner.look(h.ctx)
	if err != nil {
		t.Fatal(err)
	}
	first, last := latchkey.Day("9"), latchkey.Day("")
	for _, objects := range all {
		for _, object := range objects {
			first, last = min(first, object.binding.Time.Day()), max(last, object.binding.Time.Day())
		}
	}
	if at := func(n int) latchkey.Day { return latchkey.TimeOf(time.Now().Add(day(n))).Day() }; first != at(0) || last < at(n-2) {
		t.Errorf("what has arrived is of %s to %s, want %s to %s", first, last, at(0), at(n-1))
	}
	if len(all) < len(o.ids) {
		t.Errorf("%d have arrived of %d", len(all), len(o.ids))
	}
}
