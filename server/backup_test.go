package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// run starts a server as the command does; the house has no more than its address.
func run(t *testing.T, data string) (*server.Local, *house) {
	t.Helper()
	l, err := server.Run(t.Context(), server.LocalConfig{Data: data, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l, &house{origin: l.Origin, client: must(api.NewClient(l.Origin, nil))}
}

// foundAt founds a home at a server that runs.
func foundAt(t *testing.T, l *server.Local, h *house) *home {
	t.Helper()
	m := &home{t: t, house: h, owner: keytest.NewOwner()}
	must(h.client.Found(t.Context(), must(l.MintSetup(t.Context())), m.owner.Found()))
	m.member = m.signIn()
	before := m.owner.Title().Head()
	m.agent = m.owner.PlaceAgent()
	m.camera = m.owner.PlaceCamera(m.agent)
	m.append(before)
	m.upload = h.client.Agent(m.owner.Home(), m.agent.Keys.Agent, m.agent.Keys.Signing)
	return m
}

func backUp(t *testing.T, data, to string) server.Backup {
	t.Helper()
	b, lost, err := server.BackUp(t.Context(), server.BackupConfig{Data: data, To: to})
	if err != nil || lost.Count > 0 {
		t.Fatalf("back up: %v, lost %+v", err, lost)
	}
	return b
}

func restore(t *testing.T, from string) (data string) {
	t.Helper()
	data = filepath.Join(t.TempDir(), "restored")
	if _, lost, err := server.Restore(t.Context(), server.RestoreConfig{From: from, Data: data}); err != nil || lost.Count > 0 {
		t.Fatalf("restore: %v, lost %+v", err, lost)
	}
	return data
}

// TestBackupWhileUploading backs up a server that is being written to, twice into the
// same folder, and restores it: what was acknowledged before is there and opens, and all
// that is listed does.
func TestBackupWhileUploading(t *testing.T) {
	data, to := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	l, h := run(t, data)
	m := foundAt(t, l, h)
	var mu sync.Mutex // protects stored
	var stored []latchkey.Name
	acknowledged := func() []latchkey.Name {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(stored)
	}
	ctx, stop := context.WithCancel(t.Context())
	var uploads sync.WaitGroup
	uploads.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			o := m.object(latchkey.Clip, strings.Repeat(fmt.Sprint(i, " "), 20_000))
			if err := m.put(o); err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			stored = append(stored, o.Name())
			mu.Unlock()
		}
	})
	var before []latchkey.Name
	for range 2 {
		eventually(t, "more is uploaded", func() bool { return len(acknowledged()) >= len(before)+5 })
		before = acknowledged()
		if b := backUp(t, data, to); b.Objects < len(before) || b.Homes != 1 || b.Deeds != 4 || b.Made == 0 {
			t.Errorf("%d objects were acknowledged, the backup holds %+v", len(before), b.Sums)
		}
	}
	stop()
	uploads.Wait()

	_, r := run(t, restore(t, to))
	m = m.at(t, r)
	m.connect(start{1, 0, 1})
	m.member = m.signIn()
	for _, name := range before {
		if content, err := m.see(name); err != nil || len(content) == 0 {
			t.Errorf("%s opens as %d bytes, %v", name, len(content), err)
		}
	}
	m.stored(latchkey.Thumbnail, "after")
}

// TestRestoredKeepsItsCertificate: agents trust a root that the server made itself.
func TestRestoredKeepsItsCertificate(t *testing.T) {
	data, to := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	fingerprint := func(data string) string {
		l, err := server.Run(t.Context(), server.LocalConfig{
			Data: data, Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler), Certificate: server.CertificateConfig{Own: true, Names: []string{"127.0.0.1"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		return l.Own.Fingerprint().String()
	}
	want := fingerprint(data)
	backUp(t, data, to)
	if got := fingerprint(restore(t, to)); got != want {
		t.Error("the restored server has made another root")
	}
}

// small is a backup of a server with one home and two objects.
func small(t *testing.T) (m *home, data, to string, objects []latchkey.Name) {
	t.Helper()
	data, to = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	l, h := run(t, data)
	m = foundAt(t, l, h)
	for _, content := range []string{"one", "two"} {
		objects = append(objects, m.stored(latchkey.Thumbnail, content).Name())
	}
	if err := os.WriteFile(filepath.Join(data, "certificates.pem"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	backUp(t, data, to)
	return m, data, to, objects
}

// cutOff returns a context that ends when progress is told the n-th time.
func cutOff(t *testing.T, n int) (ctx context.Context, progress server.Progress, reached func() bool) {
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	told := 0
	return ctx, func(string, int, int) {
		if told++; told == n {
			stop()
		}
	}, func() bool { return told >= n }
}

// TestBackupCutOff breaks a backup off at every step, on the way to a new folder and to
// one that held a whole backup: it is no backup then, and can be gone on with.
func TestBackupCutOff(t *testing.T) {
	_, data, earlier, _ := small(t)
	for _, to := range []string{filepath.Join(t.TempDir(), "backup"), earlier} {
		for n := 1; ; n++ {
			ctx, progress, reached := cutOff(t, n)
			_, _, err := server.BackUp(ctx, server.BackupConfig{Data: data, To: to, Progress: progress})
			if !reached() {
				if err != nil || n < 5 {
					t.Fatalf("a backup of %d steps: %v", n-1, err)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Errorf("broken off at step %d: %v", n, err)
			}
			into := filepath.Join(t.TempDir(), "restored")
			if _, _, err := server.Restore(t.Context(), server.RestoreConfig{From: to, Data: into}); err == nil || !strings.Contains(err.Error(), "no whole backup") {
				t.Errorf("restored from a backup that was broken off at step %d: %v", n, err)
			}
			if entries, err := os.ReadDir(into); err == nil && len(entries) > 0 {
				t.Errorf("a restore that was refused has left %v", entries)
			}
		}
		restore(t, to)
	}
}

// TestRestoreCutOff breaks a restore off at every step: no server starts from what is
// there then.
func TestRestoreCutOff(t *testing.T) {
	_, _, from, _ := small(t)
	for n := 1; ; n++ {
		ctx, progress, reached := cutOff(t, n)
		data := filepath.Join(t.TempDir(), "restored")
		_, _, err := server.Restore(ctx, server.RestoreConfig{From: from, Data: data, Progress: progress})
		if !reached() {
			if err != nil || n < 5 {
				t.Fatalf("a restore of %d steps: %v", n-1, err)
			}
			return
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("broken off at step %d: %v", n, err)
		}
		if entries, err := os.ReadDir(data); err != nil || len(entries) == 0 {
			continue // it had not begun
		}
		l, err := server.Run(t.Context(), server.LocalConfig{Data: data, Listen: "127.0.0.1:0"})
		if err == nil {
			l.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "broken off") {
			t.Errorf("a server started after a restore that was broken off at step %d: %v", n, err)
		}
	}
}

// TestNoServerStartsFromABackup: its homes are not closed.
func TestNoServerStartsFromABackup(t *testing.T) {
	_, _, to, _ := small(t)
	l, err := server.Run(t.Context(), server.LocalConfig{Data: to, Listen: "127.0.0.1:0"})
	if err == nil {
		l.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "it is a backup") {
		t.Errorf("a server started from a backup: %v", err)
	}
}

// TestDamagedBackupIsRefused damages every part of a backup in turn.
func TestDamagedBackupIsRefused(t *testing.T) {
	_, _, whole, objects := small(t)
	blob := func(n latchkey.Name) string { return "blobs/objects/" + n.String() }
	replace := func(name, old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			b := must(os.ReadFile(filepath.Join(dir, name)))
			if !strings.Contains(string(b), old) {
				t.Fatalf("%s does not hold %q", name, old)
			}
			must(0, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(b), old, new, 1)), 0o600))
		}
	}
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { must(0, os.Remove(filepath.Join(dir, name))) }
	}
	cut := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			at := filepath.Join(dir, name)
			must(0, os.Truncate(at, must(os.Stat(at)).Size()-1))
		}
	}
	for what, c := range map[string]struct {
		damage func(t *testing.T, dir string)
		want   string
		lost   int
	}{
		"no manifest":               {remove("manifest.json"), "there is no manifest.json", 0},
		"half a manifest":           {replace("manifest.json", `"files": [`, ""), "read manifest", 0},
		"a later manifest":          {replace("manifest.json", `"v": 1`, `"v": 2`), "use a newer latchkey", 0},
		"a manifest of other sums":  {replace("manifest.json", `"objects": 2`, `"objects": 3`), "the manifest says", 0},
		"a manifest without index":  {replace("manifest.json", `"archive.db"`, `"files/a"`), "files/a is missing", 0},
		"a manifest that leads out": {replace("manifest.json", `"files/certificates.pem"`, `"files/../../x"`), "which belongs in none", 0},
		"a manifest with objects":   {replace("manifest.json", `"files/certificates.pem"`, `"files/blobs/x"`), "which belongs in none", 0},
		"no index":                  {remove("archive.db"), "archive.db is missing", 0},
		"half an index":             {cut("archive.db"), "archive.db is damaged", 0},
		"an altered index":          {replace("archive.db", "\x00", "\x01"), "archive.db is damaged", 0},
		"no other file":             {remove("files/certificates.pem"), "files/certificates.pem is missing", 0},
		"an altered other file":     {replace("files/certificates.pem", "x", "y"), "files/certificates.pem is damaged", 0},
		"no object":                 {remove(blob(objects[0])), "1 of 2 objects are missing or damaged", 1},
		"half an object":            {cut(blob(objects[0])), "1 of 2 objects are missing or damaged", 1},
		"an object with another body": {func(t *testing.T, dir string) {
			b := must(os.ReadFile(filepath.Join(dir, blob(objects[1]))))
			b[len(b)-1] ^= 1
			must(0, os.WriteFile(filepath.Join(dir, blob(objects[1])), b, 0o600))
		}, "1 of 2 objects are missing or damaged", 1},
		"objects that were exchanged": {func(t *testing.T, dir string) {
			a, b := filepath.Join(dir, blob(objects[0])), filepath.Join(dir, blob(objects[1]))
			must(0, errors.Join(os.Rename(a, a+"x"), os.Rename(b, a), os.Rename(a+"x", b)))
		}, "2 of 2 objects are missing or damaged", 2},
	} {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "backup")
			must(0, os.CopyFS(dir, os.DirFS(whole)))
			c.damage(t, dir)
			into := filepath.Join(t.TempDir(), "restored")
			_, lost, err := server.Restore(t.Context(), server.RestoreConfig{From: dir, Data: into})
			if err == nil || !strings.Contains(err.Error(), c.want) || lost.Count != c.lost || len(lost.Objects) != c.lost {
				t.Errorf("restored with %v, lost %+v; want %q, %d", err, lost, c.want, c.lost)
			}
			if c.lost == 0 {
				return
			}
			into = filepath.Join(t.TempDir(), "incomplete")
			_, lost, err = server.Restore(t.Context(), server.RestoreConfig{From: dir, Data: into, Incomplete: true})
			if err != nil || lost.Count != c.lost {
				t.Errorf("restored what there is with %v, lost %+v", err, lost)
			}
			run(t, into)
		})
	}
}

// TestBackupFindsWhatTheServerLost: the rest is backed up all the same.
func TestBackupFindsWhatTheServerLost(t *testing.T) {
	_, data, _, objects := small(t)
	must(0, os.Remove(filepath.Join(data, "blobs/objects", objects[0].String())))
	to := filepath.Join(t.TempDir(), "backup")
	if _, lost, err := server.BackUp(t.Context(), server.BackupConfig{Data: data, To: to}); err != nil || !slices.Equal(lost.Objects, []string{objects[0].String()}) {
		t.Errorf("backed up with %v, lost %+v", err, lost)
	}
}

func TestWhereABackupMayLie(t *testing.T) {
	_, data, to, _ := small(t)
	other := t.TempDir()
	must(0, os.WriteFile(filepath.Join(other, "letter.txt"), []byte("x"), 0o600))
	link := filepath.Join(t.TempDir(), "link")
	must(0, os.Symlink(data, link))
	for what, c := range map[string]struct{ data, to, want string }{
		"the data folder":                     {data, data, "must not lie within"},
		"a folder in it":                      {data, filepath.Join(data, "a", "backup"), "must not lie within"},
		"a folder in it, by a link":           {data, filepath.Join(link, "backup"), "must not lie within"},
		"a folder in which something else is": {data, other, "neither empty nor a backup"},
		"of no server":                        {t.TempDir(), filepath.Join(t.TempDir(), "x"), "there is no server in"},
	} {
		if _, _, err := server.BackUp(t.Context(), server.BackupConfig{Data: c.data, To: c.to}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	for what, into := range map[string]string{"a data folder": data, "the backup itself": to, "another's folder": other} {
		if _, _, err := server.Restore(t.Context(), server.RestoreConfig{From: to, Data: into}); err == nil || !strings.Contains(err.Error(), "is not empty") {
			t.Errorf("restored into %s: %v", what, err)
		}
	}
}
