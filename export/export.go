// Package export writes everything of a home that a person may see as ordinary files:
// a folder for each day and camera in it, a page that lists them, and the deeds. It is a
// person's own device for as long as it runs, and every object passes all checks of
// docs/seal.md, "Reading", before anything of it has a name in the folder.
//
// It can be broken off at any moment and run again: what is there and whole is not
// fetched a second time.
package export

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"
	_ "time/tzdata" // small machines have no table of the world's time zones

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
	"github.com/latchkey-cam/latchkey/vault"
)

// Config says what to export, and where to.
type Config struct {
	Client *api.Client
	// Home is the home, with the person's keys, from their vault.
	Home vault.Home
	// Words are the head's, which the person has compared with another device; empty
	// if an agent is to say that the head is the newest.
	Words string
	// To is an empty folder, or an earlier export of the same home.
	To Folder
	// Since and Until bound when things happened, in a spelling that [CheckMoment]
	// takes, in the home's zone; empty for no bound. A day that is an end is in it.
	Since, Until string
	// Cameras are names or IDs; none is all of them.
	Cameras []string
	// Sealed also keeps the sealed files, which can be verified at any time.
	Sealed bool
	// Vault is what the app opens the sealed files with, and is written beside them with
	// the home's settings. Nil: neither is.
	Vault *Vault
	// Progress is told how far it is; nobody if nil.
	Progress func(Progress)
}

// Vault is a person's vault as their server keeps it, and what opens it for whoever has
// the passphrase or recovery code with which the export was made.
type Vault struct {
	V        int                 `json:"v"`
	Account  latchkey.AccountID  `json:"account"`
	Email    string              `json:"email"` // "" with a recovery code
	Unlocker latchkey.UnlockerID `json:"unlocker"`
	Kind     account.Kind        `json:"kind"`
	Params   []byte              `json:"params"`
	Wrapped  []byte              `json:"wrapped"`
	Verifier []byte              `json:"verifier"` // of what a server is shown
	Vault    []byte              `json:"vault"`
}

// Progress is how far an export is. Bytes are those of sealed bodies.
type Progress struct {
	Done, Of       int // objects
	Bytes, OfBytes uint64
	Fetched        uint64 // bytes of Bytes that were not there already
}

// Summary is what an export has done.
type Summary struct {
	Home    latchkey.HomeID `json:"home"`
	Name    string          `json:"name"`
	Zone    string          `json:"zone"`
	Events  int             `json:"events"`  // that were asked for
	Written int             `json:"written"` // files of pictures and clips
	Kept    int             `json:"kept"`    // those that were there already, and whole
	Bytes   int64           `json:"bytes"`   // of Written
	Left    int             `json:"left"`    // objects that were not come to
	Refused []Refusal       `json:"refused"`
}

// Refusal is something that was not written, and why.
type Refusal struct {
	Name   string    `json:"name"` // of the object; "" if what came has none
	Camera string    `json:"camera,omitempty"`
	Kind   string    `json:"kind,omitempty"`
	Time   time.Time `json:"time,omitzero"`
	Reason string    `json:"reason"`
	Word   string    `json:"word,omitempty"` // misroute, corrupt, unknown-key
	Says   string    `json:"says"`
}

// exporter is an export under way.
type exporter struct {
	config   Config
	visit    *visit
	places   places
	zone     *time.Location
	names    map[latchkey.CameraID]string
	document []byte       // the home's settings, sealed; nil if there are none to be read
	body     durable.File // the sealed body that is being fetched
	progress Progress
	summary  Summary
}

// sealedFile is where a sealed body lies while it is checked. Its name is one that
// [durable.Sweep] removes.
const sealedFile = ".tmp-sealed"

// Run exports. What is refused does not end it and is in the summary, which is right
// after an error too.
func Run(ctx context.Context, c Config) (s Summary, err error) {
	x := &exporter{config: c, names: map[latchkey.CameraID]string{}, summary: Summary{Home: c.Home.ID, Refused: []Refusal{}}}
	if x.config.Progress == nil {
		x.config.Progress = func(Progress) {}
	}
	if x.places, err = readPlaces(c.To, c.Home.ID); err != nil {
		return x.summary, err
	}
	if x.visit, err = arrive(ctx, c.Client, c.Home, c.Words); err != nil {
		return x.summary, words(err)
	}
	err = x.run(ctx)
	return x.summary, words(errors.Join(err, x.visit.leave(ctx)))
}

func (x *exporter) run(ctx context.Context) (err error) {
	if err := x.readSettings(ctx); err != nil {
		return err
	}
	// A zone is at most 14 hours from UTC; what is between is left out when it is known.
	since, err := moment(cmp.Or(x.config.Since, "1970-01-01"), time.UTC, false)
	if err != nil {
		return err
	}
	all, err := x.list(ctx, since-min(since, latchkey.Time((15*time.Hour).Microseconds())))
	if err != nil {
		return err
	}
	if err := durable.Sweep(x.config.To, "."); err != nil {
		return err
	}
	if x.body, err = x.config.To.OpenFile(sealedFile, os.O_RDWR|os.O_CREATE|os.O_TRUNC); err != nil {
		return err
	}
	err = x.write(ctx, all)
	return errors.Join(err, x.body.Close(), x.config.To.Remove(sealedFile))
}

// write writes what was asked for of what is listed.
func (x *exporter) write(ctx context.Context, all []*happening) error {
	if err := x.learn(ctx, all); err != nil {
		return err
	}
	since, until, err := x.bounds()
	if err != nil {
		return err
	}
	if all, err = x.pick(all, since, until); err != nil {
		return err
	}
	if err := x.begin(all); err != nil {
		return err
	}
	err = x.events(ctx, all)
	x.summary.Left = x.progress.Of - x.progress.Done
	return errors.Join(err, x.writeIndex())
}

func (x *exporter) bounds() (since, until latchkey.Time, err error) {
	if x.config.Since != "" {
		if since, err = moment(x.config.Since, x.zone, false); err != nil {
			return 0, 0, err
		}
	}
	if x.config.Until != "" {
		until, err = moment(x.config.Until, x.zone, true)
	}
	return since, until, err
}

// readSettings learns the names of things from the home's settings. A guest cannot read
// them; for guests names are in the descriptions.
func (x *exporter) readSettings(ctx context.Context) error {
	p, _ := x.visit.title.Person(x.visit.keys.Person)
	if !p.Role.SeesAll() {
		return nil
	}
	b, err := x.visit.session.Settings(ctx)
	if err != nil || len(b) == 0 {
		return err
	}
	d, err := settings.Open(b, x.visit.title, nil, x.visit.ring)
	if err != nil {
		x.summary.Refused = append(x.summary.Refused, Refusal{Kind: "settings", Reason: string(sealed.ReasonOf(err)), Says: "the home's settings were refused; the names of cameras are from the recordings"})
		return nil
	}
	x.document = b
	x.call("", d.Content.Home, d.Content.Zone, latchkey.CameraID{})
	for id := range d.Content.Cameras {
		x.call(d.Content.Name(id), "", "", id)
	}
	return nil
}

// call takes in what things are called, if that is not known better.
func (x *exporter) call(camera, home, zone string, id latchkey.CameraID) {
	if x.names[id] == "" && camera != "" {
		x.names[id] = camera
	}
	if x.summary.Name == "" {
		x.summary.Name = home
	}
	if x.zone == nil && zone != "" {
		if z, err := time.LoadLocation(cmp.Or(x.places.Zone, zone)); err == nil {
			x.zone = z
		}
	}
}

// learn reads the newest description of each camera that has no name yet.
func (x *exporter) learn(ctx context.Context, all []*happening) error {
	for _, h := range slices.Backward(all) {
		h.sort()
		if x.names[h.camera] != "" && x.zone != nil && x.summary.Name != "" || len(h.objects) == 0 || h.objects[0].Binding.Kind != latchkey.Description {
			continue
		}
		if _, asked := x.names[h.camera]; asked {
			continue
		}
		x.names[h.camera] = "" // it is asked once
		d, err := x.describe(ctx, h.objects[0])
		if refusalOf(err) != nil {
			continue // it is refused again when its turn comes, and counted then
		} else if err != nil {
			return err
		}
		x.call(d.camera, d.home, d.zone, h.camera)
	}
	if x.zone == nil {
		x.zone = time.UTC
		if z, err := time.LoadLocation(cmp.Or(x.places.Zone, "UTC")); err == nil {
			x.zone = z
		}
	}
	x.summary.Name = cmp.Or(x.summary.Name, x.places.Name, x.config.Home.Name)
	x.summary.Zone = x.zone.String()
	return nil
}

// begin gives each camera its folder, writes down which it is, and counts.
func (x *exporter) begin(all []*happening) error {
	x.places.Name, x.places.Zone = x.summary.Name, x.summary.Zone
	for _, h := range all {
		x.places.of(h.camera, x.names[h.camera])
		for _, o := range h.objects {
			x.progress.Of++
			x.progress.OfBytes += o.BodyLength
		}
	}
	x.summary.Events = len(all)
	x.config.Progress(x.progress)
	if err := x.writeJSON(placesFile, x.places); err != nil {
		return err
	}
	if err := x.forApp(); err != nil {
		return err
	}
	return x.writeJSON(deedsFile, struct {
		V      int             `json:"v"`
		Home   latchkey.HomeID `json:"home"`
		Deeds  [][]byte        `json:"deeds"`
		Epochs []struct{}      `json:"epochs"` // a key file without keys: it verifies and opens nothing
	}{1, x.visit.id, x.visit.title.Deeds(0), []struct{}{}})
}

// forApp writes what the app needs besides, if it is wanted.
func (x *exporter) forApp() error {
	if x.config.Vault == nil {
		return nil
	}
	if x.document != nil {
		if err := durable.WriteBytes(x.config.To, settingsFile, x.document); err != nil {
			return err
		}
	}
	return x.writeJSON(vaultFile, x.config.Vault)
}

func (x *exporter) writeJSON(name string, v any) error {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return durable.WriteBytes(x.config.To, name, b.Bytes())
}

// events writes one after the other; a day's page when the day is done.
func (x *exporter) events(ctx context.Context, all []*happening) (err error) {
	for len(all) > 0 && err == nil {
		day := x.day(all[0])
		n := slices.IndexFunc(all, func(h *happening) bool { return x.day(h) != day })
		if n < 0 {
			n = len(all)
		}
		err = x.writeDay(ctx, day, all[:n])
		all = all[n:]
	}
	return err
}

func (x *exporter) day(h *happening) string { return h.time.Time().In(x.zone).Format(time.DateOnly) }

func (x *exporter) writeDay(ctx context.Context, day string, all []*happening) error {
	shelves := map[latchkey.CameraID]*shelf{}
	for _, h := range all {
		s := shelves[h.camera]
		if s == nil {
			var err error
			if s, err = openShelf(x.config.To, path.Join(day, x.places.of(h.camera, "").Folder)); err != nil {
				return err
			}
			shelves[h.camera] = s
		}
		if err := x.event(ctx, s, h); err != nil {
			return errors.Join(err, x.writeDayPage(day))
		}
	}
	return x.writeDayPage(day)
}

// event writes what is missing of an event.
func (x *exporter) event(ctx context.Context, s *shelf, h *happening) error {
	e, changed := s.records[h.event], false
	r := x.record(h)
	if e != nil {
		r = e.record
	}
	media, described := h.objects, []item(nil)
	for len(media) > 0 && media[0].Binding.Kind == latchkey.Description {
		o := media[0]
		media = media[1:]
		if r.Description != o.Name().String() {
			d, err := x.describe(ctx, o)
			if err := x.refuseIf(o, err); err != nil {
				return err
			}
			if err != nil {
				x.done(o, false)
				continue
			}
			r.What, r.Saw, r.Ends, r.Description = d.cause, d.saw.Names(), d.end.Time().In(x.zone), o.Name().String()
			changed = true
		}
		described = append(described, o)
	}
	if e == nil || changed {
		e = s.name(r)
		e.record = r
		if err := s.write(e); err != nil {
			return err
		}
	}
	for _, o := range described {
		if err := x.refuseIf(o, x.keepDescription(ctx, s, e, o)); err != nil {
			return err
		}
		x.done(o, false)
	}
	changed = false
	for _, o := range media {
		wrote, err := x.medium(ctx, s, e, o)
		changed = changed || wrote
		if err != nil {
			if changed {
				err = errors.Join(err, s.write(e))
			}
			return err
		}
		x.done(o, !wrote)
	}
	if changed {
		return s.write(e)
	}
	return nil
}

// done counts an object that was dealt with.
func (x *exporter) done(o item, kept bool) {
	x.progress.Done++
	x.progress.Bytes += o.BodyLength
	if !kept {
		x.progress.Fetched += o.BodyLength
	}
	x.config.Progress(x.progress)
}

func (x *exporter) record(h *happening) record {
	at := h.time.Time()
	return record{
		V: 1, Camera: x.places.of(h.camera, "").Name, Home: x.summary.Name,
		Begins: at.In(x.zone), BeginsUTC: at, Zone: x.summary.Zone, Clock: h.objects[0].Binding.Quality.String(),
		Files: []file{}, HomeID: x.visit.id, CameraID: h.camera, Event: h.event,
	}
}

// ends are the ends of the names of files.
var ends = map[latchkey.Kind]string{latchkey.Thumbnail: ".jpg", latchkey.Clip: ".mp4"}

// medium writes a picture or clip unless it is there, and says whether it did.
func (x *exporter) medium(ctx context.Context, s *shelf, e *entry, o item) (bool, error) {
	name := o.Name().String()
	whole, err := s.whole(e, name)
	if err != nil {
		return false, err
	}
	if whole && x.config.Sealed { // it is written in one piece, after the other
		_, err := x.config.To.Stat(s.sealed(e, name))
		if whole = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	if whole {
		x.summary.Kept++
		return false, nil
	}
	f := file{Kind: o.Binding.Kind.String(), Object: name, Time: o.Binding.Time}
	n, err := x.put(ctx, s, e, f, o)
	if err == nil {
		x.summary.Written++
		x.summary.Bytes += n
	}
	return err == nil, x.refuseIf(o, err)
}
