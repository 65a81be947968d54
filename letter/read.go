package letter

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/fields"
)

const (
	maxRate    = 1000             // pictures a second
	maxOffset  = latchkey.MaxInt  // milliseconds by which a camera's clock is off
	maxPicture = 1 << 16          // pixels of a side
	maxBitrate = 10_000_000_000   // bits a second
	maxEvents  = latchkey.MaxInt  // of anything that is counted
	maxKeyGap  = 24 * 3600 * 1000 // milliseconds between key frames
)

func readProgress(o fields.Object) Progress {
	p := Progress{Says: o.Text("says", maxSays), Done: o.Count("done"), Of: o.Count("of")}
	if o.Has("still") {
		p.Still = readJPEG(o, "still", true)
	}
	return p
}

func (Probe) parseReply(o fields.Object) Reply {
	f := o.Object("found")
	clock := f.Object("clock")
	r := Found{
		Host: f.Text("host", maxAddress), Brand: f.Text("brand", maxWord),
		Clock: CameraClock{clock.Bool("known"), clock.Int("offset_ms", -maxOffset, maxOffset)},
		Pin:   readPin(f.Object("pin")), Findings: readFindings(f),
	}
	for _, s := range f.List("streams", maxStreams) {
		r.Streams = append(r.Streams, readStream(s))
	}
	return r
}

func readStream(o fields.Object) Stream {
	return Stream{
		Role:    Role(o.OneOf("role", string(Main), string(Sub), string(Other))),
		Address: o.Text("address", maxAddress), Codec: o.Text("codec", maxWord), Profile: o.Text("profile", maxWord),
		Width: o.Int("width", 0, maxPicture), Height: o.Int("height", 0, maxPicture), Rate: o.Number("rate", 0, maxRate),
		KeyIntervalMS: o.Int("key_interval_ms", 0, maxKeyGap), BFrames: o.Bool("b_frames"), Bitrate: o.Int("bitrate", 0, maxBitrate),
		Audio: o.Text("audio", maxWord), Still: readJPEG(o, "still", true), Findings: readFindings(o),
	}
}

// readJPEG reads a picture and looks only at how it begins.
func readJPEG(o fields.Object, name string, mayBeEmpty bool) []byte {
	b := o.Bytes(name, maxStill)
	if len(b) == 0 && mayBeEmpty {
		return nil
	}
	if len(b) < 4 || b[0] != 0xff || b[1] != 0xd8 || b[2] != 0xff {
		o.Refuse("member %q is no JPEG", name)
	}
	return b
}

func readFindings(o fields.Object) (all []Finding) {
	for _, f := range o.List("findings", maxFindings) {
		all = append(all, Finding{
			Severity: Severity(f.OneOf("severity", string(Good), string(Warning), string(Bad))),
			Code:     filled(f, "code", maxWord), Says: f.Text("says", maxSays), Fix: f.Text("fix", maxSays),
		})
	}
	return all
}

func (Discover) parseReply(o fields.Object) Reply {
	var r Devices
	for _, d := range o.List("devices", maxDevices) {
		r.Devices = append(r.Devices, Device{d.Text("host", maxAddress), d.Text("name", maxWord), d.Text("hardware", maxWord), d.Text("address", maxAddress)})
	}
	return r
}

func (AddCamera) parseReply(o fields.Object) Reply { return Added{readCamera(o)} }

func (DescribeCamera) parseReply(o fields.Object) Reply {
	return Description{
		o.Text("name", maxWord), o.Text("main", maxAddress), o.Text("sub", maxAddress),
		o.Text("user", maxSecret), readPin(o.Object("pin")),
	}
}

func (ChangeCamera) parseReply(fields.Object) Reply { return Done{} }
func (ForgetCamera) parseReply(fields.Object) Reply { return Done{} }
func (AcceptDevice) parseReply(fields.Object) Reply { return Done{} }

func (StillPicture) parseReply(o fields.Object) Reply {
	return Picture{readJPEG(o, "jpeg", false), o.Int("width", 1, maxPicture), o.Int("height", 1, maxPicture), readTime(o, "time")}
}

func (WouldFire) parseReply(o fields.Object) Reply {
	return WouldHaveFired{o.Int("times", 0, maxEvents), readTime(o, "since")}
}

func (ConfirmHead) parseReply(o fields.Object) Reply {
	h, err := latchkey.ParseHead(o.Text("head", maxWord))
	if err != nil {
		o.Refuse("%w", err)
	}
	return Confirmed{h}
}
