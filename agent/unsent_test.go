package agent_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/porch"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// TestUnsent: what waits in a spool is given as the home's server would be sent it, with an
// envelope for those who see the whole home now; what no agent of the home has sealed is not
// there. A tombstone that empties the spool of what it covers empties a porch's list of it,
// in the same moment.
func TestUnsent(t *testing.T) {
	t.Parallel()
	r, err := newRoad()
	if err != nil {
		t.Fatal(err)
	}
	chain, err := uplink.LoadChain(r.home, "chain", r.owner.Home())
	if err == nil {
		_, err = chain.Extend(r.owner.Title().Head(), r.owner.Deeds())
	}
	for range 3 {
		err = errors.Join(err, r.record(latchkey.Thumbnail))
	}
	if err != nil {
		t.Fatal(err)
	}
	unsent := agent.UnsentOf(r.spool, chain)
	for name, content := range r.accepted {
		file, body, err := unsent.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := open.Open(file, body, name, chain.Title(), r.owner.Ring(), &b); err != nil || !bytes.Equal(b.Bytes(), content) {
			t.Errorf("%v: %d bytes, %v", name, b.Len(), err)
		}
		body.Close()
	}
	stranger := r.owner.PlaceAgent() // of whom the agent has not heard
	b := stranger.Bind(r.owner.Title(), r.camera, latchkey.Thumbnail)
	_, err = r.spool.Add(b, stranger.Keys.Signing, func(io.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := unsent.Open(b.Name()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what another agent has sealed: %v", err)
	}

	p, err := porch.Open(t.Context(), porch.Config{
		Folder: t.TempDir(), Listen: "127.0.0.1:0", Names: []string{"127.0.0.1"}, Title: chain.Title(), Settings: func() []byte { return nil }, Unsent: unsent,
		Server: "https://home.example", HTTP: http.DefaultClient, Connected: func() bool { return false }, Stands: func() bool { return true }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	client, err := api.NewClient(p.Origin, browserOf(p))
	if err != nil {
		t.Fatal(err)
	}
	device, signing := r.owner.Device()
	home, err := client.SignIn(t.Context(), r.owner.Home(), device, signing, chain.Title().Head())
	if err != nil {
		t.Fatal(err)
	}
	listed := func() (events []latchkey.EventID) {
		t.Helper()
		page, err := home.Events(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			events = append(events, e.Event)
		}
		return events
	}
	all := listed()
	if len(all) != 3 {
		t.Fatalf("%d events are listed", len(all))
	}
	one, err := tombstone.Sign(r.owner.Keys.Signing, chain.Title(), r.owner.Now(), tombstone.Tombstone{Scope: tombstone.Events, Events: all[1:2]})
	if err != nil {
		t.Fatal(err)
	}
	var deleted tombstone.Set
	deleted.Add(one)
	var gone latchkey.Name
	for name := range r.accepted {
		if file, body, err := unsent.Open(name); err != nil {
			t.Fatal(err)
		} else if body.Close(); file.Header.Binding.Event == all[1] {
			gone = name
		}
	}
	if n, err := r.spool.Delete(deleted.Covers); n != 1 || err != nil {
		t.Fatalf("%d are deleted: %v", n, err)
	}
	if left := listed(); len(left) != 2 || left[0] != all[0] || left[1] != all[2] {
		t.Errorf("listed is %v, of %v", left, all)
	}
	if _, err := home.Object(t.Context(), gone); api.ReasonOf(err) != api.NotFound {
		t.Errorf("what was deleted is given: %v", err)
	}
}
