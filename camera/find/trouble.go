package find

import "strings"

// note adds a finding about the device.
func (p *probe) note(severity Severity, code, says, fix string) {
	for _, f := range p.found.Findings {
		if f.Code == code {
			return
		}
	}
	p.found.Findings = append(p.found.Findings, Finding{severity, code, says, fix})
}

// named notes the brand, also where the probe ends early: what to do depends on it.
func (p *probe) named() {
	if p.brand != nil {
		p.found.Brand = p.brand.name
	}
}

// with joins sentences, without those that are empty.
func with(sentences ...string) string {
	var all []string
	for _, s := range sentences {
		if s != "" {
			all = append(all, s)
		}
	}
	return strings.Join(all, " ")
}

func (p *probe) account() string {
	if p.brand == nil {
		return "Many cameras want a user that is made in their own web page or app, and not that of the maker's cloud."
	}
	return p.brand.account
}

func (p *probe) wrongPassword() error {
	p.named()
	return &Error{"wrong-password", with("The camera refuses this user and password. It was asked once and not again, so that it does not lock the account.", p.account())}
}

func (p *probe) needsPassword() error {
	p.named()
	return &Error{"needs-password", with("The camera wants a user and a password.", p.account())}
}

func noRTSP(t target, cause error) error {
	if cause == nil || t.port == 0 {
		return &Error{"no-rtsp", "Nothing at " + t.host + " offers a camera's stream. Check that it is switched on and the address is the camera's; then switch RTSP (or ONVIF) on in its app or web page. " +
			"Cameras that run on batteries and those of Ring, Nest, Arlo, Blink and most of Eufy's show their pictures to their maker alone."}
	}
	return &Error{"unreachable", "Nothing answers at this address and port. Check that the camera is switched on, in this network, that RTSP is switched on in its settings, and that the port is right (mostly 554)."}
}

func (p *probe) noStream() error {
	p.named()
	for _, c := range p.candidates {
		if c.verified && c.answer.video != "" {
			return &Error{"no-stream", with("The camera has no stream of H.264 or H.265, only "+c.answer.video+".", "Set the video encoding of its main stream to H.264 in its own settings.")}
		}
	}
	if p.bogus != nil {
		return &Error{"no-stream", "The device answers every address in the same way, so its streams cannot be told apart. Type the whole address of its stream, as in rtsp://192.168.1.20:554/stream1; its manual names it."}
	}
	rtsp := ""
	if p.brand != nil {
		rtsp = p.brand.rtsp
	}
	return &Error{"no-stream", with("The camera answers, but has no stream at this address or at any that cameras use.", "Type the whole address of its stream; the camera's manual or app names it.", rtsp)}
}
