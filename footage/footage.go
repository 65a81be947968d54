// Package footage is what an agent records without end: the pictures of its cameras and
// a filmstrip of stills, sealed on a disk in the home, until their days are over or
// their room is needed. docs/footage.md has the bytes, and what always holds.
//
// A [Writer] takes the groups of one camera's track. It never waits for the disk: a
// slow, full or missing one loses groups, which are counted and leave a gap with its
// reason. What was written and synced verifies by itself, and nothing that does not
// verify, or lies where it does not belong, is ever given back.
//
// A store keeps the indexes of all days in memory; the disk is asked for groups.
package footage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// What a store refuses, and what it finds.
var (
	// ErrFull: the store holds as much as its owner allows, and all of it is saved.
	ErrFull = errors.New("as much footage is kept as is allowed")
	// ErrDiskFull: the disk is full, or would be, and nothing can be removed.
	ErrDiskFull = errors.New("the disk is full")
	// ErrAway: the disk is not there. The store's [Config.FS] says it.
	ErrAway = durable.ErrAway
	// ErrBehind: the disk does not keep up, and the group was not taken.
	ErrBehind = errors.New("the disk does not keep up")
	// ErrTooLarge: the group is larger or longer than any may be, or of no length.
	ErrTooLarge = errors.New("the group is larger than any may be")
	// ErrDamaged: it was recorded, and cannot be read back.
	ErrDamaged = errors.New("the footage is damaged")
	// ErrClosed: the writer or its store was closed.
	ErrClosed = errors.New("nothing is recorded any more")
)

// Clock says when it is. A [clock.Clock] is one.
type Clock interface {
	Now() clock.Moment
	Boot() latchkey.BootID
}

// Keep is how much is kept.
type Keep struct {
	// Days is for how many days before today. 30 if zero.
	Days int

	// Bytes is how many bytes of segments are kept at most. As much as the disk takes
	// if zero.
	Bytes int64

	// Free is how many bytes of the disk stay free, if [Config.Free] can say it. 2 GiB
	// if zero.
	Free int64
}

func (k Keep) orDefault() Keep {
	return Keep{cmp.Or(k.Days, 30), k.Bytes, cmp.Or(k.Free, 2<<30)}
}

// Config is what [Open] must know.
type Config struct {
	// FS is the folder of the footage, which nobody else writes to.
	FS durable.FS

	// Home is the home whose footage this is.
	Home latchkey.HomeID

	// Key seals everything; see [LoadKey].
	Key Key

	// Clock says when it is, and in which boot.
	Clock Clock

	// Keep is how much is kept; [Store.SetKeep] changes it.
	Keep Keep

	// Free says how many bytes the disk has free; nil if nobody can say.
	Free func() (int64, error)

	// Log is told of what is damaged and of the disk's troubles; nobody if nil.
	Log *slog.Logger
}

// place is one track of one camera.
type place struct {
	camera latchkey.CameraID
	track  Track
}

func (b binding) place() place { return place{b.camera, b.track} }

// Store is the footage of one agent. Its methods may be called by several goroutines.
type Store struct {
	fs    durable.FS
	home  latchkey.HomeID
	key   Key
	clock Clock
	free  func() (int64, error)
	log   *slog.Logger

	// making is held by who makes room: one at a time. It is taken before any hand.
	making sync.Mutex

	// mu protects everything below, and what shelves, indexes and writers know. It is
	// never held while the disk is asked.
	mu        sync.Mutex
	keep      Keep
	shelves   map[place]*shelf
	saved     map[latchkey.CameraID][]Span
	bytes     int64 // of all segments
	health    Health
	since     time.Time
	behind    time.Time // when something last did not fit into memory
	vain      bool      // the disk is full, and to remove something did not help
	lost      uint64
	evicted   uint64
	forgotten int
	repaired  int
	closed    bool
}

// shelf is one track of one camera, on the disk and in memory.
type shelf struct {
	place

	// hand is held by who replaces indexes or removes files of this shelf. It is taken
	// before the store's mu.
	hand sync.Mutex

	days    map[latchkey.Day]*index
	next    uint64  // the sequence of the next group
	writer  *Writer // nil if there is none
	pending index   // the gaps that are in no day's index yet
}

// Open reads what is in the folder, and makes index and disk agree where a crash has
// left them apart. What is damaged is counted, never a reason not to start. On a disk
// that can only be read it opens what is there.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{
		fs: c.FS, home: c.Home, key: c.Key, clock: c.Clock, free: c.Free, log: c.Log, keep: c.Keep.orDefault(),
		shelves: map[place]*shelf{}, saved: map[latchkey.CameraID][]Span{}, health: HealthOK, since: time.Now(),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.reconcile(ctx); err != nil {
		return nil, fmt.Errorf("open footage: %w", err)
	}
	return s, nil
}

// Close ends all writers and what they write. Waiting groups are still written.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	var writers []*Writer
	for _, sh := range s.shelves {
		if sh.writer != nil {
			writers = append(writers, sh.writer)
		}
	}
	s.mu.Unlock()
	var err error
	for _, w := range writers {
		err = errors.Join(err, w.Close())
	}
	return err
}

// SetKeep changes how much is kept, from the next group or [Store.Sweep] on.
func (s *Store) SetKeep(k Keep) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = k.orDefault()
}

// Cameras are those of which something was ever recorded and is still known, in order.
func (s *Store) Cameras() []latchkey.CameraID {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := map[latchkey.CameraID]bool{}
	for p := range s.shelves {
		known[p.camera] = true
	}
	return slices.SortedFunc(maps.Keys(known), func(a, b latchkey.CameraID) int { return slices.Compare(a[:], b[:]) })
}

// shelf returns the shelf of a place, and makes it. Its caller holds mu.
func (s *Store) shelf(p place) *shelf {
	sh := s.shelves[p]
	if sh == nil {
		sh = &shelf{place: p, days: map[latchkey.Day]*index{}, next: 1}
		s.shelves[p] = sh
	}
	return sh
}

// day returns the index of a day, and makes it. Its caller holds the store's mu.
func (sh *shelf) day(d latchkey.Day) *index {
	x := sh.days[d]
	if x == nil {
		x = &index{}
		sh.days[d] = x
	}
	return x
}

// settle puts pending gaps, and as much as there is of one that goes on, into the
// indexes of their days. Its caller holds the store's mu.
func (sh *shelf) settle(now latchkey.Time) {
	gaps := sh.pending.gaps
	sh.pending.gaps = nil
	if w := sh.writer; w != nil && w.gap != nil && w.gap.From < now {
		open := *w.gap
		open.Until = now
		gaps = append(gaps, open)
		w.gap.lost = 0
	}
	for _, g := range gaps {
		g.days(func(d latchkey.Day, part Span) {
			sh.day(d).add(gap{part, g.reason, g.lost})
			g.lost = 0 // counted in the first day
		})
	}
}

// note brings what is known of a shelf to the disk.
func (s *Store) note(sh *shelf) error {
	sh.hand.Lock()
	defer sh.hand.Unlock()
	return s.noteInHand(sh)
}

// noteInHand is [Store.note] of who holds the shelf's hand.
func (s *Store) noteInHand(sh *shelf) error {
	type change struct {
		day  latchkey.Day
		x    *index
		file []byte
	}
	var changes []change
	now := s.clock.Now().Wall
	s.mu.Lock()
	sh.settle(now)
	var err error
	for d, x := range sh.days {
		if !x.dirty {
			continue
		}
		file, e := x.seal(s.key, s.home, sh.place, d)
		if e != nil {
			err = errors.Join(err, e)
			continue // the index that is there stays
		}
		changes = append(changes, change{d, x, file})
		x.dirty = false
	}
	s.mu.Unlock()
	for _, c := range changes {
		e := s.put(sh, c.day, c.x, indexName(sh.place, c.day), c.file)
		if e != nil {
			s.mu.Lock()
			c.x.dirty = true
			s.mu.Unlock()
			err = errors.Join(err, e)
		}
	}
	return err
}

// put writes a file into a day's directory, and makes that if it is not there. Its caller
// holds the shelf's hand.
func (s *Store) put(sh *shelf, d latchkey.Day, x *index, name string, content []byte) error {
	if x.made {
		err := durable.WriteBytes(s.fs, name, content)
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		x.made = false // somebody has removed it
	}
	if err := durable.MkdirAll(s.fs, dirName(sh.place, d)); err != nil {
		return err
	}
	x.made = true
	return durable.WriteBytes(s.fs, name, content)
}
