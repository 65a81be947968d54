package letter

import (
	"bytes"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/fields"
)

// What an agent says is in part what cameras say of themselves. It is made such as may
// be shown before it is sealed: a reader refuses a letter as a whole, and one camera's
// odd answer must not hide the others.

// maxStills is how many bytes of JPEG one reply carries: in base64 they leave room in a
// letter for the rest.
const maxStills = 640 << 10

func (r Progress) clean() any {
	r.Says, r.Done, r.Of = says(r.Says), max(0, r.Done), max(0, r.Of)
	r.Still = picture(r.Still)
	return r
}

func (r Failure) clean() any {
	r.Reason, r.Message = word(r.Reason), says(r.Message)
	return r
}

func (r Found) clean() any {
	r.Host, r.Brand, r.Pin = address(r.Host), word(r.Brand), r.Pin.clean()
	r.Findings = cleanFindings(r.Findings)
	r.Clock.OffsetMS = within(r.Clock.OffsetMS, -maxOffset, maxOffset)
	streams := []Stream{}
	room := maxStills
	for _, s := range r.Streams[:min(len(r.Streams), maxStreams)] {
		s.Address, s.Codec, s.Profile, s.Audio = address(s.Address), word(s.Codec), word(s.Profile), word(s.Audio)
		s.Width, s.Height, s.Rate = within(s.Width, 0, maxPicture), within(s.Height, 0, maxPicture), rate(s.Rate)
		s.KeyIntervalMS, s.Bitrate = within(s.KeyIntervalMS, 0, maxKeyGap), within(s.Bitrate, 0, maxBitrate)
		s.Findings, s.Still = cleanFindings(s.Findings), picture(s.Still)
		if room -= len(s.Still); room < 0 {
			room, s.Still = room+len(s.Still), []byte{}
		}
		streams = append(streams, s)
	}
	r.Streams = streams
	return r
}

func cleanFindings(all []Finding) []Finding {
	clean := []Finding{}
	for _, f := range all[:min(len(all), maxFindings)] {
		f.Code, f.Says, f.Fix = word(f.Code), says(f.Says), says(f.Fix)
		clean = append(clean, f)
	}
	return clean
}

func (p Pin) clean() Pin {
	return Pin{word(p.MAC), word(p.Serial), word(p.Certificate)}
}

func (r Devices) clean() any {
	devices := []Device{}
	for _, d := range r.Devices[:min(len(r.Devices), maxDevices)] {
		devices = append(devices, Device{address(d.Host), word(d.Name), word(d.Hardware), address(d.Address)})
	}
	return Devices{devices}
}

func (r Description) clean() any {
	return Description{word(r.Name), address(r.Main), address(r.Sub), fields.Clean(r.User, maxSecret), r.Pin.clean()}
}

func (r Added) clean() any     { return r }
func (r Done) clean() any      { return r }
func (r Picture) clean() any   { return r }
func (r Confirmed) clean() any { return r }

func (r WouldHaveFired) clean() any {
	r.Times = max(0, r.Times)
	return r
}

func (c Condition) clean() Condition {
	c.Version, c.Name = word(c.Version), word(c.Name)
	c.Spool = Spool{max(0, c.Spool.Objects), max(0, c.Spool.Bytes), max(0, c.Spool.Limit), says(c.Spool.Says)}
	c.Disk = Disk{max(0, c.Disk.Free), says(c.Disk.Says)}
	if f := c.Footage; f != nil {
		c.Footage = &Kept{max(0, f.Bytes), max(0, f.Limit), word(f.State), says(f.Says), min(f.Lost, latchkey.MaxInt)}
	}
	newest := c.Clock.Boots[max(0, len(c.Clock.Boots)-maxBoots):]
	c.Clock.Boots = append([]Boot{}, newest...)
	cameras := []CameraCondition{}
	for _, k := range c.Cameras {
		k.State, k.Says, k.Motion = word(k.State), says(k.Says), says(k.Motion)
		k.Codec, k.Audio, k.Rate = word(k.Codec), word(k.Audio), rate(k.Rate)
		k.Width, k.Height, k.Events24H = max(0, k.Width), max(0, k.Height), max(0, k.Events24H)
		cameras = append(cameras, k)
	}
	c.Cameras = cameras
	return c
}

func word(s string) string    { return fields.Clean(s, maxWord) }
func says(s string) string    { return fields.Clean(s, maxSays) }
func address(s string) string { return fields.Clean(s, maxAddress) }

func within(n, least, most int64) int64 { return min(max(n, least), most) }

// rate is pictures a second; one that was divided by nothing is none.
func rate(f float64) float64 {
	if f >= 0 && f <= maxRate {
		return f
	}
	return 0
}

// picture is a JPEG that a letter carries, or nothing.
func picture(b []byte) []byte {
	if len(b) > maxStill || !bytes.HasPrefix(b, []byte{0xff, 0xd8, 0xff}) || len(b) < 4 {
		return []byte{}
	}
	return b
}
