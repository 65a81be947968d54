package server_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/server"
)

// TestPorch: a server in the home shows it to those who see the whole of it, for as long as
// its deeds can be believed to be the newest, and to nobody else: neither to who was
// removed nor to another home's. What only the home's own server does it refuses, and says
// that it is that.
func TestPorch(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.settle(t)
	name := m.shared(m.camera, latchkey.Thumbnail).Name()
	var believes atomic.Bool
	there := h.again(t, server.Config{Archive: h.archive.Archive(), Blobs: must(blob.NewDisk(h.disk)), Now: h.time, Porch: believes.Load})
	device, signing := m.owner.Device()
	head := m.owner.Title().Head()
	freeze := m.owner.Sign(deed.FreezeBody{})
	in := func(k *key.PersonKeys) (*api.Home, error) {
		return there.client.SignIn(t.Context(), m.owner.Home(), k.Device, k.DeviceSigning, head)
	}
	for _, c := range []struct {
		who    string
		keys   *key.PersonKeys
		may    bool
		before api.Reason // the porch is
	}{
		{owner, &key.PersonKeys{Device: device, DeviceSigning: signing}, true, api.Busy},
		{resident, m.people[resident].Keys, true, api.Busy},
		{guest, m.people[guest].Keys, false, api.NotFound},
		{expired, m.people[expired].Keys, false, api.NotFound},
	} {
		home, err := in(c.keys)
		if err != nil {
			t.Fatalf("%s: %v", c.who, err)
		}
		asks := looking(t.Context(), home, name)
		for _, stands := range []bool{false, true} {
			believes.Store(stands)
			want := c.before
			if c.may && stands {
				want = ""
			}
			for what, ask := range asks {
				if got := api.ReasonOf(ask()); got != want {
					t.Errorf("%s asks for %s, the deeds are believed: %t: %q, want %q", c.who, what, stands, got, want)
				}
			}
		}
		refused := map[bool]api.Reason{true: api.OnPorch, false: api.NotFound}[c.may]
		if _, err := home.Usage(t.Context()); api.ReasonOf(err) != refused {
			t.Errorf("%s asks how much is stored: %v", c.who, err)
		}
		if _, err := home.Append(t.Context(), head, freeze); api.ReasonOf(err) != refused {
			t.Errorf("%s adds a deed: %v", c.who, err)
		}
		if page, err := home.Events(t.Context(), "", 0); c.may && (err != nil || !page.Porch || len(page.Events) != 1) {
			t.Errorf("%s is told as the events: %+v %v", c.who, page, err)
		}
	}
	if page, err := m.member.Events(t.Context(), "", 0); err != nil || page.Porch {
		t.Errorf("the home's own server takes itself for a porch: %+v %v", page, err)
	}
	if _, err := in(m.people[removed].Keys); api.ReasonOf(err) != api.SignInRefused {
		t.Errorf("who was removed signs in: %v", err)
	}
	other := h.found(t)
	otherDevice, otherSigning := other.owner.Device()
	if _, err := in(&key.PersonKeys{Device: otherDevice, DeviceSigning: otherSigning}); api.ReasonOf(err) != api.SignInRefused {
		t.Errorf("a member of another home signs in: %v", err)
	}
}

// looking is what somebody asks for who looks at a home, and at one object of it.
func looking(ctx context.Context, home *api.Home, name latchkey.Name) map[string]func() error {
	return map[string]func() error{
		"the deeds":  func() error { _, _, err := home.Deeds(ctx, 0); return err },
		"the events": func() error { _, err := home.Events(ctx, "", 0); return err },
		"an object": func() error {
			d, err := home.Object(ctx, name)
			if err == nil {
				err = d.File.Close()
			}
			return err
		},
	}
}
