package blobtest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
)

func copies(open func(t *testing.T) blob.Store) func(t *testing.T, s blob.Store) {
	return func(t *testing.T, from blob.Store) {
		to := open(t)
		body := Body(100_000)
		h := Object(latchkey.HomeID{1}, body)
		check(t, "an object that is not there", blob.Copy(t.Context(), from, to, h), blob.ErrNotFound)
		must(t, Put(t.Context(), from, h, body))
		for range 2 {
			must(t, blob.Copy(t.Context(), from, to, h))
		}
		if got, name, err := Read(t.Context(), to, h.Name()); err != nil || name != h.Name() || !bytes.Equal(got, body) {
			t.Errorf("the copy has %d bytes of %s, %v", len(got), name, err)
		}
		must(t, blob.Copy(t.Context(), open(t), to, h)) // what is there is not read again
		other := h
		other.BodyHash[0]++
		check(t, "another object of the name", blob.Copy(t.Context(), from, to, other), blob.ErrDifferent)
		check(t, "another object of the name, not there yet", blob.Copy(t.Context(), from, open(t), other), blob.ErrDifferent)

		// What an attempt that was broken off has left is gone on with if it is right,
		// and replaced if it is not.
		for what, left := range map[string][]byte{"right": body[:5000], "wrong": make([]byte, 5000), "all of it": body, "all of it, and wrong": make([]byte, len(body))} {
			to := open(t)
			staged, err := to.Stage(t.Context(), h)
			must(t, err)
			_, err = staged.Write(left)
			must(t, err)
			must(t, staged.Close())
			must(t, blob.Copy(t.Context(), from, to, h))
			if got, _, err := Read(t.Context(), to, h.Name()); err != nil || !bytes.Equal(got, body) {
				t.Errorf("after an attempt that left what is %s: %d bytes, %v", what, len(got), err)
			}
		}
	}
}

func check(t *testing.T, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
