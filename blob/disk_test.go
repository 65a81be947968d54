package blob_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/blob/blobtest"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/sealed"
)

func newDisk(t *testing.T, fsys durable.FS) blob.Store {
	t.Helper()
	s, err := blob.NewDisk(fsys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDisk(t *testing.T) {
	t.Run("os", func(t *testing.T) {
		blobtest.Run(t, func(t *testing.T) blob.Store {
			dir, err := durable.Open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { dir.Close() })
			return newDisk(t, dir)
		})
	})
	t.Run("forgetful", func(t *testing.T) {
		blobtest.Run(t, func(t *testing.T) blob.Store { return newDisk(t, durabletest.New()) })
	})
}

// TestPowerCut cuts the power at every step of an upload in two attempts, on disks
// that forgot everything or kept some of what was not synced. What was committed is
// there afterwards, what was not can be sent again, and nothing else is ever opened.
func TestPowerCut(t *testing.T) {
	body := blobtest.Body(3000)
	acknowledged := 0
	for step := 1; ; step++ {
		done := false
		for seed := range uint64(12) {
			fsys := durabletest.New()
			before := blobtest.Object(latchkey.HomeID{1}, body)
			if err := blobtest.Put(t.Context(), newDisk(t, fsys), before, body); err != nil {
				t.Fatal(err)
			}
			h := blobtest.Object(latchkey.HomeID{1}, body)
			stopAt(fsys, step)
			err := uploadInTwo(t, fsys, h, body)
			rng := rand.New(rand.NewPCG(seed, uint64(step)))
			if seed == 0 {
				fsys.Crash()
			} else {
				fsys.CrashKeeping(func() bool { return rng.IntN(2) == 0 })
			}
			s := newDisk(t, fsys)
			got, name, openErr := blobtest.Read(t.Context(), s, h.Name())
			switch {
			case openErr == nil && (name != h.Name() || !bytes.Equal(got, body)):
				t.Fatalf("step %d, seed %d: opened %d bytes of %s", step, seed, len(got), name)
			case err == nil && openErr != nil:
				t.Fatalf("step %d, seed %d: acknowledged, and then %v", step, seed, openErr)
			case openErr != nil && !errors.Is(openErr, blob.ErrNotFound):
				t.Fatalf("step %d, seed %d: %v", step, seed, openErr)
			}
			if err := sendAgain(t, s, h, body); err != nil {
				t.Fatalf("step %d, seed %d: sent again: %v", step, seed, err)
			}
			for _, h := range []sealed.Header{before, h} {
				if got, _, err := blobtest.Read(t.Context(), s, h.Name()); err != nil || !bytes.Equal(got, body) {
					t.Fatalf("step %d, seed %d: at the end %d bytes, %v", step, seed, len(got), err)
				}
			}
			done = err == nil
			if done {
				acknowledged++
			}
		}
		if done {
			break
		}
		if step > 100 {
			t.Fatal("an upload never ends")
		}
	}
	if acknowledged == 0 {
		t.Fatal("no upload was acknowledged")
	}
}

func stopAt(fsys *durabletest.Forgetful, step int) {
	n := 0
	fsys.Before(func(op, name string) error {
		if n++; n >= step {
			return errors.New("stopped")
		}
		return nil
	})
}

// uploadInTwo sends the first half, loses the connection and sends the rest.
func uploadInTwo(t *testing.T, fsys durable.FS, h sealed.Header, body []byte) error {
	s, err := blob.NewDisk(fsys)
	if err != nil {
		return err
	}
	staged, err := s.Stage(t.Context(), h)
	if err != nil {
		return err
	}
	_, err = staged.Write(body[:len(body)/2])
	if err := errors.Join(err, staged.Close()); err != nil {
		return err
	}
	return blobtest.Put(t.Context(), s, h, body)
}

// sendAgain is what an agent does: if the bytes that were held turn out damaged, it
// begins anew.
func sendAgain(t *testing.T, s blob.Store, h sealed.Header, body []byte) error {
	err := blobtest.Put(t.Context(), s, h, body)
	if sealed.ReasonOf(err) == sealed.WrongHash {
		err = blobtest.Put(t.Context(), s, h, body)
	}
	return err
}

// diskIn is a store in a folder of its own.
func diskIn(t *testing.T) (folder string, s blob.Store) {
	t.Helper()
	folder = t.TempDir()
	dir, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.Close() })
	return folder, newDisk(t, dir)
}

// TestSwappedFiles: whatever lies under a name says itself what it is.
func TestSwappedFiles(t *testing.T) {
	folder, s := diskIn(t)
	bodies := [2][]byte{blobtest.Body(100), blobtest.Body(200)}
	headers := [2]sealed.Header{blobtest.Object(latchkey.HomeID{1}, bodies[0]), blobtest.Object(latchkey.HomeID{2}, bodies[1])}
	var files [2]string
	for i, h := range headers {
		if err := blobtest.Put(t.Context(), s, h, bodies[i]); err != nil {
			t.Fatal(err)
		}
		files[i] = filepath.Join(folder, "objects", filepath.FromSlash(h.Name().String()))
	}
	for _, move := range [][2]string{{files[0], "x"}, {files[1], files[0]}, {"x", files[1]}} {
		for i, at := range move {
			if at == "x" {
				move[i] = filepath.Join(folder, "x")
			}
		}
		if err := os.Rename(move[0], move[1]); err != nil {
			t.Fatal(err)
		}
	}
	for i, h := range headers {
		if _, name, err := blobtest.Read(t.Context(), s, h.Name()); err != nil || name != headers[1-i].Name() {
			t.Errorf("%s opens as %s, %v", h.Name(), name, err)
		}
		if _, err := s.Stage(t.Context(), h); !errors.Is(err, blob.ErrDifferent) {
			t.Errorf("upload where another object lies: %v", err)
		}
		if p, err := s.Staged(t.Context(), h.Name()); !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%d bytes of another object are held, %v", p.Held, err)
		}
	}
}

func TestDamagedFile(t *testing.T) {
	fsys := durabletest.New()
	s := newDisk(t, fsys)
	body := blobtest.Body(100)
	for want, damage := range map[sealed.Reason]func(b []byte) []byte{
		sealed.Truncated:     func(b []byte) []byte { return b[:len(b)-1] },
		sealed.Trailing:      func(b []byte) []byte { return append(b, 0) },
		sealed.Malformed:     func(b []byte) []byte { return append([]byte("L"), b[1:]...) },
		sealed.FutureVersion: func(b []byte) []byte { return append([]byte("latchkey object 2\n"), b[18:]...) },
	} {
		h := blobtest.Object(latchkey.HomeID{1}, body)
		if err := blobtest.Put(t.Context(), s, h, body); err != nil {
			t.Fatal(err)
		}
		at := "objects/" + h.Name().String()
		if err := durable.WriteBytes(fsys, at, damage(fsys.Contents()[at])); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Open(t.Context(), h.Name()); sealed.ReasonOf(err) != want {
			t.Errorf("want %s, got %v", want, err)
		}
		if _, err := s.Stage(t.Context(), h); !errors.Is(err, blob.ErrDifferent) || sealed.ReasonOf(err) != want {
			t.Errorf("an upload to what is %s: %v", want, err)
		}
		if p, err := s.Staged(t.Context(), h.Name()); want != sealed.Truncated && !errors.Is(err, blob.ErrNotFound) {
			t.Errorf("%d bytes are held of what is %s, %v", p.Held, want, err)
		}
	}
}

// TestMoreIsStagedThanThereIs: bytes behind the end of the body are not gone on from.
func TestMoreIsStagedThanThereIs(t *testing.T) {
	fsys := durabletest.New()
	s := newDisk(t, fsys)
	body := blobtest.Body(100)
	h := blobtest.Object(latchkey.HomeID{1}, body)
	before := fsys.Contents()
	staged, err := s.Stage(t.Context(), h)
	if err != nil {
		t.Fatal(err)
	}
	if err := staged.Close(); err != nil {
		t.Fatal(err)
	}
	for at, b := range fsys.Contents() {
		if _, was := before[at]; was {
			continue
		}
		for n, want := range map[int]uint64{100: 100, 101: 0} {
			if err := durable.WriteBytes(fsys, at, append(b[:len(b):len(b)], make([]byte, n)...)); err != nil {
				t.Fatal(err)
			}
			if p, err := s.Staged(t.Context(), h.Name()); p.Held != want || errors.Is(err, blob.ErrNotFound) != (want == 0) {
				t.Errorf("%d bytes are staged: %d are held, %v", n, p.Held, err)
			}
			if staged, err = s.Stage(t.Context(), h); err != nil || staged.Held() != want {
				t.Fatalf("%d bytes are staged: it goes on from %d, %v", n, staged.Held(), err)
			}
			if err := staged.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestAFolderInTheWay is no other object, and no upload either.
func TestAFolderInTheWay(t *testing.T) {
	folder, s := diskIn(t)
	h := blobtest.Object(latchkey.HomeID{1}, nil)
	if err := os.MkdirAll(filepath.Join(folder, "objects", filepath.FromSlash(h.Name().String())), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stage(t.Context(), h); err == nil || errors.Is(err, blob.ErrDifferent) {
		t.Errorf("an upload: %v", err)
	}
}

// TestDamagedBodyIsNotCopied: a header that is right does not make a copy good.
func TestDamagedBodyIsNotCopied(t *testing.T) {
	fsys := durabletest.New()
	from, to := newDisk(t, fsys), newDisk(t, durabletest.New())
	body := blobtest.Body(100)
	h := blobtest.Object(latchkey.HomeID{1}, body)
	if err := blobtest.Put(t.Context(), from, h, body); err != nil {
		t.Fatal(err)
	}
	at := "objects/" + h.Name().String()
	file := fsys.Contents()[at]
	file[len(file)-1] ^= 1
	if err := durable.WriteBytes(fsys, at, file); err != nil {
		t.Fatal(err)
	}
	if err := blob.Copy(t.Context(), from, to, h); sealed.ReasonOf(err) != sealed.WrongHash {
		t.Errorf("copied with %v", err)
	}
	if _, err := to.Open(t.Context(), h.Name()); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("the copy: %v", err)
	}
}

func TestStagingsAreBounded(t *testing.T) {
	fsys := durabletest.New()
	s := newDisk(t, fsys)
	body := blobtest.Body(100)
	for i := range 200 {
		staged, err := s.Stage(t.Context(), blobtest.Object(latchkey.HomeID{1}, body))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := staged.Write(body[:i%100]); err != nil {
			t.Fatal(err)
		}
		if err := staged.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(fsys.Contents()); n != 64 {
		t.Errorf("%d uploads are kept, want 64", n)
	}
}

func TestFullDisk(t *testing.T) {
	fsys := durabletest.New()
	s := newDisk(t, fsys)
	body := blobtest.Body(1000)
	h := blobtest.Object(latchkey.HomeID{1}, body)
	fsys.Before(func(op, name string) error {
		if op == "write" {
			return fmt.Errorf("write %s: %w", name, syscall.ENOSPC)
		}
		return nil
	})
	if err := blobtest.Put(t.Context(), s, h, body); !durable.Full(err) {
		t.Errorf("upload to a full disk: %v", err)
	}
	fsys.Before(nil)
	if err := blobtest.Put(t.Context(), s, h, body); err != nil {
		t.Errorf("upload after room was made: %v", err)
	}
}
