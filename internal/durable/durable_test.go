package durable_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
)

func each(t *testing.T, test func(t *testing.T, fsys durable.FS)) {
	t.Run("os", func(t *testing.T) {
		d, err := durable.Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		test(t, d)
	})
	t.Run("forgetful", func(t *testing.T) { test(t, durabletest.New()) })
}

func read(t *testing.T, fsys durable.FS, name string) string {
	t.Helper()
	b, err := durable.ReadBytes(fsys, name, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWriteReadMoveRemove(t *testing.T) {
	each(t, func(t *testing.T, fsys durable.FS) {
		if err := durable.MkdirAll(fsys, "a/b"); err != nil {
			t.Fatal(err)
		}
		for _, content := range []string{"first", "second, longer", ""} {
			if err := durable.WriteBytes(fsys, "a/b/c", []byte(content)); err != nil {
				t.Fatal(err)
			}
			if got := read(t, fsys, "a/b/c"); got != content {
				t.Errorf("read %q, wrote %q", got, content)
			}
		}
		if err := durable.WriteBytes(fsys, "a/b/c", []byte("kept")); err != nil {
			t.Fatal(err)
		}
		broken := errors.New("broken off")
		err := durable.Write(fsys, "a/b/c", func(w io.Writer) error {
			_, _ = w.Write([]byte("half"))
			return broken
		})
		if !errors.Is(err, broken) || read(t, fsys, "a/b/c") != "kept" {
			t.Errorf("a write that broke off: %v, and the file holds %q", err, read(t, fsys, "a/b/c"))
		}
		if err := durable.Move(fsys, "a/b/c", "a/d"); err != nil {
			t.Fatal(err)
		}
		if got := read(t, fsys, "a/d"); got != "kept" {
			t.Errorf("moved file holds %q", got)
		}
		entries, err := durable.List(fsys, "a/b")
		if err != nil || len(entries) != 0 {
			t.Errorf("directory after the move and the broken write: %v, %v", entries, err)
		}
		if err := durable.Remove(fsys, "a/d"); err != nil {
			t.Fatal(err)
		}
		if _, err := durable.ReadBytes(fsys, "a/d", 1); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read of a removed file: %v", err)
		}
		if _, err := durable.ReadBytes(fsys, "a/b", 1); err == nil {
			t.Error("a directory was read as a file")
		}
	})
}

func TestReadBytesRefusesMoreThanMax(t *testing.T) {
	each(t, func(t *testing.T, fsys durable.FS) {
		if err := durable.WriteBytes(fsys, "f", make([]byte, 11)); err != nil {
			t.Fatal(err)
		}
		if _, err := durable.ReadBytes(fsys, "f", 10); err == nil {
			t.Error("11 bytes were read where 10 are allowed")
		}
		if _, err := durable.ReadBytes(fsys, "f", 11); err != nil {
			t.Error(err)
		}
	})
}

func TestAppendResumes(t *testing.T) {
	each(t, func(t *testing.T, fsys durable.FS) {
		for i := range 3 {
			a, err := durable.Append(fsys, "log")
			if err != nil {
				t.Fatal(err)
			}
			if a.Size() != int64(i*4) {
				t.Errorf("opened at %d, want %d", a.Size(), i*4)
			}
			fmt.Fprintf(a, "row%d", i)
			if err := errors.Join(a.Sync(), a.Close()); err != nil {
				t.Fatal(err)
			}
		}
		a, err := durable.Append(fsys, "log")
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		if err := a.Truncate(4); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(a, "end")
		r, err := a.Reader()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if string(b) != "row0end" || err != nil {
			t.Errorf("log holds %q, %v", b, err)
		}
	})
}

func TestNoWayOut(t *testing.T) {
	folder := t.TempDir()
	inside := filepath.Join(folder, "inside")
	if err := os.WriteFile(filepath.Join(folder, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := durable.Open(inside)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := os.Symlink("../secret", filepath.Join(inside, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", "/etc/passwd", "a/../../secret", "link", "", "a//b", "./x"} {
		if _, err := d.OpenFile(name, os.O_RDONLY); err == nil {
			t.Errorf("opened %q", name)
		}
		if err := durable.WriteBytes(d, name, nil); err == nil && name != "link" {
			t.Errorf("wrote %q", name)
		}
	}
	if b, err := os.ReadFile(filepath.Join(folder, "secret")); err != nil || string(b) != "x" {
		t.Errorf("the file outside: %q, %v", b, err)
	}
}

// TestEveryStep crashes the replacement of a file at each of its steps, with a disk
// that forgets everything and with disks that kept some of it, and finds the old
// content or the new one.
func TestEveryStep(t *testing.T) {
	for step := 1; ; step++ {
		for keep := range 8 {
			fsys := durabletest.New()
			if err := errors.Join(durable.MkdirAll(fsys, "d"), durable.WriteBytes(fsys, "d/f", []byte("old"))); err != nil {
				t.Fatal(err)
			}
			err := replaceAndStopAt(fsys, step)
			asked := 0
			fsys.CrashKeeping(func() bool { asked++; return keep>>(asked%3)&1 == 1 })
			got := read(t, fsys, "d/f")
			if err == nil && got != "new" {
				t.Fatalf("the write was acknowledged and the disk holds %q", got)
			}
			if got != "old" && got != "new" {
				t.Fatalf("stopped at step %d, keeping %b: the disk holds %q", step, keep, got)
			}
			if err := durable.Sweep(fsys, "d"); err != nil {
				t.Fatal(err)
			}
			if left := fsys.Contents(); len(left) != 1 {
				t.Fatalf("stopped at step %d: left behind %v", step, left)
			}
			if err == nil && keep == 7 {
				if step < 5 {
					t.Fatalf("a write has only %d steps: it left something out", step-1)
				}
				return
			}
		}
	}
}

func replaceAndStopAt(fsys *durabletest.Forgetful, step int) error {
	n := 0
	fsys.Before(func(op, name string) error {
		if n++; n >= step {
			return errors.New("stopped")
		}
		return nil
	})
	return durable.WriteBytes(fsys, "d/f", []byte("new"))
}

// TestForgetfulForgets is the control: writers that leave out one sync each, and what
// the forgetful file system does to them.
func TestForgetfulForgets(t *testing.T) {
	create := func(fsys durable.FS, name string, sync bool) error {
		f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE)
		if err != nil {
			return err
		}
		_, err = f.Write([]byte("content"))
		if sync {
			err = errors.Join(err, f.Sync())
		}
		return errors.Join(err, f.Close())
	}
	tests := []struct {
		name  string
		write func(fsys durable.FS) error
		want  string // "" is no file
	}{
		{"nothing synced", func(fsys durable.FS) error { return create(fsys, "f", false) }, ""},
		{"file synced, directory not", func(fsys durable.FS) error { return create(fsys, "f", true) }, ""},
		{"directory synced, file not", func(fsys durable.FS) error {
			return errors.Join(create(fsys, "f", false), durable.SyncDir(fsys, "."))
		}, "empty"},
		{"renamed and not synced", func(fsys durable.FS) error {
			return errors.Join(create(fsys, "t", true), fsys.Rename("t", "f"))
		}, ""},
		{"both synced", func(fsys durable.FS) error {
			return errors.Join(create(fsys, "f", true), durable.SyncDir(fsys, "."))
		}, "content"},
		{"package durable", func(fsys durable.FS) error { return durable.WriteBytes(fsys, "f", []byte("content")) }, "content"},
		{"removed and not synced", func(fsys durable.FS) error {
			return errors.Join(durable.WriteBytes(fsys, "f", []byte("content")), fsys.Remove("f"))
		}, "content"},
		{"removed by package durable", func(fsys durable.FS) error {
			return errors.Join(durable.WriteBytes(fsys, "f", []byte("content")), durable.Remove(fsys, "f"))
		}, ""},
		{"written past the sync", func(fsys durable.FS) error {
			a, err := durable.Append(fsys, "f")
			if err != nil {
				return err
			}
			fmt.Fprint(a, "content")
			err = a.Sync()
			fmt.Fprint(a, " and more")
			return err
		}, "content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := durabletest.New()
			if err := tt.write(fsys); err != nil {
				t.Fatal(err)
			}
			fsys.Crash()
			got, ok := fsys.Contents()["f"]
			want, wantOK := []byte(tt.want), tt.want != ""
			if tt.want == "empty" {
				want = nil
			}
			if ok != wantOK || !bytes.Equal(got, want) {
				t.Errorf("after the crash: there %t, %q; want there %t, %q", ok, got, wantOK, want)
			}
		})
	}
}

func TestForgetfulEndsOpenFiles(t *testing.T) {
	fsys := durabletest.New()
	a, err := durable.Append(fsys, "f")
	if err != nil {
		t.Fatal(err)
	}
	fsys.Crash()
	if _, err := a.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write to a file opened before the crash: %v", err)
	}
}

func TestFull(t *testing.T) {
	fsys := durabletest.New()
	fsys.Before(func(op, _ string) error {
		if op == "write" {
			return syscall.ENOSPC
		}
		return nil
	})
	err := durable.WriteBytes(fsys, "f", []byte("x"))
	if !durable.Full(err) {
		t.Errorf("write to a full disk: %v", err)
	}
	if left := fsys.Contents(); len(left) != 0 {
		t.Errorf("a write to a full disk left %v", left)
	}
	if durable.Full(fs.ErrNotExist) {
		t.Error("a missing file is taken for a full disk")
	}
}
