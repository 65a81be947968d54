package agent

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/camera/find"
	"github.com/latchkey-cam/latchkey/deed"
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
	Pin         find.Identity // which device it is; zero if nobody has looked
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
	Pin      *find.Identity    `json:"pin,omitempty"` // since version 2
}

const (
	camerasDir    = "cameras"
	maxCamera     = 64 << 10
	cameraVersion = 2
)

// Errors of describing cameras.
var (
	// errNoCamera: no camera of that ID is described.
	errNoCamera = errors.New("this agent has no such camera")
	// errNameTaken: another camera is called so.
	errNameTaken = errors.New("another camera of this agent has this name")
	// errTooManyCameras: a home has no room for another one.
	errTooManyCameras = fmt.Errorf("an agent has at most %d cameras", deed.MaxCameras)
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
func (s *State) ReadCameras() ([]Camera, error) { return s.readCameras(camerasDir) }

func (s *State) readCameras(folder string) ([]Camera, error) {
	entries, err := durable.List(s.dir, folder)
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
		c, err := s.readCamera(folder + "/" + e.Name())
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
	switch {
	case f.V > cameraVersion:
		return Camera{}, fmt.Errorf("read %s: it is a camera's description of version %d and this program reads up to %d; use a newer latchkey", name, f.V, cameraVersion)
	case f.V < 1 || f.Name == "" || f.Main == "" || f.ID == (latchkey.CameraID{}):
		return Camera{}, fmt.Errorf("read %s: it is not a camera's description; remove that file and add the camera again", name)
	}
	c := Camera{
		ID: f.ID, Name: f.Name, Main: f.Main, Sub: f.Sub,
		Credentials: camera.Credentials{User: camera.NewSecret(f.User), Password: camera.NewSecret(f.Password)},
	}
	if f.Pin != nil {
		c.Pin = *f.Pin
	}
	return c, nil
}

// AddCamera keeps the description of a camera; an agent that runs notices within a
// second. A camera of the same name is described anew and stays the same camera; its
// pin stays too where the new description has none and leads to the same hosts. It
// returns the camera with its ID, and whether it is a new one.
func (s *State) AddCamera(c Camera) (added Camera, fresh bool, err error) {
	err = s.describe(c, func(known []Camera) error {
		i := slices.IndexFunc(known, func(k Camera) bool { return k.Name == c.Name })
		switch {
		case i >= 0:
			c.ID = known[i].ID
			if c.Pin == (find.Identity{}) && sameHosts(c, known[i]) {
				c.Pin = known[i].Pin
			}
		case len(known) >= deed.MaxCameras:
			return errTooManyCameras
		case c.ID == latchkey.CameraID{}:
			c.ID = latchkey.NewCameraID()
		}
		fresh = i < 0
		return s.write(c)
	})
	return c, fresh, err
}

// newCamera keeps the description of a camera whose name no other has.
func (s *State) newCamera(c Camera) (Camera, error) {
	err := s.describe(c, func(known []Camera) error {
		if slices.ContainsFunc(known, func(k Camera) bool { return k.Name == c.Name }) {
			return errNameTaken
		}
		if len(known) >= deed.MaxCameras {
			return errTooManyCameras
		}
		c.ID = latchkey.NewCameraID()
		return s.write(c)
	})
	return c, err
}

// changeCamera describes a camera anew; change is given what is kept.
func (s *State) changeCamera(id latchkey.CameraID, change func(*Camera) error) error {
	return s.locked(func() error {
		known, err := s.ReadCameras()
		i := slices.IndexFunc(known, func(k Camera) bool { return k.ID == id })
		if i < 0 {
			return cmp.Or(err, errNoCamera)
		}
		c := known[i]
		if err := change(&c); err != nil {
			return err
		}
		if slices.ContainsFunc(known, func(k Camera) bool { return k.ID != id && k.Name == c.Name }) {
			return errNameTaken
		}
		if err := c.check(); err != nil {
			return err
		}
		return s.write(c)
	})
}

// forgetCamera removes what is kept of a camera, with its password.
func (s *State) forgetCamera(id latchkey.CameraID) error {
	return s.locked(func() error {
		err := durable.Remove(s.dir, camerasDir+"/"+id.String()+".json")
		if errors.Is(err, fs.ErrNotExist) {
			return errNoCamera
		}
		return err
	})
}

// describe checks a description and keeps it as add says, which is given what is known.
func (s *State) describe(c Camera, add func(known []Camera) error) error {
	if err := c.check(); err != nil {
		return err
	}
	return s.locked(func() error {
		known, err := s.ReadCameras()
		if err != nil {
			return fmt.Errorf("add camera: %w", err)
		}
		return add(known)
	})
}

// locked runs do while no other program changes the cameras.
func (s *State) locked(do func() error) error {
	l, err := takeLock(s.folder, camerasLock, true)
	if err != nil {
		return err
	}
	defer l.release() // the process's end does it too
	return do()
}

func (s *State) write(c Camera) error {
	f := cameraFile{
		V: cameraVersion, ID: c.ID, Name: c.Name, Main: c.Main, Sub: c.Sub,
		User: c.Credentials.User.Reveal(), Password: c.Credentials.Password.Reveal(),
	}
	if c.Pin != (find.Identity{}) {
		f.Pin = &c.Pin
	}
	b, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		panic("internal error: encode a camera: " + err.Error())
	}
	if err := durable.MkdirAll(s.dir, camerasDir); err != nil {
		return err
	}
	if err := durable.WriteBytes(s.dir, camerasDir+"/"+c.ID.String()+".json", append(b, '\n')); err != nil {
		return fmt.Errorf("keep the description of camera %q: %w", c.Name, err)
	}
	return nil
}

// sameHosts says whether two descriptions lead to the same machine.
func sameHosts(a, b Camera) bool {
	hosts := func(c Camera) (all []string) {
		for _, address := range []string{c.Main, c.Sub} {
			if u, err := url.Parse(address); err == nil && address != "" && !slices.Contains(all, u.Hostname()) {
				all = append(all, u.Hostname())
			}
		}
		return all
	}
	for _, h := range hosts(a) {
		if !slices.Contains(hosts(b), h) {
			return false
		}
	}
	return true
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
