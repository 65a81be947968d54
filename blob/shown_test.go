package blob_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestShown: what lies somewhere else is opened there, and is not changed.
func TestShown(t *testing.T) {
	ctx, asked := t.Context(), latchkey.Name{}
	s := blob.Shown(func(_ context.Context, name latchkey.Name) (blob.Object, error) {
		asked = name
		return blob.Object{}, blob.ErrNotFound
	})
	want := latchkey.Name{Kind: latchkey.Clip}
	if _, err := s.Open(ctx, want); asked != want || !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("opens %v, %v", asked, err)
	}
	if _, err := s.Stage(ctx, sealed.Header{}); err == nil {
		t.Error("something is put there")
	}
	if _, err := s.Staged(ctx, want); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("something is staged: %v", err)
	}
	if err := s.Remove(ctx, want); err == nil {
		t.Error("something is removed")
	}
	if err := s.Sweep(ctx, time.Now()); err != nil {
		t.Error(err)
	}
}
