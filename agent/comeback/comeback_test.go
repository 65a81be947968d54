package comeback_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/agent/comeback"
	"github.com/latchkey-cam/latchkey/api"
)

func refused(reason api.Reason, after time.Duration, place string) error {
	e := &api.Error{Status: 503, Place: place}
	e.Refusal.Error = api.Problem{Reason: reason, RetryAfterMS: after.Milliseconds()}
	return e
}

func attempts() *comeback.Comeback {
	return &comeback.Comeback{Pause: comeback.Pause{Least: time.Second, Most: time.Minute}}
}

// TestSpread: of agents whose server has said within how long all are to come back each
// draws its moment from all of that time; where few come back nobody waits for long, and
// where nothing was said the waits double.
func TestSpread(t *testing.T) {
	const n = 1000
	for name, c := range map[string]struct {
		spread, mean, most time.Duration
	}{
		"many":               {200 * time.Second, 100 * time.Second, 200 * time.Second},
		"few":                {100 * time.Millisecond, 7500 * time.Millisecond, 10 * time.Second},
		"unknown":            {0, 45 * time.Second, time.Minute},
		"more than is taken": {time.Hour, 5 * time.Minute, 10 * time.Minute},
		"nonsense":           {-time.Hour, 45 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			a := attempts()
			a.Welcomed(time.Minute)
			a.Told(c.spread)
			var sum time.Duration
			var waits []time.Duration
			for range n {
				w := a.Failed(io.EOF)
				waits, sum = append(waits, w), sum+w
			}
			if mean := sum / n; mean < c.mean*8/10 || mean > c.mean*12/10 || slices.Max(waits) > c.most {
				t.Errorf("the waits are %v on average and %v at most, want about %v and %v", mean, slices.Max(waits), c.mean, c.most)
			}
		})
	}
}

// TestTurn: a turn is kept to the moment, with its place, and is over with the next attempt.
func TestTurn(t *testing.T) {
	a := attempts()
	a.Welcomed(200 * time.Second)
	for _, c := range []struct {
		err   error
		least time.Duration
		most  time.Duration
		place string
	}{
		{refused(api.Turn, 3*time.Second, "a"), 3 * time.Second, 3 * time.Second, "a"},
		{refused(api.Turn, 70*time.Second, "a"), 70 * time.Second, 70 * time.Second, "a"},
		{refused(api.Turn, time.Hour, ""), comeback.MostWait, comeback.MostWait, ""},
		{refused(api.Turn, 0, "b"), 100 * time.Millisecond, 100 * time.Millisecond, "b"},
		{refused(api.Busy, 5*time.Second, "c"), 5 * time.Second, 6250 * time.Millisecond, ""},
		{errors.New("cut"), 0, 200 * time.Second, ""},
		{refused(api.Turn, time.Second, "d"), time.Second, time.Second, "d"},
	} {
		if w := a.Failed(c.err); w < c.least || w > c.most || a.Place() != c.place {
			t.Errorf("after %v: %v with place %q, want %v to %v with %q", c.err, w, a.Place(), c.least, c.most, c.place)
		}
	}
	for range 100 {
		if w := a.Failed(fmt.Errorf("receive: %w", api.ErrMoved)); w >= time.Second {
			t.Fatalf("another server is there, and it waits for %v", w)
		}
	}
	a.Welcomed(0)
	if a.Place() != "" {
		t.Error("a place is kept after it was used")
	}
}
