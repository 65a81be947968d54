package export

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// The pages work from a folder, without a server and without scripts: their policy
// forbids whatever is not a file beside them.
//
//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what a page shows: an index has days, a day has events.
type page struct {
	Title, Zone string
	Index       bool
	Days        []dayLine
	Events      []eventLine
}

type dayLine struct {
	Day     string
	Cameras []cameraLine
}

type cameraLine struct {
	Name   string
	Events int
}

type eventLine struct {
	Time, Camera, What, Clock, Record string
	Picture, Clip                     string // paths; "" if there is none
}

func (x *exporter) writePage(name string, p page) error {
	p.Zone = x.summary.Zone
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return durable.WriteBytes(x.config.To, name, b.Bytes())
}

// writeDayPage lists what is in a day's folder, whichever run has written it.
func (x *exporter) writeDayPage(day string) error {
	if err := durable.Sweep(x.config.To, day); err != nil {
		return err
	}
	p := page{Title: x.summary.Name + ", " + day}
	type placed struct {
		record
		base, folder string
	}
	var all []placed
	for _, c := range x.places.Cameras {
		entries, err := durable.List(x.config.To, path.Join(day, c.Folder))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return err
		}
		for _, e := range entries {
			if r, ok := readRecord(x.config.To, path.Join(day, c.Folder, e.Name())); ok {
				all = append(all, placed{r, strings.TrimSuffix(e.Name(), recordEnd), c.Folder})
			}
		}
	}
	slices.SortFunc(all, func(a, b placed) int { return a.BeginsUTC.Compare(b.BeginsUTC) })
	for _, r := range all {
		line := eventLine{
			Time: r.Begins.In(x.zone).Format("15:04:05 MST"), Camera: r.Camera, What: strings.TrimPrefix(strings.Join(append([]string{r.What}, r.Saw...), ", "), ", "), Clock: r.Clock,
			Record: path.Join(r.folder, r.base+recordEnd),
		}
		for _, f := range r.Files {
			switch file := path.Join(r.folder, f.File); path.Ext(f.File) {
			case ".jpg":
				line.Picture = file
			case ".mp4":
				line.Clip = file
			}
		}
		p.Events = append(p.Events, line)
	}
	return x.writePage(path.Join(day, indexFile), p)
}

// writeIndex lists the days, newest first.
func (x *exporter) writeIndex() error {
	days, err := durable.List(x.config.To, ".")
	if err != nil {
		return err
	}
	p := page{Title: x.summary.Name, Index: true}
	for _, d := range days {
		if _, err := time.Parse(time.DateOnly, d.Name()); err != nil || !d.IsDir() {
			continue
		}
		line := dayLine{Day: d.Name()}
		for _, c := range x.places.Cameras {
			entries, err := durable.List(x.config.To, path.Join(d.Name(), c.Folder))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return err
			}
			n := 0
			for _, e := range entries {
				if path.Ext(e.Name()) == recordEnd {
					n++
				}
			}
			line.Cameras = append(line.Cameras, cameraLine{c.Name, n})
		}
		p.Days = append(p.Days, line)
	}
	slices.SortFunc(p.Days, func(a, b dayLine) int { return strings.Compare(b.Day, a.Day) })
	return x.writePage(indexFile, p)
}
