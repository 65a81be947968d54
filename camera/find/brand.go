package find

import (
	"regexp"
	"strings"
)

// brand is a family of cameras that behave alike. These are facts that owners of such
// cameras have written down; what a camera itself says goes before them.
type brand struct {
	name  string
	signs []string // in its realm, its server's name or its maker's, in lower case

	// Main and subs are the paths of its streams. %d is the number of the camera in a
	// recorder; a camera is number 1.
	main, subs []string

	account string // which user and password are meant
	smart   string // where its smart codec is switched off
	video   string // where its video is set
	rtsp    string // how its RTSP is switched on
}

var brands = []brand{
	{
		name: "Dahua", signs: []string{"login to ", "dahua", "amcrest", "lorex", "empiretech"},
		main: []string{"/cam/realmonitor?channel=%d&subtype=0"}, subs: []string{"/cam/realmonitor?channel=%d&subtype=1", "/cam/realmonitor?channel=%d&subtype=2"},
		account: "Use the user of the camera's own web page. After about five wrong passwords the camera locks the account for half an hour.",
		smart:   "In the camera's web page under Setup, Camera, Video, switch Smart Codec off.",
		video:   "In the camera's web page under Setup, Camera, Video",
	},
	{
		name: "Hikvision", signs: []string{"ip camera(", "hikvision", "annke", "ds-2", "app-webs"},
		main: []string{"/Streaming/Channels/%d01"}, subs: []string{"/Streaming/Channels/%d02", "/Streaming/Channels/%d03"},
		account: "Use the user of the camera's own web page. After about five wrong passwords the camera locks the account. ONVIF has users of its own there, under Network, Advanced Settings, Integration Protocol.",
		smart:   "In the camera's web page under Configuration, Video/Audio, set H.264+ or H.265+ to off.",
		video:   "In the camera's web page under Configuration, Video/Audio",
		rtsp:    "Set the RTSP authentication to digest under Configuration, System, Security.",
	},
	{
		name: "Reolink", signs: []string{"reolink", "bcs rtsp", "rtsp server reolink"},
		main: []string{"/Preview_%02d_main", "/h264Preview_%02d_main", "/h265Preview_%02d_main"}, subs: []string{"/Preview_%02d_sub", "/h264Preview_%02d_sub"},
		account: "Use the user of the Reolink app. A password of letters and digits works best with these cameras.",
		smart:   "In the Reolink app under Display, Stream, set the frame rate mode to constant and the I-frame interval to 1x.",
		video:   "In the Reolink app under Display, Stream",
		rtsp:    "Switch RTSP and ONVIF on in the Reolink app: Settings, Network, Advanced, Port Settings. Battery cameras have no RTSP.",
	},
	{
		name: "TP-Link Tapo", signs: []string{"tapo", "tp-link", "vigi"},
		main: []string{"/stream1"}, subs: []string{"/stream2"},
		account: "The account of the app does not work here: make a camera account in the Tapo app, under the camera's Advanced Settings, Camera Account, and use that.",
		smart:   "In the app, set the video to H.264 and switch Smart Coding off.",
		video:   "In the app under Video Quality",
		rtsp:    "Make a camera account in the Tapo app (Advanced Settings, Camera Account): that switches RTSP on. Battery cameras have none.",
	},
	{
		name: "Uniview", signs: []string{"uniview", "unv"},
		main: []string{"/media/video1", "/unicast/c%d/s0/live"}, subs: []string{"/media/video2", "/unicast/c%d/s1/live"},
		smart: "In the camera's web page under Video, set U-Code (Smart Encoding) to off.", video: "In the camera's web page under Setup, Video & Audio",
	},
	{
		name: "Axis", signs: []string{"axis"},
		main: []string{"/axis-media/media.amp?videocodec=h264"}, subs: []string{"/axis-media/media.amp?videocodec=h264&resolution=640x360"},
		smart: "In the camera's web page under Video, Stream, set Zipstream's dynamic GOP to off.", video: "In the camera's web page under Video, Stream",
	},
	{
		name: "Ubiquiti", signs: []string{"ubnt", "ubiquiti", "unifi", "uvc"},
		main: []string{"/s0"}, subs: []string{"/s1", "/s2"},
		rtsp: "Newer models give their streams only through a console: switch RTSP on there for this camera, and use the address that it shows.",
	},
	{
		name: "Hanwha", signs: []string{"hanwha", "wisenet", "samsung techwin", "ipolis"},
		main: []string{"/profile2/media.smp"}, subs: []string{"/profile3/media.smp"},
		smart: "In the camera's web page under Video profile, set WiseStream to off and dynamic GOV to off.", video: "In the camera's web page under Basic, Video profile",
	},
	{name: "Bosch", signs: []string{"bosch"}, main: []string{"/rtsp_tunnel?inst=1"}, subs: []string{"/rtsp_tunnel?inst=2"}},
	{name: "Foscam", signs: []string{"foscam"}, main: []string{"/videoMain"}, subs: []string{"/videoSub"}},
	{name: "D-Link", signs: []string{"d-link", "dcs-"}, main: []string{"/live1.sdp", "/play1.sdp"}, subs: []string{"/live2.sdp", "/play2.sdp"}},
	{
		name: "thingino", signs: []string{"thingino", "prudynt"},
		main: []string{"/ch0"}, subs: []string{"/ch1"},
		account: "Use the user thingino and the password that was set with the firmware.",
		video:   "In the camera's web page under Streamer",
	},
	{name: "Wyze (wz_mini_hacks)", signs: []string{"wz_mini"}, main: []string{"/video1_unicast", "/unicast"}, subs: []string{"/video2_unicast"},
		rtsp: "Switch RTSP_HI_RES_ENABLED and RTSP_LOW_RES_ENABLED on in wz_mini.conf."},
	{name: "Sony", signs: []string{"sony"}, main: []string{"/media/video1"}, subs: []string{"/media/video2"}},
	{name: "Panasonic", signs: []string{"panasonic", "i-pro"}, main: []string{"/MediaInput/h264", "/MediaInput/stream_1"}, subs: []string{"/MediaInput/stream_2"}},
	{name: "Vivotek", signs: []string{"vivotek"}, main: []string{"/live.sdp", "/live1s1.sdp"}, subs: []string{"/live2.sdp", "/live1s2.sdp"}},
}

// generic are the paths of cameras whose brand is not known, in pairs of main and sub.
var generic = []string{"/stream1", "/stream2", "/live/ch00_0", "/live/ch00_1", "/11", "/12", "/onvif1", "/onvif2",
	"/ch0", "/ch1", "/live", "/h264", "/ch0_0.h264", "/ch0_1.h264", "/live0", "/unicast"}

// guess returns the brand of a device that says these things of itself, nil if unknown.
func guess(signs ...string) *brand {
	text := strings.ToLower(strings.Join(signs, "\n"))
	for i := range brands {
		for _, s := range brands[i].signs {
			if strings.Contains(text, s) {
				return &brands[i]
			}
		}
	}
	return nil
}

var number = regexp.MustCompile(`%0?2?d`)

// match reports which of the brand's paths a path is, and the camera's number in it. So
// the sub-stream of a recorder's third camera is looked for at its third camera.
func (b *brand) match(path string) (channel int, ok bool) {
	for _, pattern := range append(append([]string(nil), b.main...), b.subs...) {
		parts := number.Split(pattern, 2)
		if len(parts) == 1 {
			if strings.HasPrefix(path, pattern) {
				return 1, true
			}
			continue
		}
		rest, ok := strings.CutPrefix(path, parts[0])
		if !ok {
			continue
		}
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		for n := digits; n > 0; n-- { // the camera's number may be followed by the stream's
			if strings.HasPrefix(rest[n:], parts[1]) && n <= 3 {
				for _, d := range rest[:n] {
					channel = 10*channel + int(d-'0')
				}
				return channel, channel > 0
			}
		}
	}
	return 0, false
}
