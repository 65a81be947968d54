package footage

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The bytes of a segment, docs/footage.md, "Segment".
const (
	segmentMagic = "latchkey footage 1\n"
	mark         = "a group:" // before each group
	markContents = "contents" // at the end of a segment that was ended

	headSize   = 8 + 1 + 8 + 4 + 1 + 1 + 4
	sealedHead = cobblestone.Overhead + headSize + cobblestone.TagSize
	beforeHead = len(mark) + 4
	beforeBody = beforeHead + sealedHead
	afterTable = 4 + len(markContents)

	bindingSize = 3 + 32 + 16 + 10 + 16 + 8
	wrappedSize = cobblestone.Overhead + cobblestone.KeySize + cobblestone.TagSize
)

// The limits of docs/footage.md.
const (
	maxContent   = 32 << 20
	maxDuration  = time.Minute
	maxGroups    = 20_000
	maxSegment   = 512 << 20
	maxType      = 200
	maxInit      = 64 << 10
	maxFile      = maxSegment + 2*maxContent // with the group that goes beyond, and the contents
	maxBeginning = len(segmentMagic) + 2 + bindingSize + 2 + wrappedSize + 4 + cobblestone.Overhead + 6 + maxType + maxInit + 6*cobblestone.TagSize

	// falseMarks is how many places that only look like a group's beginning are
	// tried in one segment: somebody could fill a file with them.
	falseMarks = 100_000
)

// Track is one of the recordings of a camera.
type Track uint8

// The tracks. Numbers are never used again for something else.
const (
	Main  Track = 1
	Sub   Track = 2
	Still Track = 3 // the filmstrip: each group is one JPEG
)

var trackNames = map[Track]string{Main: "main", Sub: "sub", Still: "still"}

// String returns the track's name, with which its files begin.
func (s Track) String() string {
	if name, ok := trackNames[s]; ok {
		return name
	}
	return fmt.Sprintf("track-%d", uint8(s))
}

// Coding is how groups are coded, and what a player needs before the first of them.
// The filmstrip needs none of it.
type Coding struct {
	Type string // MIME type with codecs
	Init []byte // the initialisation segment of MP4
}

// Group is a group of pictures with its sounds, as a movie fragment of MP4, or one still.
type Group struct {
	Start    clock.Moment  // of its first picture
	Duration time.Duration // until the next group's first picture
	Key      bool          // a decoder can begin here
	Motion   uint8         // how much moves in it
	Coding   *Coding       // the same pointer for all groups until it changes; nil for stills
	Content  []byte

	// What the store says of a group that it gives back.
	Sequence uint64 // counts the groups of this camera's track, from 1
	Boot     latchkey.BootID
}

func (g Group) span() Span { return spanOf(g.Start.Wall, g.Duration) }

// binding is what a segment is, for ever, and where it belongs.
type binding struct {
	home   latchkey.HomeID
	camera latchkey.CameraID
	track  Track
	day    latchkey.Day
	boot   latchkey.BootID
	first  uint64 // sequence of its first group
}

func (b binding) bytes() []byte {
	var w wire.Writer
	w.U8(1) // version
	w.U8(1) // suite
	w.U8(uint8(b.track))
	w.Raw(b.home[:])
	w.Raw(b.camera[:])
	w.Raw([]byte(b.day))
	w.Raw(b.boot[:])
	w.U64(b.first)
	return w.Bytes()
}

// segment is a file's beginning: what all of its groups are sealed with.
type segment struct {
	binding
	bound  []byte // the binding's bytes
	key    []byte
	coding *Coding
	start  int64 // where the first group begins
}

// newSegment returns a segment with a fresh key, and the bytes that its file begins
// with.
func newSegment(key Key, b binding, c *Coding) (*segment, []byte, error) {
	g := &segment{binding: b, bound: b.bytes(), key: make([]byte, cobblestone.KeySize), coding: c}
	rand.Read(g.key)
	if g.coding == nil {
		g.coding = &Coding{}
	}
	if len(g.coding.Type) > maxType || len(g.coding.Init) > maxInit {
		return nil, nil, fmt.Errorf("%w: its coding has %d and %d bytes", ErrTooLarge, len(g.coding.Type), len(g.coding.Init))
	}
	wrapped, err := cobblestone.Seal(key.secret[:], bind(labelKey, g.bound), g.key)
	if err != nil {
		return nil, nil, err
	}
	var coding, w wire.Writer
	coding.LP16([]byte(g.coding.Type))
	coding.LP32(g.coding.Init)
	message, err := cobblestone.Seal(g.key, bind(labelCoding, g.bound), coding.Bytes())
	if err != nil {
		return nil, nil, err
	}
	w.Raw([]byte(segmentMagic))
	w.LP16(g.bound)
	w.LP16(wrapped)
	w.LP32(message)
	g.start = int64(w.Len())
	return g, w.Bytes(), nil
}

// parseSegment reads a file's beginning. The binding must be the one of the place where
// the file was found, but for the boot, which it brings.
func parseSegment(key Key, want binding, b []byte) (*segment, error) {
	r := wire.NewReader(b)
	if string(r.Raw(len(segmentMagic))) != segmentMagic {
		return nil, fmt.Errorf("%w: it does not begin like a segment", ErrDamaged)
	}
	bound := r.LP16(bindingSize)
	wrapped := r.LP16(wrappedSize)
	message := r.LP32(maxBeginning)
	if err := r.Err(); err != nil {
		return nil, fmt.Errorf("%w: read its beginning: %w", ErrDamaged, err)
	}
	g := &segment{binding: want, bound: bound, start: int64(r.Offset())}
	if len(bound) == bindingSize {
		copy(g.boot[:], bound[bindingSize-8-len(g.boot):])
	}
	if !bytes.Equal(g.binding.bytes(), bound) {
		return nil, fmt.Errorf("%w: it belongs somewhere else", ErrDamaged)
	}
	var err error
	if g.key, err = unseal(key.secret[:], bind(labelKey, bound), wrapped); err != nil {
		return nil, fmt.Errorf("open its key: %w", err)
	}
	coding, err := unseal(g.key, bind(labelCoding, bound), message)
	if err != nil {
		return nil, fmt.Errorf("open its coding: %w", err)
	}
	r = wire.NewReader(coding)
	g.coding = &Coding{Type: string(r.LP16(maxType)), Init: r.LP32(maxInit)}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("%w: read its coding: %w", ErrDamaged, err)
	}
	return g, nil
}

// head is what a group says of itself.
type head struct {
	start    clock.Moment
	duration time.Duration // whole microseconds
	key      bool
	motion   uint8
	body     uint32 // bytes of the sealed body
}

func headOf(g Group) head {
	return head{g.Start, g.Duration.Truncate(time.Microsecond), g.Key, g.Motion, uint32(cobblestone.SealedSize(uint64(len(g.Content))))}
}

func (h head) span() Span { return spanOf(h.start.Wall, h.duration) }

func (h head) size() int64 { return int64(beforeBody) + int64(h.body) }

func (h head) bytes() []byte {
	var w wire.Writer
	w.U64(uint64(h.start.Wall))
	w.U8(uint8(h.start.Quality))
	w.U64(h.start.Monotonic)
	w.U32(uint32(h.duration.Microseconds()))
	flags := uint8(0)
	if h.key {
		flags = 1
	}
	w.U8(flags)
	w.U8(h.motion)
	w.U32(h.body)
	return w.Bytes()
}

// parseHead reads a head. It was sealed, so that what is wrong with it was written by
// an agent with a bug, or of another version.
func parseHead(b []byte) (h head, err error) {
	r := wire.NewReader(b)
	h.start.Wall = latchkey.Time(r.U64())
	h.start.Quality = sealed.Quality(r.U8())
	h.start.Monotonic = r.U64()
	h.duration = time.Duration(r.U32()) * time.Microsecond
	flags := r.U8()
	h.key, h.motion, h.body = flags == 1, r.U8(), r.U32()
	if err := r.Done(); err != nil {
		return head{}, fmt.Errorf("%w: read a head: %w", ErrDamaged, err)
	}
	size, err := cobblestone.ContentSize(uint64(h.body))
	if err != nil || size > maxContent || h.duration > maxDuration || flags > 1 || h.start.Quality > sealed.TimeEstimated {
		return head{}, fmt.Errorf("%w: a head says what none can say", ErrDamaged)
	}
	return h, nil
}

func number(i uint32) []byte { return binary.BigEndian.AppendUint32(nil, i) }

// sealGroup returns what stands before group i's body, and the body.
func (g *segment) sealGroup(i uint32, h head, content []byte) (before, body []byte, err error) {
	sealed, err := cobblestone.Seal(g.key, bind(labelHead, g.bound, number(i)), h.bytes())
	if err != nil {
		return nil, nil, err
	}
	body, err = cobblestone.Seal(g.key, bind(labelGroup, g.bound, number(i), h.bytes()), content)
	if err != nil {
		return nil, nil, err
	}
	var w wire.Writer
	w.Raw([]byte(mark))
	w.U32(i)
	w.Raw(sealed)
	return w.Bytes(), body, nil
}

// openHead reads what stands before a body, and says which group it is.
func (g *segment) openHead(b []byte) (i uint32, h head, err error) {
	r := wire.NewReader(b)
	found := string(r.Raw(len(mark)))
	i = r.U32()
	message := r.Raw(sealedHead)
	if r.Done() != nil || found != mark || i >= maxGroups {
		return 0, head{}, fmt.Errorf("%w: no group begins here", ErrDamaged)
	}
	content, err := unseal(g.key, bind(labelHead, g.bound, number(i)), message)
	if err != nil {
		return 0, head{}, err
	}
	h, err = parseHead(content)
	return i, h, err
}

// openBody returns the content of group i.
func (g *segment) openBody(i uint32, h head, body []byte) ([]byte, error) {
	return unseal(g.key, bind(labelGroup, g.bound, number(i), h.bytes()), body)
}

// sealContents returns what stands at the end of a segment with these groups.
func (g *segment) sealContents(heads []head) ([]byte, error) {
	var all, w wire.Writer
	for _, h := range heads {
		all.Raw(h.bytes())
	}
	message, err := cobblestone.Seal(g.key, bind(labelContents, g.bound), all.Bytes())
	if err != nil {
		return nil, err
	}
	w.Raw(message)
	w.U32(uint32(len(message)))
	w.Raw([]byte(markContents))
	return w.Bytes(), nil
}

// located is a group's head and where in the file it is.
type located struct {
	i    uint32
	at   int64
	head head
}

// locate says where a segment's groups are: by its contents, or, if it was not ended
// or they do not open, by walking from head to head. Ended says that it was by the
// contents.
func (g *segment) locate(f io.ReadSeeker, size int64) (all []located, ended bool, err error) {
	if all, err = g.contents(f, size); err == nil || !errors.Is(err, ErrDamaged) {
		return all, true, err
	}
	all, err = g.walk(f, size)
	return all, false, err
}

func (g *segment) contents(f io.ReadSeeker, size int64) ([]located, error) {
	tail, err := readAt(f, size-int64(afterTable), afterTable)
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(tail)
	n := int64(r.U32())
	if string(r.Rest()) != markContents || n > int64(cobblestone.SealedSize(maxGroups*headSize)) {
		return nil, fmt.Errorf("%w: it was not ended", ErrDamaged)
	}
	end := size - int64(afterTable) - n
	message, err := readAt(f, end, int(n))
	if err != nil {
		return nil, err
	}
	table, err := unseal(g.key, bind(labelContents, g.bound), message)
	if err != nil {
		return nil, err
	}
	var all []located
	at := g.start
	for len(table) >= headSize {
		h, err := parseHead(table[:headSize])
		if err != nil {
			return nil, err
		}
		all = append(all, located{uint32(len(all)), at, h})
		table, at = table[headSize:], at+h.size()
	}
	if len(table) > 0 || at != end {
		return nil, fmt.Errorf("%w: its contents are not those of the file", ErrDamaged)
	}
	return all, nil
}

// walk finds the groups that are there in full, one head after the other. Where one
// does not open it looks for the next that does.
func (g *segment) walk(f io.ReadSeeker, size int64) ([]located, error) {
	var all []located
	next, failures := uint32(0), 0
	for at := g.start; at+int64(beforeBody) <= size && failures < falseMarks; {
		b, err := readAt(f, at, beforeBody)
		if err != nil {
			return nil, err
		}
		i, h, err := g.openHead(b)
		if err == nil && i >= next {
			if at+h.size() <= size {
				all = append(all, located{i, at, h})
			}
			next, at = i+1, at+h.size()
			continue
		}
		failures++
		if at, err = findMark(f, at+1, size); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// findMark returns the first place from at on where a group may begin, or size.
func findMark(f io.ReadSeeker, at, size int64) (int64, error) {
	const piece = 256 << 10
	for at < size {
		n := int(min(piece, size-at))
		b, err := readAt(f, at, n)
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(b, []byte(mark)); i >= 0 {
			return at + int64(i), nil
		}
		at += int64(max(n-len(mark)+1, 1))
	}
	return size, nil
}

// readAt reads n bytes of a file. If they are not there it is [ErrDamaged]; other
// errors are the disk's.
func readAt(f io.ReadSeeker, at int64, n int) ([]byte, error) {
	if at < 0 || n < 0 || at > math.MaxInt64-int64(n) {
		return nil, fmt.Errorf("%w: it is too short", ErrDamaged)
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return nil, fmt.Errorf("seek in a segment: %w", err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(f, b); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%w: it is too short", ErrDamaged)
	} else if err != nil {
		return nil, fmt.Errorf("read a segment: %w", err)
	}
	return b, nil
}

// openSegment opens a file and reads its beginning. Whoever opened it closes the file.
func (s *Store) openSegment(b binding) (_ *segment, _ durable.File, size int64, err error) {
	f, err := s.fs.OpenFile(segmentName(b.place(), b.day, b.first), os.O_RDONLY)
	if err != nil {
		return nil, nil, 0, err
	}
	g, size, err := readBeginning(f, s.key, b)
	if err != nil {
		return nil, nil, 0, errors.Join(err, f.Close())
	}
	return g, f, size, nil
}

func readBeginning(f durable.File, key Key, b binding) (*segment, int64, error) {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, fmt.Errorf("seek in a segment: %w", err)
	}
	for n := int64(4 << 10); ; n = int64(maxBeginning) { // most are short
		beginning, err := readAt(f, 0, int(min(size, n)))
		if err != nil {
			return nil, 0, err
		}
		g, err := parseSegment(key, b, beginning)
		if !errors.Is(err, wire.ErrTruncated) || n >= min(size, int64(maxBeginning)) {
			return g, size, err
		}
	}
}
