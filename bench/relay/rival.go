package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"github.com/latchkey-cam/latchkey/bench/role"
)

// mediaMTX is the audience of a MediaMTX: one who publishes and those who read, by RTSP
// over one TCP connection each, with TLS.
type mediaMTX struct{ address string }

func (m mediaMTX) client() *gortsplib.Client {
	tcp := gortsplib.ProtocolTCP
	return &gortsplib.Client{Scheme: "rtsps", Host: m.address, Protocol: &tcp, TLSConfig: anyServer(), WriteQueueSize: 1024}
}

// The parameter sets of some camera of 1920x1080: MediaMTX looks at them.
var (
	sps = []byte{
		0x67, 0x42, 0xc0, 0x28, 0xd9, 0x00, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00,
		0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc9, 0x20,
	}
	pps = []byte{0x68, 0xcb, 0x83, 0xcb, 0x20}
)

// picture is the n-th as a camera sends it: of the same size as ours.
func picture(n uint32, noise []byte) []byte {
	b := append([]byte{0x41}, noise[:size(n)]...)
	if isKey(n) {
		b[0] = 0x65
	}
	return b
}

func (m mediaMTX) bring(ctx context.Context) error {
	h264 := &format.H264{PayloadTyp: 96, PacketizationMode: 1, SPS: sps, PPS: pps}
	medium := &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h264}}
	packets, err := h264.CreateEncoder()
	if err != nil {
		return err
	}
	c := m.client()
	if err := c.StartRecording("rtsps://"+m.address+"/film", &description.Session{Medias: []*description.Media{medium}}); err != nil {
		return err
	}
	defer c.Close()
	pictures := noise()
	return film(ctx, 1, func(n uint32) error {
		all, err := packets.Encode([][]byte{picture(n, pictures)})
		if err != nil {
			return err
		}
		for _, p := range all {
			p.Timestamp = n * 90_000 / rate
			if err := c.WritePacketRTP(medium, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (m mediaMTX) join(ctx context.Context, t *tally, joined func()) error {
	c, err := m.read(ctx)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, c.Close)
	c.OnPacketRTPAny(func(_ *description.Media, _ format.Format, p *rtp.Packet) { t.add(len(p.Payload)+12, 0, 0) })
	if _, err := c.Play(nil); err != nil {
		return err
	}
	joined()
	if err := c.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// read begins to read the film. Who comes before it is published tries again.
func (m mediaMTX) read(ctx context.Context) (*gortsplib.Client, error) {
	for {
		c := m.client()
		err := c.Start()
		if err != nil {
			return nil, err
		}
		u, err := base.ParseURL("rtsps://" + m.address + "/film")
		if err != nil {
			return nil, err
		}
		d, _, err := c.Describe(u)
		if err == nil {
			err = c.SetupAll(d.BaseURL, d.Medias)
		}
		if err == nil {
			return c, nil
		}
		c.Close()
		if pause(ctx, 100*time.Millisecond) != nil {
			return nil, err
		}
	}
}

// measureMediaMTX measures the MediaMTX that LATCHKEY_BENCH_MEDIAMTX names; nil if it
// names none.
func measureMediaMTX(ctx context.Context, folder string, n int, span time.Duration) (*result, error) {
	program := os.Getenv("LATCHKEY_BENCH_MEDIAMTX")
	if program == "" {
		return nil, nil
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("LATCHKEY_BENCH_MEDIAMTX: %w", err)
	}
	address, err := role.FreeAddress()
	if err != nil {
		return nil, err
	}
	certificateFile, keyFile := certificateIn(folder)
	config := filepath.Join(folder, "mediamtx.yml")
	text := fmt.Sprintf("logLevel: error\nrtsp: yes\nrtspTransports: [tcp]\nrtspEncryption: strict\nrtspsAddress: %s\nrtspServerCert: %s\nrtspServerKey: %s\n"+
		"rtmp: no\nhls: no\nwebrtc: no\nsrt: no\nmoq: no\npaths:\n  film:\n", address, certificateFile, keyFile)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	server, err := role.StartProgram(ctx, address, program, config)
	if err != nil {
		return nil, err
	}
	defer server.End()
	r, err := watch(ctx, server, mediaMTX{address}, n, span)
	if err != nil {
		return nil, err
	}
	return &r, nil
}
