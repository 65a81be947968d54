package camera

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// The limits of a description. One of a camera takes a thousand bytes and names two or
// three tracks.
const (
	maxOffer  = 64 << 10
	maxTracks = 32
	maxLine   = 8 << 10
)

// Track is one stream of packets that a camera offers.
type Track struct {
	Kind     string // "video", "audio", "application"
	Name     string // of the coding, in capitals: "H264", "PCMA", "MPEG4-GENERIC"
	Rate     int    // ticks of its clock a second
	Channels int    // of sound; 1 if the camera does not say

	payload byte
	control string
	fmtp    map[string]string
	back    bool   // for what we would send
	sealed  bool   // its packets are encrypted by themselves (SRTP)
	keys    string // for that
}

// String returns the track's name as the camera gives it.
func (t Track) String() string {
	if t.Kind == "audio" {
		return fmt.Sprintf("%s/%d", t.Name, t.Rate)
	}
	return t.Name
}

// Offer is a camera's description of its stream (SDP), as far as it counts here.
type Offer struct {
	Tracks []Track
}

// ParseOffer reads a description. Cameras write what they like: of a line that makes no
// sense nothing is taken, and only a description without a single track is an error.
func ParseOffer(sdp []byte) (Offer, error) {
	var o Offer
	var keys string
	if len(sdp) > maxOffer {
		return o, fmt.Errorf("description of %d bytes", len(sdp))
	}
	about := map[string]string{} // formats that are described under another track
	var media []Track            // the formats of the track that is being read
	end := func() {
		if t, ok := best(media); ok && len(o.Tracks) < maxTracks {
			o.Tracks = append(o.Tracks, t)
		}
		media = nil
	}
	for line := range bytes.SplitSeq(sdp, []byte{'\n'}) {
		kind, value, ok := strings.Cut(strings.TrimSpace(string(line[:min(len(line), maxLine)])), "=")
		switch {
		case !ok:
		case kind == "m":
			end()
			media = formats(value)
		case kind == "a" && media != nil:
			describe(media, about, value)
		case kind == "a" && strings.HasPrefix(value, "key-mgmt:"):
			keys = strings.TrimPrefix(value, "key-mgmt:")
		}
	}
	end()
	for i, t := range o.Tracks {
		if t.keys == "" {
			o.Tracks[i].keys = keys
		}
		if more := about[strconv.Itoa(int(t.payload))]; more != "" && len(t.fmtp) == 0 {
			o.Tracks[i].fmtp = parameters(more)
		}
	}
	if len(o.Tracks) == 0 {
		return o, fmt.Errorf("description without a track")
	}
	return o, nil
}

// static are the payload types that need no description (RFC 3551).
var static = map[byte]Track{
	0: {Name: "PCMU", Rate: 8000}, 3: {Name: "GSM", Rate: 8000}, 8: {Name: "PCMA", Rate: 8000},
	9: {Name: "G722", Rate: 8000}, 10: {Name: "L16", Rate: 44100, Channels: 2}, 11: {Name: "L16", Rate: 44100},
	14: {Name: "MPA", Rate: 90000}, 18: {Name: "G729", Rate: 8000}, 26: {Name: "JPEG", Rate: 90000},
	32: {Name: "MPV", Rate: 90000}, 33: {Name: "MP2T", Rate: 90000},
}

// formats reads the line that begins a track: video 0 RTP/AVP 96 97.
func formats(value string) []Track {
	fields := strings.Fields(value)
	if len(fields) < 4 {
		return nil
	}
	var list []Track
	for _, number := range fields[3:min(len(fields), 3+maxTracks)] {
		n, err := strconv.ParseUint(number, 10, 7)
		if err != nil {
			continue
		}
		t := static[byte(n)]
		t.Kind, t.payload = word(strings.ToLower(fields[0])), byte(n)
		t.sealed = strings.Contains(strings.ToUpper(fields[2]), "SAVP")
		list = append(list, t)
	}
	return list
}

// describe takes an attribute of a track's formats.
func describe(media []Track, about map[string]string, value string) {
	name, value, _ := strings.Cut(value, ":")
	number, rest, _ := strings.Cut(strings.TrimSpace(value), " ")
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "control":
		for i := range media {
			media[i].control = strings.TrimSpace(value)
		}
	case "key-mgmt":
		for i := range media {
			media[i].keys = value
		}
	case "sendonly":
		for i := range media {
			media[i].back = true
		}
	case "rtpmap":
		for i := range media {
			if number == strconv.Itoa(int(media[i].payload)) {
				media[i].name(strings.TrimSpace(rest))
			}
		}
	case "fmtp":
		found := false
		for i := range media {
			if number == strconv.Itoa(int(media[i].payload)) {
				media[i].fmtp, found = parameters(rest), true
			}
		}
		if !found && len(about) < maxTracks {
			about[number] = rest
		}
	}
}

// name takes what rtpmap says: PCMA/8000/1.
func (t *Track) name(value string) {
	parts := strings.Split(value, "/")
	t.Name = word(strings.ToUpper(parts[0]))
	if len(parts) > 1 {
		if n, err := strconv.ParseUint(strings.TrimSpace(parts[1]), 10, 31); err == nil {
			t.Rate = int(n)
		}
	}
	if len(parts) > 2 {
		if n, err := strconv.ParseUint(strings.TrimSpace(parts[2]), 10, 8); err == nil {
			t.Channels = int(n)
		}
	}
}

// word is what is left of a camera's name for something when only what such names are
// made of is kept.
func word(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_.+", r) {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), 32)]
}

// parameters reads what fmtp says: packetization-mode=1; profile-level-id=64001f.
func parameters(value string) map[string]string {
	list := map[string]string{}
	for part := range strings.SplitSeq(value, ";") {
		if key, v, ok := strings.Cut(strings.TrimSpace(part), "="); ok && len(list) < 64 {
			list[strings.ToLower(strings.TrimSpace(key))] = strings.TrimSpace(v)
		}
	}
	return list
}

// best chooses among the formats of one track the one that can be recorded, or the
// first.
func best(media []Track) (Track, bool) {
	for i := range media {
		media[i].Channels = max(1, media[i].Channels)
		if media[i].Kind == "video" && media[i].Rate == 0 {
			media[i].Rate = 90000
		}
		if media[i].Name == "" {
			media[i].Name = fmt.Sprintf("TYPE-%d", media[i].payload)
		}
	}
	for _, t := range media {
		if t.video() || t.audio() {
			return t, true
		}
	}
	if len(media) == 0 {
		return Track{}, false
	}
	return media[0], true
}

// video says whether it is a video that can be recorded.
func (t Track) video() bool {
	return t.Kind == "video" && (t.Name == "H264" || t.Name == "H265" || t.Name == "HEVC") && !t.back
}

// audio says whether it is a sound that can be recorded, encoded anew or not.
func (t Track) audio() bool {
	if t.Kind != "audio" || t.back || t.Rate <= 0 {
		return false
	}
	switch t.Name {
	case "PCMA", "PCMU":
		return t.Rate >= 8000 && t.Rate <= 48000 && t.Channels <= 2
	case "MPEG4-GENERIC":
		return t.Channels <= 8
	case "OPUS":
		return t.Rate == 48000 && t.Channels <= 2
	}
	return false
}

func (t Track) h265() bool { return t.Name == "H265" || t.Name == "HEVC" }

// choose returns the tracks to receive; either may be nil. Those with packets that are
// encrypted by themselves need a connection that is encrypted, too: it carries their keys.
func (o Offer) choose(sound, secure bool) (video, audio *Track) {
	for i, t := range o.Tracks {
		if t.sealed && !secure {
			continue
		}
		if video == nil && t.video() {
			video = &o.Tracks[i]
		}
		// The library wants all tracks of a session encrypted, or none.
		if sound && audio == nil && t.audio() && (video == nil || video.sealed == t.sealed) {
			audio = &o.Tracks[i]
		}
	}
	return video, audio
}

// clean writes the description of nothing but those tracks, in words in which no
// library can find anything else: its formats have names that none knows, so that none
// looks into their packets before we do.
func clean(tracks ...*Track) []byte {
	var b bytes.Buffer
	b.WriteString("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n")
	for _, t := range tracks {
		if t == nil {
			continue
		}
		profile := "RTP/AVP"
		if t.sealed {
			profile = "RTP/SAVP"
		}
		fmt.Fprintf(&b, "m=%s 0 %s %d\r\na=rtpmap:%d opaque/%d\r\n", t.Kind, profile, t.payload, t.payload, t.Rate)
		if t.control != "" && !strings.ContainsFunc(t.control, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
			fmt.Fprintf(&b, "a=control:%s\r\n", t.control)
		}
		if t.sealed && t.keys != "" && !strings.ContainsFunc(t.keys, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
			fmt.Fprintf(&b, "a=key-mgmt:%s\r\n", t.keys)
		}
	}
	return b.Bytes()
}

// sets returns the parameter sets in the values of those parameters, base64 with commas
// between them. Some cameras put start codes before theirs.
func (t Track) sets(names ...string) [][]byte {
	var list [][]byte
	for _, name := range names {
		for text := range strings.SplitSeq(t.fmtp[name], ",") {
			set, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				set, err = base64.RawStdEncoding.DecodeString(text)
			}
			set = bytes.TrimPrefix(bytes.TrimPrefix(set, []byte{0}), []byte{0, 0, 1})
			if err == nil && len(set) > 0 && len(list) < 16 {
				list = append(list, set)
			}
		}
	}
	return list
}

// number returns a parameter that is a number, or or.
func (t Track) number(name string, or int) int {
	n, err := strconv.ParseUint(t.fmtp[name], 10, 8)
	if err != nil {
		return or
	}
	return int(n)
}

// bytes returns a parameter that is written in hex; nil if it is not.
func (t Track) bytes(name string) []byte {
	b, err := hex.DecodeString(t.fmtp[name])
	if err != nil {
		return nil
	}
	return b
}
