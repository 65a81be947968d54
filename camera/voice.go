package camera

import (
	"bufio"
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

const (
	// voiceRate and voiceBits are what sound is encoded with: twice what G.711 has, and
	// bits enough for speech.
	voiceRate, voiceBits = 16000, 32000

	// voiceFrame is how many samples a frame has; the first one that comes out is from
	// before the first sample that went in.
	voiceFrame = 1024

	// maxUnsaid is how many packets wait for the child, some seconds.
	maxUnsaid = 256

	// maxHush is the longest hole in a sound that is filled with silence on the way to
	// the child. After a longer one the sound is placed anew.
	maxHush = media.Rate

	// voiceStuck is after how long a child that does not take its sound is given up.
	voiceStuck = 5 * time.Second
)

// transcoding is all that can be said to the child that encodes sound.
type transcoding struct {
	alaw           bool // or µ-law
	rate, channels int
}

func (t transcoding) args() []string {
	law := "mulaw"
	if t.alaw {
		law = "alaw"
	}
	return []string{"-hide_banner", "-loglevel", "error", "-protocol_whitelist", "pipe", "-threads", "1",
		"-probesize", "32", "-analyzeduration", "1", "-f", law, "-ar", strconv.Itoa(t.rate), "-ac", strconv.Itoa(t.channels), "-i", "pipe:0",
		"-map", "0:a:0", "-c:a", "aac", "-ar", strconv.Itoa(voiceRate), "-b:a", strconv.Itoa(voiceBits * t.channels),
		"-threads", "1", "-f", "adts", "-flush_packets", "1", "pipe:1"}
}

// hush is a sample in which nothing is heard.
func (t transcoding) hush() byte {
	if t.alaw {
		return 0xd5
	}
	return 0xff
}

// voice encodes a camera's G.711 as AAC, in an ffmpeg child that is started with the
// first packet. When the child fails another one is started, ever more rarely; without
// it there is no sound, and nobody waits for it.
type voice struct {
	transcoding
	ctx     context.Context
	ffmpeg  string
	add     func(media.Sound)
	packets chan said
	once    sync.Once
	coding  *media.Coding // of the frames; the same pointer for all
}

// said is one packet and where its first sample lies.
type said struct {
	data []byte
	at   media.Ticks
}

// newVoice returns a voice that hands the encoded sound to add, from a goroutine of its
// own that ends with ctx.
func newVoice(ctx context.Context, t transcoding, ffmpeg string, add func(media.Sound)) *voice {
	return &voice{transcoding: t, ctx: ctx, ffmpeg: ffmpeg, add: add, packets: make(chan said, maxUnsaid)}
}

// say has a packet encoded. If there is no room for it, it is dropped.
func (v *voice) say(data []byte, at media.Ticks) {
	v.once.Do(func() { go v.run() })
	select {
	case v.packets <- said{data, at}:
	default:
	}
}

// run keeps a child until ctx ends.
func (v *voice) run() {
	delays := []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 15 * time.Second, time.Minute}
	for failures := 0; v.ctx.Err() == nil; failures++ {
		began := time.Now()
		v.encode()
		if time.Since(began) > time.Minute {
			failures = 0
		}
		wait := time.After(delays[min(failures, len(delays)-1)])
		for waiting := true; waiting; {
			select {
			case <-v.ctx.Done():
				return
			case <-v.packets: // said to nobody
			case <-wait:
				waiting = false
			}
		}
	}
}

// encode runs one child until it fails or ctx ends. What it complains of is nothing that
// anybody could mend, but for its being missing, which the decoder says.
func (v *voice) encode() {
	ctx, cancel := context.WithCancel(v.ctx)
	defer cancel()
	c, err := start(ctx, v.ffmpeg, v.args())
	if err != nil {
		return
	}
	places := &places{transcoding: v.transcoding}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		defer func() { _ = recover() }() // it costs this child
		v.listen(c, places)
	})
	v.feed(ctx, c, places)
	cancel()
	c.end()
	reading.Wait()
}

// feed writes packets to the child, with silence in the holes between them.
func (v *voice) feed(ctx context.Context, c *child, p *places) {
	var buffer []byte
	for {
		select {
		case <-ctx.Done():
			return
		case s := <-v.packets:
			hush, ok := p.fed(s)
			if !ok {
				return
			}
			buffer = buffer[:0]
			for range hush * v.channels {
				buffer = append(buffer, v.hush())
			}
			buffer = append(buffer, s.data...)
			c.in.SetWriteDeadline(time.Now().Add(voiceStuck))
			if _, err := c.in.Write(buffer); err != nil {
				return
			}
		}
	}
}

// listen reads frames from the child until it ends.
func (v *voice) listen(c *child, p *places) {
	out := bufio.NewReader(c.out)
	for n := int64(-1); ; n++ {
		frame, coding, err := media.ReadADTS(out)
		if err != nil {
			return
		}
		if v.coding == nil || v.coding.Rate != coding.Rate || v.coding.Channels != coding.Channels {
			v.coding = &coding
		}
		if n < 0 {
			continue
		}
		if at, ok := p.of(n * voiceFrame * int64(v.rate) / int64(coding.Rate)); ok {
			v.add(media.Sound{Coding: v.coding, Data: frame, PTS: at, Duration: media.Ticks(voiceFrame * media.Rate / coding.Rate)})
		}
	}
}

// places knows where the samples lie that a child was fed. The child is given nothing by
// which it could say so itself.
type places struct {
	transcoding

	mu    sync.Mutex // protects what follows
	count int64      // of samples that were fed
	marks []mark     // ascending
	next  media.Ticks
}

// mark says where a sample lies.
type mark struct {
	sample int64
	at     media.Ticks
}

// maxMarks is how many packets a child may be behind.
const maxMarks = 2 * maxUnsaid

// fed notes a packet. It returns how many samples of silence must come before it, and
// false if the child seems to be stuck.
func (p *places) fed(s said) (hush int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.marks) >= maxMarks {
		return 0, false
	}
	if hole := s.at - p.next; len(p.marks) > 0 && hole > media.Rate/50 && hole < maxHush {
		hush = int(int64(hole) * int64(p.rate) / media.Rate)
		p.count += int64(hush)
	}
	p.marks = append(p.marks, mark{p.count, s.at})
	n := int64(len(s.data) / p.channels)
	p.count += n
	p.next = s.at + media.Ticks(n*media.Rate/int64(p.rate))
	return hush, true
}

// of returns where a sample lies that has come out again.
func (p *places) of(sample int64) (media.Ticks, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.marks) > 1 && p.marks[1].sample <= sample {
		p.marks = p.marks[1:]
	}
	if len(p.marks) == 0 {
		return 0, false
	}
	m := p.marks[0]
	return m.at + media.Ticks((sample-m.sample)*media.Rate/int64(p.rate)), true
}
