package camera

import (
	"fmt"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/headers"
)

// Info is what a camera says of itself and its stream while a session is set up, and
// a little later of its clock. It holds no user and no password.
type Info struct {
	Tracks []Track // all that is offered
	Video  string  // the coding that is received: "H264" or "H265"

	// Audio is the coding of the sound that is received as the camera sends it, empty
	// if none is. Ignored says why not, if there is some: a sentence for people.
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

// tell takes what an offer says.
func (r *session) tell(o Offer) {
	r.info.Tracks = o.Tracks
	r.info.Video, r.info.Audio, r.info.Ignored = "", "", ""
	if r.video != nil {
		r.info.Video = "H264"
		if r.video.h265() {
			r.info.Video = "H265"
		}
	}
	if r.audio != nil {
		r.info.Audio = r.audio.Name
	}
	for _, t := range o.Tracks {
		if t.Kind == "audio" && !t.back && !t.audio() && r.info.Audio == "" {
			r.info.Ignored = fmt.Sprintf("The camera sends its sound as %s, which cannot be recorded.", r.Credentials.plain(t.Name))
		}
	}
}

// inform hands over what is known by now.
func (r *session) inform() {
	if r.Info != nil {
		r.Info(r.info)
	}
}

// realm takes what the camera says of itself when it asks for the password.
func (r *session) realm(res *base.Response) {
	if r.playing.Load() {
		return
	}
	for _, value := range res.Header["WWW-Authenticate"] {
		var a headers.Authenticate
		if a.Unmarshal(base.HeaderValue{value}) != nil {
			continue
		}
		r.info.Realm, r.info.Auth = r.Credentials.plain(a.Realm), "Digest"
		if a.Method == headers.AuthMethodBasic {
			r.info.Auth = "Basic"
		}
	}
}
