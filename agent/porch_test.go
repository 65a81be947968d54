package agent_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/porch"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// porched runs the agent with a porch, and returns how a browser in the home reaches that.
func (h *house) porched(c agent.Config) (*agent.Agent, *porch.Porch, *http.Client) {
	h.t.Helper()
	c.Folder, c.Retry = h.folder, 10*time.Millisecond
	a, err := agent.New(h.ctx, c)
	if err != nil {
		h.t.Fatal(err)
	}
	server, client, err := a.Server()
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := porch.Open(h.ctx, porch.Config{
		Folder: filepath.Join(h.folder, "porch"), Listen: "127.0.0.1:0", Names: []string{"127.0.0.1"}, Title: a.Title(), Settings: a.Settings, Unsent: a.Unsent(),
		Server: server, HTTP: client, Connected: a.Connected, Stands: a.PorchStands, Log: slog.New(slog.DiscardHandler),
	})
	if err == nil {
		err = a.Porch(p.Agent())
	}
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(h.ctx)
	ended := make(chan error, 1)
	go func() { ended <- errors.Join(a.Run(ctx), p.Close(), a.Close()) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	})
	return a, p, browserOf(p)
}

// browserOf trusts the porch's own certificate.
func browserOf(p *porch.Porch) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSClientConfig: certificate.Trust(p.Root, "127.0.0.1")},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// at is somebody's session at another server of the home.
func (o *owner) at(ctx context.Context, client *api.Client, k *key.PersonKeys) (*owner, error) {
	there := &owner{Owner: o.Owner, client: client}
	var err error
	there.home, err = client.SignIn(ctx, o.Home(), k.Device, k.DeviceSigning, o.Title().Head())
	return there, err
}

// TestPorch: with the home's server there everything goes through to it, and with it gone
// those who live there watch and command as before; who may not is told nothing, also who
// was removed; nothing is changed that two servers could have differently; and when
// nobody has vouched for the deeds for long enough nobody is let in.
func TestPorch(t *testing.T) {
	t.Parallel()
	h, _, camera, stop := filmed(t, nil)
	resident, _ := h.join(keytest.AsResident)
	removed, _ := h.join(keytest.AsResident)
	guest, _ := h.join(keytest.AsGuest(camera))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	a, p, browser := h.porched(agent.Config{})
	before := a.Settings()
	client, err := api.NewClient(p.Origin, browser)
	if err != nil {
		t.Fatal(err)
	}
	h.until("the agent is connected", a.Connected)
	device, signing := h.owner.Device()
	through, err := h.owner.at(h.ctx, client, &key.PersonKeys{Device: device, DeviceSigning: signing})
	if err != nil {
		t.Fatal(err)
	}
	if page, err := through.home.Events(h.ctx, "", 10); err != nil || page.Porch {
		t.Errorf("with the home's server there: %+v %v", page, err)
	}
	h.until("it records", func() bool { return stateOf(a, camera).Recording })
	h.until("it is kept that the home's server was there", func() bool { _, err := os.Stat(filepath.Join(h.folder, "vouched")); return err == nil })
	h.until("the porch stands", a.PorchStands)
	kept := filepath.Join(h.folder, "vouched")
	if err := os.Rename(kept, kept+".away"); err != nil {
		t.Fatal(err)
	}
	if !a.PorchStands() {
		t.Error("the home's server is there, and does not vouch for the deeds")
	}
	if err := os.Rename(kept+".away", kept); err != nil {
		t.Fatal(err)
	}
	onto := h.owner.Title().Head()
	h.owner.Dismiss(removed)
	if err := h.owner.publish(h.ctx, onto); err != nil {
		t.Fatal(err)
	}
	h.until("the agent knows it", func() bool { return a.Status().Head == h.owner.Title().Head().String() })
	h.settle(nil, "Europe/Berlin", map[latchkey.CameraID]settings.Camera{camera: {Name: "Yard by the lake"}})
	h.until("the agent has the settings", func() bool { return len(a.Settings()) > 0 && !bytes.Equal(a.Settings(), before) })

	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	h.until("the home's server is gone", func() bool { return !a.Connected() })
	in := func(k *key.PersonKeys) *owner {
		t.Helper()
		o, err := h.owner.at(h.ctx, client, k)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	one := in(&key.PersonKeys{Device: device, DeviceSigning: signing})
	h.until("the porch knows the newest deeds", func() bool {
		_, head, err := one.home.Deeds(h.ctx, 0)
		return err == nil && head == h.owner.Title().Head()
	})
	watch := h.watch(one, signing, camera, sealed.MainStream)
	watch.plays(20)
	watch.wants("h264")
	two := in(resident.Keys)
	h.watch(two, resident.Keys.DeviceSigning, camera, sealed.MainStream).plays(5)
	if why, _ := h.answers(a, one, signing, letter.StillPicture{Camera: camera}); why != "" {
		t.Errorf("a still: %s", why)
	}
	if conditions, err := one.home.Conditions(h.ctx); err != nil || len(conditions) != 1 || !conditions[0].Connected {
		t.Errorf("conditions: %+v %v", conditions, err)
	}
	if b, err := one.home.Settings(h.ctx); err != nil || !bytes.Equal(b, a.Settings()) {
		t.Errorf("the porch has other settings than the agent: %v", err)
	}
	h.turnedAway(client, camera, removed.Keys, guest.Keys)
	h.strangers(p, browser)

	h.vouched(time.Now().Add(-4 * 24 * time.Hour))
	watch.until("told that nobody brings anything any more", func() bool { return watch.word == api.LiveAway })
	if _, _, err := one.home.Deeds(h.ctx, 0); api.ReasonOf(err) != api.Busy {
		t.Errorf("after four days: %v", err)
	}
	h.vouched(time.Now().Add(time.Hour))
	if a.PorchStands() {
		t.Error("a time to come vouches for something")
	}
	h.vouched(time.Now().Add(-2 * 24 * time.Hour))
	h.until("the porch lets in again", func() bool { _, _, err := one.home.Deeds(h.ctx, 0); return err == nil })

	refused := map[string]error{}
	_, refused["how much is stored"] = one.home.Usage(h.ctx)
	_, refused["a deed"] = one.home.Append(h.ctx, h.owner.Title().Head(), h.owner.Sign(deed.FreezeBody{}))
	for what, err := range refused {
		if api.ReasonOf(err) != api.OnPorch {
			t.Errorf("%s that only the home's server has: %v", what, err)
		}
	}
}

// TestPorchShowsUnsent: with the home's server gone the porch lists what has happened since,
// and gives it, to those who live there and as they would get it from the server; to
// nobody else, and to nobody when the deeds are too old.
func TestPorchShowsUnsent(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	_, o, stop := h.placed(agent.Config{})
	resident, _ := h.join(keytest.AsResident)
	camera := h.owner.Title().Cameras()[0].ID
	guest, _ := h.join(keytest.AsGuest(camera))
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	seen := o.watches.Load()
	a, p, browser := h.porched(agent.Config{Watch: o.watch})
	client, err := api.NewClient(p.Origin, browser)
	if err != nil {
		t.Fatal(err)
	}
	h.until("the agent is connected and watches", func() bool { return a.Connected() && o.watches.Load() > seen })
	h.until("the agent knows all deeds", func() bool { return a.Status().Head == h.owner.Title().Head().String() })
	h.until("it is kept that the home's server was there", func() bool { _, err := os.Stat(filepath.Join(h.folder, "vouched")); return err == nil })
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	h.until("the home's server is gone", func() bool { return !a.Connected() })
	for range 3 {
		if err := o.one(); err != nil {
			t.Fatal(err)
		}
	}
	device, signing := h.owner.Device()
	for _, k := range []*key.PersonKeys{{Device: device, DeviceSigning: signing}, resident.Keys} {
		in, err := h.owner.at(h.ctx, client, k)
		if err != nil {
			t.Fatal(err)
		}
		h.until("the porch has the newest deeds", func() bool { _, _, err := in.home.Deeds(h.ctx, 0); return err == nil })
		all, err := in.look(h.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != len(o.ids) {
			t.Errorf("%d events, of %d", len(all), len(o.ids))
		}
		for _, id := range o.ids {
			if err := whole(id, all[id], latchkey.Thumbnail, latchkey.Description, latchkey.Clip); err != nil {
				t.Error(err)
			}
		}
		pages := 0
		for before := ""; pages == 0 || before != ""; pages++ {
			page, err := in.home.Events(h.ctx, before, 1)
			if err != nil || len(page.Events) != 1 || !page.Porch {
				t.Fatalf("a page of one event: %+v %v", page, err)
			}
			before = page.Next
		}
		if pages != len(o.ids) {
			t.Errorf("%d pages of one event, of %d", pages, len(o.ids))
		}
	}

	one, err := h.owner.at(h.ctx, client, &key.PersonKeys{Device: device, DeviceSigning: signing})
	if err != nil {
		t.Fatal(err)
	}
	visitor, err := h.owner.at(h.ctx, client, guest.Keys)
	if err != nil {
		t.Fatal(err)
	}
	name := a.Unsent().List()[0].Binding.Name()
	fetch := func(o *owner) api.Reason {
		d, err := o.home.Object(h.ctx, name)
		if err == nil {
			d.File.Close()
		}
		return api.ReasonOf(err)
	}
	if why := fetch(one); why != "" {
		t.Errorf("who lives there is given an object: %s", why)
	}
	if why := fetch(visitor); why != api.NotFound {
		t.Errorf("a guest is given an object: %q", why)
	}
	if _, err := visitor.home.Events(h.ctx, "", 10); api.ReasonOf(err) != api.NotFound {
		t.Errorf("a guest is shown the list: %v", err)
	}
	h.vouched(time.Now().Add(-4 * 24 * time.Hour))
	if why := fetch(one); why != api.Busy {
		t.Errorf("after four days an object is given: %q", why)
	}
}

// TestPorchOfLongAgo: an agent that starts with the home's server gone believes its deeds
// to be the newest for as long as that was there, and no longer, whatever it does meanwhile.
func TestPorchOfLongAgo(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, stop := h.run(agent.Config{Watch: idle})
	h.until("the agent is connected", a.Connected)
	if a.PorchStands() {
		t.Error("a porch stands where there is none")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := h.server.Close(); err != nil {
		t.Fatal(err)
	}
	h.vouched(time.Now().Add(-time.Hour))
	a, err := agent.New(h.ctx, agent.Config{Folder: h.folder})
	if err == nil {
		err = a.Porch("http://localhost", http.DefaultClient)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a.PorchStands() {
		t.Error("a porch stands that has not heard of the agent's deeds")
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	h.vouched(time.Now().Add(-4 * 24 * time.Hour))
	kept := filepath.Join(h.folder, "vouched")
	before, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	a, _, _ = h.porched(agent.Config{Watch: idle})
	for range 60 { // it looks at once, and every two seconds
		if a.PorchStands() {
			t.Fatal("after four days somebody vouches for the deeds")
		}
		time.Sleep(50 * time.Millisecond)
	}
	if b, err := os.ReadFile(kept); err != nil || !bytes.Equal(b, before) {
		t.Errorf("it is noted that the home's server was there: %q %v", b, err)
	}
	h.vouched(time.Now().Add(-24 * time.Hour))
	h.until("the porch stands", a.PorchStands)
}

// vouched says in the agent's folder when the home's server was there last.
func (h *house) vouched(at time.Time) {
	h.t.Helper()
	text := strconv.FormatUint(uint64(latchkey.TimeOf(at)), 10) + "\n"
	if err := os.WriteFile(filepath.Join(h.folder, "vouched"), []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// turnedAway wants that neither who was removed, nor a guest, nor another home's owner is
// shown anything by a porch.
func (h *house) turnedAway(client *api.Client, camera latchkey.CameraID, removed, guest *key.PersonKeys) {
	h.t.Helper()
	if _, err := h.owner.at(h.ctx, client, removed); api.ReasonOf(err) != api.SignInRefused {
		h.t.Errorf("who was removed signs in: %v", err)
	}
	other := &owner{Owner: keytest.NewOwner()}
	other.Found()
	device, signing := other.Device()
	keys := &key.PersonKeys{Device: device, DeviceSigning: signing}
	if _, err := other.at(h.ctx, client, keys); api.ReasonOf(err) != api.SignInRefused {
		h.t.Errorf("the owner of another home signs in: %v", err)
	}
	if _, err := h.owner.at(h.ctx, client, keys); api.ReasonOf(err) != api.SignInRefused {
		h.t.Errorf("another home's device signs in here: %v", err)
	}
	g, err := h.owner.at(h.ctx, client, guest)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, _, err := g.home.Deeds(h.ctx, 0); api.ReasonOf(err) != api.NotFound {
		h.t.Errorf("a guest reads the deeds: %v", err)
	}
	if _, err := g.home.Live(h.ctx, camera, sealed.MainStream); api.ReasonOf(err) != api.NotFound {
		h.t.Errorf("a guest watches: %v", err)
	}
}

// strangers wants that a porch answers no page but its own, and by no name but its own.
func (h *house) strangers(p *porch.Porch, browser *http.Client) {
	h.t.Helper()
	for _, c := range []struct {
		what, method, path, host, origin string
		want                             int
	}{
		{"its page", "GET", "/v1/health", "", "", 200},
		{"its page, to sign in", "POST", "/v1/sessions/challenge", "", p.Origin, 415},
		{"another site's page", "POST", "/v1/sessions/challenge", "", "https://evil.example", 403},
		{"by another name", "GET", "/v1/health", "evil.example", "", 307},
	} {
		r, err := http.NewRequestWithContext(h.ctx, c.method, p.Origin+c.path, nil)
		if err != nil {
			h.t.Fatal(err)
		}
		r.Host = c.host
		r.Header.Set("Latchkey-Request", api.NewRequestID())
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		answer, err := browser.Do(r)
		if err != nil {
			h.t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != c.want {
			h.t.Errorf("%s: %d, want %d", c.what, answer.StatusCode, c.want)
		}
	}
	plain := "http" + strings.TrimPrefix(p.Origin, "https")
	answer, err := http.Get(plain + "/v1/health")
	if err != nil {
		h.t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusUpgradeRequired {
		h.t.Errorf("without TLS: %d", answer.StatusCode)
	}
	u, err := url.Parse(p.Origin)
	if err != nil {
		h.t.Fatal(err)
	}
	if u.Hostname() != "127.0.0.1" {
		h.t.Errorf("it is at %s", p.Origin)
	}
}

// TestPorchOfStrangersNotices is the control: without the checks of every server a porch lets in
// who was removed and another home's device, and answers other pages, by any name.
func TestPorchOfStrangersNotices(t *testing.T) {
	without := controls.Without(t,
		sabotage.Cut{File: "server/session.go", Old: "if !ok || len(keys) != 1 || !keys[0].Verify(c.message(key), c.signature) || ", New: "if len(keys) > 1 && !ok || "},
		sabotage.Cut{File: "server/wall.go", Old: "if !a.route.Unsafe() || origin == a.server.config.Origin ||", New: "if true || origin == a.server.config.Origin ||"},
		sabotage.Cut{File: "server/secure.go", Old: "if r.Host != u.Host {", New: `if u.Host == "" {`},
	)
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestPorch$")
	for _, want := range []string{"who was removed signs in: <nil>", "another home's device signs in here: <nil>", "another site's page: 415, want 403", "by another name: 200, want 307"} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("the control does not say %q: %v\n%s", want, err, out)
		}
	}
}

// TestPorchNotices is the control: without its checks a porch shows a guest the home, is
// as good as the home's server, and lets people in for ever.
func TestPorchNotices(t *testing.T) {
	without := controls.Without(t,
		sabotage.Cut{File: "server/right.go", Old: "case !p.Role.SeesAll():\n		return notFound() // a guest", New: "case false:\n		return notFound() // a guest"},
		sabotage.Cut{File: "server/right.go", Old: "case !porch():", New: "case false:"},
		sabotage.Cut{File: "server/wall.go", Old: "if a.server.config.Porch != nil && !a.route.Porch {", New: "if false {"},
	)
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestPorch(ShowsUnsent)?$")
	for _, want := range []string{"a guest reads the deeds: <nil>", "after four days: <nil>", "a deed that only the home's server has: <nil>",
		"a guest is shown the list: <nil>", `after four days an object is given: ""`} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("the control does not say %q: %v\n%s", want, err, out)
		}
	}
}
