package camera

import "time"

// Info is what a camera says of itself and its stream while a session is set up, and
// a little later of its clock. It holds no user and no password.
type Info struct {
	Tracks []string // all that is offered, by name: "H265", "PCMA/8000"
	Video  string   // the codec that is received: "H264" or "H265"

	// Audio is the codec of the sound that is received, empty if none is. Ignored says
	// why not, if there is some: a sentence.
	Audio, Ignored string

	Server string // the name that the camera gives its software
	Realm  string // the name under which it asks for the password
	Auth   string // how it asks: "Basic" or "Digest", empty if it does not

	// Certificate is the SHA-256 of the certificate that the camera has shown at an
	// address with rtsps, in hex.
	Certificate string

	// Offset is how far the camera's clock is ahead of ours, if it is known. It is
	// known some seconds after the first picture or never.
	Offset      time.Duration
	OffsetKnown bool
}
