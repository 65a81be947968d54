package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/sealed"
)

// clipEvery is how much video goes into one sealed clip. ffmpeg and MediaMTX write
// files that go on; a clip is synced to the disk when it ends.
const clipEvery = 10 * time.Second

// keeper seals clips into a spool, as the agent does, and keeps the newest few.
type keeper struct {
	spool *spool.Spool
	keys  *key.AgentKeys
	home  latchkey.HomeID
	clock *clock.Clock

	mu       sync.Mutex
	sequence uint64
}

// store takes in cameras and seals and stores everything that they send. Args are a
// folder, the server's address and how many.
func store(ctx context.Context, args []string) error {
	k := &keeper{home: latchkey.HomeID{1}, clock: clock.New(clock.Config{})}
	var err error
	if k.keys, err = key.NewAgentKeys(); err != nil {
		return err
	}
	dir, err := durable.Open(args[0])
	if err != nil {
		return err
	}
	defer dir.Close()
	spoolKey, _, err := spool.LoadKey(dir, "spool.key")
	if err != nil {
		return err
	}
	entries, err := dir.Sub("spool")
	if err != nil {
		return err
	}
	defer entries.Close()
	if k.spool, err = spool.Open(spool.Config{FS: entries, Home: k.home, Key: spoolKey}); err != nil {
		return err
	}
	return each(ctx, args[1], args[2], "main", func(ctx context.Context, s camera.Source) error {
		return k.camera(ctx, s)
	})
}

// each runs work for each of so many cameras at once.
func each(ctx context.Context, address, count, stream string, work func(context.Context, camera.Source) error) error {
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	at, err := camera.ParseAddress("rtsp://" + address + "/" + stream)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			if err := work(ctx, camera.Source{Address: at}); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "cameras:", err)
			}
		})
	}
	all.Wait()
	return nil
}

func (k *keeper) camera(ctx context.Context, s camera.Source) error {
	id := latchkey.NewCameraID()
	ring := media.Ring{Limit: 32 << 20}
	var since time.Time
	return camera.Follow(ctx, s, func(u media.Unit) {
		if since.IsZero() {
			since = u.Taken
		}
		if !u.Key || u.Taken.Sub(since) < clipEvery {
			ring.Add(u)
			return
		}
		groups := ring.Since(since)
		if err := k.keep(id, groups); err != nil {
			fmt.Fprintln(os.Stderr, "cameras:", err)
		}
		ring.Clear()
		since = u.Taken
		ring.Add(u)
	}, nil)
}

// keep seals a clip, and forgets the oldest when there are many.
func (k *keeper) keep(camera latchkey.CameraID, groups []media.Group) error {
	at := k.clock.At(groups[0].Start())
	clip, err := media.NewClip(groups, at.Wall.Time())
	if err != nil {
		return err
	}
	k.mu.Lock()
	k.sequence++
	sequence := k.sequence
	k.mu.Unlock()
	_, err = k.spool.Add(sealed.Binding{
		Kind: latchkey.Clip, Quality: sealed.TimeEstimated, Home: k.home, Camera: camera, Event: latchkey.NewEventID(), Object: latchkey.NewObjectID(),
		AgentKey: k.keys.KeyID(), Incarnation: 1, Sequence: sequence, Time: at.Wall, Monotonic: at.Monotonic,
	}, k.keys.Signing, func(w io.Writer) error {
		_, err := clip.WriteTo(w)
		return err
	})
	if err != nil || k.spool.Status().Objects < 64 {
		return err
	}
	item, ok := k.spool.Next(func(spool.Item) bool { return true })
	if !ok {
		return nil
	}
	return k.spool.Remove(item)
}

// startCopies starts an ffmpeg for each camera that copies it into a file that
// survives a crash.
func startCopies(ctx context.Context, folder, address string, n int) (*group, error) {
	g := &group{}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return g, err
	}
	for i := range n {
		err := g.add(ctx, "ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-rtsp_transport", "tcp", "-i", "rtsp://"+address+"/main",
			"-c", "copy", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof", filepath.Join(folder, strconv.Itoa(i)+".mp4"))
		if err != nil {
			return g, err
		}
	}
	return g, nil
}

// startMediaMTX starts the MediaMTX that LATCHKEY_BENCH_MEDIAMTX names, recording the
// cameras; nil if it names none.
func startMediaMTX(ctx context.Context, folder, address string, n int) (*group, error) {
	program := os.Getenv("LATCHKEY_BENCH_MEDIAMTX")
	if program == "" {
		return nil, nil
	}
	if _, err := exec.LookPath(program); err != nil {
		return nil, fmt.Errorf("LATCHKEY_BENCH_MEDIAMTX: %w", err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "logLevel: error\nrtsp: no\nrtmp: no\nhls: no\nwebrtc: no\nsrt: no\nmoq: no\npathDefaults:\n  record: yes\n  recordFormat: fmp4\n  recordPath: %s/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f\n  rtspTransport: tcp\npaths:\n", folder)
	for i := range n {
		fmt.Fprintf(&b, "  camera%d:\n    source: rtsp://%s/main\n", i, address)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "mediamtx.yml")
	if err := os.WriteFile(config, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	return start(ctx, program, config)
}
