package sealed

import (
	"crypto/sha256"
	"fmt"
	"math"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// FragmentHeader is the size of a fragment's header, which is what its content is bound
// to.
const FragmentHeader = 80

// The flags of a fragment.
const (
	keyFlag    = 1 // it begins with a key frame
	endingFlag = 2 // its run ends within seconds
	allFlags   = keyFlag | endingFlag
)

// gcmTag is what AES-GCM adds to a content.
const gcmTag = 16

// Fragment is a piece of a run as anybody sees it: of which stream and run it is, where
// in the run it belongs, and the agent's signature. A carrier needs no key to say whose
// it is, whether a viewer can begin with it, and whether one is missing before it.
type Fragment struct {
	Stream     Stream
	Run        latchkey.RunID
	Sequence   uint32        // within the run, from 1, without holes
	Key        bool          // it begins with a key frame, so that a viewer can begin here
	Ending     bool          // the run ends within seconds: whoever watches on knocks again
	Time       latchkey.Time // of its first frame, by the clock of the run, which does not jump
	Sealed     []byte
	Signatures [][]byte
}

// ParseFragment reads a fragment. What parses is written back the same by
// [Fragment.Bytes]. Nothing is copied: what is sealed is part of p, which must not be
// changed while the fragment is used.
func ParseFragment(p []byte) (Fragment, error) {
	r, s, err := beginLive(FragmentMessage, p, math.MaxInt)
	if err != nil {
		return Fragment{}, err
	}
	f := Fragment{Stream: s}
	if err := f.read(r); err != nil {
		return Fragment{}, layout("fragment", err)
	}
	return f, nil
}

func (f *Fragment) read(r *wire.Reader) (err error) {
	r.Into(f.Run[:])
	f.Sequence = r.U32()
	flags := r.U8()
	f.Key, f.Ending = flags&keyFlag != 0, flags&endingFlag != 0
	f.Time = latchkey.Time(r.U64())
	switch {
	case r.Err() != nil:
		return r.Err()
	case f.Run == latchkey.RunID{} || f.Sequence == 0:
		return Refuse(Malformed, "fragment %d of run %s", f.Sequence, f.Run)
	case flags&^allFlags != 0:
		return Refuse(Malformed, "flags %#x", flags)
	}
	f.Sealed = r.LP32(MaxFragment)
	if f.Signatures, err = readSignatures(r); err != nil {
		return err
	}
	if len(f.Sealed) <= gcmTag {
		return Refuse(Malformed, "nothing is sealed in it")
	}
	return nil
}

// Header is the 80 bytes that the content is bound to.
func (f Fragment) Header() []byte {
	var w wire.Writer
	w.Grow(FragmentHeader)
	f.appendHeader(&w)
	return w.Bytes()
}

func (f Fragment) appendHeader(w *wire.Writer) {
	startLive(w, FragmentMessage, f.Stream)
	w.Raw(f.Run[:])
	w.U32(f.Sequence)
	var flags uint8
	if f.Key {
		flags |= keyFlag
	}
	if f.Ending {
		flags |= endingFlag
	}
	w.U8(flags)
	w.U64(uint64(f.Time))
}

// SignedMessage is what the agent signs: the header, and the hash of what is sealed.
func (f Fragment) SignedMessage() []byte {
	hash := sha256.Sum256(f.Sealed)
	var w wire.Writer
	w.Label("latchkey fragment v1")
	f.appendHeader(&w)
	w.U32(uint32(len(f.Sealed)))
	w.Raw(hash[:])
	return w.Bytes()
}

// Bytes returns the fragment as it is sent.
func (f Fragment) Bytes() []byte {
	var w wire.Writer
	w.Grow(FragmentHeader + 4 + len(f.Sealed) + 1 + 2 + signatureSize)
	f.appendHeader(&w)
	w.LP32(f.Sealed)
	w.Signatures(f.Signatures)
	return w.Bytes()
}

// Verify says whether that agent's key signed the fragment. Which key that is the grant
// says; that it still is the agent's, [Grant.Stands].
func (f Fragment) Verify(agent deed.Key) error {
	if len(f.Signatures) != signatures || !agent.Verify(f.SignedMessage(), f.Signatures[0]) {
		return Refuse(BadSignature, "the agent's signature does not verify")
	}
	return nil
}

// String says which fragment it is.
func (f Fragment) String() string {
	return fmt.Sprintf("fragment %d of run %s of %s", f.Sequence, f.Run, f.Stream)
}
