package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
)

// The files of the agent's folder.
const (
	identityFile   = "agent.json" // which home, which server; written by a join
	keysFile       = "agent.keys" // the agent's secrets
	spoolKeyFile   = "spool.key"
	startFile      = "start" // counts starts
	deedsFile      = "deeds"
	tombstonesFile = "tombstones"
	settingsFile   = "settings"
	statusFile     = "status.json"
	clockFile      = "clock.json" // the last time that was known, and what was wrong with earlier ones
	lockFile       = "agent.lock"
	keysBefore     = "agent.keys.before" // those that a replacement has replaced, while the settings are sealed to them
	next           = ".next"             // behind the name of a file: the one that takes its place when a replacement is done
	camerasLock    = "cameras.lock"      // against two that add a camera at once
	spoolDir       = "spool"
)

// State is the folder in which an agent keeps everything that must outlive it. Several
// programs may have it open; one [Agent] at a time runs in it.
type State struct {
	folder string
	dir    *disk
}

// OpenState opens an agent's folder, and makes it for its owner alone if it is not there.
func OpenState(folder string) (*State, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, explainDisk(fmt.Errorf("open the agent's folder: %w", err), folder)
	}
	return openExisting(folder, nil)
}

// openExisting opens an agent's folder and does not make one: where a disk is not
// mounted an empty folder would be filled in its place.
func openExisting(folder string, wrap func(durable.FS) durable.FS) (*State, error) {
	dir, err := openDisk(folder, wrap)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w. (There is no folder %s. If it is on another disk, is that mounted?)", ErrNotJoined, folder)
	}
	if err != nil {
		return nil, explainDisk(err, folder)
	}
	return &State{folder, dir}, nil
}

// Close closes the folder.
func (s *State) Close() error { return s.dir.Close() }

// Folder is where the state is.
func (s *State) Folder() string { return s.folder }

func (s *State) path(name string) string { return filepath.Join(s.folder, name) }

// identity is what a join has settled.
type identity struct {
	V      int              `json:"v"`
	Server string           `json:"server"` // https://HOST[:PORT]
	Home   latchkey.HomeID  `json:"home"`
	Agent  latchkey.AgentID `json:"agent"`
	Placed bool             `json:"placed"` // false while the owner has not said yes

	// Trust is the fingerprint of the server's own root certificate, in hexadecimal;
	// empty if the machine's trust decides.
	Trust string `json:"trust,omitempty"`
	Slot  string `json:"slot"` // of the join, to go on with it
	Head  string `json:"head"` // that the owner announced

	// Replacing is a join that gives the agent new keys, while it goes on.
	Replacing *replacing `json:"replacing,omitempty"`
}

// errNotJoined: the folder belongs to no home yet.
var errNotJoined = errors.New("this agent belongs to no home yet")

func (s *State) identity() (identity, error) { return s.identityIn(identityFile) }

func (s *State) identityIn(name string) (identity, error) {
	var id identity
	b, err := durable.ReadBytes(s.dir, name, 64<<10)
	if errors.Is(err, fs.ErrNotExist) {
		return id, errNotJoined
	}
	if err != nil {
		return id, err
	}
	if err := json.Unmarshal(b, &id); err != nil {
		return id, fmt.Errorf("read %s: %w", name, err)
	}
	if id.V != 1 || id.Server == "" {
		return id, fmt.Errorf("read %s: it is no identity of version 1", name)
	}
	return id, nil
}

// settled brings to its end what a power cut left undone of leaving a home or of getting
// new keys, and returns what the folder's agent is then. It is for whoever holds the
// folder's lock.
func (s *State) settled() (identity, error) {
	l, err := s.leaving()
	if err == nil && l != nil && !l.Aside {
		err = s.putAside(*l)
	}
	if err != nil {
		return identity{}, err
	}
	id, err := s.identity()
	if err == nil && l != nil && id.Placed {
		err = durable.Remove(s.dir, leavingFile)
	}
	if err != nil {
		return identity{}, err
	}
	return s.settle(id)
}

// hint says what may be the matter with a folder that belongs to no home.
func (s *State) hint() string {
	entries, err := durable.List(s.dir, ".")
	if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "lost+found" {
		return ""
	}
	return fmt.Sprintf(". (The folder %s is empty. If it is on another disk, is that mounted?)", s.folder)
}

func (s *State) keepIdentity(id identity) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err != nil {
		panic("internal error: encode the identity: " + err.Error())
	}
	return durable.WriteBytes(s.dir, identityFile, append(b, '\n'))
}

// keys returns the agent's keys, and makes them the first time.
func (s *State) keys() (*key.AgentKeys, error) {
	path := s.path(keysFile)
	k, err := key.LoadAgent(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = key.NewAgentKeys(); err != nil {
		return nil, err
	}
	if err := k.Save(path); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return key.LoadAgent(path)
}
