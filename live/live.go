// Package live is both ends of live view: the agent, which makes runs of its cameras'
// streams and grants them to viewers who knock, and the viewer, who opens what was
// granted and is shown nothing else. docs/live.md has every byte. What a carrier may see
// of it, and the checks that need no secret, are [sealed.Knock], [sealed.Grant] and
// [sealed.Fragment].
//
// Nothing here sends, waits or asks a clock: bytes and the time are handed in.
//
// The agent keeps one [Porter] for each of its incarnations and one [Run] for each stream
// that somebody watches:
//
//	visitor, err := porter.Open(knock, title, now)
//	run, err := live.Start(keys, stream, init, now)
//	grant, err := visitor.Grant(run, title, now)
//	fragment, err := run.Seal(media, isKeyFrame, monotonic)
//
// and when the deeds have changed, or a second has passed, it asks [Visitor.May] for
// everybody whom it granted a run; if somebody may not any more it starts another run,
// and ends the one that they have ([Run.End]; at once, if the home is frozen). Those who
// stay are told by the fragments, and knock again.
//
// A viewer keeps one [Viewer] for each stream on the screen:
//
//	viewer := live.NewViewer(device, stream)
//	knock, err := viewer.Knock(title, now)
//	step, err := viewer.Take(message, title, now)  // a grant or a fragment
//	behind, ok := viewer.Behind(now)
package live

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

const (
	// MaxRun is how long a run lasts at most, in microseconds. Who has its key has it
	// for no longer.
	MaxRun = 60 * 60 * 1_000_000
	// Ending is how long before its end the fragments of a run say so, in microseconds:
	// long enough to knock again and be granted the next.
	Ending = 2 * 1_000_000
	// Fresh is how far behind the camera what is shown as live may be, in microseconds.
	Fresh = 3 * 1_000_000
)

// The limits of what a grant holds, in bytes.
const (
	keySize   = 32
	askerSize = 1216 // of the X-Wing key that a knock brings
	maxType   = 128
	maxInit   = 16 << 10
	maxReason = 64
)

// Now is a moment as an agent has it.
type Now struct {
	Clock     latchkey.Time // what the agent's clock shows
	Sure      bool          // it can be believed: knocks and rights that end are judged by it
	Monotonic uint64        // microseconds since the machine was started, which nothing sets
}

// ErrOver says that a run seals nothing more.
var ErrOver = errors.New("the run is over")

// Init is what a player needs before the first fragment of a run. It holds for the whole
// run: a camera that changes its picture gets another run.
type Init struct {
	Type    string // `video/mp4; codecs="avc1.64001f"`
	Segment []byte // ftyp and moov
}

// granted is the content of a grant.
type granted struct {
	key  []byte
	init Init
}

func (g granted) encode() []byte {
	var w wire.Writer
	w.Raw(g.key)
	w.LP16([]byte(g.init.Type))
	w.LP16(g.init.Segment)
	return w.Bytes()
}

func parseGranted(b []byte) (granted, error) {
	r := wire.NewReader(b)
	g := granted{key: r.Raw(keySize)}
	g.init = Init{Type: string(r.LP16(maxType)), Segment: r.LP16(maxInit)}
	if err := r.Done(); err != nil {
		return granted{}, fmt.Errorf("read grant: %w", err)
	}
	return g, g.init.check()
}

// check refuses what no player takes.
func (i Init) check() error {
	if err := checkText(i.Type, maxType); err != nil {
		return fmt.Errorf("type: %w", err)
	}
	if len(i.Segment) == 0 || len(i.Segment) > maxInit {
		return fmt.Errorf("init segment of %d bytes, at most %d", len(i.Segment), maxInit)
	}
	return nil
}

// checkText wants some printable ASCII.
func checkText(s string, limit int) error {
	if s == "" || len(s) > limit {
		return fmt.Errorf("%d letters, want 1 to %d", len(s), limit)
	}
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return fmt.Errorf("%q is not printable", s[i])
		}
	}
	return nil
}

// newNonce makes every knock another.
func newNonce() (n [16]byte) {
	rand.Read(n[:]) // never fails: it ends the process instead
	return n
}

// nonce is that of a fragment. None stands under a key twice: a key belongs to one run,
// is made when the run starts, and is kept in memory only.
func nonce(sequence uint32) []byte {
	var w wire.Writer
	w.U64(0)
	w.U32(sequence)
	return w.Bytes()
}

// maxSequence is that of the last fragment that a run can have.
const maxSequence = math.MaxUint32

// later is a + b, for clocks near the end of time.
func later(a, b latchkey.Time) latchkey.Time { return min(a+b, latchkey.MaxInt) }
