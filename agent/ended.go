package agent

import (
	"errors"
	"io/fs"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// buried does what new tombstones ask for. The uplink has thrown away what waited.
func (a *Agent) buried() {
	a.archive.stir()
	a.end()
}

// end is for an agent whose home was deleted: it removes the key of the footage, so that
// nothing of it can be read even where its disk is away, the descriptions of the cameras
// with their passwords, and the settings. The agent's own keys stay, and the deeds and
// tombstones, so that it can tell a server that was restored from a backup.
func (a *Agent) end() {
	if !a.tombstones.Ended() {
		return
	}
	names := []string{footageKeyFile, settingsFile}
	described, err := durable.List(a.state.dir, camerasDir)
	for _, f := range described {
		names = append(names, camerasDir+"/"+f.Name())
	}
	errs := []error{missing(err)}
	for _, name := range names {
		errs = append(errs, missing(durable.Remove(a.state.dir, name)))
	}
	if err := errors.Join(errs...); err != nil {
		a.log.Error("not all is removed of a home that was deleted", "error", err)
	}
	a.mu.Lock()
	a.home = homeSettings{}
	a.mu.Unlock()
	a.reconsider()
}

// missing takes what is not there for what was removed.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
