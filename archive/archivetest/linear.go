package archivetest

import (
	"crypto/rand"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
)

// History is what several clients did with the chain of one home at the same time, and
// what they were answered. A checker then looks for an order in which it could have
// happened one by one: each call at some moment between its beginning and its end, each
// append there where its onto was the head, each refusal where it was not.
type History struct {
	from latchkey.Head
	zero time.Time

	mu  sync.Mutex // protects ops
	ops []porcupine.Operation
}

// NewHistory begins a history of a home whose head is from.
func NewHistory(from latchkey.Head) *History { return &History{from: from, zero: time.Now()} }

// step is what a client asked for, and said is what it was answered.
type (
	step struct {
		appends    bool
		onto, next latchkey.Head
	}
	said struct {
		conflict bool
		head     latchkey.Head // that was read
	}
)

// Append is an attempt by a client to append next onto a head. Do says whether it was
// refused because the head was another. An attempt that failed otherwise has no place in
// a history: then the test has failed.
func (h *History) Append(client int, onto, next latchkey.Head, do func() (conflict bool, err error)) error {
	began := time.Since(h.zero)
	conflict, err := do()
	if err == nil {
		h.note(client, began, step{appends: true, onto: onto, next: next}, said{conflict: conflict})
	}
	return err
}

// Read is a client's question for the head.
func (h *History) Read(client int, do func() (latchkey.Head, error)) (latchkey.Head, error) {
	began := time.Since(h.zero)
	head, err := do()
	if err == nil {
		h.note(client, began, step{}, said{head: head})
	}
	return head, err
}

func (h *History) note(client int, began time.Duration, asked step, answered said) {
	ended := time.Since(h.zero)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: asked, Call: int64(began), Output: answered, Return: int64(ended)})
}

// Check fails the test if there is no such order, or nobody was in anybody's way: then
// the history shows nothing.
func (h *History) Check(t *testing.T) {
	t.Helper()
	appended, refused := 0, 0
	for _, o := range h.ops {
		if o.Input.(step).appends {
			if o.Output.(said).conflict {
				refused++
			} else {
				appended++
			}
		}
	}
	if appended == 0 || refused == 0 {
		t.Errorf("%d appends and %d refusals: want some of both", appended, refused)
	}
	model := porcupine.Model{
		Init: func() any { return h.from },
		Step: func(state, input, output any) (bool, any) {
			asked, answered := input.(step), output.(said)
			switch {
			case !asked.appends:
				return answered.head == state, state
			case answered.conflict:
				return asked.onto != state, state
			}
			return asked.onto == state, asked.next
		},
	}
	if is := porcupine.CheckOperationsTimeout(model, h.ops, time.Minute); is != porcupine.Ok {
		t.Errorf("%d appends, %d refusals and %d reads are not linearizable: %s", appended, refused, len(h.ops)-appended-refused, is)
	}
}

// linearizes has writers and readers at one home's chain at the same time.
func linearizes(t *testing.T, s Subject) {
	c := found(t, s, 1)
	h := NewHistory(c.head)
	read := func(client int) (latchkey.Head, error) {
		return h.Read(client, func() (latchkey.Head, error) {
			is, err := s.Homes.Head(t.Context(), c.home)
			return is.Head, err
		})
	}
	write := func(client int) error {
		onto, err := read(client)
		if err != nil {
			return err
		}
		d := rand.Text()
		g := (&chain{home: c.home, head: onto, epoch: 1}).grow(d)
		return h.Append(client, onto, g.Head, func() (bool, error) {
			err := s.Homes.Append(t.Context(), onto, g)
			if errors.Is(err, archive.ErrConflict) {
				return true, nil
			}
			return false, err
		})
	}
	Together(t, 6, 25, func(client int) error {
		if client%3 == 0 {
			_, err := read(client)
			return err
		}
		return write(client)
	})
	h.Check(t)
}

// Together has clients do something so many times each, all at the same time.
func Together(t *testing.T, clients, times int, do func(client int) error) {
	t.Helper()
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			for range times {
				if err := do(client); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
