package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/settings"
)

// Camera is a camera as the person who looks after the agent has described it. It is
// kept in the agent's folder and nowhere else; the home learns its ID and, sealed, its
// name.
type Camera struct {
	ID          latchkey.CameraID
	Name        string
	Main, Sub   string // addresses without user and password; Sub may be empty
	Credentials camera.Credentials
}

// cameraFile is a camera on the disk. It is the only place where a camera's password
// is written, and only the folder's owner can read it.
type cameraFile struct {
	V        int               `json:"v"`
	ID       latchkey.CameraID `json:"id"`
	Name     string            `json:"name"`
	Main     string            `json:"main"`
	Sub      string            `json:"sub,omitempty"`
	User     string            `json:"user,omitempty"`
	Password string            `json:"password,omitempty"`
}

const (
	camerasDir = "cameras"
	maxCamera  = 64 << 10
)

// ParseAddress takes the user and password out of a camera's address, if they are in
// it, and checks what is left. The errors are for the person who typed it, and repeat
// nothing of it.
func ParseAddress(address string) (bare string, c camera.Credentials, err error) {
	if u, err := url.Parse(address); err == nil && u.User != nil {
		password, _ := u.User.Password()
		c = camera.Credentials{User: camera.NewSecret(u.User.Username()), Password: camera.NewSecret(password)}
		u.User = nil
		address = u.String()
	}
	a, err := camera.ParseAddress(address)
	if err != nil {
		return "", camera.Credentials{}, err
	}
	return a.String(), c, c.Check()
}

// CheckCameraName says what is wrong with a camera's name, nil if nothing is.
func CheckCameraName(name string) error {
	if err := settings.CheckName(name); err != nil {
		return fmt.Errorf("this is no name for a camera: %w", err)
	}
	return nil
}

// ReadCameras returns the cameras described in the agent's folder, by name. One that
// cannot be read is left out, and the error says which; the others are returned too.
func (s *State) ReadCameras() ([]Camera, error) {
	entries, err := durable.List(s.dir, camerasDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Camera
	var wrong []error
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		c, err := s.readCamera(camerasDir + "/" + e.Name())
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Camera) int { return strings.Compare(a.Name, b.Name) })
	return all, errors.Join(wrong...)
}

func (s *State) readCamera(name string) (Camera, error) {
	b, err := durable.ReadBytes(s.dir, name, maxCamera)
	if err != nil {
		return Camera{}, err
	}
	var f cameraFile
	if err := json.Unmarshal(b, &f); err != nil {
		return Camera{}, fmt.Errorf("read %s: it is not a camera's description; remove that file and add the camera again", name) // the decoder's error could quote it
	}
	if f.V != 1 || f.Name == "" || f.Main == "" || f.ID == (latchkey.CameraID{}) {
		return Camera{}, fmt.Errorf("read %s: it is not a camera's description of version 1; remove that file and add the camera again", name)
	}
	return Camera{
		ID: f.ID, Name: f.Name, Main: f.Main, Sub: f.Sub,
		Credentials: camera.Credentials{User: camera.NewSecret(f.User), Password: camera.NewSecret(f.Password)},
	}, nil
}

// AddCamera keeps the description of a camera; an agent that runs notices within a
// second. A camera of the same name is described anew and stays the same camera. It
// returns the camera with its ID, and whether it is a new one.
func (s *State) AddCamera(c Camera) (Camera, bool, error) {
	if err := c.check(); err != nil {
		return Camera{}, false, err
	}
	l, err := takeLock(s.folder, camerasLock, true)
	if err != nil {
		return Camera{}, false, err
	}
	defer l.release() // the process's end does it too
	known, err := s.ReadCameras()
	if err != nil {
		return Camera{}, false, fmt.Errorf("add camera: %w", err)
	}
	i := slices.IndexFunc(known, func(k Camera) bool { return k.Name == c.Name })
	switch {
	case i >= 0:
		c.ID = known[i].ID
	case c.ID == latchkey.CameraID{}:
		c.ID = latchkey.NewCameraID()
	}
	b, err := json.MarshalIndent(cameraFile{
		V: 1, ID: c.ID, Name: c.Name, Main: c.Main, Sub: c.Sub,
		User: c.Credentials.User.Reveal(), Password: c.Credentials.Password.Reveal(),
	}, "", "  ")
	if err != nil {
		panic("internal error: encode a camera: " + err.Error())
	}
	if err := durable.MkdirAll(s.dir, camerasDir); err != nil {
		return Camera{}, false, err
	}
	if err := durable.WriteBytes(s.dir, camerasDir+"/"+c.ID.String()+".json", append(b, '\n')); err != nil {
		return Camera{}, false, fmt.Errorf("add camera: %w", err)
	}
	return c, i < 0, nil
}

func (c Camera) check() error {
	if err := CheckCameraName(c.Name); err != nil {
		return err
	}
	if err := c.Credentials.Check(); err != nil {
		return err
	}
	if _, err := camera.ParseAddress(c.Main); err != nil {
		return err
	}
	if c.Sub == "" {
		return nil
	}
	_, err := camera.ParseAddress(c.Sub)
	return err
}
