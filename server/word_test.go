package server_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// TestNonces: a challenge is this server's, about one thing, for a while, and once.
func TestNonces(t *testing.T) {
	n, other := server.NewNonces(), server.NewNonces()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	nonce, expires := server.Challenge(n, "a", time.Minute, now)
	if expires != latchkey.TimeOf(now.Add(time.Minute)) || len(nonce) != 32 {
		t.Fatalf("%d bytes until %v", len(nonce), expires.Time())
	}
	bent := func(at int) []byte { b := bytes.Clone(nonce); b[at] ^= 1; return b }
	for name, tt := range map[string]struct {
		nonce []byte
		about string
		at    time.Duration
		want  bool
	}{
		"good": {nonce, "a", 0, true}, "at its last moment": {nonce, "a", time.Minute, true}, "too late": {nonce, "a", time.Minute + time.Microsecond, false},
		"about something else": {nonce, "b", 0, false}, "shorter": {nonce[:31], "a", 0, false}, "none": {nil, "a", 0, false}, "longer": {append(bytes.Clone(nonce), 0), "a", 0, false},
		"with another end": {bent(7), "a", 0, false}, "with other chance": {bent(9), "a", 0, false}, "with another MAC": {bent(31), "a", 0, false},
	} {
		if got := server.Genuine(n, tt.nonce, tt.about, now.Add(tt.at)); got != tt.want {
			t.Errorf("a nonce %s: %t", name, got)
		}
	}
	if again, _ := server.Challenge(n, "a", time.Minute, now); bytes.Equal(again, nonce) || server.Genuine(other, nonce, "a", now) {
		t.Error("two are alike, or another server's is taken")
	}
	if !server.Spend(n, nonce, now) || server.Spend(n, nonce, now) || server.Spend(n, nonce, now.Add(time.Minute)) {
		t.Error("a nonce is spent twice, or never")
	}
	// What has run out is forgotten, and no longer good either.
	later := now.Add(3 * time.Minute)
	next, _ := server.Challenge(n, "a", time.Minute, later)
	if !server.Spend(n, next, later) || !server.Spend(n, nonce, later) {
		t.Error("what has run out is remembered")
	}
	if server.Spend(n, next, later) {
		t.Error("what has not run out was forgotten")
	}
}

// TestNoncesAreBounded: a memory that is full takes no more, until there is room.
func TestNoncesAreBounded(t *testing.T) {
	n := server.NewNonces()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 200_001 {
		nonce, _ := server.Challenge(n, "a", 10*time.Second, now)
		if server.Spend(n, nonce, now) != (i < 200_000) {
			t.Fatalf("nonce %d", i)
		}
	}
	now = now.Add(11 * time.Second)
	if nonce, _ := server.Challenge(n, "a", time.Minute, now); !server.Spend(n, nonce, now) {
		t.Error("there is no room when the first have run out")
	}
}

// TestAgentsNoncesAreTheirOwn: the same nonce of another agent or home is another.
func TestAgentsNoncesAreTheirOwn(t *testing.T) {
	n := server.NewNonces()
	now := time.Now()
	r := api.SignedAgentRequest{AgentRequest: api.NewAgentRequest(latchkey.HomeID{1}, latchkey.AgentID{2}, latchkey.Head{}, now)}
	for name, change := range map[string]func(r *api.SignedAgentRequest){
		"itself": func(*api.SignedAgentRequest) {}, "another home": func(r *api.SignedAgentRequest) { r.Home[0]++ },
		"another agent": func(r *api.SignedAgentRequest) { r.Agent[0]++ }, "another nonce": func(r *api.SignedAgentRequest) { r.Nonce[0]++ },
	} {
		other := r
		change(&other)
		if !server.Fresh(n, other, now) || server.Fresh(n, other, now) {
			t.Errorf("%s is not fresh once", name)
		}
	}
}

func TestPace(t *testing.T) {
	p := server.NewPace(2, time.Minute)
	now := time.Now()
	one, two := archive.Secret{1}, archive.Secret{2}
	for i, tt := range []struct {
		who  archive.Secret
		at   time.Duration
		want bool
	}{
		{one, 0, true}, {one, 0, true}, {one, time.Minute - 1, false}, {two, time.Minute - 1, true},
		{one, time.Minute, true}, {one, time.Minute, true}, {one, time.Minute, false},
		{one, -time.Hour, true}, // the clock was set back
	} {
		if got := server.Allow(p, tt.who, now.Add(tt.at)); got != tt.want {
			t.Errorf("%d: %t", i, got)
		}
	}
}

// TestReportsFitTheirReceipts: a receipt proves a report of that very request, if it says
// the same.
func TestReportsFitTheirReceipts(t *testing.T) {
	home, session := latchkey.HomeID{1}, archive.Secret{2}
	good := archive.Receipt{Home: home, Session: session, Request: "r", Asked: "a", Sent: "b", Header: sha256.Sum256([]byte("h")), Outcome: archive.Misrouted}
	for name, change := range map[string]func(r *archive.Receipt){
		"home": func(r *archive.Receipt) { r.Home[0]++ }, "session": func(r *archive.Receipt) { r.Session[0]++ }, "request": func(r *archive.Receipt) { r.Request = "s" },
	} {
		other := good
		change(&other)
		if server.Of(other, home, session, "r") || !server.Of(good, home, session, "r") {
			t.Errorf("a receipt of another %s is taken", name)
		}
	}
	with := func(o archive.Outcome, sent string) archive.Receipt {
		r := good
		r.Outcome, r.Sent = o, sent
		return r
	}
	for name, tt := range map[string]struct {
		in   api.Report
		r    archive.Receipt
		want bool
	}{
		"held back":                       {api.Report{Asked: "a", Word: sealed.Misroute}, with(archive.Misrouted, "a"), true},
		"another was sent":                {api.Report{Asked: "a", Word: sealed.Misroute, Header: []byte("h")}, with(archive.Delivered, "b"), true},
		"as it was asked":                 {api.Report{Asked: "a", Word: sealed.Misroute}, with(archive.Delivered, "a"), false},
		"of a list":                       {api.Report{Word: sealed.Misroute}, with(archive.Delivered, "b"), true},
		"another was asked":               {api.Report{Asked: "c", Word: sealed.Misroute}, with(archive.Misrouted, "b"), false},
		"another header came":             {api.Report{Asked: "a", Word: sealed.Misroute, Header: []byte("x")}, with(archive.Delivered, "b"), false},
		"nothing came, says the header":   {api.Report{Asked: "a", Word: sealed.Misroute, Header: []byte("x")}, with(archive.Misrouted, "b"), true},
		"damaged":                         {api.Report{Asked: "a", Word: sealed.Corrupt}, with(archive.Damaged, "a"), true},
		"damaged, and was not":            {api.Report{Asked: "a", Word: sealed.Corrupt}, with(archive.Delivered, "b"), false},
		"an unknown key, which says less": {api.Report{Asked: "a", Word: sealed.UnknownKey}, with(archive.Misrouted, "b"), false},
	} {
		if got := server.Bears(tt.in, tt.r); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
	name := latchkey.Name{Home: home, Camera: latchkey.CameraID{1}, Day: "2026-03-01", Kind: latchkey.Clip, Object: latchkey.ObjectID{1}}
	foreign := name
	foreign.Home[0]++
	in := api.Report{Delivery: "r", Asked: name.String(), Word: sealed.Misroute, Reason: string(sealed.WrongHome)}
	for what, tt := range map[string]struct {
		change func(in *api.Report)
		good   bool
	}{
		"good": {func(*api.Report) {}, true}, "of a list": {func(in *api.Report) { in.Asked = "" }, true},
		"of no request": {func(in *api.Report) { in.Delivery = "" }, false}, "of no word": {func(in *api.Report) { in.Word = "x" }, false},
		"of no reason": {func(in *api.Report) { in.Reason = "x" }, false}, "of no name": {func(in *api.Report) { in.Asked = "x" }, false},
		"of another home": {func(in *api.Report) { in.Asked = foreign.String() }, false}, "too long": {func(in *api.Report) { in.Header = make([]byte, sealed.MaxHeader+1) }, false},
	} {
		in := in
		tt.change(&in)
		if err := server.CheckReport(home, in); (err == nil) != tt.good {
			t.Errorf("a report %s: %v", what, err)
		}
	}
}

// TestAsksFitTheirRows in every column.
func TestAsksFitTheirRows(t *testing.T) {
	ask := api.Ask{Home: latchkey.HomeID{1}, Camera: latchkey.CameraID{2}, Agent: latchkey.AgentID{3}}
	row := archive.Ask{Home: ask.Home, Camera: ask.Camera, Agent: ask.Agent}
	for name, change := range map[string]func(k *archive.Ask){
		"home": func(k *archive.Ask) { k.Home[0]++ }, "camera": func(k *archive.Ask) { k.Camera[0]++ }, "agent": func(k *archive.Ask) { k.Agent[0]++ },
	} {
		other := row
		change(&other)
		if server.Asked(other, ask) || !server.Asked(row, ask) {
			t.Errorf("an ask of another %s fits", name)
		}
	}
}

// TestEnvelopesThatLast: an upload keeps the envelopes of those whose rights hold.
func TestEnvelopesThatLast(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	until := owner.Now() + 100_000_000
	link := owner.Lend(keytest.Rights(until, camera))
	o := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("one")).File
	o.Envelopes = append(o.Envelopes, sealed.Envelope{Recipient: sealed.ToLink, Epoch: 1, Key: link.Keys.Public().KEM.ID()})
	for now, want := range map[latchkey.Time]int{until - 1: 2, until: 1} {
		if got := server.Lasting(o, owner.Title(), now); len(got) != want || got[0].Recipient != sealed.ToEpoch {
			t.Errorf("%d envelopes last, want %d", len(got), want)
		}
	}
}

// TestCommandsAreTheSessions: by its device, or by the person if it has none.
func TestCommandsAreTheSessions(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	one, two := owner.Join(keytest.NewPerson(), keytest.AsResident), owner.Join(keytest.NewPerson(), keytest.AsResident)
	title := owner.Title()
	session := func(p *keytest.Person, arriving bool) archive.Session {
		s := archive.Session{Person: p.ID(), Device: p.Keys.Device}
		if arriving {
			s.Device = latchkey.DeviceID{}
		}
		return s
	}
	by := func(k ed25519.PrivateKey) sealed.Letter {
		return sealed.Letter{Parcel: sealed.Parcel{Signer: deed.Ed25519Key(k.Public().(ed25519.PublicKey)).ID()}}
	}
	stranger := keytest.NewPerson()
	for name, tt := range map[string]struct {
		session archive.Session
		by      ed25519.PrivateKey
		want    bool
	}{
		"its device":                         {session(one, false), one.Keys.DeviceSigning, true},
		"another's device":                   {session(one, false), two.Keys.DeviceSigning, false},
		"no device":                          {session(one, false), stranger.Keys.DeviceSigning, false},
		"the person, who has a device":       {session(one, false), one.Keys.Signing, false},
		"the person, who has none":           {session(one, true), one.Keys.Signing, true},
		"another person":                     {session(one, true), two.Keys.Signing, false},
		"nobody":                             {session(one, true), stranger.Keys.Signing, false},
		"a device, and the session has none": {session(one, true), one.Keys.DeviceSigning, false},
		"nobody, for nobody":                 {archive.Session{}, stranger.Keys.Signing, false},
	} {
		if got := server.Signed(title, tt.session, by(tt.by)); got != tt.want {
			t.Errorf("a command by %s: %t", name, got)
		}
	}
}
