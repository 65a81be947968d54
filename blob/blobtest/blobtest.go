// Package blobtest is the suite that every [blob.Store] passes.
package blobtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Object returns a header for that body, of a random clip on 2026-03-01 in the given
// home. Its signature is not genuine: stores do not look at it.
func Object(home latchkey.HomeID, body []byte) sealed.Header {
	return sealed.Header{
		Binding: sealed.Binding{
			Kind: latchkey.Clip, Home: home, Camera: latchkey.NewCameraID(), Event: latchkey.NewEventID(),
			Object: latchkey.NewObjectID(), Incarnation: 1, Sequence: 1,
			Time: latchkey.TimeOf(time.Date(2026, 3, 1, 23, 59, 59, 0, time.UTC)),
		},
		BodyLength: uint64(len(body)), BodyHash: sha256.Sum256(body),
		Signatures: [][]byte{make([]byte, 64)},
	}
}

// Body returns n bytes that differ from place to place.
func Body(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

// Put stores an object in one go.
func Put(ctx context.Context, s blob.Store, h sealed.Header, body []byte) error {
	staged, err := s.Stage(ctx, h)
	if err != nil {
		return err
	}
	if _, err := staged.Write(body[staged.Held():]); err != nil {
		return errors.Join(err, staged.Close())
	}
	return errors.Join(staged.Commit(ctx), staged.Close())
}

// Read returns the body of what is stored under name, and the name it says it has.
func Read(ctx context.Context, s blob.Store, name latchkey.Name) ([]byte, latchkey.Name, error) {
	o, err := s.Open(ctx, name)
	if err != nil {
		return nil, latchkey.Name{}, err
	}
	body, err := io.ReadAll(o.Body)
	return body, o.Header.Name(), errors.Join(err, o.Body.Close())
}

// Run runs the suite; open gives an empty store to each test.
func Run(t *testing.T, open func(t *testing.T) blob.Store) {
	for name, test := range map[string]func(t *testing.T, s blob.Store){
		"stores and opens":           stores,
		"knows nothing of others":    separates,
		"goes on where it stopped":   resumes,
		"refuses a wrong body":       refusesWrongBody,
		"refuses different bytes":    refusesDifferent,
		"takes the same bytes again": takesAgain,
		"has one upload of a name":   oneAtATime,
		"sweeps what was left":       sweeps,
		"removes for good":           removes,
		"refuses what is no name":    refusesNoName,
		"copies to another":          copies(open),
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func stores(t *testing.T, s blob.Store) {
	for _, n := range []int{0, 1, 72, 100_000} {
		body := Body(n)
		h := Object(latchkey.HomeID{1}, body)
		if err := Put(t.Context(), s, h, body); err != nil {
			t.Fatal(err)
		}
		got, name, err := Read(t.Context(), s, h.Name())
		if err != nil || name != h.Name() || !bytes.Equal(got, body) {
			t.Errorf("body of %d bytes: read %d bytes of %s, %v", n, len(got), name, err)
		}
		if p, err := s.Staged(t.Context(), h.Name()); err != nil || p.Held != uint64(n) {
			t.Errorf("a stored object has %d bytes held, %v", p.Held, err)
		}
	}
}

func separates(t *testing.T, s blob.Store) {
	body := Body(100)
	h := Object(latchkey.HomeID{1}, body)
	if err := Put(t.Context(), s, h, body); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(n *latchkey.Name){
		"home":   func(n *latchkey.Name) { n.Home[31]++ },
		"camera": func(n *latchkey.Name) { n.Camera[15]++ },
		"day":    func(n *latchkey.Name) { n.Day = "2026-03-02" },
		"kind":   func(n *latchkey.Name) { n.Kind = latchkey.Thumbnail },
		"object": func(n *latchkey.Name) { n.Object[15]++ },
	} {
		name := h.Name()
		change(&name)
		if _, err := s.Open(t.Context(), name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("another %s: %v", what, err)
		}
		if _, err := s.Staged(t.Context(), name); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("staged under another %s: %v", what, err)
		}
	}
}

func resumes(t *testing.T, s blob.Store) {
	body := Body(50_000)
	h := Object(latchkey.HomeID{1}, body)
	before := 0
	for _, upTo := range []int{0, 1, 20_000, 50_000} {
		staged, err := s.Stage(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		held := staged.Held()
		if held != uint64(before) {
			t.Errorf("after %d bytes it goes on from %d", before, held)
		}
		before = upTo
		if _, err := staged.Write(body[held:upTo]); err != nil {
			t.Fatal(err)
		}
		if upTo < len(body) {
			if err := staged.Commit(t.Context()); sealed.ReasonOf(err) != sealed.Truncated {
				t.Errorf("commit of %d bytes: %v", upTo, err)
			}
		}
		if err := staged.Close(); err != nil {
			t.Fatal(err)
		}
		p, err := s.Staged(t.Context(), h.Name())
		if err != nil || p.Held != uint64(upTo) || p.Header.Name() != h.Name() {
			t.Errorf("after %d bytes: staged %d of %s, %v", upTo, p.Held, p.Header.Name(), err)
		}
		if _, err := s.Open(t.Context(), h.Name()); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("opened before the commit: %v", err)
		}
	}
	if err := Put(t.Context(), s, h, body); err != nil {
		t.Fatal(err)
	}
	if got, _, err := Read(t.Context(), s, h.Name()); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the parts make %d bytes, %v", len(got), err)
	}
}

func refusesWrongBody(t *testing.T, s blob.Store) {
	body := Body(1000)
	h := Object(latchkey.HomeID{1}, body)
	staged, err := s.Stage(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	if _, err := staged.Write(make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	if _, err := staged.Write([]byte{0}); sealed.ReasonOf(err) != sealed.Trailing {
		t.Errorf("a byte too many: %v", err)
	}
	if err := staged.Commit(t.Context()); sealed.ReasonOf(err) != sealed.WrongHash {
		t.Errorf("another body: %v", err)
	}
	if staged.Held() != 0 {
		t.Errorf("%d bytes of a wrong body are held", staged.Held())
	}
	if _, err := staged.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := staged.Commit(t.Context()); err != nil {
		t.Errorf("the right body after the wrong one: %v", err)
	}
}

func refusesDifferent(t *testing.T, s blob.Store) {
	body := Body(1000)
	h := Object(latchkey.HomeID{1}, body)
	if err := Put(t.Context(), s, h, body); err != nil {
		t.Fatal(err)
	}
	other := h
	other.BodyHash = sha256.Sum256([]byte("other"))
	if _, err := s.Stage(t.Context(), other); !errors.Is(err, blob.ErrDifferent) {
		t.Errorf("another body under the same name: %v", err)
	}
	if got, _, err := Read(t.Context(), s, h.Name()); err != nil || !bytes.Equal(got, body) {
		t.Errorf("the first body afterwards: %d bytes, %v", len(got), err)
	}

	// Until something is stored, the newest header has the name.
	h = Object(latchkey.HomeID{1}, body)
	staged, err := s.Stage(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := staged.Write(body[:500]); err != nil {
		t.Fatal(err)
	}
	if err := staged.Close(); err != nil {
		t.Fatal(err)
	}
	other = h
	other.Binding.Sequence++
	staged, err = s.Stage(t.Context(), other)
	if err != nil {
		t.Fatal(err)
	}
	defer staged.Close()
	if staged.Held() != 0 {
		t.Errorf("%d bytes of another header's body are held", staged.Held())
	}
}

func takesAgain(t *testing.T, s blob.Store) {
	body := Body(1000)
	h := Object(latchkey.HomeID{1}, body)
	for range 3 {
		if err := Put(t.Context(), s, h, body); err != nil {
			t.Fatal(err)
		}
	}
	if got, _, err := Read(t.Context(), s, h.Name()); err != nil || !bytes.Equal(got, body) {
		t.Errorf("stored thrice: %d bytes, %v", len(got), err)
	}
}

func oneAtATime(t *testing.T, s blob.Store) {
	body := Body(1000)
	h := Object(latchkey.HomeID{1}, body)
	first, err := s.Stage(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage(t.Context(), h); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("second upload of the name: %v", err)
	}
	if err := Put(t.Context(), s, Object(latchkey.HomeID{1}, body), body); err != nil {
		t.Errorf("upload of another name meanwhile: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := Put(t.Context(), s, h, body); err != nil {
		t.Errorf("upload after the first was closed: %v", err)
	}
}

func sweeps(t *testing.T, s blob.Store) {
	body := Body(1000)
	left, busy := Object(latchkey.HomeID{1}, body), Object(latchkey.HomeID{2}, body)
	for _, h := range []sealed.Header{left, busy} {
		staged, err := s.Stage(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := staged.Write(body[:10]); err != nil {
			t.Fatal(err)
		}
		if h.Binding.Home == left.Binding.Home {
			if err := staged.Close(); err != nil {
				t.Fatal(err)
			}
		} else {
			defer staged.Close()
		}
	}
	if err := s.Sweep(t.Context(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Staged(t.Context(), left.Name()); err != nil || p.Held != 10 {
		t.Errorf("a fresh upload was swept: %d, %v", p.Held, err)
	}
	if err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Staged(t.Context(), left.Name()); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("an old upload was not swept: %v", err)
	}
	if p, err := s.Staged(t.Context(), busy.Name()); err != nil || p.Held != 10 {
		t.Errorf("an upload under way was swept: %d, %v", p.Held, err)
	}
}

func removes(t *testing.T, s blob.Store) {
	body := Body(1000)
	stored, staged, other := Object(latchkey.HomeID{1}, body), Object(latchkey.HomeID{1}, body), Object(latchkey.HomeID{2}, body)
	for _, h := range []sealed.Header{stored, other} {
		if err := Put(t.Context(), s, h, body); err != nil {
			t.Fatal(err)
		}
	}
	busy, err := s.Stage(t.Context(), staged)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := busy.Write(body[:10]); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), staged.Name()); !errors.Is(err, blob.ErrBusy) {
		t.Errorf("an upload under way: %v", err)
	}
	if err := busy.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, h := range []sealed.Header{stored, staged} {
			if err := s.Remove(t.Context(), h.Name()); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Open(t.Context(), h.Name()); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("what was removed: %v", err)
			}
			if _, err := s.Staged(t.Context(), h.Name()); !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("what was removed is still staged: %v", err)
			}
		}
	}
	if _, _, err := Read(t.Context(), s, other.Name()); err != nil {
		t.Errorf("another home's: %v", err)
	}
	if err := Put(t.Context(), s, stored, body); err != nil {
		t.Errorf("stored again: %v", err)
	}
}

func refusesNoName(t *testing.T, s blob.Store) {
	name := Object(latchkey.HomeID{1}, nil).Name()
	name.Day = "../../../../etc"
	if _, err := s.Open(t.Context(), name); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("opened %s: %v", name, err)
	}
	if _, err := s.Staged(t.Context(), name); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("looked at %s: %v", name, err)
	}
	if _, err := s.Open(t.Context(), latchkey.Name{}); err == nil || errors.Is(err, blob.ErrNotFound) {
		t.Errorf("opened no name at all: %v", err)
	}
	h := Object(latchkey.HomeID{1}, nil)
	h.Binding.Kind = 9
	if _, err := s.Stage(t.Context(), h); err == nil {
		t.Error("staged an object of an unknown kind")
	}
}
