package sealed

import (
	"crypto/sha256"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Knock is a viewer's wish to watch a stream, as anybody sees it: which stream, of which
// agent, and which device signed it. In its body, sealed to the agent, is the key to
// which the grant is to be sealed. Package live makes and opens one.
type Knock struct {
	Stream  Stream
	Agent   latchkey.AgentID
	Nonce   [16]byte
	Time    latchkey.Time // by the viewer's clock
	Expires latchkey.Time // after that it is not granted
	Parcel
}

// ParseKnock reads a knock. What parses is written back the same by [Knock.Bytes].
func ParseKnock(p []byte) (Knock, error) {
	r, s, err := beginLive(KnockMessage, p, MaxKnock)
	if err != nil {
		return Knock{}, err
	}
	k := Knock{Stream: s}
	if err := k.read(r); err != nil {
		return Knock{}, layout("knock", err)
	}
	return k, nil
}

func (k *Knock) read(r *wire.Reader) error {
	r.Into(k.Agent[:])
	r.Into(k.Nonce[:])
	k.Time, k.Expires = latchkey.Time(r.U64()), latchkey.Time(r.U64())
	k.Head = r.Head()
	r.Into(k.Signer[:])
	switch {
	case r.Err() != nil:
		return r.Err()
	case k.Expires <= k.Time || k.Expires-k.Time > MaxKnockLife:
		return Refuse(Malformed, "knock of %d that ends at %d", k.Time, k.Expires)
	}
	return k.readOne(r, ToAgent)
}

// Context is the part of the knock that its body and its key are bound to.
func (k Knock) Context() []byte {
	var w wire.Writer
	startLive(&w, KnockMessage, k.Stream)
	w.Raw(k.Agent[:])
	w.Raw(k.Nonce[:])
	w.U64(uint64(k.Time))
	w.U64(uint64(k.Expires))
	w.Head(k.Head)
	w.Raw(k.Signer[:])
	return w.Bytes()
}

func (k Knock) start() []byte { return append(k.Context(), uint8(len(k.Recipients))) }

// SignedMessage is what the viewer's device signs.
func (k Knock) SignedMessage() []byte { return k.signedMessage("latchkey knock v1", k.start()) }

// Bytes returns the knock as it is sent.
func (k Knock) Bytes() []byte { return k.bytes(k.start()) }

// Hash is the SHA-256 of the knock, which its grant names.
func (k Knock) Hash() [32]byte { return sha256.Sum256(k.Bytes()) }

// KeyInfo is what the sealed key of the knock is bound to.
func (k Knock) KeyInfo(kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	return keyInfo("latchkey knock key v1", k.Context(), kind, key, epoch)
}

// VerifyKnock checks that a device of this home signed the knock, for the agent with
// which the camera is placed, in the order of docs/live.md. Whether it may watch is
// [Knock.May]; whether the knock is fresh is for the agent.
func VerifyKnock(k Knock, t *deed.Title) error {
	if err := k.checkSignature(k.Stream.Home, k.SignedMessage(), t); err != nil {
		return err
	}
	if err := checkLiveVersion(t); err != nil {
		return err
	}
	agent, ok := t.AgentAt(k.Agent, k.Head.Seq)
	if camera, _ := t.Camera(k.Stream.Camera); !ok || camera.Agent != k.Agent {
		return Refuse(WrongAgent, "camera %s is not with agent %s", k.Stream.Camera, k.Agent)
	}
	if err := k.checkDevice(t); err != nil {
		return err
	}
	return k.checkRecipients(Recipient{ToAgent, agent.KEM, t.EpochAt(k.Head.Seq)})
}

// checkDevice wants a device that stands in the home.
func (k Knock) checkDevice(t *deed.Title) error {
	_, isDevice := t.DeviceBySigningKey(k.Signer)
	switch {
	case isDevice:
		return nil
	case t.Personal(k.Signer) && !t.InForce(k.Signer, t.Head().Seq):
		return Refuse(FormerSigner, "key %s has been taken back", k.Signer)
	}
	return Refuse(NotAllowed, "only a member's device knocks")
}

// May says whether whoever knocked may watch, by the deeds as they are now: nil, or why
// not. It is asked again whenever the deeds change or time has passed. Rights that end
// have ended while nobody can be sure of the time.
func (k Knock) May(t *deed.Title, at latchkey.Time, sure bool) error {
	d, stands := t.DeviceBySigningKey(k.Signer)
	p, _ := t.Person(d.Person)
	switch _, placed := t.Camera(k.Stream.Camera); {
	case !stands:
		return Refuse(FormerSigner, "key %s has been taken back", k.Signer)
	case !placed:
		return Refuse(WrongAgent, "camera %s has left the home", k.Stream.Camera)
	case !sure && p.Rights.Until != 0 || !t.Covers(p.ID, k.Stream.Camera, deed.SeesLive, at):
		return Refuse(NotAllowed, "person %s may not watch camera %s", p.ID, k.Stream.Camera)
	case t.Frozen():
		return Refuse(Frozen, "the home is frozen")
	}
	return nil
}

// String says whose knock it is.
func (k Knock) String() string { return fmt.Sprintf("knock of key %s for %s", k.Signer, k.Stream) }

// checkLiveVersion refuses what the home takes no more.
func checkLiveVersion(t *deed.Title) error {
	if LiveVersion < t.MinVersion() {
		return Refuse(OldVersion, "version %d; the home takes none below %d", LiveVersion, t.MinVersion())
	}
	return nil
}
