package find

import (
	"fmt"
	"time"
)

// The limits of what is good. They are what owners and makers of recorders agree about;
// Latchkey itself records beyond them.
const (
	longInterval  = 4 * time.Second // between key frames; clips begin at one
	worseInterval = 8 * time.Second // as long as streams are watched
	fewPictures   = 5.0             // a second
	manyPictures  = 31.0
	heavyMain     = 8_000_000 // bits a second
	heavySub      = 1_500_000
	clockOff      = 5 * time.Second
)

// examine says what is right and wrong with a stream.
func (p *probe) examine(s Stream, seen *sight) []Finding {
	var all []Finding
	note := func(severity Severity, code, says, fix string) { all = append(all, Finding{severity, code, says, fix}) }
	where := "In the camera's own settings"
	smart := "Switch its smart codec off (H.264+, H.265+, Smart Codec, Zipstream, WiseStream)."
	if p.brand != nil && p.brand.video != "" {
		where = p.brand.video
	}
	if p.brand != nil && p.brand.smart != "" {
		smart = p.brand.smart
	}
	if s.Codec == "H265" {
		note(Warning, "h265", "The video is H.265. It is recorded, but not every browser can play it.", where+", set the encoding to H.264 to see it everywhere.")
	}
	interval := time.Duration(s.KeyIntervalMS) * time.Millisecond
	shown := fmt.Sprintf("%.1f", interval.Seconds())
	switch {
	case len(seen.keys) < 2 && interval >= longInterval:
		note(Bad, "key-interval", "No second key frame came within "+shown+" seconds. Clips begin at a key frame, so they would begin late or not at all.",
			with(smart, where+", set the I-frame interval to the frame rate, which is one second."))
	case interval >= longInterval:
		note(Warning, "key-interval", "Key frames are up to "+shown+" seconds apart. Clips begin at a key frame, so they begin that much early or late.",
			with(where+", set the I-frame interval to the frame rate, which is one second.", smart))
	case len(seen.keys) > 1:
		note(Good, "key-interval", "A key frame comes every "+shown+" seconds at the longest.", "")
	}
	if s.BFrames {
		note(Warning, "b-frames", "The video has B-frames, which make it arrive later.", where+", set the profile to Baseline or Main, or B-frames to 0.")
	}
	switch {
	case s.Rate < fewPictures:
		note(Warning, "rate", fmt.Sprintf("Only %.1f pictures come in a second.", s.Rate), where+", set 10 to 15 frames a second. In the dark some cameras slow down: limit the exposure time there.")
	case s.Rate > manyPictures:
		note(Warning, "rate", fmt.Sprintf("%.1f pictures come in a second, which costs room and shows no more.", s.Rate), where+", set 15 to 20 frames a second.")
	}
	limit := int64(heavyMain)
	if s.Width <= 720 {
		limit = heavySub
	}
	if s.Bitrate > limit {
		note(Warning, "bitrate", fmt.Sprintf("It sends %.1f Mbit/s.", float64(s.Bitrate)/1e6), where+fmt.Sprintf(", set the largest bit rate to %.0f Mbit/s or less.", float64(limit)/2e6))
	}
	switch {
	case seen.info.Ignored != "":
		note(Warning, "audio", seen.info.Ignored, where+", set the sound to AAC or G.711.")
	case s.Audio == "PCMU" || s.Audio == "PCMA" || s.Audio == "G711":
		note(Good, "audio", "The sound is G.711. It is turned into AAC, which browsers play.", "")
	}
	return all
}

// judge says what is wrong with the device.
func (p *probe) judge() {
	p.named()
	offset := time.Duration(p.found.Clock.OffsetMS) * time.Millisecond
	if p.found.Clock.Known && offset.Abs() > clockOff {
		direction := "ahead"
		if offset < 0 {
			direction = "behind"
		}
		p.note(Warning, "clock", fmt.Sprintf("The camera's clock is %s %s. Recordings have the agent's time all the same, but what the camera writes into its picture is wrong.", span(offset.Abs()), direction),
			"Set the camera to get its time from the network (NTP), from your router's address for instance.")
	}
	main, _ := p.found.Stream(Main)
	if sub, ok := p.found.Stream(Sub); ok {
		p.note(Good, "sub", fmt.Sprintf("Motion is looked for in the sub-stream of %dx%d, which takes little work.", sub.Width, sub.Height), "")
	} else {
		p.withoutSub(main)
	}
	if p.rtsp.login == nil && p.rtsp.realm == "" {
		p.note(Warning, "open", "The camera shows its picture to anybody in the network without a password.", "Set a password in the camera's own settings.")
	}
	if p.rtsp.basic && !p.target.secure && p.rtsp.realm != "" {
		rtsp := "Set its RTSP authentication to digest."
		if p.brand != nil && p.brand.rtsp != "" && p.brand.name == "Hikvision" {
			rtsp = p.brand.rtsp
		}
		p.note(Warning, "basic", "The camera takes its password as it is, so that anybody in the network can read it.", rtsp)
	}
	if p.bogus != nil {
		p.note(Warning, "any-path", "The device answers every address in the same way. The address is taken as it was given; look at the picture to see that it is the right one.", "")
	}
	if p.sources > 1 {
		p.note(Warning, "several", fmt.Sprintf("This device has the pictures of %d cameras; one of them was chosen.", p.sources), "Add each of them by the whole address of its stream.")
	}
	switch pin := p.found.Pin; {
	case pin == (Identity{}):
		p.note(Warning, "no-pin", "The camera tells nothing by which it could be known again. Another device at its address would be taken for it.",
			"Switch ONVIF on in the camera, or give it a fixed address in your router.")
	default:
		p.note(Good, "pin", "The camera can be known again by "+pin.says()+".", "")
	}
	if p.found.Findings == nil {
		p.found.Findings = []Finding{}
	}
}

// withoutSub says why there is no sub-stream.
func (p *probe) withoutSub(main Stream) {
	where := "In the camera's own settings"
	if p.brand != nil && p.brand.video != "" {
		where = p.brand.video
	}
	fix := where + ", set the sub-stream to H.264, 640x360 and 5 to 10 frames a second, in the same shape as the main stream."
	if main.Width > 0 && !alike(int(main.Width), int(main.Height), 16, 9) {
		fix = where + ", set the sub-stream to H.264 and 5 to 10 frames a second, 320 to 720 pixels wide, in the same shape as the main stream."
	}
	for _, s := range p.found.Streams {
		if s.Role != Other || s.Width == 0 || s.Width >= main.Width || p.sources > 1 {
			continue
		}
		switch {
		case !alike(int(main.Width), int(main.Height), int(s.Width), int(s.Height)):
			p.note(Warning, "sub-shape", fmt.Sprintf("The smaller stream of %dx%d has another shape than the main stream of %dx%d, so that zones would not fit. Motion is looked for in the main stream, which takes more work.", s.Width, s.Height, main.Width, main.Height), fix)
			return
		case s.Width > 720:
			p.note(Warning, "sub-size", fmt.Sprintf("The smaller stream has %dx%d, more than looking for motion needs.", s.Width, s.Height), fix)
			return
		}
	}
	if main.Width > 720 {
		p.note(Warning, "sub-missing", "There is no sub-stream. Motion is looked for in the main stream, which takes more work.", fix)
	}
}

// span is a length of time for people.
func span(d time.Duration) string {
	switch {
	case d > 2*365*24*time.Hour:
		return fmt.Sprintf("%d years", d/(365*24*time.Hour))
	case d > 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d > 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	case d > 2*time.Minute:
		return fmt.Sprintf("%d minutes", d/time.Minute)
	}
	return fmt.Sprintf("%d seconds", d/time.Second)
}
