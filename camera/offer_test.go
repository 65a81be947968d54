package camera_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/camera"
)

func TestOffers(t *testing.T) {
	for name, test := range map[string]struct{ sdp, want string }{
		"several names, odd addresses": {"v=0\r\ns=a\r\ns=b\r\nc=IN IP4\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000", "video H264"},
		"no end of line":               {"m=video 0 RTP/AVP 96\na=rtpmap:96 h265/90000\na=fmtp:96 sprop-vps=;sprop-sps=!!", "video H265"},
		"unknown things":               {"m=application 0 RTP/AVP 107\na=rtpmap:107 vnd.onvif.metadata/90000\nm=hologram 0 X 1\nm=video 0 RTP/AVP 26", "application VND.ONVIF.METADATA, hologram TYPE-1, video JPEG"},
		"words of the sound elsewhere": {"m=video 0 RTP/AVP 96\na=rtpmap:96 H264/90000\na=fmtp:97 config=1408\nm=audio 0 RTP/AVP 97\na=rtpmap:97 MPEG4-GENERIC/16000", "video H264, audio MPEG4-GENERIC/16000"},
		"Opus in one channel":          {"m=audio 0 RTP/AVP 111\na=rtpmap:111 opus/48000/1", "audio OPUS/48000"},
		"a choice":                     {"m=video 0 RTP/AVP 26 97 96\na=rtpmap:97 VP8/90000\na=rtpmap:96 H264/90000", "video H264"},
		"no name":                      {"m=audio 0 RTP/AVP 0\nm=audio 0 RTP/AVP 120", "audio PCMU/8000, audio TYPE-120/0"},
		"torn":                         {"v=0\r\nm=video", ""},
		"empty":                        {"", ""},
		"64 KB":                        {strings.Repeat("a=x\r\n", 20_000), ""},
	} {
		o, err := camera.ParseOffer([]byte(test.sdp))
		var got []string
		for _, t := range o.Tracks {
			got = append(got, t.Kind+" "+t.String())
		}
		if text := strings.Join(got, ", "); text != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v; want %q", name, text, err, test.want)
		}
	}
}

// What is taken from a description is short, plain and bounded.
func FuzzOffer(f *testing.F) {
	files, err := os.ReadDir("testdata/fuzz/FuzzOffer")
	if err != nil || len(files) < 6 {
		f.Fatalf("%d seeds, want at least 6 (%v)", len(files), err)
	}
	f.Fuzz(func(t *testing.T, sdp []byte) {
		o, err := camera.ParseOffer(sdp)
		if (err == nil) != (len(o.Tracks) > 0) || len(o.Tracks) > 32 {
			t.Fatalf("%d tracks, %v", len(o.Tracks), err)
		}
		for _, track := range o.Tracks {
			text := track.Kind + track.String()
			if len(text) > 100 || track.Rate < 0 || track.Channels < 1 || slices.ContainsFunc([]rune(text), func(r rune) bool { return r <= ' ' || r > '~' }) {
				t.Errorf("%q: %+v", text, fmt.Sprint(track))
			}
		}
	})
}
