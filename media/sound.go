package media

import "fmt"

// Coding is how sounds are encoded: what a player must know before the first one.
type Coding struct {
	Name     string // "aac" or "opus"
	Rate     int    // samples a second
	Channels int
	Config   []byte // of AAC: its AudioSpecificConfig
}

// The limits of codings. A camera has one or two microphones.
const (
	maxChannels     = 8
	minRate         = 7350
	maxRate         = 96000
	maxCodingConfig = 64
)

// Codec returns the codec's name in a MIME type, as RFC 6381 spells it: mp4a.40.2.
func (c *Coding) Codec() string {
	if c.Name == "opus" {
		return "opus"
	}
	return fmt.Sprintf("mp4a.40.%d", aacType(c.Config))
}

// Check says what is wrong with a coding that no clip can hold.
func (c *Coding) Check() error {
	switch {
	case c.Name != "aac" && c.Name != "opus":
		return fmt.Errorf("sound of an unknown kind %.20q", c.Name)
	case c.Rate < minRate || c.Rate > maxRate || c.Channels < 1 || c.Channels > maxChannels:
		return fmt.Errorf("sound with %d samples a second in %d channels", c.Rate, c.Channels)
	case c.Name == "aac" && (len(c.Config) < 2 || len(c.Config) > maxCodingConfig):
		return fmt.Errorf("AAC with a configuration of %d bytes", len(c.Config))
	}
	return nil
}

// aacType reads the audio object type that an AudioSpecificConfig begins with.
func aacType(config []byte) int {
	if len(config) < 2 {
		return 0
	}
	if t := int(config[0] >> 3); t != 31 {
		return t
	}
	return 32 + int(config[0]&7)<<3 | int(config[1]>>5)
}

// Sound is one frame of encoded sound. Like a unit it is not changed once it has been
// made.
type Sound struct {
	Coding *Coding // the same pointer as long as the sound is of one make
	Data   []byte

	// PTS is when the sound is heard, on the scale of the units of its session. It is
	// not tied to the unit by which the sound came.
	PTS Ticks

	// Duration is how long it lasts.
	Duration Ticks
}
