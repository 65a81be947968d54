// Package attic shows the app what an export holds, on this machine, without the server
// that it is from: an export's folder takes the place of a server's index and blobs
// ([Open]), and a server on loopback serves it to one person ([Run]).
//
// The app is the same one, and it makes the same checks: of each object it compares
// binding, signature and envelope, and opens it in the browser, with keys that come out
// of a vault by a passphrase. Nothing here can open anything, and nothing of the home is
// changed: what is written while the app is open goes into a folder that is removed.
package attic

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The names in an export's folder (package export), and how much of each is read.
const (
	deedsFile    = "deeds.json"
	vaultFile    = "vault.json"
	settingsFile = "settings.sealed"
	sealedEnd    = ".sealed"

	maxDeeds    = 64 << 20
	maxSettings = 1 << 20
)

// Attic is what an export holds of one home.
type Attic struct {
	Title *deed.Title
	// Refused are the files that are not of this home, or not what an agent of it made,
	// each with the reason. They are not shown.
	Refused []string

	root     *os.Root
	settings []byte                   // sealed; empty if there are none
	items    map[latchkey.Name]string // the file in which an object lies
	lying    archive.Happenings
}

// Open reads what lies in an export's folder. What does not verify with the deeds that
// lie there is refused. Close ends it.
func Open(folder string) (_ *Attic, err error) {
	a := &Attic{items: map[latchkey.Name]string{}}
	if a.root, err = os.OpenRoot(folder); err != nil {
		return nil, fmt.Errorf("open the export: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if a.Title, err = a.readDeeds(); err != nil {
		return nil, err
	}
	if a.settings, err = a.read(settingsFile, maxSettings); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := a.collect(); err != nil {
		return nil, err
	}
	if len(a.items) == 0 {
		return nil, errors.New("nothing sealed lies in the folder, so that there is nothing for the app to verify and open. Make the export with --app")
	}
	return a, nil
}

// Close lets go of the folder.
func (a *Attic) Close() error { return a.root.Close() }

// read reads a small file.
func (a *Attic) read(name string, most int64) ([]byte, error) {
	f, err := a.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than any that an export writes", name)
	}
	return b, err
}

func (a *Attic) readDeeds() (*deed.Title, error) {
	b, err := a.read(deedsFile, maxDeeds)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the folder is no export: there is no " + deedsFile + " in it")
	} else if err != nil {
		return nil, err
	}
	var in struct {
		V     int             `json:"v"`
		Home  latchkey.HomeID `json:"home"`
		Deeds [][]byte        `json:"deeds"`
	}
	if err := json.Unmarshal(b, &in); err != nil || in.V != 1 {
		return nil, errors.New(deedsFile + " in the folder is not what an export of this version writes")
	}
	t, err := deed.Fold(in.Home, in.Deeds)
	if err != nil {
		return nil, fmt.Errorf("check the home's deeds: %w", err)
	}
	return t, nil
}

// collect looks at every sealed file in the folder.
func (a *Attic) collect() error {
	var found []sealed.Header
	err := fs.WalkDir(a.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path.Ext(name) != sealedEnd || name == settingsFile {
			return err
		}
		is, err := a.file(name)
		h := is.Header
		if err == nil {
			err = sealed.Verify(h, latchkey.Name{}, a.Title)
		}
		switch reason := sealed.ReasonOf(err); {
		case reason != "":
			a.Refused = append(a.Refused, name+": "+string(reason))
			return nil
		case err != nil:
			return err
		}
		if _, twice := a.items[h.Name()]; twice {
			return nil // the same object; another copy of it says nothing new
		}
		a.items[h.Name()] = name
		found = append(found, h)
		return nil
	})
	a.lying = archive.Gather(found)
	return err
}

// file reads a sealed file up to its body.
func (a *Attic) file(name string) (sealed.File, error) {
	f, err := a.root.Open(name)
	if err != nil {
		return sealed.File{}, err
	}
	defer f.Close() // read only
	return sealed.ReadFile(f)
}

// row reads an object's row out of its file, which says itself what it is.
func (a *Attic) row(name latchkey.Name) (archive.Row, error) {
	file, ok := a.items[name]
	if !ok {
		return archive.Row{}, archive.ErrNotFound
	}
	is, err := a.file(file)
	switch {
	case sealed.ReasonOf(err) != "", errors.Is(err, fs.ErrNotExist): // since it was looked at
		return archive.Row{Name: name, Problem: sealed.Corrupt}, nil
	case err != nil:
		return archive.Row{}, err
	}
	return archive.Row{Name: is.Header.Name(), Event: is.Header.Binding.Event, Header: is.Header.Bytes(), Envelopes: is.Envelopes}, nil
}

// index is the attic as a server's index.
func (a *Attic) index() archive.Objects {
	return archive.Shelf{Home: a.Title.Home(), Lying: func() archive.Happenings { return a.lying }, Row: a.row}
}
