package agent

import (
	"errors"
	"io/fs"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// homeSettings is the newest settings document that the agent has verified and opened.
// It survives a start, because a reader refuses a document older than one it has seen.
type homeSettings struct {
	seen     *sealed.Settings
	document *settings.Document
}

// takeSettings takes a document that the server sent, if it is genuine and newer.
func (a *Agent) takeSettings(document []byte, t *deed.Title) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, err := settings.Open(document, t, a.home.seen, a.keys)
	if err != nil {
		a.log.Warn("the server sent settings that are not taken", "reason", err)
		return
	}
	if a.home.seen != nil && d.Number == a.home.seen.Number {
		a.home.document = d
		return
	}
	if err := durable.WriteBytes(a.state.dir, settingsFile, document); err != nil {
		a.log.Error("keep the settings", "error", err)
		return
	}
	a.home = homeSettings{seen: &d.Settings, document: d}
	a.log.Info("took the home's settings", "number", d.Number)
}

// loadSettings reads the document of the last start. If it cannot be read the next one
// from the server takes its place.
func (a *Agent) loadSettings() {
	b, err := durable.ReadBytes(a.state.dir, settingsFile, sealed.MaxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	title := a.chain.Title()
	if err != nil || title == nil {
		a.log.Warn("the settings cannot be read and are asked for again", "reason", err)
		return
	}
	d, err := settings.Open(b, title, nil, a.keys)
	if err != nil {
		a.log.Warn("the settings cannot be read and are asked for again", "reason", err)
		return
	}
	a.home = homeSettings{seen: &d.Settings, document: d}
}

// name is what the home calls a camera: what the settings say, or else what the agent
// was told. Its caller holds the lock.
func (a *Agent) name(c Camera) string {
	if a.home.document != nil {
		if name := a.home.document.Content.Name(c.ID); name != "" {
			return name
		}
	}
	return c.Name
}

// homeName is what the home is called, "" if the settings are not known. Its caller
// holds the lock.
func (a *Agent) homeName() string {
	if a.home.document == nil {
		return ""
	}
	return a.home.document.Content.Home
}
