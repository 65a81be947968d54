package api_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// page writes a message as docs/wire.md has it: the label, a zero byte, the parts.
func page(label string, parts ...[]byte) []byte {
	return append([]byte(label+"\x00"), bytes.Join(parts, nil)...)
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// TestMessagesAreThePages: what a person signs to sign in, what a device signs so that
// its person may sign up, and what a camera's name is sealed for.
func TestMessagesAreThePages(t *testing.T) {
	person, device, camera, mac := latchkey.NewPersonID(), latchkey.NewDeviceID(), latchkey.NewCameraID(), api.NewMACKey()
	at := page("", number(head.Seq), head.Hash[:])[1:]
	for what, c := range map[string][2][]byte{
		"a person signs in": {
			api.SignInPersonMessage(nonce, home, person, head, mac),
			page("latchkey sign-in person v1", nonce, home[:], person[:], at, mac[:]),
		},
		"a camera's name": {api.AskNameInfo(home, camera), page("latchkey ask name v1", home[:], camera[:])},
	} {
		if !bytes.Equal(c[0], c[1]) {
			t.Errorf("%s: %q, want %q", what, c[0], c[1])
		}
	}
	expires := latchkey.TimeOf(now.Add(api.TicketLife))
	said := bytes.Join([][]byte{home[:], device[:], number(uint64(expires))}, nil)
	text := must(api.Ticket{Home: home, Device: device, Expires: expires}.Sign(key))
	want := base64.StdEncoding.EncodeToString(append(said, ed25519.Sign(key, page("latchkey ticket v1", said))...))
	if text != want {
		t.Errorf("a ticket is %s, want %s", text, want)
	}
}

// TestTicket: it is its device's, unaltered, in its time and in one spelling.
func TestTicket(t *testing.T) {
	device := latchkey.NewDeviceID()
	good := must(api.Ticket{Home: home, Device: device, Expires: latchkey.TimeOf(now.Add(api.TicketLife))}.Sign(key))
	ticket, err := api.ParseTicket(good)
	if err != nil || ticket.Home != home || ticket.Device != device {
		t.Fatalf("%+v, %v", ticket, err)
	}
	for at, want := range map[time.Duration]error{
		0: nil, api.TicketLife: nil, api.TicketLife + time.Second: api.ErrExpired, -api.TicketLife: nil, -api.TicketLife - time.Second: api.ErrExpired,
	} {
		if err := ticket.Verify(keys, now.Add(at)); !errors.Is(err, want) {
			t.Errorf("%s later: %v, want %v", at, err, want)
		}
	}
	if err := ticket.Verify(nil, now); !errors.Is(err, api.ErrSignature) {
		t.Errorf("of nobody: %v", err)
	}
	altered := ticket
	altered.Home[0]++
	if err := altered.Verify(keys, now); !errors.Is(err, api.ErrSignature) {
		t.Errorf("for another home: %v", err)
	}
	raw := must(base64.StdEncoding.DecodeString(good))
	for name, text := range map[string]string{
		"nothing": "", "cut": base64.StdEncoding.EncodeToString(raw[:len(raw)-1]), "longer": base64.StdEncoding.EncodeToString(append(raw, 0)),
		"no base64": "?" + good[1:], "line ends": good[:4] + "\n" + good[4:],
	} {
		if _, err := api.ParseTicket(text); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNothingLongIsRead: what is far too long is refused before anybody decodes it, in
// words that say so.
func TestNothingLongIsRead(t *testing.T) {
	for what, parse := range map[string]func(b []byte) error{
		"header":     func(b []byte) error { _, err := api.ParseAgentRequest(string(b)); return err },
		"ticket":     func(b []byte) error { _, err := api.ParseTicket(string(b)); return err },
		"invitation": func(b []byte) error { _, err := api.ParseInvitation(b); return err },
		"answer":     func(b []byte) error { _, err := api.ParseAnswer(b); return err },
		"acceptance": func(b []byte) error { _, err := api.ParseAcceptance(b); return err },
	} {
		err := parse(make([]byte, 1<<20))
		if !errors.Is(err, api.ErrMalformed) || !strings.Contains(err.Error(), "1048576") {
			t.Errorf("%s of 1 MiB: %v", what, err)
		}
	}
}

// TestNothingIsSigned by a key that does not sign.
func TestNothingIsSigned(t *testing.T) {
	if text, err := (api.Ticket{}).Sign(lost{key}); err == nil {
		t.Errorf("a ticket: %s", text)
	}
	if header, err := request().Sign(lost{key}, "PUT", path); err == nil {
		t.Errorf("a request: %s", header)
	}
	if _, err := ask().Sign(lost{key}); err == nil {
		t.Error("an ask")
	}
	if _, err := api.SignHello(hello(), nonce, lost{key}); err == nil {
		t.Error("a hello")
	}
	h := hello()
	h.Head = "x"
	if _, err := api.SignHello(h, nonce, key); err == nil {
		t.Error("a hello at a head that is none")
	}
	h.Head = ""
	h = must(api.SignHello(h, nonce, key))
	if h.Head = "x"; h.Verify(nonce, keys) == nil {
		t.Error("a hello at no head is verified at one that is none")
	}
}

// lost is a key that does not sign.
type lost struct{ ed25519.PrivateKey }

func (lost) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the key is lost")
}

// TestSecretsHaveOneSpelling, and what is in a link is what it should be.
func TestSecretsHaveOneSpelling(t *testing.T) {
	s := secret.Text()
	last := strings.IndexByte("abcdefghijklmnopqrstuvwxyz234567", s[25])
	second := s[:25] + string("abcdefghijklmnopqrstuvwxyz234567"[last^1])
	fingerprint := strings.Repeat("0a", 32)
	for fragment, ok := range map[string]bool{
		"join=" + s: true, "join=" + second: false, "join=?" + s[1:]: false,
		"join=" + s + "&trust=" + fingerprint: true, "join=" + s + "&trust=": false, "join=" + s + "&trust=" + fingerprint[2:]: false,
		"join=" + s + "&trust=" + strings.ToUpper(fingerprint): false, "join=" + s + "&trust=zz" + fingerprint[2:]: false,
	} {
		l, err := api.ParseLink("https://example.org/#" + fragment)
		if (err == nil) != ok {
			t.Errorf("%s: %v", fragment, err)
		}
		if ok && l.Text() != "https://example.org/#"+fragment {
			t.Errorf("%s comes back as %s", fragment, l.Text())
		}
	}
	if _, err := api.ParseLink("https:///#join=" + s); err == nil {
		t.Error("a link to no server is taken")
	}
}

// TestAnnouncementsAreWhole: nobody answers half of one.
func TestAnnouncementsAreWhole(t *testing.T) {
	said := announcement()
	answer := must(secret.Answer(said, body))
	for _, n := range []int{0, 31, len(said) - 1} {
		if _, err := secret.CheckAnnouncement(said[:n], now); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("%d bytes of an announcement: %v", n, err)
		}
		if _, err := secret.Answer(said[:n], body); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("an answer to %d bytes of an announcement: %v", n, err)
		}
		if _, err := secret.CheckAnswer(said[:n], answer); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("compared with %d bytes of an announcement: %v", n, err)
		}
	}
	if _, err := secret.CheckAnswer(append(said, 0), answer); !errors.Is(err, api.ErrMalformed) {
		t.Errorf("compared with a longer announcement: %v", err)
	}
	if _, err := api.ParseAnswer(make([]byte, 200)); !errors.Is(err, api.ErrMalformed) {
		t.Errorf("an answer of zeroes: %v", err)
	}
	if _, err := (api.InviteSecret{}).CheckInvitation(nil, now); !errors.Is(err, api.ErrMalformed) {
		t.Errorf("an invitation of no bytes: %v", err)
	}
}

// TestAskForAKeyThatIsNone: an epoch that there is not has no key, and not one without
// bytes.
func TestAskForAKeyThatIsNone(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	a := owner.PlaceAgent()
	x := api.Ask{
		Home: owner.Home(), Agent: a.Keys.Agent, Camera: latchkey.NewCameraID(), Head: owner.Title().Head(), Time: latchkey.TimeOf(now),
		Key: deed.Key{}.ID(), Epoch: 7, SealedName: []byte("sealed"),
	}
	x = must(x.Sign(a.Keys.Signing))
	if err := x.Verify(owner.Title()); !errors.Is(err, api.ErrAsk) {
		t.Errorf("%v, want %v", err, api.ErrAsk)
	}
	b := x.Bytes()
	for _, n := range []byte{0, 2} {
		bad := bytes.Clone(b)
		bad[len(bad)-67] = n
		if _, err := api.ParseAsk(bad); !errors.Is(err, api.ErrMalformed) {
			t.Errorf("an ask that says it has %d signatures: %v", n, err)
		}
	}
	short := append(bytes.Clone(b[:len(b)-66]), 0, 63)
	if _, err := api.ParseAsk(append(short, make([]byte, 63)...)); !errors.Is(err, api.ErrMalformed) {
		t.Errorf("a signature of 63 bytes: %v", err)
	}
}
