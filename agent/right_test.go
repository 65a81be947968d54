package agent_test

import (
	"context"
	"crypto/ed25519"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
)

// TestWhoMay: the table in the code is the one in docs/letter.md.
func TestWhoMay(t *testing.T) {
	page, err := os.ReadFile("../docs/letter.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\| (owner|household|viewer|member) \\|").FindAllStringSubmatch(string(page), -1) {
		written[row[1]] = row[2]
	}
	if diff := cmp.Diff(written, agent.Orders()); diff != "" || len(written) != 16 {
		t.Errorf("%d orders are written; (-docs/letter.md +code):\n%s", len(written), diff)
	}
}

// orders are one of each word, by its name.
func orders(camera, other latchkey.CameraID) map[string]letter.Command {
	return map[string]letter.Command{
		"probe": letter.Probe{}, "still": letter.StillPicture{Camera: camera}, "still of another": letter.StillPicture{Camera: other},
		"would-fire": letter.WouldFire{Camera: camera}, "confirm-head": letter.ConfirmHead{},
	}
}

// TestMay asks for everybody who can be in a home, or was, and their keys.
func TestMay(t *testing.T) {
	const minute = 60_000_000
	o := keytest.NewOwner()
	o.Found()
	a := o.PlaceAgent()
	camera, other, released := o.PlaceCamera(a), o.PlaceCamera(a), o.PlaceCamera(a)
	live := func(until latchkey.Time, cameras ...latchkey.CameraID) deed.Standing {
		s := deed.Standing{Role: deed.Guest, Rights: keytest.Rights(until, cameras...)}
		s.Rights.Kinds |= deed.SeesLive
		return s
	}
	join := func(s deed.Standing) *keytest.Person { return o.Join(keytest.NewPerson(), s) }
	end := o.Now() + 60*minute
	second, resident, guest, everywhere := join(keytest.AsOwner), join(keytest.AsResident), join(live(0, camera)), join(live(0))
	blind, leaving, gone, lost, demoted := join(keytest.AsGuest()), join(live(end)), join(keytest.AsOwner), join(keytest.AsResident), join(keytest.AsOwner)
	rights := live(end, camera).Rights
	link := o.Lend(rights)
	o.Dismiss(gone)
	found := o.Recover(lost, 0)
	o.Change(demoted, live(0, camera), 0)
	struck := o.AddDevice()
	o.Strike(struck.Device)
	further := o.AddDevice()
	o.ReleaseCamera(released)
	title, now := o.Title(), o.Title().LastTime()+minute
	all := []string{"confirm-head", "probe", "still", "still of another", "would-fire"}
	household := []string{"confirm-head", "still", "still of another", "would-fire"}
	head := []string{"confirm-head"}
	for who, c := range map[string]struct {
		signer ed25519.PrivateKey
		at     latchkey.Time
		sure   bool
		want   []string
	}{
		"the owner":                             {o.Keys.DeviceSigning, now, true, all},
		"the owner's other device":              {further.DeviceSigning, now, true, all},
		"the owner's struck device":             {struck.DeviceSigning, now, true, nil},
		"the owner's own key":                   {o.Keys.Signing, now, true, head},
		"another owner":                         {second.Keys.DeviceSigning, now, true, all},
		"a resident":                            {resident.Keys.DeviceSigning, now, true, household},
		"a resident, without a clock":           {resident.Keys.DeviceSigning, 0, false, household},
		"a resident's own key":                  {resident.Keys.Signing, now, true, head},
		"a guest of a camera":                   {guest.Keys.DeviceSigning, now, true, []string{"confirm-head", "still"}},
		"a guest without end, without a clock":  {guest.Keys.DeviceSigning, 0, false, []string{"confirm-head", "still"}},
		"a guest's own key":                     {guest.Keys.Signing, now, true, head},
		"a guest of every camera":               {everywhere.Keys.DeviceSigning, now, true, []string{"confirm-head", "still", "still of another"}},
		"a guest who sees events alone":         {blind.Keys.DeviceSigning, now, true, head},
		"a guest before the end":                {leaving.Keys.DeviceSigning, now, true, []string{"confirm-head", "still", "still of another"}},
		"a guest at the end":                    {leaving.Keys.DeviceSigning, end, true, head},
		"a guest before an end nobody knows of": {leaving.Keys.DeviceSigning, now, false, head},
		"a link":                                {link.Keys.DeviceSigning, now, true, nil},
		"a link's own key":                      {link.Keys.Signing, now, true, nil},
		"an owner who was dismissed":            {gone.Keys.DeviceSigning, now, true, nil},
		"the key of one who was dismissed":      {gone.Keys.Signing, now, true, nil},
		"a lost phone":                          {lost.Keys.DeviceSigning, now, true, nil},
		"the key on a lost phone":               {lost.Keys.Signing, now, true, nil},
		"whoever lost the phone":                {found.Keys.DeviceSigning, now, true, household},
		"an owner who is a guest now":           {demoted.Keys.DeviceSigning, now, true, []string{"confirm-head", "still"}},
		"the agent itself":                      {a.Keys.Signing, now, true, nil},
		"a stranger":                            {keytest.NewPerson().Keys.DeviceSigning, now, true, nil},
	} {
		var may []string
		for _, name := range all {
			signer := deed.Ed25519Key(c.signer.Public().(ed25519.PublicKey)).ID()
			if agent.May(title, signer, orders(camera, other)[name], c.at, c.sure) {
				may = append(may, name)
			}
		}
		if diff := cmp.Diff(c.want, may); diff != "" {
			t.Errorf("%s may (-want +got):\n%s", who, diff)
		}
	}
	for who, signer := range map[string]ed25519.PrivateKey{"a guest": everywhere.Keys.DeviceSigning} {
		if agent.May(title, deed.Ed25519Key(signer.Public().(ed25519.PublicKey)).ID(), letter.StillPicture{Camera: released}, now, true) {
			t.Errorf("%s may see a camera that was released", who)
		}
	}
}

// as is the same home at the browser of somebody else, who signs in.
func (o *owner) as(ctx context.Context, p *keytest.Person) (*owner, error) {
	other := &owner{Owner: o.As(p), client: o.client}
	device, signing := other.Device()
	var err error
	other.home, err = o.client.SignIn(ctx, o.Home(), device, signing, o.Title().Head())
	return other, err
}

// publish appends what the owner has signed since.
func (o *owner) publish(ctx context.Context, since latchkey.Head) error {
	_, err := o.home.Append(ctx, since, o.Title().Deeds(since.Seq+1)...)
	return err
}

// join has somebody come into the home and sign in.
func (h *house) join(s deed.Standing) (*keytest.Person, *owner) {
	h.t.Helper()
	since := h.owner.Title().Head()
	p := h.owner.Join(keytest.NewPerson(), s)
	if err := h.owner.publish(h.ctx, since); err != nil {
		h.t.Fatal(err)
	}
	o, err := h.owner.as(h.ctx, p)
	if err != nil {
		h.t.Fatal(err)
	}
	return p, o
}

// answers says how an agent answers somebody's command: a reason, or "" if it obeys.
func (h *house) answers(a *agent.Agent, o *owner, signer ed25519.PrivateKey, c letter.Command) (string, letter.Reply) {
	h.t.Helper()
	o.Adopt(h.owner.Title())
	h.until("the agent knows the newest deeds", func() bool { return a.Status().Head == h.owner.Title().Head().String() })
	s := a.Status()
	sent, err := letter.SealCommand(signer, o.Title(), s.Agent, s.Incarnation, latchkey.TimeOf(time.Now()), c)
	if err != nil {
		h.t.Fatal(err)
	}
	replies, err := o.home.Command(h.ctx, s.Agent, sent.Bytes())
	if err != nil {
		return string(api.ReasonOf(err)), nil
	}
	defer replies.Close()
	for {
		b, err := replies.Next()
		if err != nil {
			h.t.Fatal(err)
		}
		r, err := sent.Open(b, o.Title())
		if err != nil {
			h.t.Fatal(err)
		}
		if f, failed := r.(letter.Failure); failed {
			return f.Reason, r
		}
		if r.Last() {
			return "", r
		}
	}
}

// TestCommandsOfPeople: the agent asks the deeds what each of a home's people may have it
// do; a frozen home shows nothing to anybody.
func TestCommandsOfPeople(t *testing.T) {
	t.Parallel()
	h := newHouse(t).joined()
	a, _ := h.talking(agent.Config{Watch: func(ctx context.Context, c event.Config) error {
		<-ctx.Done()
		return nil
	}})
	yard := h.describe("Yard")
	h.until("it is placed", func() bool { names, err := h.owner.placeAsked(h.ctx); return err == nil && len(names) == 1 })
	_, resident := h.join(keytest.AsResident)
	live := keytest.AsGuest(yard.ID)
	live.Rights.Kinds |= deed.SeesLive
	guest, guests := h.join(live)
	_, blind := h.join(keytest.AsGuest(yard.ID))
	h.until("it is watched", func() bool { return stateOf(a, yard.ID).State == agent.CameraStarting })
	still, fire, describe := letter.StillPicture{Camera: yard.ID}, letter.WouldFire{Camera: yard.ID}, letter.DescribeCamera{Camera: yard.ID}
	check := func(who string, o *owner, c letter.Command, want string) {
		t.Helper()
		_, device := o.Device()
		if got, _ := h.answers(a, o, device, c); got != want {
			t.Errorf("%s of %s: %q, want %q", c.Do(), who, got, want)
		}
	}
	check("the owner", h.owner, describe, "")
	check("the owner", h.owner, still, "no-picture") // it would be shown if there were one
	check("a resident", resident, describe, "not-allowed")
	check("a resident", resident, still, "no-picture")
	check("a resident", resident, fire, "")
	check("a guest", guests, still, "no-picture")
	check("a guest", guests, fire, "not-allowed")
	check("a guest", guests, describe, "not-allowed")
	check("a guest who sees events", blind, still, "not-allowed")

	arriving, err := h.owner.client.SignInPerson(h.ctx, h.owner.Home(), guest.ID(), guest.Keys.Signing, h.owner.Title().Head())
	if err != nil {
		t.Fatal(err)
	}
	if reason, r := h.answers(a, &owner{Owner: guests.Owner, client: guests.client, home: arriving}, guest.Keys.Signing, letter.ConfirmHead{}); r != (letter.Confirmed{Head: h.owner.Title().Head()}) {
		t.Errorf("a person without a device asks for the head: %q %+v", reason, r)
	}

	if err := h.owner.say(h.ctx, deed.FreezeBody{}); err != nil {
		t.Fatal(err)
	}
	check("the owner", h.owner, still, "frozen")
	check("a guest", guests, still, "frozen")
	check("a guest who sees events", blind, still, "not-allowed")
	check("the owner", h.owner, fire, "")
	check("a guest", guests, letter.ConfirmHead{}, "")
}

// TestCommandsOfPeopleNotices is the control: an agent that does not ask the deeds obeys
// whomever the server lets through.
func TestCommandsOfPeopleNotices(t *testing.T) {
	control(t, "TestCommandsOfPeople", `describe-camera of a resident: "", want "not-allowed"`,
		sabotage.Cut{File: "agent/right.go", Old: "	t := c.agent.chain.Title()\n	at, sure :=", New: "	t := c.agent.chain.Title()\n	if c != nil {\n		return nil\n	}\n	at, sure :="})
}

// controls is what all controls of this package run.
var controls = &sabotage.Program{Root: ".."}

// control runs a test with pieces of source replaced, beside other tests, and wants it to
// fail and say that.
func control(t *testing.T, test, want string, cuts ...sabotage.Cut) {
	t.Helper()
	without := controls.Without(t, cuts...)
	t.Parallel()
	out, err := without.Tests(t.Context(), "^"+test+"$")
	if err == nil || !strings.Contains(string(out), want) {
		t.Errorf("with the check removed %s says: %v\n%s", test, err, out)
	}
}
