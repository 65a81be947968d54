package footage

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

const (
	indexMagic = "latchkey footage index 1\n"
	maxIndex   = 8 << 20

	// tolerance is how far apart pictures may be before there is a hole between them.
	tolerance = 500_000

	// together is how close gaps of one reason may be before they are written as one:
	// a camera that comes and goes all day makes no more of them than the day has
	// minutes.
	together = 60_000_000

	minutes = 24 * 60
)

// Span is a time, from From up to Until.
type Span struct {
	From  latchkey.Time `json:"from"`
	Until latchkey.Time `json:"until"`
}

func spanOf(start latchkey.Time, d time.Duration) Span {
	return Span{start, min(start+latchkey.Time(d.Microseconds()), latchkey.MaxInt)}
}

func (s Span) overlaps(o Span) bool { return s.From < o.Until && o.From < s.Until }

// within returns the part of s that is in o; it is empty if From is not before Until.
func (s Span) within(o Span) Span { return Span{max(s.From, o.From), min(s.Until, o.Until)} }

func (s Span) empty() bool { return s.From >= s.Until }

// daySpan is a day from its beginning to its end.
func daySpan(d latchkey.Day) Span {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		panic("internal error: a day that none is: " + err.Error())
	}
	return Span{latchkey.TimeOf(t), latchkey.TimeOf(t.AddDate(0, 0, 1))}
}

// days calls yield with each day that the span touches, and the part of it in that day.
func (s Span) days(yield func(latchkey.Day, Span)) {
	for from := s.From; from < s.Until; {
		d := daySpan(from.Day())
		yield(from.Day(), s.within(d))
		if d.Until <= from {
			return // the last day that there is
		}
		from = d.Until
	}
}

// cover puts a span among others that are in order and apart, and joins those that it
// touches, or that are no further from it than that.
func cover(spans []Span, s Span, gap latchkey.Time) []Span {
	i, _ := slices.BinarySearchFunc(spans, s.From, func(o Span, t latchkey.Time) int { return cmp.Compare(o.Until+gap, t) })
	j := i
	for ; j < len(spans) && spans[j].From <= s.Until+gap; j++ {
		s = Span{min(s.From, spans[j].From), max(s.Until, spans[j].Until)}
	}
	return slices.Replace(spans, i, j, s)
}

// state is what is known of a segment. Numbers are those of docs/footage.md.
type state uint8

const (
	whole   state = 0
	going   state = 1 // it is being removed
	shut    state = 2 // it does not open
	growing state = 3 // it is being written, and in no index on the disk
)

// entry is one segment in its day's index.
type entry struct {
	first  uint64
	groups uint32
	bytes  int64
	state  state
	spans  []Span // in order and apart; none if it does not open

	heads []head // while it grows
}

// span is from its first picture to its last.
func (e *entry) span() Span {
	if len(e.spans) == 0 {
		return Span{}
	}
	return Span{e.spans[0].From, e.spans[len(e.spans)-1].Until}
}

// in says whether the entry can be one of that day: its last group may reach into the
// next.
func (e *entry) in(day Span) bool {
	return len(e.spans) == 0 || day.From <= e.spans[0].From && e.span().Until <= day.Until+latchkey.Time(maxDuration.Microseconds())
}

func (e *entry) overlaps(s Span) bool {
	return slices.ContainsFunc(e.spans, s.overlaps)
}

// gap is a reason for holes, wherever there are some in its span.
type gap struct {
	Span
	reason Reason
	lost   uint32 // groups that were given to the store
}

// index is what is known of one day of one track.
type index struct {
	entries []*entry // by sequence
	gaps    []gap
	motion  []byte // of each minute; nil if nothing moved

	dirty bool // the disk does not know all of this
	made  bool // its directory is there
}

// add notes a gap, which lies within the index's day.
func (x *index) add(g gap) {
	x.dirty = true
	x.gaps = slices.DeleteFunc(x.gaps, func(o gap) bool {
		if o.reason != g.reason || o.From > g.Until+together || g.From > o.Until+together {
			return false
		}
		g.Span = Span{min(g.From, o.From), max(g.Until, o.Until)}
		g.lost = uint32(min(uint64(g.lost)+uint64(o.lost), math.MaxUint32))
		return true
	})
	i, _ := slices.BinarySearchFunc(x.gaps, g, compareGaps)
	x.gaps = slices.Insert(x.gaps, i, g)
}

func compareGaps(a, b gap) int {
	return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.reason, b.reason), cmp.Compare(a.Until, b.Until))
}

// move notes how much moved in a span of the day.
func (x *index) move(day latchkey.Day, s Span, motion uint8) {
	if motion == 0 {
		return
	}
	if x.motion == nil {
		x.motion = make([]byte, minutes)
	}
	s = s.within(daySpan(day))
	for m := minuteOf(day, s.From); m < minutes && !s.empty() && m <= minuteOf(day, s.Until-1); m++ {
		x.motion[m] = max(x.motion[m], motion)
	}
}

func minuteOf(day latchkey.Day, t latchkey.Time) int {
	return int((t - daySpan(day).From) / 60_000_000)
}

// find returns the entry of a segment, nil if there is none.
func (x *index) find(first uint64) *entry {
	i, found := slices.BinarySearchFunc(x.entries, first, compareEntry)
	if !found {
		return nil
	}
	return x.entries[i]
}

func compareEntry(e *entry, first uint64) int { return cmp.Compare(e.first, first) }

func (x *index) insert(e *entry) {
	i, _ := slices.BinarySearchFunc(x.entries, e.first, compareEntry)
	x.entries = slices.Insert(x.entries, i, e)
}

// drop forgets an entry.
func (x *index) drop(e *entry) {
	x.entries = slices.DeleteFunc(x.entries, func(o *entry) bool { return o == e })
}

func indexContext(home latchkey.HomeID, p place, day latchkey.Day) []byte {
	return bind(labelIndex, []byte{uint8(p.track)}, home[:], p.camera[:], []byte(day))
}

// seal returns the file of an index.
func (x *index) seal(key Key, home latchkey.HomeID, p place, day latchkey.Day) ([]byte, error) {
	message, err := cobblestone.Seal(key.secret[:], indexContext(home, p, day), x.bytes())
	if err != nil {
		return nil, fmt.Errorf("seal index of %s: %w", day, err)
	}
	return append([]byte(indexMagic), message...), nil
}

func (x *index) bytes() []byte {
	var w, entries wire.Writer
	n := uint32(0)
	for _, e := range x.entries {
		if e.state == growing {
			continue
		}
		n++
		entries.U64(e.first)
		entries.U32(e.groups)
		entries.U64(uint64(e.bytes))
		entries.U8(uint8(e.state))
		entries.U32(uint32(len(e.spans)))
		for _, s := range e.spans {
			entries.U64(uint64(s.From))
			entries.U64(uint64(s.Until))
		}
	}
	w.U32(n)
	w.Raw(entries.Bytes())
	w.U32(uint32(len(x.gaps)))
	for _, g := range x.gaps {
		w.U64(uint64(g.From))
		w.U64(uint64(g.Until))
		w.U8(uint8(g.reason))
		w.U32(g.lost)
	}
	if x.motion == nil {
		w.U8(0)
		return w.Bytes()
	}
	w.U8(1)
	w.Raw(x.motion)
	return w.Bytes()
}

// openIndex reads the file of an index. Whatever is wrong with it is [ErrDamaged].
func openIndex(key Key, home latchkey.HomeID, p place, day latchkey.Day, file []byte) (*index, error) {
	message, ok := bytes.CutPrefix(file, []byte(indexMagic))
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin like an index", ErrDamaged)
	}
	content, err := unseal(key.secret[:], indexContext(home, p, day), message)
	if err != nil {
		return nil, err
	}
	x, err := parseIndex(content, daySpan(day))
	if err != nil {
		return nil, fmt.Errorf("%w: read it: %w", ErrDamaged, err)
	}
	return x, nil
}

// parseIndex reads an index. What parses is written back as the same bytes.
func parseIndex(b []byte, day Span) (*index, error) {
	r := wire.NewReader(b)
	x := &index{}
	malformed := func(what string) { r.Fail(fmt.Errorf("%w: %s", wire.ErrMalformed, what)) }
	for range count(r, 8+4+8+1+4) {
		e := &entry{first: r.U64(), groups: r.U32(), bytes: int64(r.U64()), state: state(r.U8())}
		e.spans = readSpans(r)
		if n := len(x.entries); e.state > shut || e.groups > maxGroups || e.bytes > maxFile || !e.in(day) || n > 0 && x.entries[n-1].first >= e.first {
			malformed("an entry in no order")
		}
		x.entries = append(x.entries, e)
	}
	for range count(r, 8+8+1+4) {
		g := gap{Span{latchkey.Time(r.U64()), latchkey.Time(r.U64())}, Reason(r.U8()), r.U32()}
		if n := len(x.gaps); g.within(day) != g.Span || g.empty() || g.reason.Says() == "" || g.reason == NotRunning || n > 0 && compareGaps(x.gaps[n-1], g) >= 0 {
			malformed("a gap that none can be")
		}
		x.gaps = append(x.gaps, g)
	}
	switch r.U8() {
	case 0:
	case 1:
		x.motion = slices.Clone(r.Raw(minutes))
	default:
		malformed("motion")
	}
	return x, r.Done()
}

// count reads how many parts follow, each of at least that many bytes: a number that
// the bytes cannot hold is not believed.
func count(r *wire.Reader, least int) uint32 {
	n := r.U32()
	if uint64(n)*uint64(least) > uint64(len(r.Rest())) {
		r.Fail(fmt.Errorf("%w: %d parts in %d bytes", wire.ErrMalformed, n, len(r.Rest())))
		return 0
	}
	return n
}

func readSpans(r *wire.Reader) []Span {
	var spans []Span
	for range count(r, 16) {
		s := Span{latchkey.Time(r.U64()), latchkey.Time(r.U64())}
		if n := len(spans); s.empty() || n > 0 && spans[n-1].Until >= s.From {
			r.Fail(fmt.Errorf("%w: spans in no order", wire.ErrMalformed))
		}
		spans = append(spans, s)
	}
	return spans
}
