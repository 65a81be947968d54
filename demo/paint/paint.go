// Package paint is three cameras that do not exist: scenes drawn in Go, encoded by
// ffmpeg and served by a real RTSP server on loopback, with a password, a main stream
// with sound and a smaller sub stream, as a camera in a home would. The demonstration and the
// tests watch them by the same path as any camera.
//
// What a scene shows follows from the time alone, so that a test can ask for the
// picture of any moment with [Frame].
package paint

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
)

// The size and pace of a painted camera's main stream; the sub stream is half as wide
// and high.
const (
	Width     = 640
	Height    = 360
	FrameRate = 12 // frames a second: enough to look alive, a few per cent of a core
	clockRate = 90000
)

// Config says which camera to serve.
type Config struct {
	Scene Scene

	// Addr is where the RTSP server listens, "127.0.0.1:0" if empty.
	Addr string

	// Strip burns a clock into the picture that programs can read.
	Strip bool

	// User and Password are what the camera asks for; it is open if both are empty.
	User, Password string
}

// Camera is a running painted camera.
type Camera struct {
	config   Config
	server   *gortsplib.Server
	encoder  *encoder
	stop     context.CancelFunc
	finished sync.WaitGroup

	mu      sync.Mutex                         // protects streams
	streams map[string]*gortsplib.ServerStream // by path, once the first key frame has come
}

// Serve starts a camera and returns when its streams can be watched. It runs until
// ctx ends or Close is called.
func Serve(ctx context.Context, config Config) (*Camera, error) {
	if config.Addr == "" {
		config.Addr = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", config.Addr)
	if err != nil {
		return nil, fmt.Errorf("listen as camera %s: %w", config.Scene, err)
	}
	config.Addr = listener.Addr().String()
	c := &Camera{config: config, streams: map[string]*gortsplib.ServerStream{}}
	c.server = &gortsplib.Server{
		Handler:     c,
		RTSPAddress: config.Addr,
		AuthMethods: []auth.VerifyMethod{auth.VerifyMethodDigestMD5}, // the only digest that every client knows
		Listen:      func(string, string) (net.Listener, error) { return listener, nil },
	}
	if err := c.server.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("serve camera %s: %w", config.Scene, err), listener.Close())
	}
	ctx, c.stop = context.WithCancel(ctx)
	c.encoder, err = startEncoder(ctx, config.Scene, config.Strip)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("encode camera %s: %w", config.Scene, err)
	}
	ready := make(chan struct{}, 2)
	for path, video := range map[string]<-chan picture{"main": c.encoder.main, "sub": c.encoder.sub} {
		c.finished.Go(func() { c.publish(ctx, path, video, ready) })
	}
	for range 2 {
		select {
		case <-ready:
		case <-time.After(20 * time.Second):
			c.Close()
			return nil, fmt.Errorf("encode camera %s: no picture within 20 s: %s", config.Scene, c.encoder.complaint())
		case <-ctx.Done():
			c.Close()
			return nil, ctx.Err()
		}
	}
	return c, nil
}

// URL is the address of the main stream, without user or password.
func (c *Camera) URL() string { return "rtsp://" + c.config.Addr + "/main" }

// SubURL is the address of the sub stream, without user or password.
func (c *Camera) SubURL() string { return "rtsp://" + c.config.Addr + "/sub" }

// Close ends the camera and the ffmpeg child behind it, and returns when both are gone.
func (c *Camera) Close() error {
	if c.stop != nil {
		c.stop()
	}
	if c.encoder != nil {
		c.encoder.wait()
	}
	c.finished.Wait()
	c.server.Close()
	return nil
}

// publish sends one encoded video, and the main one's sound, to whoever watches it.
func (c *Camera) publish(ctx context.Context, path string, video <-chan picture, ready chan<- struct{}) {
	var stream *gortsplib.ServerStream
	var send func(picture) error
	var sound sync.WaitGroup
	ctx, hush := context.WithCancel(ctx)
	defer func() {
		hush()
		sound.Wait()
		if stream != nil {
			stream.Close()
		}
	}()
	for p := range video {
		if stream == nil {
			if p.sps == nil {
				continue
			}
			var err error
			if stream, send, err = c.announce(path, p); err != nil {
				return
			}
			if medias := stream.Desc.Medias; len(medias) > 1 {
				sound.Go(func() { sing(ctx, c.config.Scene, stream, medias[1]) })
			}
			ready <- struct{}{}
		}
		if send(p) != nil {
			return
		}
	}
}

// announce makes the stream that a first key frame p describes.
func (c *Camera) announce(path string, p picture) (*gortsplib.ServerStream, func(picture) error, error) {
	h264 := &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: p.sps, PPS: p.pps}
	media := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h264}}
	stream := &gortsplib.ServerStream{Server: c.server, Desc: &description.Session{Title: c.config.Scene.String(), Medias: []*description.Media{media}}}
	if path == "main" {
		stream.Desc.Medias = append(stream.Desc.Medias, soundTrack())
	}
	if err := stream.Initialize(); err != nil {
		return nil, nil, err
	}
	packets, err := h264.CreateEncoder()
	if err != nil {
		stream.Close()
		return nil, nil, err
	}
	c.mu.Lock()
	c.streams[path] = stream
	c.mu.Unlock()
	return stream, func(p picture) error {
		encoded, err := packets.Encode(p.units)
		if err != nil {
			return err
		}
		for _, packet := range encoded {
			packet.Timestamp = p.stamp
			if err := stream.WritePacketRTPWithNTP(media, packet, c.encoder.painted(p)); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (c *Camera) admit(conn *gortsplib.ServerConn, r *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	if c.config.User+c.config.Password != "" && !conn.VerifyCredentials(r, c.config.User, c.config.Password) {
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, stream := range c.streams {
		if path == "/"+name || path == name {
			return &base.Response{StatusCode: base.StatusOK}, stream, nil
		}
	}
	return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
}

// OnDescribe answers a client that asks what the camera sends.
func (c *Camera) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.admit(ctx.Conn, ctx.Request, ctx.Path)
}

// OnSetup answers a client that wants one of the streams.
func (c *Camera) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.admit(ctx.Conn, ctx.Request, ctx.Path)
}

// OnPlay answers a client that wants the stream to begin.
func (c *Camera) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}
