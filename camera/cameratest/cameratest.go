// Package cameratest is cameras for tests: real RTSP servers that play films which
// ffmpeg encoded, and do what cameras do when they are ill.
package cameratest

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/pion/rtp"
)

// Rate is how many pictures a film has in a second.
const Rate = 15

// Film is the access units of an encoded film, in order, each as its NAL units.
type Film [][][]byte

// Mover is an ffmpeg filter that gives a film of colour bars, through which something
// dark goes from second from to second to.
func Mover(width, height, seconds int, from, to float64) string {
	return fmt.Sprintf("smptebars=size=%dx%d:rate=%d:duration=%d[a];"+
		"color=c=0x101010:size=%dx%d:rate=%d:duration=%d[b];"+
		"[a][b]overlay=x='if(between(t,%g,%g),(t-%g)/%g*W,-w)':y=%d",
		width, height, Rate, seconds, width/16*2, height/3, Rate, seconds, from, to, from, to-from, height/4)
}

// Encode encodes what an ffmpeg filter gives as H.264, with a key frame every second.
// Further arguments go to ffmpeg.
func Encode(t testing.TB, filter string, args ...string) Film {
	t.Helper()
	return encode(t, filter, []byte{0, 0, 0, 1, 9}, append([]string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency",
		"-g", fmt.Sprint(Rate), "-x264-params", "aud=1", "-f", "h264"}, args...))
}

// Encode265 is [Encode] for H.265.
func Encode265(t testing.TB, filter string, args ...string) Film {
	t.Helper()
	return encode(t, filter, []byte{0, 0, 0, 1, 35 << 1}, append([]string{"-c:v", "libx265", "-preset", "ultrafast", "-tune", "zerolatency",
		"-x265-params", fmt.Sprintf("keyint=%d:min-keyint=%d:aud=1:repeat-headers=1:pools=1:frame-threads=1:log-level=error", Rate, Rate), "-f", "hevc"}, args...))
}

// encode has ffmpeg encode a film and cuts it at its delimiters.
func encode(t testing.TB, filter string, delimiter []byte, args []string) Film {
	t.Helper()
	line := append([]string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", filter,
		"-pix_fmt", "yuv420p", "-threads", "1"}, args...)
	stream, err := exec.Command("ffmpeg", append(line, "pipe:1")...).Output()
	if err != nil {
		t.Fatalf("encode a film: %v", err)
	}
	var film Film
	for len(stream) > 0 {
		end := len(stream)
		if i := bytes.Index(stream[5:], delimiter); i >= 0 {
			end = i + 5
		}
		var nals h264.AnnexB
		if err := nals.Unmarshal(stream[:end]); err != nil {
			t.Fatal(err)
		}
		film, stream = append(film, nals), stream[end:]
	}
	return film
}

// Camera is a camera that plays films. It is closed with the test.
type Camera struct {
	User, Password string // what it asks for; it is open if both are empty
	Methods        []auth.VerifyMethod

	// Speed is how much faster than life it plays; its stamps do not tell.
	Speed float64

	// H265 says that its films are H.265.
	H265 bool

	// Sound is what is heard with its films; it is mute if nil.
	Sound *Sound

	// Reports says that it reports its clock.
	Reports bool

	// Certificate is what it shows at an address with rtsps; rtsp if nil.
	Certificate *tls.Certificate

	addr   string
	server *gortsplib.Server

	mu       sync.Mutex // protects what follows
	stream   *gortsplib.ServerStream
	sessions int
	played   chan struct{} // closed at the first PLAY
}

// Serve starts a camera with a stream at any path. Its films are played by
// [Camera.Play]; announced is what it says of them before. Change is called with the
// camera before it starts, and may be nil.
func Serve(t testing.TB, announced Film, change func(*Camera)) *Camera {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Camera{addr: l.Addr().String(), played: make(chan struct{}), Speed: 1}
	if change != nil {
		change(c)
	}
	c.server = &gortsplib.Server{Handler: c, RTSPAddress: c.addr, AuthMethods: c.Methods,
		DisableRTCPSenderReports: !c.Reports, Listen: func(string, string) (net.Listener, error) { return l, nil }}
	if c.Certificate != nil {
		c.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*c.Certificate}}
	}
	if err := c.server.Start(); err != nil {
		t.Fatal(err)
	}
	c.stream = &gortsplib.ServerStream{Server: c.server, Desc: &description.Session{
		Medias: []*description.Media{{Type: description.MediaTypeVideo, Formats: []format.Format{c.format(announced[0])}}}}}
	if c.Sound != nil {
		c.stream.Desc.Medias = append(c.stream.Desc.Medias,
			&description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{c.Sound.Format}})
	}
	if err := c.stream.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.stream.Close()
		c.server.Close()
	})
	return c
}

// format is what the camera says of its film, whose first picture that is.
func (c *Camera) format(first [][]byte) format.Format {
	if c.H265 {
		return &format.H265{PayloadTyp: 96} // the parameter sets come with the pictures
	}
	f := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	for _, nal := range first {
		switch nal[0] & 0x1f {
		case 7:
			f.SPS = nal
		case 8:
			f.PPS = nal
		}
	}
	return f
}

// packets returns what makes packets of a picture.
func (c *Camera) packets() (func(unit [][]byte) ([]*rtp.Packet, error), error) {
	switch f := c.stream.Desc.Medias[0].Formats[0].(type) {
	case *format.H265:
		e, err := f.CreateEncoder()
		return func(unit [][]byte) ([]*rtp.Packet, error) { return e.Encode(unit) }, err
	default:
		e, err := f.(*format.H264).CreateEncoder()
		return func(unit [][]byte) ([]*rtp.Packet, error) { return e.Encode(unit) }, err
	}
}

// Address returns the camera's address, without user and password.
func (c *Camera) Address() string {
	if c.Certificate != nil {
		return "rtsps://" + c.addr + "/stream"
	}
	return "rtsp://" + c.addr + "/stream"
}

// Sessions returns how many times it was asked to describe its stream and agreed.
func (c *Camera) Sessions() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions
}

// Play waits until somebody watches, plays the films one after another at their pace,
// and then sends nothing more. It returns at once; the pictures come.
func (c *Camera) Play(t testing.TB, films ...Film) {
	t.Helper()
	done, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-c.played:
		case <-stop:
			return
		}
		time.Sleep(100 * time.Millisecond) // the session that asked is not a reader before it has its answer
		media := c.stream.Desc.Medias[0]
		packets, err := c.packets()
		if err != nil {
			t.Error(err)
			return
		}
		began, n := time.Now(), 0
		var sound sync.WaitGroup
		defer sound.Wait()
		if c.Sound != nil {
			sound.Go(func() { c.Sound.play(t, c.stream, c.stream.Desc.Medias[1], began, stop) })
		}
		for _, film := range films {
			for _, unit := range film {
				at := time.Duration(float64(n) * float64(time.Second) / Rate / c.Speed)
				select {
				case <-stop:
					return
				case <-time.After(time.Until(began.Add(at))):
				}
				encoded, err := packets(unit)
				if err != nil {
					t.Error(err)
					return
				}
				for _, p := range encoded {
					p.Timestamp = 12345 + uint32(n)*90000/Rate
					c.stream.WritePacketRTP(media, p) // nobody watching any more is not the camera's trouble
				}
				n++
			}
		}
	}()
	t.Cleanup(func() {
		close(stop)
		<-done
	})
}

func (c *Camera) admit(conn *gortsplib.ServerConn, r *base.Request) (*base.Response, *gortsplib.ServerStream, error) {
	// The library's server cannot read a Basic password with a colon.
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.User+":"+c.Password))
	given := r.Header["Authorization"]
	knows := slices.Contains(c.Methods, auth.VerifyMethodBasic) && len(given) == 1 && given[0] == basic
	if c.User+c.Password != "" && !knows && !conn.VerifyCredentials(r, c.User, c.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	return &base.Response{StatusCode: base.StatusOK}, c.stream, nil
}

// OnDescribe is for the RTSP server.
func (c *Camera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	res, stream, err := c.admit(ctx.Conn, ctx.Request)
	c.mu.Lock()
	defer c.mu.Unlock()
	if stream != nil {
		c.sessions++
	}
	return res, stream, err
}

// OnSetup is for the RTSP server.
func (c *Camera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.admit(ctx.Conn, ctx.Request)
}

// OnPlay is for the RTSP server.
func (c *Camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-c.played:
	default:
		close(c.played)
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}
