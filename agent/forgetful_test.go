package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// road is the way of an object over two disks that forget: the agent's spool and the
// server's blobs. Who acknowledges to whom is as in the real programs; the network and
// the index are left out, TestCrash has them.
type road struct {
	owner  *keytest.Owner
	agent  *keytest.Agent
	camera latchkey.CameraID
	home   *durabletest.Forgetful // the agent's disk
	away   *durabletest.Forgetful // the server's
	spool  *spool.Spool
	blobs  *blob.Disk

	accepted map[latchkey.Name][]byte // acknowledged to the camera
	keys     map[latchkey.Name][]byte // of objects, to open them in the end
}

func newRoad() (*road, error) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	r := &road{
		owner: owner, agent: agent, camera: owner.PlaceCamera(agent), home: durabletest.New(), away: durabletest.New(),
		accepted: map[latchkey.Name][]byte{}, keys: map[latchkey.Name][]byte{},
	}
	return r, errors.Join(r.startAgent(), r.startServer())
}

func (r *road) startAgent() error {
	key, _, err := spool.LoadKey(r.home, "key")
	if err != nil {
		return err
	}
	r.spool, err = spool.Open(spool.Config{FS: r.home, Home: r.owner.Home(), Key: key})
	return err
}

func (r *road) startServer() (err error) {
	r.blobs, err = blob.NewDisk(r.away)
	return err
}

// record is what the camera's side does.
func (r *road) record(kind latchkey.Kind) error {
	b := r.agent.Bind(r.owner.Title(), r.camera, kind)
	content := painted(b.Event, kind)
	_, err := r.spool.Add(b, r.agent.Keys.Signing, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err == nil {
		r.accepted[b.Name()] = content
	}
	return err
}

// carry is what the uplink and the server do with the most urgent object, in pieces.
func (r *road) carry(ctx context.Context) (more bool, err error) {
	item, ok := r.spool.Next(func(spool.Item) bool { return true })
	if !ok {
		return false, nil
	}
	o, err := r.spool.Open(item)
	if err != nil {
		return true, err
	}
	defer o.Body.Close()
	r.keys[item.Name] = o.Key[:]
	staging, err := r.blobs.Stage(ctx, o.Header)
	if err != nil {
		return true, err
	}
	defer staging.Close()
	if _, err := o.Body.Seek(int64(staging.Held()), io.SeekStart); err != nil {
		return true, err
	}
	for {
		if _, err := io.CopyN(staging, o.Body, 40_000); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return true, err
		}
	}
	if err := staging.Commit(ctx); err != nil {
		return true, err
	}
	return true, r.spool.Remove(item)
}

func (r *road) history(ctx context.Context) error {
	for _, kind := range []latchkey.Kind{latchkey.Thumbnail, latchkey.Clip, latchkey.Description} {
		if err := r.record(kind); err != nil {
			return err
		}
		if kind != latchkey.Clip {
			if _, err := r.carry(ctx); err != nil {
				return err
			}
		}
	}
	return r.drain(ctx)
}

// drain carries what is left, and goes on after what one more attempt mends.
func (r *road) drain(ctx context.Context) error {
	var last error
	for range 20 {
		more, err := r.carry(ctx)
		if !more {
			return nil
		}
		last = err
	}
	return fmt.Errorf("the spool does not become empty: %w", last)
}

// look wants every accepted object stored whole, and nothing left in the spool.
func (r *road) look(ctx context.Context) error {
	if s := r.spool.Status(); s.Objects+s.Refused+s.Damaged > 0 {
		return fmt.Errorf("the spool still holds %+v", s)
	}
	for name, want := range r.accepted {
		o, err := r.blobs.Open(ctx, name)
		if err != nil {
			return fmt.Errorf("a %s that was acknowledged is lost: %w", name.Kind, err)
		}
		body, err := io.ReadAll(o.Body)
		if err := errors.Join(err, o.Body.Close(), sealed.Verify(o.Header, name, r.owner.Title())); err != nil {
			return err
		}
		content, err := cobblestone.Open(r.keys[name], o.Header.Binding.Bytes(), body)
		if err != nil || !bytes.Equal(content, want) {
			return fmt.Errorf("a %s that was acknowledged is lost: what is stored does not open to it (%v)", name.Kind, err)
		}
	}
	return nil
}

// TestTwoDisksThatForget cuts the power of the agent, of the server, or of both before
// each operation on either disk in turn. Afterwards everything that was acknowledged to
// the camera arrives.
func TestTwoDisksThatForget(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	disks := map[string]func() bool{
		"forget everything": func() bool { return false },
		"forget nothing":    func() bool { return true },
		"forget something":  func() bool { return random.IntN(2) == 0 },
	}
	for name, keep := range disks {
		for _, who := range []string{"agent", "server", "both"} {
			t.Run(who+"/"+name, func(t *testing.T) {
				n := 0
				for ; ; n++ {
					cut, err := cutRoad(t.Context(), n, who, keep)
					if err != nil {
						t.Fatalf("cut at %d: %v", n, err)
					}
					if !cut {
						break
					}
				}
				if n < 60 {
					t.Errorf("the history has %d operations: is it still the one described?", n)
				}
			})
		}
	}
}

func cutRoad(ctx context.Context, n int, who string, keep func() bool) (cut bool, err error) {
	r, err := newRoad()
	if err != nil {
		return false, err
	}
	operations := 0
	count := func(dies bool) func(string, string) error {
		return func(op, name string) error {
			if cut && dies {
				return errCut // it has no power any more
			}
			if operations++; operations <= n || cut {
				return nil
			}
			cut = true
			if dies {
				return errCut
			}
			return nil
		}
	}
	r.home.Before(count(who != "server"))
	r.away.Before(count(who != "agent"))
	_ = r.history(ctx) // it ends where the power does
	r.home.Before(nil)
	r.away.Before(nil)
	if who != "server" {
		r.home.CrashKeeping(keep)
		err = r.startAgent()
	}
	if who != "agent" {
		r.away.CrashKeeping(keep)
		err = errors.Join(err, r.startServer())
	}
	if err != nil {
		return cut, err
	}
	return cut, errors.Join(r.drain(ctx), r.look(ctx))
}

var errCut = errors.New("the power is cut")

// TestTwoDisksNotice is the control: without the sync of files, or of folders, the test
// above says that something is lost.
func TestTwoDisksNotice(t *testing.T) {
	all := map[string]sabotage.Control{
		"files":   controls.Without(t, sabotage.Cut{File: "internal/durable/durable.go", Old: "if err := f.Sync(); err != nil {", New: "if err := error(nil); err != nil {"}),
		"folders": controls.Without(t, sabotage.Cut{File: "internal/durable/durable.go", Old: "if err := d.Sync(); err != nil {", New: "if err := error(nil); err != nil {"}),
	}
	t.Parallel()
	for what, without := range all {
		out, err := without.Tests(t.Context(), "^TestTwoDisksThatForget$")
		if err == nil || !bytes.Contains(out, []byte("cut at")) {
			t.Errorf("without the sync of %s the test says %v: %s", what, err, out)
		}
	}
}
