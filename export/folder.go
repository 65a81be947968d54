package export

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// What lies in the folder of an export:
//
//	index.html                           the days
//	2026-11-25/index.html                what happened on a day
//	2026-11-25/front-door/07-12-33 motion.json, .jpg, .mp4
//	                                     and, if they are wanted, .json.sealed, .jpg.sealed and .mp4.sealed
//	deeds.json                           the home's deeds
//	settings.sealed, vault.json          for the app, if they are wanted
//	export.json                          which home, which zone, which camera has which folder
//
// An event's .json is written before its files, so that its name is taken by it alone,
// and again when they are there, with their hashes: by that the next run knows what is
// whole. export.json keeps a camera's folder where it is when the camera is renamed.
const (
	placesFile   = "export.json"
	deedsFile    = "deeds.json"
	indexFile    = "index.html"
	settingsFile = "settings.sealed"
	vaultFile    = "vault.json"
	recordEnd    = ".json"
	sealedEnd    = ".sealed"
	maxPlaces    = 4 << 20
	maxRecord    = 64 << 10
)

// Folder is where an export is written.
type Folder interface {
	durable.FS
	// SetTime sets when a file was last changed.
	SetTime(name string, at time.Time) error
}

// places is what export.json says.
type places struct {
	V       int             `json:"v"`
	Home    latchkey.HomeID `json:"home"`
	Name    string          `json:"name"`
	Zone    string          `json:"zone"`
	Cameras []place         `json:"cameras"`
}

// place is where a camera's recordings are, in each day's folder.
type place struct {
	Camera latchkey.CameraID `json:"camera"`
	Name   string            `json:"name"`
	Folder string            `json:"folder"`
}

// readPlaces reads what an earlier export of that home left; Zone is empty if there was none.
func readPlaces(to Folder, home latchkey.HomeID) (places, error) {
	p := places{V: 1, Home: home}
	b, err := durable.ReadBytes(to, placesFile, maxPlaces)
	if errors.Is(err, fs.ErrNotExist) {
		entries, err := durable.List(to, ".")
		if err == nil && len(entries) > 0 {
			err = fmt.Errorf("the folder is neither empty nor an export: %q lies in it. Name another one", entries[0].Name())
		}
		return p, err
	} else if err != nil {
		return p, err
	}
	var was places
	if err := json.Unmarshal(b, &was); err != nil || was.V != 1 {
		return p, fmt.Errorf("%s in the folder is not what an export of this version writes. Name another folder", placesFile)
	}
	if was.Home != home {
		return p, errors.New("the folder holds the export of another home. Name another one")
	}
	for _, c := range was.Cameras {
		if !plain(c.Folder) {
			return p, fmt.Errorf("%s in the folder was altered. Name another folder", placesFile)
		}
	}
	return was, nil
}

// plain says whether a name is that of something in a folder, and leads nowhere else.
func plain(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, `/\`)
}

// of returns the place of a camera, and makes one if it has none.
func (p *places) of(camera latchkey.CameraID, name string) place {
	taken := map[string]bool{}
	for i, c := range p.Cameras {
		if c.Camera == camera {
			if name != "" {
				p.Cameras[i].Name = name
			}
			return p.Cameras[i]
		}
		taken[same(c.Folder)] = true
	}
	n := place{camera, name, free(part(name, "camera"), taken)}
	p.Cameras = append(p.Cameras, n)
	return n
}

// record is an event as its .json has it.
type record struct {
	V         int               `json:"v"`
	What      string            `json:"what"`          // as the agent says, motion; "" if that is not known
	Saw       []string          `json:"saw,omitempty"` // what the camera itself said that it saw
	Camera    string            `json:"camera"`
	Home      string            `json:"home"`
	Begins    time.Time         `json:"begins"` // in the home's zone
	BeginsUTC time.Time         `json:"begins_utc"`
	Ends      time.Time         `json:"ends,omitzero"`
	Zone      string            `json:"zone"`
	Clock     string            `json:"clock"` // how far the time can be believed: synchronised, estimated, unknown
	Files     []file            `json:"files"`
	HomeID    latchkey.HomeID   `json:"home_id"`
	CameraID  latchkey.CameraID `json:"camera_id"`
	Event     latchkey.EventID  `json:"event"`
	// Description is the name of the object that What, Saw and Ends are from.
	Description string `json:"description,omitempty"`
}

// file is a file of an event.
type file struct {
	File   string        `json:"file"`
	Kind   string        `json:"kind"`
	Object string        `json:"object"`
	Time   latchkey.Time `json:"time"` // of the picture, or of the clip's first
	Bytes  int64         `json:"bytes"`
	SHA256 string        `json:"sha256"`
}

// shelf is the folder of one camera on one day.
type shelf struct {
	to      Folder
	dir     string
	records map[latchkey.EventID]*entry
	taken   map[string]bool // names without their ends
}

// entry is a record and the name that its files begin with.
type entry struct {
	base string
	record
}

// openShelf makes the folder, removes what a crash left half written in it, and reads
// what is there.
func openShelf(to Folder, dir string) (*shelf, error) {
	s := &shelf{to: to, dir: dir, records: map[latchkey.EventID]*entry{}, taken: map[string]bool{}}
	if err := durable.MkdirAll(to, dir); err != nil {
		return nil, err
	}
	if err := durable.Sweep(to, dir); err != nil {
		return nil, err
	}
	entries, err := durable.List(to, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		base := strings.TrimSuffix(e.Name(), path.Ext(e.Name()))
		s.taken[same(base)] = true
		if r, ok := readRecord(to, path.Join(dir, e.Name())); ok {
			s.records[r.Event] = &entry{base, r}
		}
	}
	return s, nil
}

// readRecord reads an event's .json; what is none is left alone.
func readRecord(to Folder, name string) (record, bool) {
	var r record
	if path.Ext(name) != recordEnd {
		return r, false
	}
	b, err := durable.ReadBytes(to, name, maxRecord)
	if err != nil || json.Unmarshal(b, &r) != nil || r.V != 1 {
		return record{}, false
	}
	r.Files = slices.DeleteFunc(r.Files, func(f file) bool { return !plain(f.File) })
	return r, true
}

// name gives an event the name that its files begin with: the one that it has, or one
// that nothing else has.
func (s *shelf) name(r record) *entry {
	if e, ok := s.records[r.Event]; ok {
		return e
	}
	e := &entry{free(r.Begins.Format("15-04-05")+" "+part(r.What, "event"), s.taken), r}
	s.taken[same(e.base)] = true
	s.records[r.Event] = e
	return e
}

// write writes an event's .json.
func (s *shelf) write(e *entry) error {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	if err := out.Encode(e.record); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	name := path.Join(s.dir, e.base+recordEnd)
	if err := durable.WriteBytes(s.to, name, b.Bytes()); err != nil {
		return err
	}
	return s.to.SetTime(name, e.Begins)
}

// whole says whether an object's file is there, and is what was written.
func (s *shelf) whole(e *entry, object string) (bool, error) {
	i := slices.IndexFunc(e.Files, func(f file) bool { return f.Object == object })
	if i < 0 {
		return false, nil
	}
	f, err := s.to.OpenFile(path.Join(s.dir, e.Files[i].File), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	defer f.Close() // read only
	hash := sha256.New()
	n, err := io.Copy(hash, f)
	return n == e.Files[i].Bytes && hex.EncodeToString(hash.Sum(nil)) == e.Files[i].SHA256, err
}

// sealed is the name of an object's sealed file, beside the file that was opened.
func (s *shelf) sealed(e *entry, object string) string {
	i := slices.IndexFunc(e.Files, func(f file) bool { return f.Object == object })
	return path.Join(s.dir, e.Files[i].File+sealedEnd)
}

// put writes an object's file, and notes it in the event.
func (s *shelf) put(e *entry, f file, end string, write func(w io.Writer) error) (int64, error) {
	f.File = e.fileOf(f.Object, end)
	hash := sha256.New()
	name := path.Join(s.dir, f.File)
	err := durable.Write(s.to, name, func(w io.Writer) error {
		hash.Reset()
		return write(io.MultiWriter(w, hash))
	})
	if err != nil {
		return 0, err
	}
	info, err := s.to.Stat(name)
	if err != nil {
		return 0, err
	}
	f.Bytes = info.Size()
	f.SHA256 = hex.EncodeToString(hash.Sum(nil))
	e.Files = append(slices.DeleteFunc(e.Files, func(was file) bool { return was.Object == f.Object }), f)
	slices.SortFunc(e.Files, func(a, b file) int { return strings.Compare(a.File, b.File) })
	return f.Bytes, s.to.SetTime(name, f.Time.Time())
}

// fileOf is the name of an object's file: of a second one of its kind another.
func (e *entry) fileOf(object, end string) string {
	taken := map[string]bool{}
	for _, f := range e.Files {
		if f.Object != object && path.Ext(f.File) == end {
			taken[same(strings.TrimSuffix(f.File, end))] = true
		}
	}
	return free(e.base, taken) + end
}
