package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/sealed"
)

// maxStagings is how many broken-off uploads of one home are kept. An agent has a few
// under way at once; past this many the one that was touched longest ago is dropped,
// and its agent begins it again.
const maxStagings = 64

// maxKnown bounds the memory of folders that were made and synced.
const maxKnown = 4096

// Disk is a [Store] in a folder: objects/ holds object files by name, staging/ what
// has not arrived whole.
type Disk struct {
	fs durable.FS

	mu    sync.Mutex             // protects what follows
	inUse map[latchkey.Name]bool // names with an open Staging
	known map[string]bool        // folders that are known to be on the disk
}

var _ Store = (*Disk)(nil)

// NewDisk returns the store in that folder. The folder stays the caller's to close.
func NewDisk(fsys durable.FS) (*Disk, error) {
	for _, dir := range []string{"objects", "staging"} {
		if err := durable.MkdirAll(fsys, dir); err != nil {
			return nil, fmt.Errorf("open blobs: %w", err)
		}
	}
	return &Disk{fs: fsys, inUse: map[latchkey.Name]bool{}, known: map[string]bool{}}, nil
}

// Close does nothing: the folder is the caller's.
func (d *Disk) Close() error { return nil }

// Open is [Store]'s.
func (d *Disk) Open(ctx context.Context, name latchkey.Name) (Object, error) {
	at, err := objectPath(name)
	if err != nil {
		return Object{}, err
	}
	f, err := d.fs.OpenFile(at, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return Object{}, ErrNotFound
	} else if err != nil {
		return Object{}, fmt.Errorf("open object: %w", err)
	}
	file, held, err := readPrefix(f)
	if err == nil {
		err = whole(file.Header, held)
	}
	if err != nil {
		return Object{}, errors.Join(fmt.Errorf("open object: %w", err), f.Close())
	}
	return Object{Header: file.Header, Body: f}, nil
}

// readPrefix reads an object file up to its body, leaves f there and says how many
// bytes of body follow.
func readPrefix(f durable.File) (file sealed.File, held uint64, err error) {
	if file, err = sealed.ReadFile(f); err != nil {
		return file, 0, err
	}
	begin, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return file, 0, err
	}
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return file, 0, err
	}
	_, err = f.Seek(begin, io.SeekStart)
	return file, uint64(end - begin), err
}

func whole(h sealed.Header, held uint64) error {
	switch {
	case held < h.BodyLength:
		return sealed.Refuse(sealed.Truncated, "%d bytes of body, the header says %d", held, h.BodyLength)
	case held > h.BodyLength:
		return sealed.Refuse(sealed.Trailing, "%d bytes of body, the header says %d", held, h.BodyLength)
	}
	return nil
}

// Staged is [Store]'s.
func (d *Disk) Staged(ctx context.Context, name latchkey.Name) (Progress, error) {
	at, err := objectPath(name)
	if err != nil {
		return Progress{}, err
	}
	for _, at := range []string{at, stagingPath(name)} {
		f, err := d.fs.OpenFile(at, os.O_RDONLY)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return Progress{}, fmt.Errorf("look at upload: %w", err)
		}
		file, held, err := readPrefix(f)
		if err := errors.Join(err, f.Close()); err != nil && sealed.ReasonOf(err) == "" {
			return Progress{}, fmt.Errorf("look at upload: %w", err)
		}
		if err != nil || file.Header.Name() != name || held > file.Header.BodyLength {
			continue // a crash left half a header, or this is not that object
		}
		return Progress{Header: file.Header, Held: held}, nil
	}
	return Progress{}, ErrNotFound
}

// Stage is [Store]'s.
func (d *Disk) Stage(ctx context.Context, h sealed.Header) (Staging, error) {
	name := h.Name()
	if _, err := objectPath(name); err != nil {
		return nil, err
	}
	if !d.take(name) {
		return nil, ErrBusy
	}
	s := &staging{disk: d, header: h, name: name}
	if err := s.open(ctx); err != nil {
		d.release(name)
		return nil, err
	}
	return s, nil
}

func (d *Disk) take(name latchkey.Name) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.inUse[name] {
		return false
	}
	d.inUse[name] = true
	return true
}

func (d *Disk) release(name latchkey.Name) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.inUse, name)
}

// folder makes a folder durably, once.
func (d *Disk) folder(dir string) error {
	d.mu.Lock()
	known := d.known[dir]
	d.mu.Unlock()
	if known {
		return nil
	}
	if err := durable.MkdirAll(d.fs, dir); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.known) >= maxKnown {
		clear(d.known)
	}
	d.known[dir] = true
	return nil
}

// room drops the uploads of a home that were touched longest ago until another has room.
func (d *Disk) room(dir string) error {
	entries, err := durable.List(d.fs, dir)
	if err != nil || len(entries) < maxStagings {
		return err
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return changed(a).Compare(changed(b)) })
	busy := d.busy()
	for _, e := range entries[:len(entries)-maxStagings+1] {
		if at := path.Join(dir, e.Name()); !busy[at] {
			if err := durable.Remove(d.fs, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// busy returns the staging files that are being written.
func (d *Disk) busy() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	busy := map[string]bool{}
	for name := range d.inUse {
		busy[stagingPath(name)] = true
	}
	return busy
}

func changed(e fs.DirEntry) time.Time {
	info, err := e.Info()
	if err != nil {
		return time.Time{} // gone meanwhile
	}
	return info.ModTime()
}

// Remove is [Store]'s.
func (d *Disk) Remove(ctx context.Context, name latchkey.Name) error {
	at, err := objectPath(name)
	if err != nil {
		return err
	}
	if !d.take(name) {
		return ErrBusy
	}
	defer d.release(name)
	for _, at := range []string{at, stagingPath(name)} {
		if err := durable.Remove(d.fs, at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove object: %w", err)
		}
	}
	return nil
}

// Sweep is [Store]'s.
func (d *Disk) Sweep(ctx context.Context, before time.Time) error {
	homes, err := durable.List(d.fs, "staging")
	if err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	for _, home := range homes {
		dir := path.Join("staging", home.Name())
		entries, err := durable.List(d.fs, dir)
		if err != nil {
			return fmt.Errorf("sweep uploads: %w", err)
		}
		busy := d.busy()
		for _, e := range entries {
			at := path.Join(dir, e.Name())
			if busy[at] || !changed(e).Before(before) {
				continue
			}
			if err := durable.Remove(d.fs, at); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("sweep uploads: %w", err)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// objectPath is where an object stands. A name that was not parsed and is no name
// gets no path.
func objectPath(name latchkey.Name) (string, error) {
	text := name.String()
	if parsed, err := latchkey.ParseName(text); err != nil || parsed != name {
		return "", fmt.Errorf("%.200q is no object's name", text)
	}
	return path.Join("objects", text), nil
}

func stagingPath(name latchkey.Name) string {
	sum := sha256.Sum256([]byte(name.String()))
	return path.Join("staging", name.Home.String(), hex.EncodeToString(sum[:]))
}
