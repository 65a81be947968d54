package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

// keeper is the server's side of docs/wire.md, "Incarnation".
type keeper struct {
	incarnation uint64
	token       []byte
}

func (k *keeper) take(h hello) error {
	switch {
	case k.token == nil:
	case bytes.Equal(h.Token, k.token) && h.Incarnation > k.incarnation:
	case h.Incarnation == k.incarnation && bytes.Equal(h.Next, k.token):
	default:
		return errors.New("cloned")
	}
	k.incarnation, k.token = h.Incarnation, h.Next
	return nil
}

// TestStartsAmongCrashes draws histories of starts, hellos, lost hellos, lost answers
// and power cuts. An agent that is alone is never taken for a copy, and no incarnation
// is used twice.
func TestStartsAmongCrashes(t *testing.T) {
	for seed := range uint64(300) {
		if err := starts(rand.New(rand.NewPCG(seed, 1))); err != nil {
			t.Fatalf("history %d: %v", seed, err)
		}
	}
}

func starts(r *rand.Rand) error {
	disk := durabletest.New()
	var server keeper
	used := map[uint64]bool{}
	for range 12 {
		s, err := NextStart(disk, "start")
		if err == nil {
			if used[s.Incarnation()] {
				return fmt.Errorf("incarnation %d is used twice", s.Incarnation())
			}
			used[s.Incarnation()] = true
			err = converse(r, disk, s, &server)
		}
		if err != nil && !errors.Is(err, errCut) {
			return err
		}
		disk.CrashKeeping(func() bool { return r.IntN(2) == 0 })
	}
	// When nothing goes wrong any more it comes to an end with this start's own hello.
	s, err := NextStart(disk, "start")
	if err != nil {
		return err
	}
	for range 2 {
		h, err := s.hello()
		if err != nil {
			return err
		}
		if err := server.take(h); err != nil {
			return err
		}
		if current, err := s.answered(h); err != nil || current {
			return err
		}
	}
	return errors.New("two hellos did not settle it")
}

var errCut = errors.New("the power is cut")

func converse(r *rand.Rand, disk *durabletest.Forgetful, s *Start, server *keeper) error {
	steps := r.IntN(25)
	disk.Before(func(op, name string) error {
		if steps--; steps < 0 {
			return errCut
		}
		return nil
	})
	for range r.IntN(5) {
		h, err := s.hello()
		if err != nil {
			return err
		}
		if r.IntN(4) == 0 {
			continue // the hello is lost
		}
		if err := server.take(h); err != nil {
			return fmt.Errorf("incarnation %d: %w", h.Incarnation, err)
		}
		if r.IntN(4) == 0 {
			continue // the answer is lost
		}
		if _, err := s.answered(h); err != nil {
			return err
		}
	}
	return nil
}

func TestCopyIsFoundOut(t *testing.T) {
	disk := durabletest.New()
	var server keeper
	start := func(fsys durable.FS) (*Start, error) {
		s, err := NextStart(fsys, "start")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			h, err := s.hello()
			if err != nil {
				t.Fatal(err)
			}
			if err := server.take(h); err != nil {
				return s, err
			}
			if current, err := s.answered(h); err != nil {
				t.Fatal(err)
			} else if current {
				break
			}
		}
		return s, nil
	}
	again := func(s *Start) error {
		h, err := s.hello()
		if err != nil {
			t.Fatal(err)
		}
		return server.take(h)
	}
	original, err := start(disk)
	if err != nil {
		t.Fatal(err)
	}
	backup, err := durable.ReadBytes(disk, "start", 4096)
	if err != nil {
		t.Fatal(err)
	}
	if err := again(original); err != nil {
		t.Errorf("connecting again: %v", err)
	}
	other := durabletest.New()
	if err := durable.WriteBytes(other, "start", backup); err != nil {
		t.Fatal(err)
	}
	if _, err := start(other); err != nil {
		t.Fatalf("the copy comes first, and nothing gives it away: %v", err)
	}
	if again(original) == nil {
		t.Error("the original connects again beside its copy")
	}
	if _, err := start(disk); err == nil {
		t.Error("the original starts again beside its copy")
	}
}

func TestDamagedCountIsAnError(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "not JSON": "5", "another version": `{"v":2,"incarnation":5}`, "zero": `{"v":1,"incarnation":0}`,
		"at the end": `{"v":1,"incarnation":9007199254740991}`, "enormous": string(make([]byte, 5000)),
	} {
		disk := durabletest.New()
		if err := durable.WriteBytes(disk, "start", []byte(text)); err != nil {
			t.Fatal(err)
		}
		if s, err := NextStart(disk, "start"); err == nil {
			t.Errorf("%s: incarnation %d", name, s.Incarnation())
		}
	}
}

// TestRenewedStart: an agent with new keys counts on past its copies, and no server knows
// a token of it.
func TestRenewedStart(t *testing.T) {
	disk := durabletest.New()
	for range 3 {
		if _, err := NextStart(disk, "start"); err != nil {
			t.Fatal(err)
		}
	}
	if err := durable.WriteBytes(disk, "damaged", []byte("no count")); err != nil {
		t.Fatal(err)
	}
	for old, want := range map[string]uint64{"start": 3 + leap + 1, "damaged": leap + 1, "missing": leap + 1} {
		if err := RenewStart(disk, old, "next"); err != nil {
			t.Fatal(err)
		}
		s, err := NextStart(disk, "next")
		if err != nil || s.Incarnation() != want {
			t.Fatalf("after %s it counts %d, want %d; %v", old, s.Incarnation(), want, err)
		}
		h, err := s.hello()
		if server := (&keeper{}); err != nil || server.take(h) != nil || h.Incarnation != want {
			t.Errorf("after %s it says %d, %v", old, h.Incarnation, err)
		}
	}
}
