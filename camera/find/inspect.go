package find

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/media"
)

// sight is what was seen of a stream in some seconds.
type sight struct {
	began, last time.Time // of the pictures
	pictures    int
	bytes       int
	keys        []time.Time
	previous    media.Ticks
	reordered   bool // a picture is shown before the one that it came after
	key         media.Unit
	info        camera.Info
	err         error // why nothing was seen
}

// take notes a picture and reports whether enough has been seen.
func (s *sight) take(u media.Unit, watch time.Duration) bool {
	if s.pictures == 0 {
		s.began = u.Received
	} else if u.PTS < s.previous {
		s.reordered = true
	}
	s.previous, s.last = u.PTS, u.Received
	s.pictures++
	s.bytes += u.Size()
	if u.Key {
		if len(s.keys) < 1000 {
			s.keys = append(s.keys, u.Received)
		}
		u.Sounds = nil
		s.key = u
	}
	return u.Received.Sub(s.began) >= watch
}

// interval is the longest time without a key frame. If there was but one it is at least
// that long.
func (s *sight) interval() time.Duration {
	longest := s.last.Sub(s.keys[len(s.keys)-1])
	for i := 1; i < len(s.keys); i++ {
		longest = max(longest, s.keys[i].Sub(s.keys[i-1]))
	}
	return longest
}

// watch receives a stream for a while.
func (p *probe) watch(ctx context.Context, c candidate) *sight {
	s := &sight{}
	t := p.target
	t.host = p.ip.String() // what the name was resolved to, and nothing that it means by now
	address, err := camera.ParseAddress(t.address(c.port, c.path))
	if err != nil {
		s.err = err
		return s
	}
	ctx, stop := context.WithTimeout(ctx, p.Watch+p.Patience)
	defer stop()
	enough := false
	err = camera.Receive(ctx, camera.Source{
		Address: address, Credentials: p.Credentials, Patience: p.Patience, Certificate: p.found.Pin.Certificate,
		Sound: true, FFmpeg: p.FFmpeg,
		Info: func(i camera.Info) { s.info = i },
	}, func(u media.Unit) {
		if !enough && s.take(u, p.Watch) {
			enough = true
			stop()
		}
	})
	if s.pictures == 0 {
		s.err = err
	}
	return s
}

// inspect watches the streams that were chosen, both at once. A camera that allows but
// one session is watched again when that has ended.
func (p *probe) inspect(ctx context.Context, chosen []int) error {
	seen := make([]*sight, len(chosen))
	var all sync.WaitGroup
	for i, n := range chosen {
		all.Go(func() { seen[i] = p.watch(ctx, p.candidates[n]) })
	}
	all.Wait()
	for i, s := range seen {
		if s.err != nil && camera.StateOf(s.err) == camera.WrongPassword {
			return p.wrongPassword()
		}
		if s.err != nil && ctx.Err() == nil && len(chosen) > 1 {
			p.say(3, "Watching its other stream.")
			seen[i] = p.watch(ctx, p.candidates[chosen[i]])
			if seen[i].err == nil {
				p.note(Warning, "one-session", "The camera shows its pictures to one viewer at a time.",
					"Close other apps that show it. If it still happens, record one stream only: add the camera without a sub-stream.")
			}
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.say(4, "Taking a picture.")
	streams := make([]Stream, len(chosen))
	for i, n := range chosen {
		streams[i] = p.stream(ctx, p.candidates[n], seen[i])
		if len(streams[i].Still) > 0 {
			p.Progress(Progress{"It shows a picture.", 4, steps, streams[i].Still})
		}
		if seen[i].info.OffsetKnown && !p.found.Clock.Known { // what it tells by ONVIF is what it writes into pictures
			p.found.Clock = Clock{true, seen[i].info.Offset.Milliseconds()}
		}
	}
	p.roles(streams)
	p.found.Streams = streams
	p.others(chosen)
	if !streams[0].watched() {
		p.named()
		return &Error{"no-stream", with("The camera has a stream, but no picture of it came. ", camera.StateOf(seen[0].err).Says())}
	}
	return nil
}

// roles says which is the main stream. What was watched is surer than what was said.
func (p *probe) roles(streams []Stream) {
	streams[0].Role = Main
	if len(streams) < 2 {
		return
	}
	streams[1].Role = Sub
	if seen := streams[1].watched(); seen && (streams[1].Width*streams[1].Height > streams[0].Width*streams[0].Height || !streams[0].watched()) {
		streams[0], streams[1] = streams[1], streams[0]
		streams[0].Role, streams[1].Role = Main, Sub
	}
	main, sub := &streams[0], &streams[1]
	if !sub.watched() || !suits(answer{width: int(main.Width), height: int(main.Height)}, answer{width: int(sub.Width), height: int(sub.Height)}) {
		sub.Role = Other
	}
}

// others lists what was found and not watched.
func (p *probe) others(chosen []int) {
	for i, c := range p.candidates {
		if !c.verified || i == chosen[0] || len(chosen) > 1 && i == chosen[1] || len(p.found.Streams) == maxStreams {
			continue
		}
		p.found.Streams = append(p.found.Streams, Stream{
			Role: Other, Address: p.target.address(c.port, c.path), Codec: c.answer.video, Audio: c.answer.audio,
			Width: int64(c.answer.width), Height: int64(c.answer.height), Findings: []Finding{},
		})
	}
}

// stream puts together what is known of a stream.
func (p *probe) stream(ctx context.Context, c candidate, s *sight) Stream {
	out := Stream{
		Role: Other, Address: p.target.address(c.port, c.path), Codec: c.answer.video, Audio: c.answer.audio,
		Width: int64(c.answer.width), Height: int64(c.answer.height), Findings: []Finding{},
	}
	if s.err != nil {
		out.Findings = append(out.Findings, Finding{Bad, "no-picture", "No picture of this stream came.", camera.StateOf(s.err).Says()})
		return out
	}
	parameters := s.key.Parameters
	out.Width, out.Height, out.Profile = int64(parameters.Width()), int64(parameters.Height()), profile(parameters)
	out.Codec = "H264"
	if parameters.H265() {
		out.Codec = "H265"
	}
	if spent := s.last.Sub(s.began).Seconds(); spent > 0 {
		out.Rate = float64(int(float64(s.pictures-1)/spent*10+0.5)) / 10
		out.Bitrate = int64(float64(s.bytes) * 8 / spent)
	}
	out.KeyIntervalMS, out.BFrames = s.interval().Milliseconds(), s.reordered
	if out.Audio = strings.ToUpper(s.info.Audio); s.info.Ignored != "" {
		out.Audio = c.answer.audio
	}
	still, err := camera.Still(ctx, p.FFmpeg, []media.Unit{s.key})
	if err != nil && ctx.Err() == nil {
		p.note(Warning, "no-still", "No still picture could be made.", "Install ffmpeg on the agent's machine (apt install ffmpeg); without it there are no thumbnails and no motion.")
	}
	out.Still = still
	out.Findings = append(out.Findings, p.examine(out, s)...)
	return out
}

// watched reports whether a picture of the stream was seen.
func (s Stream) watched() bool { return s.Profile != "" }

// profile is the name of a stream's profile, as cameras spell it in their settings.
func profile(p *media.Parameters) string {
	if p.H265() {
		return "Main"
	}
	switch p.SPS[1] {
	case 66:
		return "Baseline"
	case 77:
		return "Main"
	case 88:
		return "Extended"
	case 100:
		return "High"
	}
	return fmt.Sprint("profile ", p.SPS[1])
}

// identify takes what tells this device from another one.
func (p *probe) identify() {
	p.found.Pin.Certificate = p.rtsp.certificate
	mac := neighbour(p.ip)
	if mac == "" || p.ownMAC == "" || mac == p.ownMAC {
		p.found.Pin.MAC = mac
		return
	}
	// The network shows the address of something in between, a repeater perhaps: another
	// one tomorrow. It does not tell the camera.
}

// machine is the address at which a name is looked for in the table of neighbours.
func machine(a netip.Addr) string { return a.Unmap().WithZone("").String() }
