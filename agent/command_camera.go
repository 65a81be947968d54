package agent

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/letter"
)

func (a *Agent) probe(ctx context.Context, c letter.Command, progress func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.Probe)
	found, err := find.Probe(ctx, find.Config{
		Address: ask.Address, Credentials: credentials(ask.User, ask.Password),
		Progress: func(p find.Progress) { progress(letter.Progress{Says: p.Says, Done: p.Done, Of: p.Of, Still: p.Still}) },
	})
	if why, ok := errors.AsType[*find.Error](err); ok {
		return nil, failure(why.Reason, why.Message)
	} else if err != nil {
		return nil, err
	}
	return foundOf(found), nil
}

// foundOf says in a letter what a probe has found.
func foundOf(f find.Found) letter.Found {
	out := letter.Found{
		Host: f.Host, Brand: f.Brand, Clock: letter.CameraClock(f.Clock), Pin: letter.Pin(f.Pin), Findings: findingsOf(f.Findings),
	}
	for _, s := range f.Streams {
		out.Streams = append(out.Streams, letter.Stream{
			Role: letter.Role(s.Role), Address: s.Address, Codec: s.Codec, Profile: s.Profile, Width: s.Width, Height: s.Height,
			Rate: s.Rate, KeyIntervalMS: s.KeyIntervalMS, BFrames: s.BFrames, Bitrate: s.Bitrate, Audio: s.Audio,
			Still: s.Still, Findings: findingsOf(s.Findings),
		})
	}
	return out
}

func findingsOf(all []find.Finding) (out []letter.Finding) {
	for _, f := range all {
		out = append(out, letter.Finding{Severity: letter.Severity(f.Severity), Code: f.Code, Says: f.Says, Fix: f.Fix})
	}
	return out
}

func (a *Agent) discover(ctx context.Context, _ letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	all, err := find.Discover(ctx)
	if err != nil {
		return nil, err
	}
	var out letter.Devices
	for _, d := range all {
		out.Devices = append(out.Devices, letter.Device(d))
	}
	return out, nil
}

func credentials(user string, password letter.Password) camera.Credentials {
	return camera.Credentials{User: camera.NewSecret(user), Password: camera.NewSecret(string(password))}
}

// described makes a description of what a member has said of a camera.
func described(s letter.Source) (Camera, error) {
	c := Camera{Name: s.Name, Main: s.Main, Sub: s.Sub, Credentials: credentials(s.User, s.Password), Pin: find.Identity(s.Pin)}
	if err := c.check(); err != nil { // it is for whoever typed it, and repeats nothing
		return c, failure("address", sentence(err))
	}
	return c, nil
}

// sentence makes an error of this program's into one.
func sentence(err error) string {
	text := []rune(err.Error())
	if len(text) > 0 && text[0] >= 'a' && text[0] <= 'z' {
		text[0] -= 'a' - 'A'
	}
	return string(text) + "."
}

func (a *Agent) addCamera(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	fresh, err := described(c.(letter.AddCamera).Source)
	if err == nil {
		fresh, err = a.state.newCamera(fresh)
	}
	if err != nil {
		return nil, err
	}
	a.reconsider()
	return letter.Added{Camera: fresh.ID}, nil
}

func (a *Agent) describeCamera(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	w, err := a.described(c.(letter.DescribeCamera).Camera)
	if err != nil {
		return nil, err
	}
	return letter.Description{Name: w.Name, Main: w.Main, Sub: w.Sub, User: w.Credentials.User.Reveal(), Pin: letter.Pin(w.Pin)}, nil
}

// described reads a camera's description from the disk: what was just added may not
// be watched yet.
func (a *Agent) described(id latchkey.CameraID) (Camera, error) {
	all, err := a.state.ReadCameras()
	for _, c := range all {
		if c.ID == id {
			return c, nil
		}
	}
	return Camera{}, errors.Join(errNoCamera, err)
}

// changeCamera describes a camera anew. Its password stays if none is given, unless
// the camera is said to be on another machine: that would be told the password.
func (a *Agent) changeCamera(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.ChangeCamera)
	next, err := described(ask.Source)
	if err != nil {
		return nil, err
	}
	err = a.state.changeCamera(ask.Camera, func(kept *Camera) error {
		next.ID = kept.ID
		if ask.Password == "" && ask.User != "" && kept.Credentials.Password.Reveal() != "" {
			if !sameHosts(next, *kept) {
				return failure("password-needed", "The camera is to be looked for on another machine, so give its password again: the one that is kept is sent to nobody else.")
			}
			next.Credentials.Password = kept.Credentials.Password
		}
		*kept = next
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.reconsider()
	return letter.Done{}, nil
}

func (a *Agent) forgetCamera(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	if err := a.state.forgetCamera(c.(letter.ForgetCamera).Camera); err != nil {
		return nil, err
	}
	a.reconsider()
	return letter.Done{}, nil
}

// acceptDevice pins the device that is at the camera's address now.
func (a *Agent) acceptDevice(ctx context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	kept, err := a.described(c.(letter.AcceptDevice).Camera)
	if err != nil {
		return nil, err
	}
	seen, err := find.Identify(ctx, kept.Main, kept.Credentials)
	if err != nil {
		return nil, cameraFailure(err)
	}
	err = a.state.changeCamera(kept.ID, func(k *Camera) error {
		if k.Main != kept.Main {
			return failure("changed", "The camera was changed at the same time. Look at it again.")
		}
		k.Pin = seen
		return nil
	})
	if err != nil {
		return nil, err
	}
	a.reconsider()
	return letter.Done{}, nil
}

// cameraFailure says what is wrong with a camera, in the words of its state.
func cameraFailure(err error) error {
	if e, ok := errors.AsType[*camera.Error](err); ok {
		return failure(string(e.State), e.State.Says())
	}
	return err
}

// stillAge is how old a picture may be that is said to be of now.
const stillAge = 15 * time.Second

func (a *Agent) still(ctx context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	w, err := a.shown(c.(letter.StillPicture).Camera)
	if err != nil {
		return nil, err
	}
	s, err := w.handle.Still(ctx)
	if errors.Is(err, event.ErrNoPicture) || err == nil && a.clock.Now().Sub(s.Taken) > stillAge {
		a.mu.Lock()
		defer a.mu.Unlock()
		return nil, failure("no-picture", strings.TrimSpace("There is no picture of this camera just now. "+w.detail))
	} else if err != nil {
		return nil, err
	}
	return letter.Picture{JPEG: s.JPEG, Width: int64(s.Width), Height: int64(s.Height), Time: s.Taken.Wall}, nil
}

// shown is a camera that this agent may show: one that the home has placed with it and
// has not switched off.
func (a *Agent) shown(id latchkey.CameraID) (*watched, error) {
	w := a.watched(id)
	if w == nil || a.placement(id) != CameraStarting {
		return nil, errNoCamera
	}
	if a.wish(id).off {
		return nil, failure("off", "The camera is switched off. Nothing is received from it.")
	}
	return w, nil
}

func (a *Agent) wouldFire(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.WouldFire)
	w := a.watched(ask.Camera)
	if w == nil {
		return nil, errNoCamera
	}
	times, since := w.handle.WouldHaveFired(motionOf(ask.Sensitivity, ask.Zones, ask.Masks))
	out := letter.WouldHaveFired{Times: int64(times)}
	if !since.IsZero() {
		out.Since = a.clock.At(since).Wall
	}
	return out, nil
}

func (a *Agent) confirmHead(context.Context, letter.Command, func(letter.Progress)) (letter.Reply, error) {
	return letter.Confirmed{Head: a.chain.Title().Head()}, nil
}
