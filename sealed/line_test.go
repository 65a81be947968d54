package sealed_test

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// Here is what no vector can say, because another check would refuse the same bytes in
// the same word, or because it takes a caller that no file has.

// everything are the bytes of everything that this package reads, and what reads them.
func everything(t *testing.T) map[string]struct {
	b     []byte
	parse func(b []byte) error
} {
	t.Helper()
	o := maker{t, keytest.ReadHomes(homesFile)}.thumbnail()
	h := o.File.Header
	l, s := condition(t), document(t)
	return map[string]struct {
		b     []byte
		parse func(b []byte) error
	}{
		"a binding":   {h.Binding.Bytes(), func(b []byte) error { _, err := sealed.ParseBinding(b); return err }},
		"a header":    {h.Bytes(), func(b []byte) error { _, err := sealed.ParseHeader(b); return err }},
		"an envelope": {o.File.Envelopes[0].Bytes(), func(b []byte) error { _, err := sealed.ParseEnvelope(b); return err }},
		"a file":      {o.File.Bytes(), func(b []byte) error { _, err := sealed.ReadFile(bytes.NewReader(b)); return err }},
		"a letter":    {l.Bytes(), func(b []byte) error { _, err := sealed.ParseLetter(b); return err }},
		"settings":    {s.Bytes(), func(b []byte) error { _, err := sealed.ParseSettings(b); return err }},
	}
}

// household is a home with an agent, a camera and somebody else who owns it.
func household() (*keytest.Owner, *keytest.Agent) {
	owner := keytest.NewOwner()
	owner.Found()
	return owner, owner.PlaceAgent()
}

func document(t *testing.T) sealed.Settings {
	t.Helper()
	owner, _ := household()
	return parsed(t, owner.Settings(nil, settings.Content{Home: "Ours", Zone: "UTC"}))
}

func parsed(t *testing.T, b []byte) sealed.Settings {
	t.Helper()
	s, err := sealed.ParseSettings(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func condition(t *testing.T) sealed.Letter {
	t.Helper()
	owner, agent := household()
	return told(t, owner, agent, 1, 1)
}

// told is what an agent says of itself.
func told(t *testing.T, owner *keytest.Owner, agent *keytest.Agent, incarnation, number uint64) sealed.Letter {
	t.Helper()
	b, err := letter.SealCondition(agent.Keys, owner.Title(), incarnation, number, owner.Now(), letter.Condition{Clock: letter.Clock{Quality: letter.Synchronised}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := sealed.ParseLetter(b)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestEveryBeginningIsTruncated: wherever bytes are cut, that is what is said of them.
func TestEveryBeginningIsTruncated(t *testing.T) {
	for name, c := range everything(t) {
		if err := c.parse(c.b); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range c.b {
			if err := c.parse(c.b[:n]); sealed.ReasonOf(err) != sealed.Truncated {
				t.Errorf("%d bytes of %s: %v, want %s", n, name, err, sealed.Truncated)
			}
		}
	}
}

// TestLimits: what is longer than it may be is refused for that, before it is read.
func TestLimits(t *testing.T) {
	all := everything(t)
	for name, limit := range map[string]int{"a header": sealed.MaxHeader, "an envelope": sealed.MaxEnvelope} {
		c := all[name]
		long := append(bytes.Clone(c.b), make([]byte, limit+1-len(c.b))...)
		if err := c.parse(long); sealed.ReasonOf(err) != sealed.Oversize {
			t.Errorf("%s of %d bytes: %v, want %s", name, len(long), err, sealed.Oversize)
		}
		if err := c.parse(long[:limit]); sealed.ReasonOf(err) != sealed.Malformed {
			t.Errorf("%s of %d bytes: %v, want %s", name, limit, err, sealed.Malformed)
		}
	}
	if err := all["a file"].parse(append([]byte("Latchkey object 2\n"), all["a file"].b[len(sealed.Magic):]...)); sealed.ReasonOf(err) != sealed.Malformed {
		t.Errorf("what begins like nothing we know: %v, want %s", err, sealed.Malformed)
	}
	for _, kind := range []byte{0, 4} {
		b := bytes.Clone(all["a letter"].b)
		b[1] = kind
		if err := all["a letter"].parse(b); sealed.ReasonOf(err) != sealed.Malformed {
			t.Errorf("a letter of kind %d: %v, want %s", kind, err, sealed.Malformed)
		}
	}
}

// TestSignaturesThatAreMissing are refused, and nobody looks for them.
func TestSignaturesThatAreMissing(t *testing.T) {
	homes := keytest.ReadHomes(homesFile)
	h := maker{t, homes}.thumbnail().File.Header
	h.Signatures = nil
	if err := sealed.Verify(h, h.Name(), homes["A"].Title()); sealed.ReasonOf(err) != sealed.Malformed {
		t.Errorf("a header: %v, want %s", err, sealed.Malformed)
	}
	owner, agent := household()
	l := told(t, owner, agent, 1, 1)
	l.Signatures = nil
	if err := sealed.VerifyLetter(l, owner.Title()); sealed.ReasonOf(err) != sealed.BadSignature {
		t.Errorf("a letter: %v, want %s", err, sealed.BadSignature)
	}
}

// TestEnvelopesForNobody: an envelope is for somebody whom the title has, in the role
// that the envelope gives.
func TestEnvelopesForNobody(t *testing.T) {
	owner, agent := household()
	camera := owner.PlaceCamera(agent)
	guest := owner.Join(keytest.NewPerson(), keytest.AsGuest(camera))
	link := owner.Lend(keytest.Rights(owner.Now()+1_000_000_000_000, camera))
	o := agent.Object(owner.Title(), camera, latchkey.Thumbnail, picture)
	epoch := owner.Title().Epoch()
	stranger := keytest.NewPerson()
	for name, c := range map[string]struct {
		kind sealed.RecipientKind
		key  deed.Key
		want sealed.Reason
	}{
		"a guest":              {sealed.ToPerson, guest.Keys.KEM.Public(), ""},
		"a link":               {sealed.ToLink, link.Keys.KEM.Public(), ""},
		"a guest as a link":    {sealed.ToLink, guest.Keys.KEM.Public(), sealed.UnknownEpoch},
		"a link as a guest":    {sealed.ToPerson, link.Keys.KEM.Public(), sealed.UnknownEpoch},
		"a stranger":           {sealed.ToPerson, stranger.Keys.KEM.Public(), sealed.UnknownEpoch},
		"a stranger as a link": {sealed.ToLink, stranger.Keys.KEM.Public(), sealed.UnknownEpoch},
		"a guest as everybody": {sealed.ToEpoch, guest.Keys.KEM.Public(), sealed.UnknownEpoch},
	} {
		e := sealed.Envelope{Recipient: c.kind, Key: c.key.ID(), Epoch: epoch}
		if err := sealed.CheckEnvelope(o.File.Header, e, owner.Title()); sealed.ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestAgentsDoNotCommand: a letter that is a command in every byte, under an agent's key.
func TestAgentsDoNotCommand(t *testing.T) {
	owner, agent := household()
	_, device := owner.Device()
	sent, err := letter.SealCommand(device, owner.Title(), agent.Keys.Agent, 1, owner.Now(), letter.Discover{})
	if err != nil {
		t.Fatal(err)
	}
	l := sent.Letter()
	for want, signer := range map[sealed.Reason]ed25519.PrivateKey{"": device, sealed.NotAllowed: agent.Keys.Signing} {
		l.Signer = deed.Ed25519Key(signer.Public().(ed25519.PublicKey)).ID()
		l.Signatures = [][]byte{ed25519.Sign(signer, l.SignedMessage())}
		if err := sealed.VerifyLetter(l, owner.Title()); sealed.ReasonOf(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestTheNextAndNoOther: which condition and which settings may follow which.
func TestTheNextAndNoOther(t *testing.T) {
	owner, agent := household()
	seen := told(t, owner, agent, 2, 5)
	if err := told(t, owner, agent, 3, 5).Since(seen); err != nil {
		t.Errorf("the same number in the next incarnation: %v", err)
	}
	one := document(t)
	two := one
	two.Number, two.Prev = 2, one.Hash()
	if !two.Replaces(&one) {
		t.Error("the next one does not replace the one before")
	}
	theirs, wrong, same, jump := two, two, two, two
	theirs.Home[0] ^= 1
	wrong.Prev[0] ^= 1
	same.Number = 1
	jump.Number, jump.Prev = 9, wrong.Prev
	if theirs.Replaces(&one) {
		t.Error("settings of one home replace another's")
	}
	if wrong.Replaces(&one) || same.Replaces(&one) {
		t.Error("settings replace others that they do not follow")
	}
	if !jump.Replaces(&one) {
		t.Error("settings after some that were lost do not replace what is left")
	}
	rival := one
	rival.Head.Seq--
	if err := rival.Since(one); sealed.ReasonOf(err) != sealed.Fork {
		t.Errorf("another one of the same number, of an earlier head: %v, want %s", err, sealed.Fork)
	}
}

// TestSameRecipients: settings are for those who are in the home now, or they are not.
func TestSameRecipients(t *testing.T) {
	owner, agent := household()
	s := parsed(t, owner.Settings(nil, settings.Content{Home: "Ours", Zone: "UTC"}))
	if !sealed.SameRecipients(s, owner.Title()) {
		t.Error("nothing has changed")
	}
	owner.PlaceCamera(agent)
	if !sealed.SameRecipients(s, owner.Title()) {
		t.Error("a camera reads no settings")
	}
	for name, changed := range map[string]func(o *keytest.Owner){
		"another agent":   func(o *keytest.Owner) { o.PlaceAgent() },
		"another epoch":   func(o *keytest.Owner) { o.StartEpoch() },
		"an agent's keys": func(o *keytest.Owner) { o.ReplaceAgent(agent) },
	} {
		before := owner.Title()
		changed(owner)
		if sealed.SameRecipients(s, owner.Title()) {
			t.Errorf("after %s settings are for whom they were", name)
		}
		owner.Adopt(before)
	}
}

// TestAgentWithoutAName: a hostile owner may give an agent the ID of nothing. What
// stands nowhere is not its camera, and before there is an epoch it tells nobody
// anything.
func TestAgentWithoutAName(t *testing.T) {
	owner := keytest.NewOwner()
	early, err := deed.Start(owner.Found()[0])
	if err != nil {
		t.Fatal(err)
	}
	keys, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	keys.Agent = latchkey.AgentID{}
	owner.Sign(keys.Body())
	agent := keytest.NewAgent(keys)
	o := agent.Object(owner.Title(), latchkey.NewCameraID(), latchkey.Thumbnail, picture)
	if err := sealed.Verify(o.File.Header, o.Name(), owner.Title()); sealed.ReasonOf(err) != sealed.WrongAgent {
		t.Errorf("an object of a camera that was never placed: %v, want %s", err, sealed.WrongAgent)
	}
	d, err := deed.Sign(owner.Keys.Signing, early, owner.Now(), keys.Body())
	if err != nil {
		t.Fatal(err)
	}
	if early, err = early.Append(d); err != nil {
		t.Fatal(err)
	}
	l := told(t, owner, agent, 1, 1)
	l.Head = early.Head()
	l.Recipients[0].Key, l.Recipients[0].Epoch = deed.Key{}.ID(), 0
	l.Signatures = [][]byte{ed25519.Sign(keys.Signing, l.SignedMessage())}
	if err := sealed.VerifyLetter(l, early); sealed.ReasonOf(err) != sealed.WrongRecipients {
		t.Errorf("a condition for no epoch: %v, want %s", err, sealed.WrongRecipients)
	}
}
