package spool

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// reserve is the part of the capacity that clips may not use, so that after a long
// outage there is still a picture and a sentence for what no clip could be kept of.
const reserve = 16

// errContent marks what went wrong with the content, not with the spool.
var errContent = errors.New("the content")

// corpse is an entry that will not be uploaded. It is kept to be looked at until its
// room is needed.
type corpse struct {
	id      latchkey.ObjectID
	bytes   int64
	is      Item // zero if nobody knows
	damaged bool
}

// Discard removes whatever was sealed before the deed of that number, also what is set
// aside and may have been, and says how many entries that was. It is for what belongs to
// people who have left the home.
func (s *Spool) Discard(before uint64) (n int, err error) {
	n, err = s.discard(func(i Item) bool { return i.Head < before })
	if err != nil {
		err = fmt.Errorf("discard what was sealed before deed %d: %w", before, err)
	}
	return n, err
}

// Delete removes whatever people of the home have had deleted, of what waits and of what
// the server has refused, and says how many entries that was. It is asked of a binding
// that has the object's name, event, time and head.
func (s *Spool) Delete(covered func(b sealed.Binding) bool) (n int, err error) {
	n, err = s.discard(func(i Item) bool { return i != (Item{}) && covered(i.binding()) })
	if err != nil {
		err = fmt.Errorf("remove what was deleted: %w", err)
	}
	return n, err
}

// discard removes the entries that want says.
func (s *Spool) discard(want func(Item) bool) (n int, err error) {
	s.mu.Lock()
	var gone []Item
	for i := range s.lanes {
		s.lanes[i] = slices.DeleteFunc(s.lanes[i], func(item Item) bool {
			is := want(item)
			if is {
				gone = append(gone, item)
			}
			return is
		})
	}
	var dead []corpse
	s.dead = slices.DeleteFunc(s.dead, func(c corpse) bool {
		is := want(c.is)
		if is {
			dead = append(dead, c)
		}
		return is
	})
	s.mu.Unlock()
	var bytes int64
	for _, item := range gone {
		err = errors.Join(err, s.erase(item.Name.Object))
		bytes += item.Length
	}
	for _, c := range dead {
		err = errors.Join(err, s.removeDead(c))
		bytes += c.bytes
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= bytes
	return len(gone) + len(dead), err
}

// room says whether anything new may begin. No disk is asked under the lock: one that
// hangs must not keep others from asking how the spool is doing.
func (s *Spool) room() error {
	for {
		s.mu.Lock()
		n := s.count()
		s.mu.Unlock()
		if n < s.objects {
			break
		}
		if !s.dropDead() {
			return fmt.Errorf("%w: it holds %d objects", ErrFull, n)
		}
	}
	if s.free == nil {
		return nil
	}
	for {
		free, err := s.free()
		if err != nil {
			return fmt.Errorf("ask for the free room on the disk: %w", err)
		}
		if free >= s.keepFree {
			return nil
		}
		if !s.dropDead() {
			return fmt.Errorf("%w: %d MiB are free, and %d MiB stay free", ErrDiskFull, free>>20, s.keepFree>>20)
		}
	}
}

// count is how many entries there are. Its caller holds the lock.
func (s *Spool) count() int {
	return len(s.lanes[0]) + len(s.lanes[1]) + len(s.lanes[2]) + len(s.dead)
}

// grow takes n bytes for an object that is being written.
func (s *Spool) grow(kind latchkey.Kind, n int64) error {
	most := s.capacity
	if kind == latchkey.Clip {
		most -= s.capacity / reserve
	}
	for {
		s.mu.Lock()
		held := s.bytes
		if held+n <= most {
			s.bytes += n
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		if !s.dropDead() {
			return fmt.Errorf("%w: it holds %d of %d MiB", ErrFull, held>>20, s.capacity>>20)
		}
	}
}

// dropDead removes the oldest dead entry, and says whether there was one.
func (s *Spool) dropDead() bool {
	s.mu.Lock()
	if len(s.dead) == 0 {
		s.mu.Unlock()
		return false
	}
	c := s.dead[0]
	s.dead = s.dead[1:]
	s.bytes -= c.bytes
	s.dropped++
	s.mu.Unlock()
	if err := s.removeDead(c); err != nil {
		s.log.Warn("remove what was set aside", "object", c.id.String(), "error", err)
	}
	return true
}

// meter counts the bytes of a body that is being written against the spool's bounds.
type meter struct {
	spool *Spool
	kind  latchkey.Kind
	w     io.Writer
	taken int64
	err   error // of the disk or the bounds; whatever else goes wrong is the content's
}

// Write is [io.Writer]'s.
func (m *meter) Write(p []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n := int64(len(p))
	if m.err = m.spool.grow(m.kind, n); m.err != nil {
		return 0, m.err
	}
	m.taken += n
	written, err := m.w.Write(p)
	m.err = err
	return written, err
}

// blame tells an error of the content from one of the disk, which the content's
// function only passes on.
func (m *meter) blame(err error) error {
	if m.err != nil {
		return m.err
	}
	return fmt.Errorf("%w: %w", errContent, err)
}

// giveBack returns what was taken for an object that did not come about.
func (m *meter) giveBack() {
	m.spool.mu.Lock()
	defer m.spool.mu.Unlock()
	m.spool.bytes -= m.taken
}
