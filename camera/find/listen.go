package find

import (
	"context"
	"errors"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/onvif"
)

// hearing is how long a camera that is listened to may take to answer; half of it, it
// may wait for something to happen.
const hearing = 20 * time.Second

// errDeaf is that a camera says nothing that could be heard.
var errDeaf = errors.New("the camera does not say by ONVIF what it sees")

// CanListen reports whether it is known where the camera answers ONVIF: at one of the
// usual ports, where it has told the serial number that was pinned.
func (g *Guard) CanListen() bool { return g.Pin.Serial != "" }

// Listen tells what the camera itself says that it sees, until ctx ends or it cannot be
// listened to any more. It is the pinned device that is listened to, and of one that has
// several cameras only what is about the one whose stream is at the address. The error
// is that of ctx, an [ErrAnother], or a [*camera.Error]; of these WrongPassword is not to
// be tried again.
func (g *Guard) Listen(ctx context.Context, saw func(latchkey.Sighting)) error {
	if !g.CanListen() {
		return errDeaf
	}
	if _, err := g.look(ctx, g.Pin); err != nil {
		return err
	}
	t, err := parseTarget(g.Address)
	if err != nil {
		return errDeaf
	}
	ip, err := t.resolve(ctx, true)
	if err != nil {
		return camera.NewError(camera.Unreachable, "listen to camera: no such host")
	}
	g.mu.Lock()
	port := g.port
	g.mu.Unlock()
	client := dialONVIF(ctx, ip, []uint16{port}, onvif.Config{Credentials: g.Credentials, Patience: hearing})
	if client == nil {
		return camera.NewError(camera.Unreachable, "listen to camera: it does not answer ONVIF")
	}
	defer client.Close()
	sources, err := sourcesAt(ctx, client, t.path)
	if err == nil {
		err = client.Listen(ctx, sources, saw)
	}
	if errors.Is(err, onvif.ErrRefused) {
		return camera.NewError(camera.WrongPassword, "listen to camera: it refuses this user and password by ONVIF")
	}
	return err
}

// sourcesAt returns by which tokens the device names the picture of a stream in what it
// says; none if it has only one picture.
func sourcesAt(ctx context.Context, client *onvif.Client, path string) ([]string, error) {
	all, err := client.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	pictures := map[string]bool{}
	for _, p := range all {
		if p.Source != "" {
			pictures[p.Source] = true
		}
	}
	if len(pictures) < 2 {
		return nil, nil
	}
	for i, p := range all {
		if i == maxStreams {
			break
		}
		u, err := client.StreamURI(ctx, p.Token)
		if err != nil || path == "" || u.RequestURI() != path {
			continue
		}
		tokens := []string{p.Source}
		if p.Configuration != "" {
			tokens = append(tokens, p.Configuration)
		}
		return tokens, nil
	}
	return nil, errDeaf // it could be any of them
}
