package sealed

import (
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Grant is an agent's answer to a knock, as anybody sees it: which run the viewer may
// watch, or none. In its body, sealed to the key that the knock brought, is the run's
// key. It is the record of who could watch what, signed by the one who let them. Package
// live makes and opens one.
type Grant struct {
	Stream      Stream
	Agent       latchkey.AgentID
	Run         latchkey.RunID // zero if the agent refuses
	From        uint32         // sequence number of the first fragment that may be watched
	Incarnation uint64         // of the agent, from 1
	Number      uint64         // of the agent's grants in this incarnation, from 1
	Time        latchkey.Time  // by the clock of the run
	Knock       [32]byte       // the hash of the knock that it answers
	Parcel
}

// Refuses says that the agent lets nobody watch.
func (g Grant) Refuses() bool { return g.Run == latchkey.RunID{} }

// ParseGrant reads a grant. What parses is written back the same by [Grant.Bytes].
func ParseGrant(p []byte) (Grant, error) {
	r, s, err := beginLive(GrantMessage, p, MaxGrant)
	if err != nil {
		return Grant{}, err
	}
	g := Grant{Stream: s}
	if err := g.read(r); err != nil {
		return Grant{}, layout("grant", err)
	}
	return g, nil
}

func (g *Grant) read(r *wire.Reader) error {
	r.Into(g.Agent[:])
	r.Into(g.Run[:])
	g.From = r.U32()
	g.Incarnation, g.Number = r.U64(), r.U64()
	g.Time = latchkey.Time(r.U64())
	r.Into(g.Knock[:])
	g.Head = r.Head()
	r.Into(g.Signer[:])
	switch {
	case r.Err() != nil:
		return r.Err()
	case g.Incarnation == 0 || g.Number == 0:
		return Refuse(Malformed, "grant %d of incarnation %d: both count from 1", g.Number, g.Incarnation)
	case g.Refuses() != (g.From == 0):
		return Refuse(Malformed, "run %s from fragment %d", g.Run, g.From)
	}
	return g.readOne(r, ToAsker)
}

// Context is the part of the grant that its body and its key are bound to.
func (g Grant) Context() []byte {
	var w wire.Writer
	startLive(&w, GrantMessage, g.Stream)
	w.Raw(g.Agent[:])
	w.Raw(g.Run[:])
	w.U32(g.From)
	w.U64(g.Incarnation)
	w.U64(g.Number)
	w.U64(uint64(g.Time))
	w.Raw(g.Knock[:])
	w.Head(g.Head)
	w.Raw(g.Signer[:])
	return w.Bytes()
}

func (g Grant) start() []byte { return append(g.Context(), uint8(len(g.Recipients))) }

// SignedMessage is what the agent signs.
func (g Grant) SignedMessage() []byte { return g.signedMessage("latchkey grant v1", g.start()) }

// Bytes returns the grant as it is sent.
func (g Grant) Bytes() []byte { return g.bytes(g.start()) }

// KeyInfo is what the sealed key of the grant is bound to.
func (g Grant) KeyInfo(kind RecipientKind, key latchkey.KeyID, epoch latchkey.Epoch) []byte {
	return keyInfo("latchkey grant key v1", g.Context(), kind, key, epoch)
}

// Answers says whether the grant answers that knock.
func (g Grant) Answers(k Knock) error {
	if err := g.Stream.Answers(k.Stream); err != nil {
		return err
	}
	if g.Knock != k.Hash() {
		return Refuse(WrongKnock, "a grant for another knock")
	}
	return nil
}

// VerifyGrant checks that the agent signed the grant with which the camera is placed
// now, in the order of docs/live.md.
func VerifyGrant(g Grant, t *deed.Title) error {
	if err := g.checkSignature(g.Stream.Home, g.SignedMessage(), t); err != nil {
		return err
	}
	if err := checkLiveVersion(t); err != nil {
		return err
	}
	if err := g.Stands(t); err != nil {
		return err
	}
	return g.checkRecipients(Recipient{ToAsker, deed.Key{}, t.EpochAt(g.Head.Seq)})
}

// Stands says whether the agent that signed the grant still has the camera and that key,
// by the deeds as they are now, and the home is not frozen. Whoever goes on taking
// fragments of the run asks it again when the deeds have changed.
func (g Grant) Stands(t *deed.Title) error {
	agent, ok := t.AgentByKey(g.Signer)
	switch camera, _ := t.Camera(g.Stream.Camera); {
	case !ok:
		return Refuse(NotAllowed, "only an agent grants")
	case agent.ID != g.Agent:
		return Refuse(WrongAgent, "signed by agent %s in the name of %s", agent.ID, g.Agent)
	case !t.InForce(g.Signer, g.Head.Seq) || !t.InForce(g.Signer, t.Head().Seq):
		return Refuse(FormerSigner, "key %s is not the agent's", g.Signer)
	case camera.Agent != g.Agent:
		return Refuse(WrongAgent, "camera %s is not with agent %s", g.Stream.Camera, g.Agent)
	case t.Frozen() && !g.Refuses():
		return Refuse(Frozen, "the home is frozen")
	}
	return nil
}

// String says which grant it is.
func (g Grant) String() string {
	return fmt.Sprintf("grant %d of incarnation %d of agent %s", g.Number, g.Incarnation, g.Agent)
}
