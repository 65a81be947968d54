package api

import (
	"crypto"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// MaxAsk is the most bytes that an ask may have: a name of 64 characters, sealed, and
// the IDs around it are a third of that.
const MaxAsk = 4 << 10

const askVersion = 1

// Why an ask is not taken.
var (
	ErrAsk         = errors.New("the home's deeds do not allow this ask")
	ErrUnknownHead = errors.New("a head that is not on the chain")
)

// Ask is an agent's wish to have a camera placed. The camera's name is sealed to the
// home's epoch (docs/wire.md, "Ask") and nothing here opens it.
type Ask struct {
	Home       latchkey.HomeID
	Agent      latchkey.AgentID
	Camera     latchkey.CameraID
	Head       latchkey.Head // that the agent knew
	Time       latchkey.Time
	Key        latchkey.KeyID // of the epoch
	Epoch      latchkey.Epoch
	SealedName []byte
	Signatures [][]byte // one for each signing key of the agent
}

// AskNameInfo is the HPKE info under which a camera's name is sealed.
func AskNameInfo(home latchkey.HomeID, camera latchkey.CameraID) []byte {
	var w wire.Writer
	w.Label("latchkey ask name v1")
	w.Raw(home[:])
	w.Raw(camera[:])
	return w.Bytes()
}

func (a Ask) content() []byte {
	var w wire.Writer
	w.U8(askVersion)
	w.Raw(a.Home[:])
	w.Raw(a.Agent[:])
	w.Raw(a.Camera[:])
	w.Head(a.Head)
	w.U64(uint64(a.Time))
	w.Raw(a.Key[:])
	w.U64(uint64(a.Epoch))
	w.LP16(a.SealedName)
	return w.Bytes()
}

func (a Ask) message() []byte {
	var w wire.Writer
	w.Label("latchkey ask v1")
	w.Raw(a.content())
	return w.Bytes()
}

// Bytes is the ask as it is sent and stored.
func (a Ask) Bytes() []byte {
	var w wire.Writer
	w.Raw(a.content())
	w.Signatures(a.Signatures)
	return w.Bytes()
}

// Sign returns the ask with the agent's signature.
func (a Ask) Sign(signer crypto.Signer) (Ask, error) {
	s, err := sign(signer, a.message())
	if err != nil {
		return a, fmt.Errorf("sign ask: %w", err)
	}
	a.Signatures = [][]byte{s}
	return a, nil
}

// ParseAsk reads an ask. What parses is written back the same. The errors are
// [ErrMalformed] and [ErrVersion].
func ParseAsk(b []byte) (Ask, error) {
	var a Ask
	if len(b) > MaxAsk {
		return a, fmt.Errorf("%w: ask of %d bytes", ErrMalformed, len(b))
	}
	r := wire.NewReader(b)
	if version := r.U8(); r.Err() == nil && version != askVersion {
		return a, fmt.Errorf("%w: ask of version %d", ErrVersion, version)
	}
	r.Into(a.Home[:])
	r.Into(a.Agent[:])
	r.Into(a.Camera[:])
	a.Head = r.Head()
	a.Time = latchkey.Time(r.U64())
	r.Into(a.Key[:])
	a.Epoch = latchkey.Epoch(r.U64())
	a.SealedName = r.LP16(MaxAsk)
	if n := r.U8(); n != 1 {
		r.Fail(fmt.Errorf("%w: %d signatures", wire.ErrMalformed, n))
	}
	signature := r.LP16(MaxAsk)
	if err := r.Done(); err != nil {
		return Ask{}, fmt.Errorf("%w: ask: %w", ErrMalformed, err)
	}
	if len(signature) != signatureSize {
		return Ask{}, fmt.Errorf("%w: ask with a signature of %d bytes", ErrMalformed, len(signature))
	}
	a.Signatures = [][]byte{signature}
	return a, nil
}

// Verify checks that an agent of the home asks for a camera that it may ask for: one
// that is not placed. The errors are [ErrAsk], [ErrUnknownHead] and [ErrSignature].
func (a Ask) Verify(t *deed.Title) error {
	agent, ok := t.Agent(a.Agent)
	switch {
	case a.Home != t.Home():
		return fmt.Errorf("ask of home %s: %w", a.Home, ErrAsk)
	case !ok:
		return fmt.Errorf("agent %s is not placed: %w", a.Agent, ErrAsk)
	case !t.OnChain(a.Head):
		return fmt.Errorf("ask at head %d: %w", a.Head.Seq, ErrUnknownHead)
	}
	if _, placed := t.Camera(a.Camera); placed {
		return fmt.Errorf("camera %s is placed already: %w", a.Camera, ErrAsk)
	}
	if k, ok := t.EpochKey(a.Epoch); !ok || k.ID() != a.Key {
		return fmt.Errorf("name sealed to key %s: %w", a.Key, ErrAsk)
	}
	return verify(agent.Signing, a.message(), a.Signatures[0])
}
