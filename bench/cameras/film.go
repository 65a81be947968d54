package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
)

// film is a video that is played again and again.
type film struct {
	size     string
	rate     int // pictures a second
	kilobits int // a second
}

// films are what a camera of the bench sends: a moving test picture, in the size that
// is recorded and in a smaller one, with a key frame every two seconds.
var films = map[string]film{
	"main": {"1920x1080", 15, 2000},
	"sub":  {"640x360", 10, 300},
}

const filmSeconds = 20

func (f film) make(ctx context.Context, file string) error {
	rate := fmt.Sprintf("%dk", f.kilobits)
	c := exec.CommandContext(ctx, "ffmpeg", "-hide_banner", "-loglevel", "error", "-y",
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=%s:rate=%d", f.size, f.rate), "-t", strconv.Itoa(filmSeconds),
		"-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-bf", "0", "-g", strconv.Itoa(2*f.rate),
		"-x264-params", "scenecut=0:repeat-headers=1:sliced-threads=0:nal-hrd=cbr:force-cfr=1", "-b:v", rate, "-minrate", rate, "-maxrate", rate, "-bufsize", rate,
		"-f", "h264", file)
	c.Stderr = os.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("make a film: %w", err)
	}
	return nil
}

// pictures cuts a film into its pictures, each the NAL units up to its one slice.
func pictures(file string) (all [][][]byte, sps, pps []byte, err error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, nil, err
	}
	var picture [][]byte
	for _, nal := range bytes.Split(b, []byte{0, 0, 1}) {
		nal = bytes.TrimRight(nal, "\x00")
		if len(nal) == 0 {
			continue
		}
		switch nal[0] & 0x1f {
		case 7:
			sps = nal
		case 8:
			pps = nal
		case 12: // filling up to the rate
			if len(picture) == 0 && len(all) > 0 {
				all[len(all)-1] = append(all[len(all)-1], nal)
				continue
			}
		}
		picture = append(picture, nal)
		if t := nal[0] & 0x1f; t == 1 || t == 5 {
			all = append(all, picture)
			picture = nil
		}
	}
	if sps == nil || pps == nil {
		return nil, nil, nil, errors.New("read a film: no parameter sets")
	}
	return all, sps, pps, nil
}

// cinema is an RTSP server that plays both films.
type cinema struct {
	server *gortsplib.Server

	mu      sync.Mutex
	streams map[string]*gortsplib.ServerStream
}

// serve plays the films of a folder and prints where.
func serve(ctx context.Context, args []string) error {
	c := &cinema{streams: map[string]*gortsplib.ServerStream{}}
	c.server = &gortsplib.Server{Handler: c, RTSPAddress: "127.0.0.1:0", WriteQueueSize: 1024}
	if err := c.server.Start(); err != nil {
		return err
	}
	defer c.server.Close()
	var playing sync.WaitGroup
	for name, f := range films {
		all, sps, pps, err := pictures(filepath.Join(args[0], name))
		if err != nil {
			return err
		}
		h264 := &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: sps, PPS: pps}
		m := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h264}}
		stream := &gortsplib.ServerStream{Server: c.server, Desc: &description.Session{Medias: []*description.Media{m}}}
		if err := stream.Initialize(); err != nil {
			return err
		}
		c.streams["/"+name] = stream
		playing.Go(func() { play(ctx, f, all, h264, m, stream) })
	}
	fmt.Println(c.server.NetListener().Addr())
	playing.Wait()
	return nil
}

func play(ctx context.Context, f film, all [][][]byte, h264 *format.H264, m *description.Media, stream *gortsplib.ServerStream) {
	packets, err := h264.CreateEncoder()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cameras:", err)
		return
	}
	began := time.Now()
	for i := 0; ; i++ {
		at := time.Duration(i) * time.Second / time.Duration(f.rate)
		if pause(ctx, time.Until(began.Add(at))) != nil {
			return
		}
		encoded, err := packets.Encode(all[i%len(all)])
		if err != nil {
			fmt.Fprintln(os.Stderr, "cameras:", err)
			return
		}
		for _, p := range encoded {
			p.Timestamp = uint32(int64(at) * 90 / int64(time.Millisecond))
			if err := stream.WritePacketRTP(m, p); err != nil {
				return
			}
		}
	}
}

func (c *cinema) stream(path string) (*base.Response, *gortsplib.ServerStream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s, ok := c.streams[path]; ok {
		return &base.Response{StatusCode: base.StatusOK}, s, nil
	}
	return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
}

// OnDescribe answers a client that asks what there is.
func (c *cinema) OnDescribe(r *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.stream(r.Path)
}

// OnSetup answers a client that wants a stream.
func (c *cinema) OnSetup(r *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return c.stream(r.Path)
}

// OnPlay answers a client that wants the stream to begin.
func (c *cinema) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}
