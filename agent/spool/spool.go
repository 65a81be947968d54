// Package spool is the agent's disk between a camera and the server's
// acknowledgement. What [Spool.Add] has taken is sealed and survives a power cut, and
// stays until [Spool.Remove].
//
// An entry is two files: the sealed body, and a record with the signed header and the
// object's key, wrapped under a key of this machine. Plain content never touches the
// disk. The record's name is the commit point: a body without one was never promised
// to anybody and is removed at the next start; the name itself appears whole or not at
// all. Envelopes are not here. They are made at upload, for those entitled then.
//
// The spool is bounded. When it is full it first forgets what the server has refused
// for good and what is damaged, oldest first; then it refuses new clips; and when the
// last sixteenth is used too, new thumbnails and descriptions. What it has accepted it
// never drops to make room.
package spool

import (
	"bufio"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What a spool refuses, and what it finds.
var (
	// ErrFull: the spool holds as much as its owner allows.
	ErrFull = errors.New("the spool is full")
	// ErrDiskFull: the disk is full, or would be.
	ErrDiskFull = errors.New("the disk is full")
	// ErrAway: the disk is not there. The spool's [Config.FS] says it, and the spool
	// waits for it to come back.
	ErrAway = durable.ErrAway
	// ErrDamaged: an entry cannot be read back; it has been set aside.
	ErrDamaged = errors.New("the entry is damaged")
	// ErrGone: there is no such entry.
	ErrGone = errors.New("no such entry in the spool")
)

// Config is what [Open] must know.
type Config struct {
	// FS is the spool's folder, which nobody else writes to.
	FS durable.FS

	// Home is the home whose objects these are. Others, from a folder that was
	// copied, are set aside.
	Home latchkey.HomeID

	// Key wraps the keys of objects; see [LoadKey].
	Key Key

	// Capacity is how many bytes of bodies are kept at most. 8 GiB if zero.
	Capacity int64

	// Objects is how many objects are kept at most; file systems run out of those
	// too. 100,000 if zero.
	Objects int

	// Free says how many bytes the disk has free; nil if nobody can say. The spool
	// takes nothing new while they are fewer than KeepFree, 256 MiB if zero.
	Free     func() (int64, error)
	KeepFree int64

	// Log is told of what was set aside; nobody if nil.
	Log *slog.Logger
}

// Spool is the entries of one folder. Its methods may be called by several goroutines.
type Spool struct {
	fs       durable.FS
	home     latchkey.HomeID
	key      Key
	capacity int64
	objects  int
	free     func() (int64, error)
	keepFree int64
	log      *slog.Logger

	mu      sync.Mutex // protects everything below
	lanes   [3][]Item  // what waits, by urgency; the next to go is the last
	dead    []corpse   // refused or damaged, oldest first
	bytes   int64      // of bodies: waiting, dead and being written
	health  Health
	since   time.Time
	refused uint64 // objects that were not taken
	dropped uint64 // dead entries removed to make room
	unread  int    // entries that the disk did not give at the start
	changed chan struct{}
	writing map[latchkey.ObjectID]time.Time // what is being written, and since when
}

// Item is an entry that waits for its upload.
type Item struct {
	Name        latchkey.Name
	Length      int64  // of the body
	Head        uint64 // number of the deed at which it was sealed
	Event       latchkey.EventID
	Time        latchkey.Time
	incarnation uint64
	monotonic   uint64
}

// lanes, the most urgent first.
func lane(k latchkey.Kind) int {
	switch k {
	case latchkey.Thumbnail:
		return 0
	case latchkey.Description:
		return 1
	}
	return 2
}

// order sorts a lane so that the newest is last. Wall time plays no part: it jumps.
func order(a, b Item) int {
	return cmp.Or(cmp.Compare(a.incarnation, b.incarnation), cmp.Compare(a.monotonic, b.monotonic),
		slices.Compare(a.Name.Object[:], b.Name.Object[:]))
}

// Open reads what is in the folder and tidies what a crash has left. An entry that
// cannot be read is set aside and counted, never a reason not to start.
func Open(c Config) (*Spool, error) {
	s := &Spool{
		fs: c.FS, home: c.Home, key: c.Key, free: c.Free, log: c.Log,
		capacity: cmp.Or(c.Capacity, 8<<30), objects: cmp.Or(c.Objects, 100_000), keepFree: cmp.Or(c.KeepFree, 256<<20),
		health: Healthy, since: time.Now(), changed: make(chan struct{}),
		writing: map[latchkey.ObjectID]time.Time{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.reconcile(); err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	return s, nil
}

// writeAtOnce is how many bytes of a body go to the disk with one system call.
const writeAtOnce = 128 << 10

// Add seals what content writes, signs it, and returns when both files survive a power
// cut. If it returns an error nothing was kept.
func (s *Spool) Add(b sealed.Binding, signer crypto.Signer, content func(io.Writer) error) (sealed.Header, error) {
	s.begin(b.Object)
	h, err := s.add(b, signer, content)
	s.finish(b.Object)
	s.judge(err)
	if err != nil {
		return sealed.Header{}, fmt.Errorf("spool %s: %w", b.Kind, err)
	}
	return h, nil
}

func (s *Spool) add(b sealed.Binding, signer crypto.Signer, content func(io.Writer) error) (sealed.Header, error) {
	if err := s.room(); err != nil {
		return sealed.Header{}, err
	}
	id := b.Object
	var result seal.Result
	meter := &meter{spool: s, kind: b.Kind}
	err := durable.Write(s.fs, bodyName(id), func(w io.Writer) error {
		file := bufio.NewWriterSize(w, writeAtOnce)
		meter.w = file
		sealing, err := seal.NewWriter(meter, b)
		if err != nil {
			return err
		}
		if err := content(sealing); err != nil {
			return meter.blame(err)
		}
		if result, err = sealing.Close(); err == nil {
			err = file.Flush()
		}
		crash.Point("spool.sealed")
		return err
	})
	if err != nil {
		meter.giveBack()
		return sealed.Header{}, err
	}
	crash.Point("spool.body")
	h, err := s.commit(b, result, signer)
	if err != nil {
		meter.giveBack()
		return sealed.Header{}, errors.Join(err, s.erase(id))
	}
	crash.Point("spool.record")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.insert(itemOf(h))
	close(s.changed)
	s.changed = make(chan struct{})
	return h, nil
}

// commit signs the header and writes the record.
func (s *Spool) commit(b sealed.Binding, result seal.Result, signer crypto.Signer) (sealed.Header, error) {
	h, err := seal.Sign(b, result.BodyLength, result.BodyHash, signer)
	if err != nil {
		return sealed.Header{}, err
	}
	return h, durable.WriteBytes(s.fs, recordName(b.Object), s.key.encode(h, result.Key))
}

// Next returns the most urgent item that want takes: thumbnails before descriptions
// before clips, and of those the newest first.
func (s *Spool) Next(want func(Item) bool) (Item, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		for _, item := range slices.Backward(l) {
			if want(item) {
				return item, true
			}
		}
	}
	return Item{}, false
}

// Waiting is a header for each entry, with as much as is known without its record: name,
// event, time and length.
func (s *Spool) Waiting() (all []sealed.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.lanes {
		for _, item := range l {
			all = append(all, sealed.Header{Binding: item.binding(), BodyLength: uint64(item.Length)})
		}
	}
	return all
}

// Get reads an entry back by its name, as [Spool.Open] does.
func (s *Spool) Get(name latchkey.Name) (Object, error) {
	item, there := s.Next(func(i Item) bool { return i.Name == name })
	if !there {
		return Object{}, ErrGone
	}
	return s.Open(item)
}

// Changed is closed when something has been added since the call.
func (s *Spool) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Object is an entry as an upload needs it.
type Object struct {
	Header sealed.Header
	Key    seal.ObjectKey
	Body   durable.File // whoever opened the object closes it
}

// Open reads an entry back. If it is damaged it is set aside and the error is
// [ErrDamaged]; the others are not concerned. Another error is the disk's, and the
// entry still waits.
func (s *Spool) Open(item Item) (Object, error) {
	id := item.Name.Object
	h, key, err := s.read(id)
	if err == nil && h.Binding.Name() != item.Name {
		err = fmt.Errorf("%w: it is another object", ErrDamaged)
	}
	var body durable.File
	if err == nil {
		body, err = s.fs.OpenFile(bodyName(id), os.O_RDONLY)
	}
	if err == nil {
		return Object{h, key, body}, nil
	}
	if err = missing(err); errors.Is(err, ErrDamaged) && s.take(item) {
		s.bury(id, item.Length, err)
	}
	return Object{}, fmt.Errorf("open %s: %w", item.Name, err)
}

// Remove forgets an entry that has been acknowledged, and returns when it cannot come
// back. The record goes first, and with it the object's key.
func (s *Spool) Remove(item Item) error {
	if !s.take(item) {
		return ErrGone
	}
	err := s.erase(item.Name.Object)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= item.Length
	if err != nil {
		return fmt.Errorf("remove %s: %w", item.Name, err)
	}
	return nil
}

// erase removes both files of an entry. Without its record a body is an orphan, which
// the next start removes, so that only the first removal must last.
func (s *Spool) erase(id latchkey.ObjectID) error {
	if err := ignoreMissing(durable.Remove(s.fs, recordName(id))); err != nil {
		return err
	}
	crash.Point("spool.removed")
	return ignoreMissing(s.fs.Remove(bodyName(id)))
}

// SetAside keeps an entry that the server has refused for good out of the way of the
// others. It is there to be looked at until its room is needed.
func (s *Spool) SetAside(item Item, why string) error {
	if !s.take(item) {
		return ErrGone
	}
	s.log.Warn("set aside what the server refused", "object", item.Name.String(), "reason", why)
	err := durable.WriteBytes(s.fs, refusedName(item.Name.Object), []byte(why+"\n"))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead = append(s.dead, corpse{id: item.Name.Object, bytes: item.Length, is: item})
	if err != nil {
		return fmt.Errorf("set aside %s: %w", item.Name, err)
	}
	return nil
}

func itemOf(h sealed.Header) Item {
	b := h.Binding
	return Item{b.Name(), int64(h.BodyLength), b.Head.Seq, b.Event, b.Time, b.Incarnation, b.Monotonic}
}

// binding is as much of the object's as an item has.
func (i Item) binding() sealed.Binding {
	return sealed.Binding{
		Home: i.Name.Home, Camera: i.Name.Camera, Kind: i.Name.Kind, Object: i.Name.Object,
		Event: i.Event, Time: i.Time, Head: latchkey.Head{Seq: i.Head},
	}
}

// insert puts an item into its lane. Its caller holds the lock.
func (s *Spool) insert(item Item) {
	l := &s.lanes[lane(item.Name.Kind)]
	i, _ := slices.BinarySearchFunc(*l, item, order)
	*l = slices.Insert(*l, i, item)
}

// take removes an item from its lane, and says whether it was there.
func (s *Spool) take(item Item) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.lanes[lane(item.Name.Kind)]
	i, found := slices.BinarySearchFunc(*l, item, order)
	if found {
		*l = slices.Delete(*l, i, i+1)
	}
	return found
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
