package deed_test

import (
	"crypto/ed25519"
	"slices"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

// What no vector says, because no file can ask it of a title.

// TestNobodyIsNothing: whoever and whatever stands in no chain is nobody's, signs
// nothing and sees nothing, also if its ID is the first or the last that there is, and
// if a name in the home is that of nothing.
func TestNobodyIsNothing(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	zero, err := key.NewAgentKeys()
	if err != nil {
		t.Fatal(err)
	}
	zero.Agent = latchkey.AgentID{}
	owner.Sign(zero.Body()) // a hostile owner may call an agent that, and a device
	camera := owner.PlaceCamera(keytest.NewAgent(zero))
	tablet := owner.Keys.NewDevice()
	tablet.Device = latchkey.DeviceID{}
	owner.Sign(tablet.DeviceBody())
	title := owner.Title()
	if at := title.Head().Seq; !title.Signs(zero.KeyID(), camera, at, 1, 1) || title.Signs(owner.Keys.Public().Signing[0].ID(), camera, at, 1, 1) {
		t.Error("a person's key signs like an agent's")
	}
	var last [32]byte
	for i := range last {
		last[i] = 0xff
	}
	for _, id := range [][32]byte{{}, last, {7}} {
		k, person, stranger := latchkey.KeyID(id), latchkey.PersonID(id[:16]), latchkey.CameraID(id[:16])
		for what, is := range map[string]bool{
			"signs":               second(title.SigningKey(k)),
			"is in force":         title.InForce(k, 1),
			"is a person's":       title.Personal(k),
			"is somebody's":       second(title.PersonBySigningKey(k)),
			"signed for somebody": second(title.SignerAt(k, 1)),
			"is sealed to":        second(title.PersonKEM(k)),
			"is a device's":       second(title.DeviceBySigningKey(k)),
			"is another device":   id != [32]byte{} && second(title.Device(latchkey.DeviceID(id[:16]))),
			"sees":                title.Sees(owner.Keys.Device, person, camera, latchkey.Clip, owner.Now()),
			"is an agent's":       second(title.AgentByKey(k)),
			"stands":              second(title.Person(person)),
			"has an epoch":        title.Has(person, 1),
			"covers":              title.Covers(person, camera, deed.SeesClips, owner.Now()),
			"is a camera":         second(title.AnyCamera(stranger)),
			"is recorded":         title.Signs(zero.KeyID(), stranger, title.Head().Seq, 1, 1),
		} {
			if is {
				t.Errorf("%x %s", id[:2], what)
			}
		}
	}
	if _, ok := title.Agent(latchkey.NewAgentID()); ok {
		t.Error("an agent that was never placed stands")
	}
	if _, ok := title.AgentAt(latchkey.NewAgentID(), 2); ok {
		t.Error("an agent that was never placed stood")
	}
	lasts := []deed.Last{{Camera: latchkey.NewCameraID(), Incarnation: 1, Sequence: 1}}
	if _, err := title.Append(signedBy(t, owner, deed.ReleaseAgentBody{Agent: zero.Agent, Lasts: lasts})); deed.ReasonOf(err) != deed.UnknownCamera {
		t.Errorf("the last object of a camera that was never placed: %v", err)
	}
}

func signedBy(t *testing.T, owner *keytest.Owner, b deed.Body) []byte {
	t.Helper()
	d, err := deed.Sign(owner.Keys.Signing, owner.Title(), owner.Now(), b)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestBeyondTheEnds: there is no deed after the newest, and no epoch before the first.
func TestBeyondTheEnds(t *testing.T) {
	h, title := fold(t, anna)
	head := title.Head()
	if !title.OnChain(head) || title.OnChain(latchkey.Head{Seq: head.Seq + 1}) || title.OnChain(latchkey.Head{Seq: head.Seq, Hash: [32]byte{1}}) {
		t.Error("another deed than those of the chain is on it")
	}
	if hash, ok := title.HashAt(head.Seq); !ok || hash != head.Hash {
		t.Error("the newest deed is not at its number")
	}
	me := h.owner.Person
	for e, is := range map[latchkey.Epoch]bool{0: false, 1: true, 2: true, 3: false} {
		id, named := title.EpochKeyID(e)
		if k, ok := title.EpochKey(e); ok != is || named != is || is && id != k.ID() || (title.Wraps(e) != nil) != is || title.Has(me, e) != is {
			t.Errorf("of epoch %d: %v", e, ok)
		}
	}
	if _, err := deed.Start(); deed.ReasonOf(err) != deed.NotFound {
		t.Errorf("no deeds: %v", err)
	}
}

// TestKeysOfAnotherKind verify nothing.
func TestKeysOfAnotherKind(t *testing.T) {
	k := key.Signing()
	message := []byte("message")
	signature, good := ed25519.Sign(k, message), deed.Ed25519Key(k.Public().(ed25519.PublicKey))
	if !good.Verify(message, signature) {
		t.Error("a signature does not verify")
	}
	for _, bad := range []deed.Key{{Algorithm: deed.XWing, Bytes: good.Bytes}, {Algorithm: deed.Ed25519, Bytes: good.Bytes[:31]}, {}} {
		if bad.Verify(message, signature) {
			t.Errorf("a key of algorithm %d with %d bytes verifies", bad.Algorithm, len(bad.Bytes))
		}
	}
}

// TestOneAtATime: what a deed takes away is one thing, and what was taken before stays
// as it was.
func TestOneAtATime(t *testing.T) {
	h, title := fold(t, "found -> invite anna resident -> invite bob guest -> withdraw anna")
	if title.Invites()[0].ID != h.invited("bob").body.Invite || len(title.Invites()) != 1 {
		t.Error("with one invitation another ends")
	}
	h, title = fold(t, house+" -> camera gate@hall -> release camera gate -> release agent hall")
	gate, _ := title.AnyCamera(h.camera("gate"))
	door, _ := title.AnyCamera(h.camera("door"))
	if now := title.Head().Seq; gate.Until != now-1 || door.Until != now {
		t.Errorf("cameras were released by deeds %d and %d, want %d and %d", gate.Until, door.Until, now-1, now)
	}
}

// TestChangesThatChangeNothing: the only owner may say so again, and a guest who stays
// one is given no past.
func TestChangesThatChangeNothing(t *testing.T) {
	fold(t, "found -> epoch -> change owner owner")
	for drawing, want := range map[string]deed.Reason{
		guest + " -> change gus guest with past 1":    deed.WrongPast,
		anna + " -> change anna resident with past 1": deed.WrongPast,
	} {
		if _, err := deed.Start(draw(t, drawing).deeds...); deed.ReasonOf(err) != want {
			t.Errorf("%s: %v, want %s", drawing, err, want)
		}
	}
}

// TestStandingsThatAreNone: nobody is invited as nothing, as a link, or as what comes
// after it.
func TestStandingsThatAreNone(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	i := deed.InviteBody{Invite: latchkey.NewInviteID(), Signing: owner.Keys.Public().Signing, Expires: owner.Now() + 1_000_000_000, Purpose: deed.Join}
	i.Signing = []deed.Key{deed.Ed25519Key(key.Signing().Public().(ed25519.PublicKey))}
	for role, ok := range map[deed.Role]bool{0: false, deed.Owner: true, deed.Resident: true, deed.Link: false, 5: false} {
		i.Standing.Role = role
		d := &deed.Deed{Home: owner.Home(), Seq: 2, Prev: owner.Title().Head().Hash, Time: owner.Now(), Signer: i.Signing[0].ID(), Body: i, Signatures: [][]byte{make([]byte, 64)}}
		if _, err := deed.Parse(d.Bytes()); (err == nil) != ok || !ok && deed.ReasonOf(err) != deed.Malformed {
			t.Errorf("an invitation as role %d: %v", role, err)
		}
	}
}

// TestPastThatIsNone has one spelling.
func TestPastThatIsNone(t *testing.T) {
	owner, anna := keytest.NewOwner(), keytest.NewPerson()
	owner.Found()
	i := owner.Invite(keytest.AsResident)
	b := deed.AdmitBody{Proof: i.Proof(anna, owner.Home()), Person: anna.Keys.Public()}
	b.Turn = owner.Turn(append(owner.Title().WholeHome(), b.Person))
	good := signedBy(t, owner, b)
	none := 0
	for n := range len(good) - 12 { // a past is an epoch and a length: of none both are zero
		if slices.ContainsFunc(good[n:n+12], func(b byte) bool { return b != 0 }) {
			continue
		}
		none++
		bad := slices.Clone(good)
		bad[n+11] = 1
		if d, err := deed.Parse(bad); err == nil {
			if past := d.Body.(deed.AdmitBody).Past; past.From == 0 && !slices.Equal(d.Bytes(), bad) {
				t.Error("no past has a second spelling")
			}
		}
	}
	if none == 0 {
		t.Error("no past was found")
	}
}

// TestNamesOfStatements: what is unknown is named by its number.
func TestNamesOfStatements(t *testing.T) {
	if deed.Found.String() != "found" || deed.Type(99).String() != "type 99" {
		t.Errorf("%s, %s", deed.Found, deed.Type(99))
	}
}

// TestFormerKeyOfSomebodyHere is nobody's, also while the person stands in the home.
func TestFormerKeyOfSomebodyHere(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	former := owner.Keys.Public().Signing[0].ID()
	owner.Rekey()
	if second(owner.Title().PersonBySigningKey(former)) || !second(owner.Title().PersonBySigningKey(owner.Keys.Public().Signing[0].ID())) {
		t.Error("the former key is still its person's, or the new one is not")
	}
}

// TestOneSignature: a deed or an answer says that it has one, and has one.
func TestOneSignature(t *testing.T) {
	owner := keytest.NewOwner()
	good := owner.Found()[0]
	for _, n := range []byte{0, 2} {
		bad := slices.Clone(good)
		bad[len(bad)-67] = n
		if _, err := deed.Parse(bad); deed.ReasonOf(err) != deed.Malformed {
			t.Errorf("a deed that says it has %d signatures: %v", n, err)
		}
	}
	for size, ok := range map[int]bool{0: false, 63: false, 64: true} {
		a := deed.Answer{Person: owner.Keys.Public(), Signature: make([]byte, size)}
		if _, err := deed.ParseAnswer(a.Bytes()); (err == nil) != ok {
			t.Errorf("an answer with a signature of %d bytes: %v", size, err)
		}
	}
}
