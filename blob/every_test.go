package blob_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/blob/blobtest"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestEvery: a store says what it holds, and drops what nobody claims, unless it is being
// uploaded at that moment.
func TestEvery(t *testing.T) {
	disk := durabletest.New()
	s := newDisk(t, disk).(*blob.Disk)
	body := blobtest.Body(100)
	kept, lost := blobtest.Object(latchkey.HomeID{1}, body), blobtest.Object(latchkey.HomeID{2}, body)
	for _, h := range []sealed.Header{kept, lost} {
		if err := blobtest.Put(t.Context(), s, h, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := durable.WriteBytes(disk, "objects/README", []byte("by hand")); err != nil {
		t.Fatal(err)
	}
	held := func() (names []string) {
		err := s.Every(t.Context(), func(h blob.Held) error {
			if h.Name == (latchkey.Name{}) {
				names = append(names, h.At)
			} else {
				names = append(names, h.Name.String())
			}
			if time.Since(h.Since) > time.Minute {
				t.Errorf("%s stands there since %s", h.At, h.Since)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(names)
		return names
	}
	want := []string{"objects/README", kept.Name().String(), lost.Name().String()}
	slices.Sort(want)
	if diff := cmp.Diff(want, held()); diff != "" {
		t.Errorf("what it holds (-want +got):\n%s", diff)
	}
	claims := func(is bool, err error) func() (bool, error) { return func() (bool, error) { return is, err } }
	drop := func(what string, h sealed.Header, claimed func() (bool, error), want bool, wantErr error) {
		t.Helper()
		if dropped, err := s.Drop(t.Context(), h.Name(), claimed); dropped != want || !errors.Is(err, wantErr) {
			t.Errorf("%s: %v, %v; want %v, %v", what, dropped, err, want, wantErr)
		}
	}
	unsure := errors.New("nobody can say")
	drop("claimed", kept, claims(true, nil), false, nil)
	drop("unsure", lost, claims(false, unsure), false, unsure)
	staged, err := s.Stage(t.Context(), lost)
	if err != nil {
		t.Fatal(err)
	}
	drop("being uploaded", lost, claims(false, nil), false, nil)
	if err := staged.Close(); err != nil {
		t.Fatal(err)
	}
	drop("unclaimed", lost, claims(false, nil), true, nil)
	drop("not there", lost, claims(false, nil), false, nil)
	if diff := cmp.Diff([]string{"objects/README", kept.Name().String()}, held()); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}
