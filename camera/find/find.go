// Package find finds out what a camera offers before it is added: which device it is,
// which streams it has, which of them to record and in which to look for motion, what
// is wrong with them and how to put it right. It also says later whether the device at
// a camera's address is still that camera.
//
// A camera is asked as little as that takes. There are never more than two sessions
// with it; it is told the password only when it asks for it, and after the first
// refusal not again, because cameras lock accounts. Nobody but the host that was named
// is connected to, at the address that its name had when the probe began, and that is a
// private one unless told otherwise.
package find

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/onvif"
)

// Config says what is probed.
type Config struct {
	// Address is rtsp://HOST[:PORT][/PATH], HOST[:PORT], or what [Discover] returned.
	// It holds no user and no password.
	Address string

	// Credentials are given to that host and to nobody else.
	Credentials camera.Credentials

	// Public allows hosts that are not in a private network. Whoever can have an agent
	// probe could otherwise have it connect to anything in the world.
	Public bool

	// Progress, if there is one, is told how far the probe has come. It must not block.
	Progress func(Progress)

	// FFmpeg makes the stills; "ffmpeg" if empty.
	FFmpeg string

	// Watch is how long each stream that was chosen is watched; 8 s if zero.
	Watch time.Duration

	// Patience is how long any one answer may take, 10 s if zero; Limit how long all of
	// it may, 60 s if zero.
	Patience, Limit time.Duration

	// RTSP and ONVIF are the ports at which a device is looked for if the address does
	// not say; those that cameras use if nil.
	RTSP, ONVIF []uint16
}

// Progress says how far a probe has come.
type Progress struct {
	Says     string // a sentence for people
	Done, Of int64
	Still    []byte // a JPEG, where there is one to show
}

// Severity says how bad a finding is.
type Severity string

// The severities.
const (
	Good    Severity = "good"
	Warning Severity = "warning"
	Bad     Severity = "bad"
)

// Finding is something about a camera that its person should know.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`
	Says     string   `json:"says"`
	Fix      string   `json:"fix"` // what to do, "" if nothing is to be done
}

// Role is what a stream is good for.
type Role string

// The roles. A device has one main stream at most, and one sub-stream.
const (
	Main  Role = "main"
	Sub   Role = "sub"
	Other Role = "other"
)

// Stream is one stream of a camera. What was not watched has neither rate nor still.
type Stream struct {
	Role          Role      `json:"role"`
	Address       string    `json:"address"`
	Codec         string    `json:"codec"` // "H264", "H265", "MJPEG", ...
	Profile       string    `json:"profile"`
	Width         int64     `json:"width"`
	Height        int64     `json:"height"`
	Rate          float64   `json:"rate"` // pictures a second, as they came
	KeyIntervalMS int64     `json:"key_interval_ms"`
	BFrames       bool      `json:"b_frames"`
	Bitrate       int64     `json:"bitrate"` // bits a second
	Audio         string    `json:"audio"`
	Still         []byte    `json:"still"` // JPEG that we encoded; empty if there is none
	Findings      []Finding `json:"findings"`
}

// Clock is what the camera's own clock shows.
type Clock struct {
	Known    bool  `json:"known"`
	OffsetMS int64 `json:"offset_ms"` // by which it is ahead
}

// Found is what a camera offers.
type Found struct {
	Host     string    `json:"host"`
	Brand    string    `json:"brand"` // "" if it is none that we know
	Streams  []Stream  `json:"streams"`
	Clock    Clock     `json:"clock"`
	Pin      Identity  `json:"pin"`
	Findings []Finding `json:"findings"`
}

// Stream returns the stream of that role.
func (f Found) Stream(r Role) (Stream, bool) {
	for _, s := range f.Streams {
		if s.Role == r {
			return s, true
		}
	}
	return Stream{}, false
}

// Error says why nothing was found.
type Error struct {
	Reason  string // for programs: "address", "public", "unreachable", "no-rtsp", "wrong-password", "needs-password", "no-stream", "timeout"
	Message string // for people: what happened, and what to do
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Probe asks a device what it offers. The error is an [*Error] or that of ctx; with it
// comes what was found all the same, as the brand.
func Probe(ctx context.Context, config Config) (Found, error) {
	if config.Watch == 0 {
		config.Watch = 8 * time.Second
	}
	if config.Patience == 0 {
		config.Patience = 10 * time.Second
	}
	if config.Limit == 0 {
		config.Limit = time.Minute
	}
	if config.RTSP == nil {
		config.RTSP = []uint16{554, 8554, 10554, 88}
	}
	if config.ONVIF == nil {
		config.ONVIF = onvifPorts
	}
	if config.Progress == nil {
		config.Progress = func(Progress) {}
	}
	if err := config.Credentials.Check(); err != nil {
		return Found{}, &Error{"address", sentence(err)}
	}
	limited, cancel := context.WithTimeout(ctx, config.Limit)
	defer cancel()
	p := &probe{Config: config}
	err := p.run(limited)
	if p.rtsp != nil {
		p.rtsp.close()
	}
	switch {
	case ctx.Err() != nil:
		return p.found, ctx.Err()
	case err != nil && limited.Err() != nil && !errors.As(err, new(*Error)):
		return p.found, &Error{"timeout", "The camera did not answer in time. Restart it, and probe again."}
	}
	return p.found, err
}

// onvifPorts are where devices answer ONVIF, the most frequent first.
var onvifPorts = []uint16{80, 8000, 2020, 8080, 8899, 5000}

const steps = 5

// probe is one probe under way.
type probe struct {
	Config
	target target
	ip     netip.Addr
	rtsp   *asker // the one connection for questions, closed before a stream is watched

	brand      *brand
	bogus      *answer // to a path that cannot be; nil if there was none
	candidates []candidate
	sources    int    // pictures that the device says it has; 0 if it does not say
	ownMAC     string // that the device says it has
	found      Found
}

func (p *probe) say(done int64, says string) { p.Progress(Progress{Says: says, Done: done, Of: steps}) }

func (p *probe) run(ctx context.Context) error {
	var err error
	if p.target, err = parseTarget(p.Address); err != nil {
		return &Error{"address", sentence(err)}
	}
	p.found.Host = p.target.host
	p.say(0, "Looking for the camera at "+p.target.host+".")
	if p.ip, err = p.target.resolve(ctx, p.Public); err != nil {
		return err
	}
	unreachable := p.control(ctx)
	if unreachable != nil && (errors.As(unreachable, new(*Error)) || ctx.Err() != nil) {
		return unreachable
	}
	p.say(1, "Asking what it is.")
	p.profiles(ctx)
	if p.rtsp == nil && len(p.candidates) == 0 {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return noRTSP(p.target, unreachable)
	}
	p.say(2, "Looking for its streams.")
	if err := p.paths(ctx); err != nil {
		return err
	}
	p.identify()
	chosen := p.choose()
	if len(chosen) == 0 {
		return p.noStream()
	}
	p.rtsp.close()
	p.say(3, "Watching it for some seconds.")
	if err := p.inspect(ctx, chosen); err != nil {
		return err
	}
	p.judge()
	p.say(steps, "Done.")
	return nil
}

// Device is a camera that wants to be found.
type Device struct {
	Host     string `json:"host"`
	Name     string `json:"name"`
	Hardware string `json:"hardware"`
	Address  string `json:"address"` // for [Config].Address
}

// Discover asks the private networks of this machine for cameras. It takes three
// seconds. What comes is hints that anybody in the network can give; a camera is added
// when somebody has seen its picture.
func Discover(ctx context.Context) ([]Device, error) {
	devices, err := onvif.Discover(ctx, onvif.Discovery{})
	if err != nil {
		return nil, err
	}
	all := []Device{}
	for _, d := range devices {
		address := d.Address
		if address == "" {
			address = d.Host
		}
		all = append(all, Device{d.Host, d.Name, d.Hardware, address})
	}
	return all, nil
}
