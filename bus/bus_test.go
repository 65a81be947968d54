package bus_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/bus/bustest"
)

func TestLocal(t *testing.T) {
	bustest.Run(t, func(t *testing.T) (a, b bus.Bus) {
		l := bus.NewLocal()
		return l, l
	})
}

func TestSilence(t *testing.T) {
	l := bus.NewLocal()
	heard := make(chan uint64, 10)
	defer l.Subscribe(bus.Listener{News: func(_ latchkey.HomeID, n bus.News) { heard <- n.Number }, Beat: func(bus.Beat) {}})()
	for number, silent := range []bool{false, true, false} {
		l.Silence(silent)
		if err := l.Publish(t.Context(), latchkey.HomeID{}, bus.News{Number: uint64(number)}); err != nil {
			t.Fatal(err)
		}
	}
	if one, two := <-heard, <-heard; one != 0 || two != 2 {
		t.Errorf("heard %d and %d, want what was sent before and after the silence", one, two)
	}
}
