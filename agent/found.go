package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
)

// leavingFile says that the folder's agent leaves its home for a new one, until it has
// joined that. Before its files have been put aside whoever opens the folder goes on with
// that; afterwards the folder is like a new one that has cameras.
const leavingFile = "leaving.json"

type leaving struct {
	V     int    `json:"v"`
	Old   string `json:"old"`   // the folder in which what belongs to the old home is kept
	Aside bool   `json:"aside"` // it is all there
}

// FoundAgainConfig is what [FoundAgain] must know.
type FoundAgainConfig struct {
	// Folder is the agent's, which belongs to the home that is left.
	Folder string

	// Link is given the link with which somebody founds the new home. It holds secrets.
	Link func(text string)

	// Progress, HTTP, Retry and Log are those of [JoinConfig].
	Progress func(string)
	HTTP     *http.Client
	Retry    time.Duration
	Log      *slog.Logger
}

// FoundAgain takes the agent of a folder out of a home of which every key is lost: what
// belongs to that home is put aside, for good, and a new agent with the same cameras
// joins the home that somebody founds with the link. Broken off, it is begun again with
// another link.
func FoundAgain(ctx context.Context, c FoundAgainConfig) (Joined, error) {
	j := &joining{config: JoinConfig{Folder: c.Folder, Progress: c.Progress, HTTP: c.HTTP, Retry: cmp.Or(c.Retry, time.Second), Log: c.Log}}
	if j.config.Progress == nil {
		j.config.Progress = func(string) {}
	}
	var err error
	if j.state, err = openExisting(c.Folder, nil); err != nil {
		return Joined{}, err
	}
	defer j.state.Close() // everything was written durably
	lock, err := takeLock(c.Folder, lockFile, false)
	if errors.Is(err, errLocked) {
		return Joined{}, ErrRunning
	} else if err != nil {
		return Joined{}, err
	}
	defer lock.release() // the process's end does it too
	l, err := j.state.leaving()
	if err != nil {
		return Joined{}, err
	}
	id, err := j.state.settled()
	switch {
	case err != nil && !(errors.Is(err, errNotJoined) && l != nil):
		return Joined{}, notJoined(err)
	case l == nil && !id.Placed:
		return Joined{}, ErrNotJoined
	case l != nil && id.Placed: // a power cut came before that was said
		chain, err := uplink.LoadChain(j.state.dir, deedsFile, id.Home)
		if err != nil {
			return Joined{}, err
		}
		return Joined{id.Home, homeStatus(id.Home, chain.Title())}, nil
	}
	return j.foundAgain(ctx, l, c.Link)
}

func notJoined(err error) error {
	if errors.Is(err, errNotJoined) {
		return ErrNotJoined
	}
	return err
}

func (j *joining) foundAgain(ctx context.Context, l *leaving, show func(string)) (Joined, error) {
	at := ""
	if l != nil {
		at = l.Old + "/"
	}
	setup, err := j.setup(ctx, at)
	if err != nil {
		return Joined{}, err
	}
	if l == nil { // the server has agreed; there is no way back from here
		if err := j.state.leave(); err != nil {
			return Joined{}, err
		}
	}
	crash.Point("agent.leave.left")
	show(j.link.Origin + "/#setup=" + setup + "&join=" + j.link.Secret.Text())
	joined, err := j.run(ctx)
	if err != nil {
		return Joined{}, err
	}
	crash.Point("agent.leave.joined")
	_, err = j.state.settled()
	return joined, err
}

// setup asks the server, as the agent whose files are in that place, for a set-up secret,
// and makes the link of the join.
func (j *joining) setup(ctx context.Context, at string) (secret string, err error) {
	id, err := j.state.identityIn(at + identityFile)
	if err != nil {
		return "", err
	}
	keys, err := key.LoadAgent(j.state.path(at + keysFile))
	if err != nil {
		return "", err
	}
	chain, err := uplink.LoadChain(j.state.dir, at+deedsFile, id.Home)
	if err != nil {
		return "", err
	}
	title := chain.Title()
	if title == nil {
		return "", errors.New("this agent does not know its home's deeds. Run latchkey agent run until it is connected, and then this again")
	}
	j.link = api.Link{Origin: id.Server, Secret: api.NewJoinSecret(), Trust: id.Trust}
	if j.config.HTTP, err = trusting(j.config.HTTP, id.Server, id.Trust); err != nil {
		return "", err
	}
	if j.client, err = api.NewClient(id.Server, j.config.HTTP); err != nil {
		return "", err
	}
	err = j.patiently(ctx, func() error {
		secret, err = j.client.Agent(id.Home, id.Agent, keys.Signing).FoundAgain(ctx, title.Head())
		return err
	})
	if reason := api.ReasonOf(err); reason != "" {
		return "", fmt.Errorf("the server does not let this agent found a home (%s). Ask whoever runs it for a set-up link, and join with another folder", reason)
	}
	return secret, err
}

// leaving is what was begun of leaving a home, nil if nothing was.
func (s *State) leaving() (*leaving, error) {
	b, err := durable.ReadBytes(s.dir, leavingFile, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var l leaving
	if err := json.Unmarshal(b, &l); err != nil || l.V != 1 || !strings.HasPrefix(l.Old, oldHome) {
		return nil, fmt.Errorf("read %s: it does not say where the old home's files are", leavingFile)
	}
	return &l, nil
}

// oldHome begins the name of the folder of a home that was left.
const oldHome = "old-home-"

// leave puts what belongs to the folder's home aside.
func (s *State) leave() error {
	l := leaving{V: 1}
	for n := 1; ; n++ {
		l.Old = fmt.Sprint(oldHome, n)
		if _, err := s.dir.Stat(l.Old); errors.Is(err, fs.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
	}
	if err := s.keepLeaving(l); err != nil {
		return err
	}
	crash.Point("agent.leave.begun")
	return s.putAside(l)
}

func (s *State) keepLeaving(l leaving) error {
	b, err := json.Marshal(l)
	if err != nil {
		panic("internal error: encode what is left: " + err.Error())
	}
	return durable.WriteBytes(s.dir, leavingFile, append(b, '\n'))
}

// putAside moves the old home's files, and makes new cameras of the old ones: a camera
// belongs to one home. It may be done again after it was broken off anywhere.
func (s *State) putAside(l leaving) error {
	if err := durable.MkdirAll(s.dir, l.Old); err != nil {
		return err
	}
	for _, name := range []string{
		identityFile, keysFile, keysBefore, startFile, keysFile + next, startFile + next, deedsFile, tombstonesFile, settingsFile, spoolKeyFile, spoolDir, statusFile, camerasDir,
	} {
		if _, err := s.dir.Stat(l.Old + "/" + name); err == nil {
			continue // what is in its place may be new
		}
		if err := durable.Move(s.dir, name, l.Old+"/"+name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		crash.Point("agent.leave.moved")
	}
	if err := s.renewCameras(l.Old + "/" + camerasDir); err != nil {
		return err
	}
	crash.Point("agent.leave.cameras")
	l.Aside = true
	return s.keepLeaving(l)
}

// renewCameras describes the cameras of another folder anew, in place of whatever an
// attempt before has described.
func (s *State) renewCameras(from string) error {
	old, err := s.readCameras(from)
	if err != nil {
		return err
	}
	attempt, err := s.ReadCameras()
	if err != nil {
		return err
	}
	for _, c := range attempt {
		if err := s.forgetCamera(c.ID); err != nil {
			return err
		}
	}
	for _, c := range old {
		c.ID = latchkey.NewCameraID()
		if err := s.write(c); err != nil {
			return err
		}
	}
	return nil
}
