package agent

import (
	"errors"
	"io/fs"
	"time"
	_ "time/tzdata" // small machines have no table of the world's time zones

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/motion"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// homeSettings is the newest settings document that the agent has verified and opened.
// It survives a start, because a reader refuses a document older than one it has seen.
type homeSettings struct {
	seen     *sealed.Settings
	document *settings.Document
	zone     *time.Location
}

// newHomeSettings keeps a document that was opened. Where this machine does not know
// its time zone, the hours in it are taken for UTC.
func newHomeSettings(d *settings.Document) homeSettings {
	zone, err := time.LoadLocation(d.Content.Zone)
	if err != nil {
		zone = time.UTC
	}
	return homeSettings{seen: &d.Settings, document: d, zone: zone}
}

// takeSettings takes a document that the server sent, if it is genuine and newer.
func (a *Agent) takeSettings(document []byte, t *deed.Title) {
	a.mu.Lock()
	defer a.mu.Unlock()
	d, err := a.openSettings(document, t)
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
	a.home = newHomeSettings(d)
	a.reconsider()
	a.log.Info("took the home's settings", "number", d.Number)
}

// openSettings opens a document with the agent's keys, or with those that they have
// replaced; these are forgotten when it takes the new ones. Its caller holds the lock, or
// is alone.
func (a *Agent) openSettings(document []byte, t *deed.Title) (*settings.Document, error) {
	d, err := settings.Open(document, t, a.home.seen, a.keys)
	switch {
	case a.before == nil:
	case sealed.ReasonOf(err) == sealed.NoEnvelope:
		return settings.Open(document, t, a.home.seen, a.before)
	case err == nil:
		if err := durable.Remove(a.state.dir, keysBefore); err != nil {
			a.log.Error("forget the keys before the replacement", "error", err)
			break
		}
		a.before = nil
	}
	return d, err
}

// loadSettings reads the document of the last start. If it cannot be read the next one
// from the server takes its place.
func (a *Agent) loadSettings() {
	var err error
	if a.before, err = key.LoadAgent(a.state.path(keysBefore)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		a.log.Warn("the keys before the replacement cannot be read", "reason", err)
	}
	b, err := durable.ReadBytes(a.state.dir, settingsFile, sealed.MaxSettings)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	title := a.chain.Title()
	if err != nil || title == nil {
		a.log.Warn("the settings cannot be read and are asked for again", "reason", err)
		return
	}
	d, err := a.openSettings(b, title)
	if err != nil {
		a.log.Warn("the settings cannot be read and are asked for again", "reason", err)
		return
	}
	a.home = newHomeSettings(d)
}

// wish is what the home wants of a camera at this moment.
type wish struct {
	off    bool
	until  time.Time // when it is to be on again; zero if nobody knows
	motion motion.Config
}

// wish reads the settings; without them a camera is on.
func (a *Agent) wish(id latchkey.CameraID) wish {
	now := a.clock.Now().Wall.Time()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.home.document == nil {
		return wish{}
	}
	c := a.home.document.Content.Cameras[id]
	w := wish{motion: motionOf(c.Sensitivity, c.Zones, c.Masks)}
	if w.off, w.until = c.OffAt(now, a.home.zone); w.off && !w.until.IsZero() {
		w.until = w.until.In(a.home.zone)
	}
	return w
}

// motionOf says to the detector what settings say.
func motionOf(s settings.Sensitivity, zones []settings.Zone, masks []settings.Mask) motion.Config {
	c := motion.Config{Sensitivity: motion.Sensitivity(s.String())}
	shape := func(points []settings.Point) (all []motion.Point) {
		for _, p := range points {
			all = append(all, motion.Point(p))
		}
		return all
	}
	for _, z := range zones {
		c.Zones = append(c.Zones, shape(z.Points))
	}
	for _, m := range masks {
		c.Masks = append(c.Masks, shape(m.Points))
	}
	return c
}

// sayOff notes that a camera is off, and until when.
func (a *Agent) sayOff(w *watched, is wish) {
	detail := "The home has switched it off. There is no connection to it, and nothing is recorded."
	if !is.until.IsZero() {
		detail = "The home has it off until " + is.until.Format("Monday 15:04 MST") + ". There is no connection to it, and nothing is recorded."
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w.become(CameraOff, detail)
	w.until = is.until
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

// names are those that stand in the settings, nil if they are not known. What the former
// people called things is not told to those who live here now.
func (a *Agent) names(id latchkey.CameraID) *names {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.home.document == nil || a.home.seen.Head.Seq < a.chain.Title().HandedOver() {
		return nil
	}
	c := a.home.document.Content
	return &names{Camera: c.Name(id), Home: c.Home, Zone: c.Zone}
}
