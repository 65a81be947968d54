package camera_test

import (
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/cameratest"
	"github.com/latchkey-cam/latchkey/media"
)

// live is a live picture in GStreamer's words.
const live = "videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=180,framerate=15/1 ! "

// GStreamer's RTSP server is the work of others, from the login to the packets.
func TestGStreamer(t *testing.T) {
	t.Parallel()
	tone := "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! "
	type stream struct{ launch, user, codec, audio string }
	cameratest.AtOnce(t, map[string]stream{
		"H.264":                       {live + "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96", "", "avc1", ""},
		"H.264 with B-frames, PCMU":   {live + "x264enc bframes=2 b-adapt=false speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96 " + tone + "mulawenc ! rtppcmupay name=pay1", "admin", "avc1", "PCMU"},
		"H.265, PCMA":                 {live + "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph265pay name=pay0 pt=96 " + tone + "alawenc ! rtppcmapay name=pay1", "admin", "hvc1", "PCMA"},
		"H.264, AAC, no sets at hand": {live + "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 pt=96 config-interval=-1 " + tone + "voaacenc ! rtpmp4gpay name=pay1 pt=97", "admin", "avc1", "MPEG4-GENERIC"},
	}, func(name string, test stream) func() {
		password := ""
		if test.user != "" {
			password = secret
		}
		address := cameratest.ServeGStreamer(t, test.launch, test.user, password)
		s := source(t, address, test.user, password)
		s.Patience, s.Sound = 10*time.Second, true
		heard := 0
		f := follow(t, s, func(u media.Unit) { heard += len(u.Sounds) })
		f.name = name
		return func() {
			f.await(t, "60 pictures", func(camera.Status) bool { return f.count() > 60 })
			got := f.now()
			if got.State != camera.Receiving || got.Width != 320 || got.Height != 180 || !strings.HasPrefix(got.Codec, test.codec) || got.Sessions != 1 {
				t.Errorf("%s: %+v", name, got)
			}
			f.mu.Lock()
			if got.Audio != test.audio || (heard > 0) != (test.audio != "") {
				t.Errorf("%s: %d sounds, said to be %q; want %q", name, heard, got.Audio, test.audio)
			}
			f.mu.Unlock()
			if test.user == "" {
				return
			}
			s.Credentials.Password = camera.NewSecret("wrong")
			if _, err := camera.Probe(t.Context(), s); camera.StateOf(err) != camera.WrongPassword {
				t.Errorf("%s, with a wrong password: %v", name, err)
			}
		}
	})
}
