package server_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/latchkey-cam/latchkey/server"
)

// FuzzManifest restores from folders with any manifest: nothing is ever written outside
// the data folder, and what does not describe the backup is refused.
func FuzzManifest(f *testing.F) {
	folder := f.TempDir()
	data, to := filepath.Join(folder, "data"), filepath.Join(folder, "backup")
	l, err := server.Run(f.Context(), server.LocalConfig{Data: data, Listen: "127.0.0.1:0"})
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		f.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "key.pem"), []byte("x"), 0o600); err != nil {
		f.Fatal(err)
	}
	if _, _, err := server.BackUp(f.Context(), server.BackupConfig{Data: data, To: to}); err != nil {
		f.Fatal(err)
	}
	manifest := filepath.Join(to, "manifest.json")
	whole := must(os.ReadFile(manifest))
	f.Add(whole)
	f.Add([]byte(`{"v":1,"files":[]}`))
	f.Add([]byte(`{"v":1,"files":[{"name":"archive.db"},{"name":"files/../../x"}]}`))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(manifest, b, 0o600); err != nil {
			t.Fatal(err)
		}
		around := t.TempDir()
		into := filepath.Join(around, "restored")
		_, _, err := server.Restore(t.Context(), server.RestoreConfig{From: to, Data: into})
		entries := must(os.ReadDir(around))
		if len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "restored" {
			t.Errorf("beside the data folder there is %v", entries)
		}
		if _, missing := os.Stat(filepath.Join(into, "archive.db")); err == nil && missing != nil {
			t.Errorf("restored without an index: %v", missing)
		}
	})
}
