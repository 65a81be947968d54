package camera

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtpmpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/opus"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/latchkey-cam/latchkey/media"
)

const (
	// maxPending and maxPendingBytes are how much sound waits for the next picture: ten
	// seconds of the shortest frames. What is older is dropped.
	maxPending, maxPendingBytes = 512, 256 << 10

	// maxSoundJump is how far a sound's stamp may leap before the sound is placed anew.
	maxSoundJump = 2 * time.Second

	// maxDisagreement is how far the clocks that a camera reports for its picture and
	// its sound may lie apart from when both came in, before they are not believed.
	maxDisagreement = 2 * time.Second
)

// ear turns the packets of a sound into sounds, and keeps those until the next picture
// takes them along. All but take and add is called from the client's reading goroutine.
type ear struct {
	track  *Track
	frames func(*rtp.Packet) ([][]byte, error)
	length func(frame []byte) int64 // in ticks of the track's clock
	coding *media.Coding            // nil if the frames must be encoded first
	voice  *voice                   // encodes them
	place  placer

	mu      sync.Mutex // protects what follows
	pending []media.Sound
	bytes   int
}

// newEar returns the ear of a track. What it starts ends with ctx.
func newEar(ctx context.Context, t *Track, ffmpeg string) (*ear, error) {
	e := &ear{track: t, place: placer{rate: int64(t.Rate)}}
	whole := func(p *rtp.Packet) ([][]byte, error) { return [][]byte{p.Payload}, nil }
	switch t.Name {
	case "PCMA", "PCMU":
		e.frames = whole
		e.length = func(frame []byte) int64 { return int64(len(frame) / t.Channels) }
		e.voice = newVoice(ctx, transcoding{alaw: t.Name == "PCMA", rate: t.Rate, channels: t.Channels}, ffmpeg, e.add)
	case "OPUS":
		e.frames = whole
		e.length = func(frame []byte) int64 { return int64(opus.PacketDuration2(frame)) }
		e.coding = &media.Coding{Name: "opus", Rate: 48000, Channels: t.Channels}
	case "MPEG4-GENERIC":
		if err := e.aac(); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("sound of kind %.20q", t.Name)
	}
	if e.coding != nil {
		return e, e.coding.Check()
	}
	return e, nil
}

// aac prepares for AAC, whose make stands in the description. A camera that says
// nothing of it sends the usual one.
func (e *ear) aac() error {
	t := e.track
	d := &rtpmpeg4audio.Decoder{SizeLength: t.number("sizelength", 13), IndexLength: t.number("indexlength", 3),
		IndexDeltaLength: t.number("indexdeltalength", 3)}
	if d.SizeLength < 1 || d.SizeLength > 32 || d.IndexLength > 32 || d.IndexDeltaLength > 32 {
		return errors.New("AAC in frames of unknown length")
	}
	e.frames = func(p *rtp.Packet) ([][]byte, error) {
		frames, err := d.Decode(p)
		if errors.Is(err, rtpmpeg4audio.ErrMorePacketsNeeded) {
			return nil, nil
		}
		return frames, err
	}
	config := t.bytes("config")
	var c mpeg4audio.AudioSpecificConfig
	if config == nil {
		c = mpeg4audio.AudioSpecificConfig{Type: mpeg4audio.ObjectTypeAACLC, SampleRate: t.Rate, ChannelConfig: uint8(min(t.Channels, 6))}
		var err error
		if config, err = c.Marshal(); err != nil {
			return fmt.Errorf("AAC of an unknown make: %w", err)
		}
	} else if err := c.Unmarshal(config); err != nil {
		return fmt.Errorf("AAC of an unknown make: %w", err)
	}
	channels := int(c.ChannelConfig)
	if channels == 0 || channels > 6 {
		channels = t.Channels // the frames themselves say it
	}
	e.coding = &media.Coding{Name: "aac", Rate: c.SampleRate, Channels: channels, Config: config}
	frame := int64(mpeg4audio.SamplesPerAccessUnit)
	if c.FrameLengthFlag {
		frame = 960
	}
	length := frame * int64(t.Rate) / int64(max(1, c.SampleRate))
	e.length = func([]byte) int64 { return length }
	return nil
}

// hear takes one packet of sound. Whatever is wrong with it costs the sound alone.
func (r *session) hear(p *rtp.Packet) error {
	e := r.ear
	frames, err := e.frames(p)
	if err != nil {
		r.damaged.Add(1)
		return nil
	}
	stamp := p.Timestamp
	for _, frame := range frames {
		if len(frame) == 0 {
			continue
		}
		length := e.length(frame)
		if length <= 0 {
			r.damaged.Add(1)
			continue
		}
		at, ok := e.place.at(stamp, length, time.Now(), r)
		stamp += uint32(length)
		if !ok {
			continue
		}
		if e.voice != nil {
			e.voice.say(frame, at)
		} else {
			e.add(media.Sound{Coding: e.coding, Data: frame, PTS: at, Duration: media.Ticks(length * media.Rate / e.place.rate)})
		}
	}
	return nil
}

// add keeps a sound for the next picture.
func (e *ear) add(s media.Sound) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.pending = append(e.pending, s)
	e.bytes += len(s.Data)
	for len(e.pending) > maxPending || e.bytes > maxPendingBytes {
		e.bytes -= len(e.pending[0].Data)
		e.pending[0] = media.Sound{} // the slice's memory lives on; what it held must not
		e.pending = e.pending[1:]
	}
}

// take returns the sounds since it was called last.
func (e *ear) take() []media.Sound {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.pending
	e.pending, e.bytes = nil, 0
	return s
}

// placer finds for the sounds of a track their place among the pictures. Within the
// track the sound's own stamps count. How those lie beside the pictures' is told by the
// clock that the camera reports for both, or else by when they came in; that is followed
// slowly, because it trembles, and so crystals may differ.
type placer struct {
	rate   int64
	begun  bool
	exact  bool // the camera's clock is followed
	stamp  uint32
	count  int64       // of sounds
	ticks  int64       // of the track's clock since the first sound
	zero   media.Ticks // where the first sound lies
	origin time.Time   // when the first sound was taken, by our clock: as the least late sound says
}

// slewSound is the part of a misplacement that is taken over with each sound, more of it
// with the first ones; maxMisplaced is a misplacement that is mended at once.
const (
	slewSound    = 64
	maxMisplaced = media.Rate / 2
)

// at returns where a sound of that stamp and length lies which came in now; false as
// long as there is no picture.
func (c *placer) at(stamp uint32, length int64, now time.Time, r *session) (media.Ticks, bool) {
	// A sound comes in when its last sample has been taken, at the earliest.
	began := now.Add(-time.Duration(length) * time.Second / time.Duration(c.rate))
	step := int64(int32(stamp - c.stamp))
	if most := c.rate * int64(maxSoundJump/time.Second); !c.begun || step > most || step < -most {
		*c = placer{rate: c.rate, begun: true, stamp: stamp, origin: began}
		step = 0
	}
	c.stamp, c.ticks, c.count = stamp, c.ticks+step, c.count+1
	passed := media.Ticks(c.ticks * media.Rate / c.rate)
	if late := began.Add(-passed.Duration()).Sub(c.origin); late < 0 {
		c.origin = c.origin.Add(late)
	} else {
		c.origin = c.origin.Add(late / slewSound)
	}
	target, ok := r.units.Place(c.origin)
	if !ok {
		c.begun = false
		return 0, false
	}
	exact := false
	if at, ok := r.together(stamp, c.rate); ok && (at-passed-target).Duration().Abs() < maxDisagreement {
		target, exact = at-passed, true
	}
	switch off := target - c.zero; {
	case c.count == 1, exact && !c.exact, off > maxMisplaced, off < -maxMisplaced:
		c.zero = target
	default:
		c.zero += off / media.Ticks(min(1+c.count/8, slewSound))
	}
	c.exact = exact
	return c.zero + passed, true
}

// reported is what a camera says of the clock of one track.
type reported struct {
	known bool
	ntp   time.Time // by the camera's clock
	stamp uint32    // of the track at that moment
}

// report takes a sender report, in the client's reading goroutine.
func (r *session) report(p rtcp.Packet, clock *reported) {
	s, ok := p.(*rtcp.SenderReport)
	if !ok || s.NTPTime == 0 {
		return
	}
	const from1900To1970 = 2208988800
	seconds, part := int64(s.NTPTime>>32), int64(s.NTPTime&0xffffffff)
	if seconds < 1<<31 { // the count began anew in 2036
		seconds += 1 << 32
	}
	*clock = reported{true, time.Unix(seconds-from1900To1970, part*int64(time.Second)>>32), s.RTPTime}
	if offset := time.Until(clock.ntp); !r.info.OffsetKnown || (offset-r.info.Offset).Abs() > time.Second {
		r.info.Offset, r.info.OffsetKnown = offset, true
		r.inform()
	}
}

// together returns where a sound's stamp lies among the pictures by the camera's own
// clock, if it has reported that for both.
func (r *session) together(stamp uint32, rate int64) (media.Ticks, bool) {
	if !r.pictureClock.known || !r.soundClock.known {
		return 0, false
	}
	since := int64(int32(stamp-r.soundClock.stamp)) * media.Rate / rate
	apart := r.soundClock.ntp.Sub(r.pictureClock.ntp)
	if apart.Abs() > time.Hour {
		return 0, false
	}
	return r.units.PlaceStamp(r.pictureClock.stamp + uint32(since) + uint32(media.TicksOf(apart)))
}
