package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The files of an entry, by what their names end with.
const (
	bodySuffix    = ".body"
	recordSuffix  = ".record"
	refusedSuffix = ".refused" // why the server refused it for good
	damagedDir    = "damaged"
)

func bodyName(id latchkey.ObjectID) string    { return id.String() + bodySuffix }
func recordName(id latchkey.ObjectID) string  { return id.String() + recordSuffix }
func refusedName(id latchkey.ObjectID) string { return id.String() + refusedSuffix }

// reconcile makes the folder and what the spool knows of it one again: unfinished
// files and bodies that nobody was promised are removed, damaged entries set aside,
// all others wait for their upload.
func (s *Spool) reconcile() error {
	if err := durable.MkdirAll(s.fs, damagedDir); err != nil {
		return err
	}
	if err := durable.Sweep(s.fs, "."); err != nil {
		return err
	}
	if err := s.findDamaged(); err != nil {
		return err
	}
	files, err := s.list(".")
	if err != nil {
		return err
	}
	for id := range files[recordSuffix] {
		s.load(id, files[refusedSuffix][id] != nil)
	}
	for _, l := range s.lanes {
		slices.SortFunc(l, order) // once: a hundred thousand insertions would take minutes
	}
	for _, suffix := range []string{bodySuffix, refusedSuffix} {
		for id := range files[suffix] {
			if files[recordSuffix][id] != nil {
				continue
			}
			if err := ignoreMissing(s.fs.Remove(id.String() + suffix)); err != nil {
				return err
			}
		}
	}
	return nil
}

// list returns the files of a directory by what their names end with and by object.
// Files that are not the spool's are left alone.
func (s *Spool) list(dir string) (map[string]map[latchkey.ObjectID]fs.DirEntry, error) {
	entries, err := durable.List(s.fs, dir)
	if err != nil {
		return nil, err
	}
	files := map[string]map[latchkey.ObjectID]fs.DirEntry{bodySuffix: {}, recordSuffix: {}, refusedSuffix: {}}
	for _, e := range entries {
		name, suffix, _ := strings.Cut(e.Name(), ".")
		id, err := latchkey.ParseObjectID(name)
		if err == nil && files["."+suffix] != nil {
			files["."+suffix][id] = e
		}
	}
	return files, nil
}

// load takes one entry in: among those that wait, those refused, or those damaged. One
// that the disk will not give now is left where it is, for the next start.
func (s *Spool) load(id latchkey.ObjectID, refused bool) {
	h, _, err := s.read(id)
	if err == nil && h.Binding.Home != s.home {
		err = fmt.Errorf("%w: it is another home's", ErrDamaged)
	}
	if errors.Is(err, ErrDamaged) {
		s.bury(id, s.size(bodyName(id)), err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.unread++
		s.log.Error("read an entry of the spool", "object", id.String(), "error", err)
		return
	}
	item := itemOf(h)
	s.bytes += item.Length
	if refused {
		s.dead = append(s.dead, corpse{id: id, bytes: item.Length, is: item})
		return
	}
	l := lane(item.Name.Kind)
	s.lanes[l] = append(s.lanes[l], item)
}

// read reads and checks an entry's record, and that its body is as long as it should
// be. What will never be better is [ErrDamaged]; other errors are the disk's.
func (s *Spool) read(id latchkey.ObjectID) (h sealed.Header, key seal.ObjectKey, err error) {
	record, err := s.fs.Stat(recordName(id))
	if err != nil {
		return h, key, missing(err)
	}
	if record.Size() > maxRecord {
		return h, key, fmt.Errorf("%w: its record has %d bytes", ErrDamaged, record.Size())
	}
	b, err := durable.ReadBytes(s.fs, recordName(id), maxRecord)
	if err != nil {
		return h, key, missing(err)
	}
	if h, key, err = s.key.decode(b); err != nil {
		return h, key, err
	}
	if h.Binding.Object != id {
		return h, key, fmt.Errorf("%w: its record is another object's", ErrDamaged)
	}
	body, err := s.fs.Stat(bodyName(id))
	if err != nil {
		return h, key, missing(err)
	}
	if uint64(body.Size()) != h.BodyLength {
		return h, key, fmt.Errorf("%w: its body has %d bytes, want %d", ErrDamaged, body.Size(), h.BodyLength)
	}
	return h, key, nil
}

// missing makes a file that is not there damage of its entry.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// bury moves a damaged entry out of the way. The body goes first: whatever a crash
// leaves here is found damaged again, and moved, at the next start.
func (s *Spool) bury(id latchkey.ObjectID, bytes int64, why error) {
	s.log.Error("set aside a damaged entry of the spool", "object", id.String(), "reason", why)
	err := errors.Join(
		ignoreMissing(durable.Move(s.fs, bodyName(id), damagedDir+"/"+bodyName(id))),
		ignoreMissing(durable.Move(s.fs, recordName(id), damagedDir+"/"+recordName(id))))
	if err != nil {
		s.log.Error("move a damaged entry of the spool", "object", id.String(), "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = append(s.dead, corpse{id: id, bytes: bytes, damaged: true})
}

// findDamaged counts what earlier starts have set aside.
func (s *Spool) findDamaged() error {
	files, err := s.list(damagedDir)
	if err != nil {
		return err
	}
	ids := map[latchkey.ObjectID]bool{}
	for _, suffix := range []string{bodySuffix, recordSuffix} {
		for id := range files[suffix] {
			ids[id] = true
		}
	}
	for id := range ids {
		c := corpse{id: id, bytes: s.size(damagedDir + "/" + bodyName(id)), damaged: true}
		s.dead = append(s.dead, c)
		s.bytes += c.bytes
	}
	slices.SortFunc(s.dead, func(a, b corpse) int { return slices.Compare(a.id[:], b.id[:]) })
	return nil
}

func (s *Spool) removeDead(c corpse) error {
	if !c.damaged {
		return errors.Join(s.erase(c.id), ignoreMissing(s.fs.Remove(refusedName(c.id))))
	}
	return errors.Join(
		ignoreMissing(s.fs.Remove(damagedDir+"/"+recordName(c.id))),
		ignoreMissing(s.fs.Remove(damagedDir+"/"+bodyName(c.id))))
}

// size is a file's length, 0 if it is not there.
func (s *Spool) size(name string) int64 {
	info, err := s.fs.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Verify reads an entry's body and says whether it is still what was sealed. An upload
// asks when the server says that it is not: one of the two disks is wrong.
func (s *Spool) Verify(item Item) error {
	o, err := s.Open(item)
	if err != nil {
		return err
	}
	defer o.Body.Close() // read only
	hash, err := hashOf(o.Body)
	if err != nil {
		return fmt.Errorf("verify %s: %w", item.Name, err)
	}
	if hash == o.Header.BodyHash {
		return nil
	}
	err = fmt.Errorf("%w: its body has changed", ErrDamaged)
	if s.take(item) {
		s.bury(item.Name.Object, item.Length, err)
	}
	return err
}
