package sealed

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
)

// Verify checks a parsed header: that it answers what was asked, and that an agent
// of the home signed it for a camera that is placed with it. These are the steps 2
// to 6 of docs/seal.md, "Reading", in their order; parsing was the first. A zero name
// asks nothing: then only the home is compared, with the title's.
//
// Only what a verified header says is fit to show, and nothing of its body is.
func Verify(h Header, asked latchkey.Name, t *deed.Title) error {
	b := h.Binding
	if err := answers(b, asked, t.Home()); err != nil {
		return err
	}
	if !t.OnChain(b.Head) {
		return Refuse(UnknownHead, "sealed at head %s; the chain reaches %d", b.Head, t.Head().Seq)
	}
	if Version < t.MinVersion() {
		return Refuse(OldVersion, "version %d; the home takes none below %d", Version, t.MinVersion())
	}
	agent, ok := t.AgentByKey(b.AgentKey)
	if !ok {
		return Refuse(UnknownSigner, "key %s is no agent's of this home", b.AgentKey)
	}
	if camera, ok := t.AnyCamera(b.Camera); !ok || camera.Agent != agent.ID {
		return Refuse(WrongAgent, "camera %s is not placed with agent %s", b.Camera, agent.ID)
	}
	if !t.Signs(b.AgentKey, b.Camera, b.Head.Seq, b.Incarnation, b.Sequence) {
		return Refuse(FormerSigner, "agent %s signed for camera %s at head %s, when that key did not any more", agent.ID, b.Camera, b.Head)
	}
	if len(h.Signatures) != len(agent.Signing) {
		return Refuse(Malformed, "%d signatures for %d keys", len(h.Signatures), len(agent.Signing))
	}
	message := h.SignedMessage()
	for i, k := range agent.Signing {
		if !k.Verify(message, h.Signatures[i]) {
			return Refuse(BadSignature, "the agent's signature does not verify")
		}
	}
	return nil
}

// answers compares what an object is with what was asked for.
func answers(b Binding, asked latchkey.Name, home latchkey.HomeID) error {
	if b.Home != home {
		return Refuse(WrongHome, "an object of home %s", b.Home)
	}
	if asked == (latchkey.Name{}) {
		return nil
	}
	switch is := b.Name(); {
	case is.Home != asked.Home:
		return Refuse(WrongHome, "an object of home %s", is.Home)
	case is.Camera != asked.Camera:
		return Refuse(WrongCamera, "an object of camera %s", is.Camera)
	case is.Day != asked.Day:
		return Refuse(WrongDay, "an object of %s", is.Day)
	case is.Kind != asked.Kind:
		return Refuse(WrongKind, "a %s", is.Kind)
	case is.Object != asked.Object:
		return Refuse(WrongObject, "object %s", is.Object)
	}
	return nil
}

// CheckEnvelope checks that the title knows the key of an envelope, for its kind of
// recipient and under the epoch that it gives, and that this epoch is not older than the
// object: step 9 of docs/seal.md, "Reading".
func CheckEnvelope(h Header, e Envelope, t *deed.Title) error {
	epoch, ok := t.EpochKey(e.Epoch)
	switch role, isPerson := t.PersonKEM(e.Key); {
	case !ok:
		return Refuse(UnknownEpoch, "there is no epoch %d", e.Epoch)
	case e.Recipient == ToEpoch && epoch.ID() != e.Key:
		return Refuse(UnknownEpoch, "key %s is not that of epoch %d", e.Key, e.Epoch)
	case e.Recipient != ToEpoch && (!isPerson || (role == deed.Link) != (e.Recipient == ToLink)):
		return Refuse(UnknownEpoch, "key %s is none of a recipient of kind %d", e.Key, e.Recipient)
	}
	if at := t.EpochAt(h.Binding.Head.Seq); e.Epoch < at {
		return Refuse(OldEpoch, "envelope of epoch %d for an object sealed in epoch %d", e.Epoch, at)
	}
	return nil
}
