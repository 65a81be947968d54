package live

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Run seals the fragments of one stream, as the agent has them, under a key that is kept
// nowhere. All who watch the stream are granted the same run. It may be used by several
// at once.
type Run struct {
	stream  sealed.Stream
	id      latchkey.RunID
	init    Init
	signing ed25519.PrivateKey
	key     [keySize]byte
	aead    cipher.AEAD

	began Now

	mu       sync.Mutex // protects what follows
	sequence uint32     // of the newest fragment
	group    uint32     // of the newest that begins with a key frame
	last     uint64     // monotonic time of the newest
	ends     uint64     // monotonic time from which nothing more is sealed
}

// Start begins a run of a stream at that moment, for an hour. The run has a clock of its
// own: what the agent's shows now, and from then on what has passed since. Setting the
// agent's clock does not make it jump.
func Start(keys *key.AgentKeys, of sealed.Stream, init Init, now Now) (*Run, error) {
	if err := init.check(); err != nil {
		return nil, fmt.Errorf("start run: %w", err)
	}
	r := &Run{
		stream: of, id: latchkey.NewRunID(), init: Init{init.Type, slices.Clone(init.Segment)},
		signing: keys.Signing, began: now, last: now.Monotonic, ends: now.Monotonic + MaxRun,
	}
	rand.Read(r.key[:]) // never fails: it ends the process instead
	var err error
	if r.aead, err = newAEAD(r.key[:]); err != nil {
		return nil, fmt.Errorf("start run: %w", err)
	}
	return r, nil
}

func newAEAD(k []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// ID names the run.
func (r *Run) ID() latchkey.RunID { return r.id }

// Stream is the stream that the run is of.
func (r *Run) Stream() sealed.Stream { return r.stream }

// Format hides the key from every verb of fmt.
func (*Run) Format(f fmt.State, _ rune) { fmt.Fprint(f, "(secret)") }

// LogValue hides it from structured logs.
func (*Run) LogValue() slog.Value { return slog.StringValue("(secret)") }

// time is what the run's clock shows at a monotonic time.
func (r *Run) time(monotonic uint64) latchkey.Time {
	return later(r.began.Clock, latchkey.Time(max(monotonic, r.began.Monotonic)-r.began.Monotonic))
}

// End has the run end two seconds from now, if it does not end before: what is sealed in
// the meantime says so. The next run is started before, at a key frame of its own, so
// that those who watch miss nothing.
func (r *Run) End(monotonic uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = min(r.ends, monotonic+Ending)
}

// Stop ends the run now.
func (r *Run) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = 0
}

// Over says whether the run seals nothing more, and lets nobody in.
func (r *Run) Over(monotonic uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over(monotonic)
}

func (r *Run) over(monotonic uint64) bool { return monotonic >= r.ends || r.sequence == maxSequence }

// Seal makes the next fragment of the run, whose first frame came at that monotonic time.
// The first of a run must begin with a key frame. After the run's end it is [ErrOver].
func (r *Run) Seal(media []byte, isKey bool, monotonic uint64) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over(monotonic):
		return nil, fmt.Errorf("seal fragment: %w", ErrOver)
	case len(media) == 0 || len(media) > sealed.MaxFragment-r.aead.Overhead():
		return nil, fmt.Errorf("seal fragment: %d bytes", len(media))
	case !isKey && r.group == 0:
		return nil, fmt.Errorf("seal fragment: the first of a run begins with a key frame")
	}
	r.last = max(r.last, monotonic)
	r.sequence++
	if isKey {
		r.group = r.sequence
	}
	f := sealed.Fragment{
		Stream: r.stream, Run: r.id, Sequence: r.sequence,
		Key: isKey, Ending: r.last+Ending >= r.ends, Time: r.time(r.last),
	}
	f.Sealed = r.aead.Seal(nil, nonce(f.Sequence), media, f.Header())
	f.Signatures = [][]byte{ed25519.Sign(r.signing, f.SignedMessage())}
	return f.Bytes(), nil
}

// from is the first fragment of the newest group: with it whoever comes now begins.
func (r *Run) from() uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.group, 1)
}

// opener opens the fragments of one run that was granted.
type opener struct {
	grant sealed.Grant
	agent deed.Key // that signed the grant
	aead  cipher.AEAD
	init  Init
}

// open checks who signed a fragment of this run, and opens it.
func (o *opener) open(f sealed.Fragment) ([]byte, error) {
	if err := f.Verify(o.agent); err != nil {
		return nil, err
	}
	media, err := o.aead.Open(nil, nonce(f.Sequence), f.Sealed, f.Header())
	if err != nil {
		return nil, sealed.Refuse(sealed.BadChunk, "the fragment does not open")
	}
	return media, nil
}
