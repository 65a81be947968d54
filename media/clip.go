package media

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Clip is a fragmented MP4 of some groups: a header, an index, and one fragment for
// each group. The header says how long it lasts and the index where its fragments
// are, so that a player can show the length and seek without reading it all.
//
// If the groups have sounds the clip has a second track for them. Pictures come first:
// sounds that are too early or late, or of another make than the first, are left out.
type Clip struct {
	fragments []fragment
	header    []byte
	coding    *Coding // nil without sound
	duration  Ticks
	size      int64
}

// NewClip returns the clip of the groups, which follow one another without a break
// under the same parameters. It keeps the groups and copies none of their pictures.
// Players say that it was made at created, by the clock on the wall; zero for unknown.
func NewClip(groups []Group, created time.Time) (*Clip, error) {
	if len(groups) == 0 {
		return nil, errors.New("make clip: no pictures")
	}
	c := &Clip{}
	p, start := groups[0].Parameters(), groups[0].Units[0].PTS
	times := make([][]Ticks, len(groups))
	wait := Ticks(0)
	for i, g := range groups {
		if i > 0 && (g.Units[0].Break || !g.Parameters().Equal(p)) {
			return nil, fmt.Errorf("make clip: group %d does not go on from the one before it", i)
		}
		times[i] = decodeTimes(g, start, c.duration)
		c.duration = times[i][len(g.Units)]
		for j, u := range g.Units {
			wait = max(wait, times[i][j]-(u.PTS-start))
		}
	}
	var sounds []heard
	c.coding, sounds = hear(groups, start, c.duration)
	var index []byte
	for i, g := range groups {
		length := times[i][len(g.Units)] - times[i][0]
		now := until(sounds, c.coding, times[i][len(g.Units)], i == len(groups)-1)
		f := newFragment(uint32(i+1), g, start-wait, times[i], sounds[:now])
		sounds = sounds[now:]
		if f.data > math.MaxInt32/2 || length > math.MaxUint32/2 {
			return nil, fmt.Errorf("make clip: group of %d bytes and %v", f.data, length.Duration())
		}
		c.fragments = append(c.fragments, f)
		c.size += f.size()
		const beginsWithKey = 1<<31 | 1<<28
		index = append32(index, uint32(f.size()), uint32(length), beginsWithKey)
	}
	c.header = slices.Concat(initSegment(p, c.coding, c.duration, wait, created), box("sidx", full(1, 0), u32(videoTrack, Rate),
		u64(uint64(wait)), u64(0), u16(0, uint16(len(groups))), index))
	c.size += int64(len(c.header))
	return c, nil
}

// until returns how many of the sounds begin before end; all of them, if last.
func until(sounds []heard, coding *Coding, end Ticks, last bool) int {
	n := 0
	for n < len(sounds) && (last || sounds[n].at*Rate < int64(end)*int64(coding.Rate)) {
		n++
	}
	return n
}

// decodeTimes returns when each unit of the group is decoded, and as the last one
// when the group ends, counted from start. The group is shown in another order than
// it is decoded in only if the camera uses pictures that refer to later ones; the
// times of showing, sorted, are then the times of decoding. None is before floor, and
// they grow.
//
// A picture that is decoded late, as those are that wait for a later one, must not be
// shown before it is; [NewClip] lets all wait for as long as the worst one needs, and
// the edit list cuts that wait off again.
func decodeTimes(g Group, start, floor Ticks) []Ticks {
	times := make([]Ticks, 0, len(g.Units)+1)
	for _, u := range g.Units {
		times = append(times, u.PTS-start)
	}
	slices.Sort(times)
	last := len(times) - 1
	end := g.End - start
	if g.End == 0 { // nothing follows yet: the last picture lasts as long as the one before it
		end = times[last] + Rate/15
		if last > 0 {
			end = 2*times[last] - times[last-1]
		}
	}
	times = append(times, end)
	for i := range times {
		times[i] = max(times[i], floor)
		floor = times[i] + 1
	}
	return times
}

// Start returns when the clip's first picture was taken.
func (c *Clip) Start() time.Time { return c.fragments[0].group.Start() }

// Duration returns how long the clip lasts.
func (c *Clip) Duration() time.Duration { return c.duration.Duration() }

// Size returns how many bytes [Clip.WriteTo] writes.
func (c *Clip) Size() int64 { return c.size }

// Type returns the clip's MIME type with its codecs, as a browser wants it.
func (c *Clip) Type() string {
	codecs := c.fragments[0].group.Parameters().Codec()
	if c.coding != nil {
		codecs += "," + c.coding.Codec()
	}
	return fmt.Sprintf("video/mp4; codecs=%q", codecs)
}

// Dimensions returns the picture's width and height in pixels.
func (c *Clip) Dimensions() (width, height int) {
	p := c.fragments[0].group.Parameters()
	return p.width, p.height
}

// WriteTo writes the clip. It can be called again, and writes the same bytes.
func (c *Clip) WriteTo(w io.Writer) (int64, error) {
	n := &counter{w: w}
	b := bufio.NewWriterSize(n, 64<<10)
	b.Write(c.header) // the writer keeps the first error until Flush
	for _, f := range c.fragments {
		if err := f.writeTo(b); err != nil {
			return n.n, fmt.Errorf("write clip: %w", err)
		}
	}
	if err := b.Flush(); err != nil {
		return n.n, fmt.Errorf("write clip: %w", err)
	}
	return n.n, nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
