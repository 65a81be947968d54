package uplink

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// The file of tombstones is
//
//	"latchkey tombstones 2\n" || u64(number) || digest[32] || n × (u8(1 if it was in force, else 0) || lp32(tombstone))
//
// number and digest are the place in the server's list up to which it was followed. One
// was in force if its signer might still say so when it came.
const (
	tombstonesMagic = "latchkey tombstones 2\n"
	maxTombstones   = 32 << 20
)

// Tombstones are what people of the home have had deleted, as this agent has verified
// them, kept on its disk. None is ever forgotten, so that a server which has lost some, by
// a backup that was put back, is given them again.
type Tombstones struct {
	fs   durable.FS
	name string
	home latchkey.HomeID

	mu     sync.Mutex // protects what follows
	set    tombstone.Set
	force  tombstone.Set // those of set that were in force when they came
	all    []buried
	number uint64
	digest [32]byte
}

// buried is a tombstone as it is kept.
type buried struct {
	bytes []byte
	force bool
}

// LoadTombstones reads the tombstones of home from their file, which need not be there
// yet. A file that is damaged is put aside: the server has them all.
func LoadTombstones(fsys durable.FS, name string, home latchkey.HomeID, log *slog.Logger) (*Tombstones, error) {
	t := &Tombstones{fs: fsys, name: name, home: home}
	b, err := durable.ReadBytes(fsys, name, maxTombstones)
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	} else if err != nil {
		return nil, fmt.Errorf("load tombstones: %w", err)
	}
	if err := t.parse(b); err != nil {
		log.Error("the file of tombstones cannot be read; it is kept as "+name+".damaged, and the server is asked for all of them", "reason", err)
		return &Tombstones{fs: fsys, name: name, home: home}, durable.Move(fsys, name, name+".damaged")
	}
	return t, nil
}

func (t *Tombstones) parse(b []byte) error {
	rest, ok := bytes.CutPrefix(b, []byte(tombstonesMagic))
	if !ok {
		return fmt.Errorf("%w: not a file of tombstones", wire.ErrMalformed)
	}
	r := wire.NewReader(rest)
	t.number = r.U64()
	r.Into(t.digest[:])
	for r.Err() == nil && len(r.Rest()) > 0 {
		force := r.U8()
		p := r.LP32(tombstone.Max)
		one, err := tombstone.Parse(p)
		if err != nil {
			return err
		}
		if one.Home != t.home || force > 1 {
			return fmt.Errorf("%w: what is no tombstone of home %s", wire.ErrMalformed, t.home)
		}
		t.add(one, buried{p, force == 1})
	}
	return r.Err()
}

// add takes in one that is not there yet. Its caller holds the lock.
func (t *Tombstones) add(one tombstone.Tombstone, b buried) {
	if !t.set.Add(one) {
		return
	}
	t.all = append(t.all, b)
	if b.force {
		t.force.Add(one)
	}
}

// Covers says whether people of the home have had an object deleted.
func (t *Tombstones) Covers(b sealed.Binding) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.set.Covers(b)
}

// Footage are the spans of what a camera recorded that people of the home have had
// deleted, in order and apart. Whoever has left the home could, with whoever runs the
// server, date a statement back; what is kept nowhere else does not go by that. So these
// are of tombstones that were in force when this agent got them.
func (t *Tombstones) Footage(camera latchkey.CameraID) []tombstone.Stretch {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.force.Footage(camera)
}

// Ended says whether an owner has deleted the home itself, by a tombstone that was in force
// when this agent got it.
func (t *Tombstones) Ended() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.force.Ended()
}

// mark is the place in the server's list, as a hello names it.
func (t *Tombstones) mark() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.number == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%s", t.number, hex.EncodeToString(t.digest[:]))
}

// follow takes in what the server sends. What does not verify is of no home whose deeds
// this agent has: then the server is not believed. They are on the disk when follow
// returns.
func (t *Tombstones) follow(m api.TombstonesFrame, title *deed.Title) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Home != t.home || m.Above != 0 && m.Above != t.number {
		return fmt.Errorf("%w: tombstones that follow number %d", errProtocol, m.Above)
	}
	number, digest := m.Above, t.digest
	if m.Above == 0 {
		digest = [32]byte{}
	}
	var fresh []tombstone.Tombstone
	var more []buried
	for _, b := range m.Tombstones {
		one, err := tombstone.Parse(b)
		if err == nil {
			err = one.Verify(title)
		}
		if err != nil {
			return fmt.Errorf("%w: a tombstone that does not hold: %w", ErrOtherChain, err)
		}
		hash := tombstone.Hash(b)
		number, digest = number+1, tombstone.Next(digest, hash)
		if !t.set.Has(hash) {
			fresh, more = append(fresh, one), append(more, buried{b, one.Now(title) == nil})
		}
	}
	if len(t.all)+len(fresh) > tombstone.MaxInHome {
		return fmt.Errorf("%w: more tombstones than a home has", errProtocol)
	}
	if err := t.store(number, digest, more); err != nil {
		return err
	}
	t.number, t.digest = number, digest
	for i, one := range fresh {
		t.add(one, more[i])
	}
	return nil
}

// store writes the file with more. Its caller holds the lock.
func (t *Tombstones) store(number uint64, digest [32]byte, more []buried) error {
	var w wire.Writer
	w.Raw([]byte(tombstonesMagic))
	w.U64(number)
	w.Raw(digest[:])
	for _, list := range [][]buried{t.all, more} {
		for _, b := range list {
			force := uint8(0)
			if b.force {
				force = 1
			}
			w.U8(force)
			w.LP32(b.bytes)
		}
	}
	return durable.WriteBytes(t.fs, t.name, w.Bytes())
}

// frames are messages with all tombstones.
func (t *Tombstones) frames() (all []api.TombstonesFrame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for at := 0; at < len(t.all); at += api.MaxTombstones {
		end := min(at+api.MaxTombstones, len(t.all))
		f := api.TombstonesFrame{Home: t.home, Last: end == len(t.all)}
		for _, b := range t.all[at:end] {
			f.Tombstones = append(f.Tombstones, b.bytes)
		}
		all = append(all, f)
	}
	return all
}
