package agent_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/settings"
)

// handOver sells the home, and makes whoever buys it the owner of the house.
func (h *house) handOver() (seller *owner) {
	h.t.Helper()
	seller = h.owner
	since := seller.Title().Head()
	p := keytest.NewPerson()
	buyer := &owner{Owner: seller.HandOver(p), client: seller.client}
	if err := seller.publish(h.ctx, since); err != nil {
		h.t.Fatal(err)
	}
	device, signing := buyer.Device()
	var err error
	if buyer.home, err = buyer.client.SignIn(h.ctx, buyer.Home(), device, signing, buyer.Title().Head()); err != nil {
		h.t.Fatal(err)
	}
	h.owner = buyer
	return seller
}

// TestHomeIsHandedOver: the house is sold while its agent has no connection. What it had
// not uploaded, and what began before it heard of that, is thrown away; whoever lives
// there now opens what comes and nothing else, and whoever sold it nothing of that.
func TestHomeIsHandedOver(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	l := newLine(t, strings.TrimPrefix(h.server.Origin, "http://"))
	l.listen()
	began, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 4)
	watch := func(ctx context.Context, c event.Config) error {
		for range 2 {
			_, one, two := happen(ctx, c)
			ended <- errors.Join(one, two)
			<-goOn
		}
		now := c.Clock(time.Now()) // in the middle of this one it is sold
		e := event.Event{ID: latchkey.NewEventID(), Camera: c.Camera, Cause: "motion", Start: now, End: now, Picture: now}
		err := c.Sink.Begin(ctx, e, painted(e.ID, latchkey.Thumbnail))
		ended <- err
		close(began)
		<-goOn
		now = c.Clock(time.Now())
		e.End, e.Clip = now, event.Clip{Start: e.Start, Duration: time.Second, Type: "video/mp4", Width: 640, Height: 360, Bytes: 9}
		ended <- c.Sink.End(ctx, e, func(w io.Writer) error {
			_, err := w.Write([]byte("the house"))
			return err
		})
		<-goOn
		_, one, two := happen(ctx, c)
		ended <- errors.Join(one, two)
		<-ctx.Done()
		return nil
	}
	h.describe("Yard")
	a, _ := h.run(agent.Config{HTTP: l.client(), Watch: watch})
	placed := 0
	h.until("it is placed", func() bool {
		names, err := h.owner.placeAsked(h.ctx)
		placed += len(names)
		return err == nil && placed == 1
	})
	h.settle(nil, "UTC", map[latchkey.CameraID]settings.Camera{})
	h.until("it knows the settings", func() bool { return a.Status().HomeName == "Our house" })
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	h.until("the first event is uploaded", func() bool { return drained(a) })
	l.is(quality{portal: true})
	l.cut()
	h.until("it is away", func() bool { return a.Status().Uplink.State == uplink.Waiting })
	goOn <- struct{}{}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	goOn <- struct{}{}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	<-began
	seller := h.handOver()
	l.is(quality{})
	h.until("it is thrown away", func() bool { s := a.Status(); return s.Uplink.Discarded == 4 && s.Spool.Objects == 0 })
	goOn <- struct{}{}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "began before the home was handed over") {
		t.Errorf("what began before ends with %v", err)
	}
	goOn <- struct{}{}
	if err := <-ended; err != nil {
		t.Errorf("what began since: %v", err)
	}
	h.until("it is uploaded", func() bool { return drained(a) && a.Status().Uplink.Uploaded >= 6 })

	k := h.loot(l)
	sold := h.owner.Title().HandedOver()
	for who, c := range map[string]struct {
		owner         *owner
		before, since int
	}{"whoever sold it": {seller, 3, 0}, "whoever bought it": {h.owner, 0, 3}} {
		before, since := 0, 0
		objects, _ := k.opens(keysOf(t, h.owner.Title(), c.owner.Keys))
		for _, id := range objects {
			if k.objects[id].Binding.Head.Seq < sold {
				before++
			} else {
				since++
			}
		}
		if before != c.before || since != c.since {
			t.Errorf("%s opens %d objects of before and %d of since, want %d and %d", who, before, since, c.before, c.since)
		}
	}
	all, err := h.owner.look(h.ctx)
	for _, objects := range all {
		for _, s := range objects {
			if strings.Contains(string(s.content), "Our house") {
				t.Error("whoever bought it is told what the former people called it")
			}
		}
	}
	if len(all) != 1 {
		t.Errorf("whoever bought it sees %d events, %v", len(all), err)
	}
}

// TestHomeIsHandedOverNotices is the control: an agent that ends for the new people what
// began for the former ones.
func TestHomeIsHandedOverNotices(t *testing.T) {
	control(t, "TestHomeIsHandedOver", "what began before ends with <nil>",
		sabotage.Cut{File: "agent/record.go", Old: "if min(e.Start.Monotonic, at.Monotonic) < r.since {", New: "if false {"})
}
