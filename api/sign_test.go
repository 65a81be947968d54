package api_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

func TestAgentRequest(t *testing.T) {
	header := must(request().Sign(key, "PUT", path))
	r, err := api.ParseAgentRequest(header)
	if err != nil || r.AgentRequest != request() {
		t.Fatalf("%v, %v", r, err)
	}
	for _, tt := range []struct {
		name         string
		method, path string
		at           time.Duration
		want         error
	}{
		{"good", "PUT", path, 0, nil},
		{"at its last moment", "PUT", path, 30 * time.Second, nil},
		{"by a clock that is behind", "PUT", path, -30 * time.Second, nil},
		{"too late", "PUT", path, 31 * time.Second, api.ErrExpired},
		{"dated too far ahead", "PUT", path, -31 * time.Second, api.ErrExpired},
		{"another method", "HEAD", path, 0, api.ErrSignature},
		{"another path", "PUT", path + "c", 0, api.ErrSignature},
		{"method and path shifted", "PUT/", path[1:], 0, api.ErrSignature},
	} {
		if err := r.Verify(keys, tt.method, tt.path, now.Add(tt.at)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	if err := r.Verify(nil, "PUT", path, now); !errors.Is(err, api.ErrSignature) {
		t.Errorf("with no key at all: %v", err)
	}
	for what, change := range map[string]func(r *api.SignedAgentRequest){
		"home":      func(r *api.SignedAgentRequest) { r.Home[0]++ },
		"agent":     func(r *api.SignedAgentRequest) { r.Agent[0]++ },
		"head":      func(r *api.SignedAgentRequest) { r.Head.Seq++ },
		"expiry":    func(r *api.SignedAgentRequest) { r.Expires++ },
		"nonce":     func(r *api.SignedAgentRequest) { r.Nonce[0]++ },
		"signature": func(r *api.SignedAgentRequest) { r.Signature = append([]byte{r.Signature[0] + 1}, r.Signature[1:]...) },
	} {
		other := r
		change(&other)
		if err := other.Verify(keys, "PUT", path, now); !errors.Is(err, api.ErrSignature) {
			t.Errorf("another %s: %v", what, err)
		}
	}
	raw := must(base64.StdEncoding.DecodeString(header))
	later := append([]byte{2}, raw[1:]...)
	for name, tt := range map[string]struct {
		header string
		want   error
	}{
		"empty":           {"", api.ErrMalformed},
		"cut":             {base64.StdEncoding.EncodeToString(raw[:len(raw)-1]), api.ErrMalformed},
		"longer":          {base64.StdEncoding.EncodeToString(append(raw, 0)), api.ErrMalformed},
		"no base64":       {"?" + header[1:], api.ErrMalformed},
		"line ends":       {header[:4] + "\n" + header[4:], api.ErrMalformed},
		"very long":       {strings.Repeat(header, 100), api.ErrMalformed},
		"a later version": {base64.StdEncoding.EncodeToString(later), api.ErrVersion},
	} {
		if _, err := api.ParseAgentRequest(tt.header); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

func TestHello(t *testing.T) {
	h := must(api.SignHello(hello(), nonce, key))
	if err := h.Verify(nonce, keys); err != nil {
		t.Fatal(err)
	}
	if err := h.Verify(append([]byte{0}, nonce[1:]...), keys); !errors.Is(err, api.ErrSignature) {
		t.Errorf("for another challenge: %v", err)
	}
	for what, change := range map[string]func(h *api.Hello){
		"home":        func(h *api.Hello) { h.Home[0]++ },
		"agent":       func(h *api.Hello) { h.Agent[0]++ },
		"head":        func(h *api.Hello) { h.Head = "" },
		"incarnation": func(h *api.Hello) { h.Incarnation++ },
		"token":       func(h *api.Hello) { h.Token = []byte("x") },
		"next token":  func(h *api.Hello) { h.NextToken = []byte("x") },
		"both tokens": func(h *api.Hello) { h.Token, h.NextToken = h.NextToken, h.Token },
	} {
		other := h
		change(&other)
		if err := other.Verify(nonce, keys); !errors.Is(err, api.ErrSignature) {
			t.Errorf("another %s: %v", what, err)
		}
	}
	h.Head = "x"
	if err := h.Verify(nonce, keys); err == nil {
		t.Error("a head that does not parse was verified")
	}
}

func TestJoin(t *testing.T) {
	said := announcement()
	a, err := secret.CheckAnnouncement(said, now)
	if err != nil || a.Home != home || a.Head != head {
		t.Fatalf("%v, %v", a, err)
	}
	answer := must(secret.Answer(said, body))
	got, err := secret.CheckAnswer(said, answer)
	if err != nil || got.Agent != agent || got.KEM.ID() != body.KEM.ID() {
		t.Fatalf("%v, %v", got, err)
	}
	other := api.JoinSecret{1}
	if other.Slot() == secret.Slot() {
		t.Error("two secrets have one slot")
	}
	if _, err := other.CheckAnnouncement(said, now); !errors.Is(err, api.ErrProof) {
		t.Errorf("announcement of another link: %v", err)
	}
	if _, err := secret.CheckAnnouncement(said, now.Add(time.Hour)); !errors.Is(err, api.ErrExpired) {
		t.Errorf("announcement of an hour ago: %v", err)
	}
	if _, err := other.CheckAnswer(said, answer); !errors.Is(err, api.ErrProof) {
		t.Errorf("answer of another link: %v", err)
	}
	elsewhere := secret.Announce(api.Announcement{Home: latchkey.HomeID{1}, Head: head, Expires: a.Expires})
	if _, err := secret.CheckAnswer(elsewhere, answer); !errors.Is(err, api.ErrProof) {
		t.Errorf("answer to another announcement: %v", err)
	}
	for i := range said {
		altered := append([]byte{}, said...)
		altered[i] ^= 0x10
		if _, err := secret.CheckAnnouncement(altered, now); err == nil {
			t.Errorf("announcement with byte %d altered is taken", i)
		}
	}
	for i := range answer {
		altered := append([]byte{}, answer...)
		altered[i] ^= 0x10
		if _, err := secret.CheckAnswer(said, altered); err == nil {
			t.Errorf("answer with byte %d altered is taken", i)
		}
	}
	for n := range len(answer) {
		if _, err := secret.CheckAnswer(said, answer[:n]); err == nil {
			t.Errorf("answer of %d bytes is taken", n)
		}
	}
	// An owner's announcement is no agent's answer and the other way round.
	if _, err := secret.CheckAnnouncement(answer, now); err == nil {
		t.Error("an answer is taken for an announcement")
	}
	// What the server sees does not let it prove anything: the slot is no key.
	if _, err := api.JoinSecret(secret.Slot()).CheckAnnouncement(said, now); !errors.Is(err, api.ErrProof) {
		t.Errorf("the slot proves an announcement: %v", err)
	}
}

func TestLink(t *testing.T) {
	whole := api.Link{Origin: "https://example.org:8443", Secret: secret, Home: &home, Head: &head}
	got, err := api.ParseLink(" " + whole.Text() + "\n")
	if err != nil || got.Text() != whole.Text() {
		t.Errorf("%s comes back as %s, %v", whole.Text(), got.Text(), err)
	}
	early := api.Link{Origin: "http://localhost:8080", Secret: secret}
	if got, err := api.ParseLink(early.Text()); err != nil || got.Home != nil || got.Head != nil || got.Secret != secret {
		t.Errorf("%v, %v", got, err)
	}
	s := secret.Text()
	for _, bad := range []string{
		"", "x", "https://example.org/", "https://example.org/#setup=" + s, "https://example.org/#join=" + s[1:], "https://example.org/#join=" + strings.ToUpper(s),
		"ftp://example.org/#join=" + s, "https://u:p@example.org/#join=" + s, "https://example.org/#join=" + s + "&home=x", "https://example.org/#join=" + s + "&join=" + s,
		"https://example.org/#join=" + s + "&head=x",
	} {
		_, err := api.ParseLink(bad)
		if err == nil {
			t.Errorf("%q is taken for a join link", bad)
		} else if strings.Contains(err.Error(), s[1:]) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	for _, shown := range []string{secret.String(), secret.GoString(), whole.String()} {
		if strings.Contains(shown, s) {
			t.Errorf("%q shows the secret", shown)
		}
	}
}

func TestAsk(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	a := owner.PlaceAgent()
	b := owner.PlaceAgent()
	placed := owner.PlaceCamera(a)
	title := owner.Title()
	k, _ := title.EpochKey(1)
	good := api.Ask{
		Home: owner.Home(), Agent: a.Keys.Agent, Camera: latchkey.NewCameraID(), Head: title.Head(), Time: latchkey.TimeOf(now),
		Key: k.ID(), Epoch: 1, SealedName: []byte("sealed"),
	}
	signed := must(good.Sign(a.Keys.Signing))
	parsed, err := api.ParseAsk(signed.Bytes())
	if err != nil || parsed.Verify(title) != nil {
		t.Fatalf("%v, %v", err, parsed.Verify(title))
	}
	for name, tt := range map[string]struct {
		change func(a *api.Ask)
		signer *keytest.Agent
		want   error
	}{
		"another home":          {func(a *api.Ask) { a.Home[0]++ }, a, api.ErrAsk},
		"no agent of the home":  {func(a *api.Ask) { a.Agent[0]++ }, a, api.ErrAsk},
		"another agent's":       {func(x *api.Ask) {}, b, api.ErrSignature},
		"a camera that stands":  {func(a *api.Ask) { a.Camera = placed }, a, api.ErrAsk},
		"a head of no chain":    {func(a *api.Ask) { a.Head.Hash[0]++ }, a, api.ErrUnknownHead},
		"an epoch that is not":  {func(a *api.Ask) { a.Epoch = 2 }, a, api.ErrAsk},
		"a key of another home": {func(a *api.Ask) { a.Key[0]++ }, a, api.ErrAsk},
	} {
		x := good
		tt.change(&x)
		x = must(x.Sign(tt.signer.Keys.Signing))
		if err := x.Verify(title); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	altered := signed
	altered.SealedName = []byte("other")
	if err := altered.Verify(title); !errors.Is(err, api.ErrSignature) {
		t.Errorf("another name under the signature: %v", err)
	}
	raw := signed.Bytes()
	for n := range len(raw) {
		if _, err := api.ParseAsk(raw[:n]); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("%d bytes of an ask: %v", n, err)
		}
	}
	for name, b := range map[string][]byte{"longer": append(raw, 0), "very long": make([]byte, api.MaxAsk+1)} {
		if _, err := api.ParseAsk(b); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := api.ParseAsk(append([]byte{2}, raw[1:]...)); !errors.Is(err, api.ErrVersion) {
		t.Errorf("of version 2: %v", err)
	}
}
