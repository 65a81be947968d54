package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

const (
	greySide = 160 // pixels of the longer side of a grey picture

	// decodeLost is how late a picture may be. When they have been later than that for as
	// long again, the child is not slow: units before them had no picture.
	decodeLost = time.Second

	// decodeStuck is after how long a child that answers nothing is given up.
	decodeStuck = 10 * time.Second
)

// Grey is a small grey picture for looking for motion.
type Grey struct {
	Width, Height int
	Pix           []byte // Width*Height shades, row by row, 0 black

	Taken, Received time.Time // of the unit that it was decoded from
}

// Decoder turns a stream into small grey pictures, in an ffmpeg child that only
// decodes. The zero Decoder is ready.
type Decoder struct {
	FFmpeg string // the program; "ffmpeg" if empty

	// KeysAbove is the size in pixels above which key units alone are decoded, which
	// costs a fraction of the work and gives a picture a second or less. Zero is never.
	KeysAbove int

	// Interval is the least time from one picture that is shown to the next, by the
	// camera's clock; 200 ms if zero. All pictures are decoded, because each needs
	// the one before it; those between are thrown away.
	Interval time.Duration
}

// Run decodes what next returns and shows the pictures, in order and from one
// goroutine, until next returns an error, which it returns, or the child fails. When
// the size or the codec of the video changes it goes on with another child.
//
// The n-th picture belongs to the n-th unit: the child is given nothing by which it
// could say more. Units without a picture are forgotten when those after them seem to be
// late by more than a second for a second, so that a picture can be taken for one up to a
// second older, and for longer than that only for a second. A child that was slow, as each
// is when it begins on a machine that has much to do, has caught up by then.
func (d Decoder) Run(ctx context.Context, next func(context.Context) (media.Unit, error), show func(Grey)) error {
	if d.Interval == 0 {
		d.Interval = 200 * time.Millisecond
	}
	var first media.Unit
	for !first.Key {
		var err error
		if first, err = next(ctx); err != nil {
			return err
		}
	}
	for {
		var err error
		if first, err = d.decode(ctx, first, next, show); err != nil {
			return err
		}
	}
}

// decode runs one child from the key unit first on, and returns the key unit that
// needs another child.
func (d Decoder) decode(ctx context.Context, first media.Unit, next func(context.Context) (media.Unit, error), show func(Grey)) (media.Unit, error) {
	w, h := greySize(first.Parameters.Width(), first.Parameters.Height())
	c, err := start(ctx, d.FFmpeg, append(input(first.Parameters),
		"-vf", fmt.Sprintf("scale=%d:%d:flags=fast_bilinear,format=gray", w, h),
		"-f", "rawvideo", "-flush_packets", "1", "pipe:1"))
	if err != nil {
		return media.Unit{}, err
	}
	f := &fed{}
	var reader sync.WaitGroup
	var panicked error
	reader.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				panicked = fmt.Errorf("internal error: %v", v)
				c.out.Close() // the child dies of it, and the writer notices
			}
		}()
		d.read(c.out, w, h, f, show)
	})
	u, err := d.feed(ctx, c.in, first, next, f)
	ended := c.end()
	reader.Wait()
	switch {
	case panicked != nil:
		return u, panicked
	case errors.Is(err, os.ErrClosed) || errors.Is(err, errChild):
		return u, diagnose(ctx, d.FFmpeg, errors.Join(err, ended))
	}
	return u, err
}

var (
	errChild = errors.New("decoder failed")
	errStuck = fmt.Errorf("%w: no picture for %v", errChild, decodeStuck)
)

// feed writes units to the child until one needs another child.
func (d Decoder) feed(ctx context.Context, in *os.File, u media.Unit, next func(context.Context) (media.Unit, error), f *fed) (media.Unit, error) {
	p := u.Parameters
	keysOnly := d.KeysAbove > 0 && p.Width()*p.Height() > d.KeysAbove
	var buffer []byte
	for {
		if u.Key || !keysOnly {
			if !f.add(u) {
				return u, errStuck
			}
			buffer = append(u.AppendAnnexB(buffer[:0]), delimiter(p)...)
			in.SetWriteDeadline(time.Now().Add(decodeStuck))
			if _, err := in.Write(buffer); err != nil {
				return u, fmt.Errorf("%w: %w", errChild, err)
			}
		}
		var err error
		if u, err = next(ctx); err != nil {
			return u, err
		}
		if u.Key && !u.Parameters.Equal(p) {
			return u, nil
		}
	}
}

// read reads pictures from the child until it ends.
func (d Decoder) read(out io.Reader, w, h int, f *fed, show func(Grey)) {
	var last time.Time
	for {
		pix := make([]byte, w*h)
		if _, err := io.ReadFull(out, pix); err != nil {
			return
		}
		// A twentieth early is in time: the camera's clock trembles.
		if of, ok := f.take(); ok && of.Taken.Sub(last) >= d.Interval-d.Interval/20 {
			last = of.Taken
			show(Grey{w, h, pix, of.Taken, of.Received})
		}
	}
}

// fed is the queue of units whose pictures have not come yet.
type fed struct {
	mu    sync.Mutex // protects what follows
	queue []fedUnit
	late  time.Time // since when pictures are late; zero if they are not
}

type fedUnit struct{ Taken, Received, at time.Time }

// add appends a unit, or reports false if the child seems to be stuck.
func (f *fed) add(u media.Unit) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) > 1 && time.Since(f.queue[0].at) > decodeStuck {
		return false
	}
	f.queue = append(f.queue, fedUnit{u.Taken, u.Received, time.Now()})
	return true
}

// take returns the unit of the next picture.
func (f *fed) take() (fedUnit, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	tooLate := func() bool { return len(f.queue) > 1 && now.Sub(f.queue[0].at) > decodeLost }
	switch {
	case !tooLate():
		f.late = time.Time{}
	case f.late.IsZero():
		f.late = now
	}
	for tooLate() && now.Sub(f.late) > decodeLost {
		f.queue = f.queue[1:]
	}
	if len(f.queue) == 0 {
		return fedUnit{}, false
	}
	u := f.queue[0]
	f.queue = f.queue[1:]
	return u, true
}

// greySize returns the size of the grey picture of a video of that size: the longer
// side is greySide, both are even.
func greySize(width, height int) (w, h int) {
	long := max(width, height)
	even := func(n int) int { return max(16, (n*greySide/long+1)/2*2) }
	return even(width), even(height)
}
