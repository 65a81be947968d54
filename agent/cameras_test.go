package agent_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/agent"
	"github.com/latchkey-cam/latchkey/camera"
)

func openState(t *testing.T) *agent.State {
	t.Helper()
	s, err := agent.OpenState(filepath.Join(t.TempDir(), "agent"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func yard() agent.Camera {
	return agent.Camera{
		Name: "Yard", Main: "rtsp://10.0.0.5:554/main?channel=1", Sub: "rtsp://10.0.0.5/sub",
		Credentials: camera.Credentials{User: camera.NewSecret("viewer"), Password: camera.NewSecret(`p@ss:wörd/?#%"`)},
	}
}

func TestCameraIsKept(t *testing.T) {
	s := openState(t)
	want, fresh, err := s.AddCamera(yard())
	if err != nil || !fresh {
		t.Fatalf("fresh %t, %v", fresh, err)
	}
	again, fresh, err := s.AddCamera(yard())
	if err != nil || fresh || again.ID != want.ID {
		t.Errorf("the same once more: fresh %t, the same camera %t, %v", fresh, again.ID == want.ID, err)
	}
	if _, _, err := s.AddCamera(agent.Camera{Name: "Attic", Main: "rtsp://10.0.0.6/"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.ReadCameras()
	if err != nil || len(got) != 2 || got[0].Name != "Attic" || got[1] != want {
		t.Errorf("read back %v, %v", got, err)
	}
	if got[1].Credentials.Password.Reveal() != `p@ss:wörd/?#%"` {
		t.Error("the password is another")
	}
}

// TestCameraFilesAreSecret: only the folder's owner reads them, and no print of a
// camera shows what is in them.
func TestCameraFilesAreSecret(t *testing.T) {
	s := openState(t)
	c, _, err := s.AddCamera(yard())
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(s.Folder(), func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, c); strings.Contains(text, "viewer") || strings.Contains(text, "p@ss") {
			t.Errorf("%s prints %s", format, text)
		}
	}
}

func TestTwoAddOneCamera(t *testing.T) {
	s := openState(t)
	var adding sync.WaitGroup
	for range 8 {
		adding.Go(func() {
			if _, _, err := s.AddCamera(yard()); err != nil {
				t.Error(err)
			}
		})
	}
	adding.Wait()
	if all, err := s.ReadCameras(); err != nil || len(all) != 1 {
		t.Errorf("%d cameras, %v", len(all), err)
	}
}

func TestCamerasThatAreNone(t *testing.T) {
	s := openState(t)
	for what, change := range map[string]func(*agent.Camera){
		"no name":                func(c *agent.Camera) { c.Name = "" },
		"a name of two lines":    func(c *agent.Camera) { c.Name = "a\nb" },
		"a name turned around":   func(c *agent.Camera) { c.Name = "a\u202eb" },
		"a long name":            func(c *agent.Camera) { c.Name = strings.Repeat("x", 65) },
		"no address":             func(c *agent.Camera) { c.Main = "" },
		"a file":                 func(c *agent.Camera) { c.Main = "file:///etc/passwd" },
		"a page":                 func(c *agent.Camera) { c.Sub = "http://10.0.0.5/" },
		"a password in it":       func(c *agent.Camera) { c.Main = "rtsp://u:hunter2@10.0.0.5/" },
		"a password in the sub":  func(c *agent.Camera) { c.Sub = "rtsp://u:hunter2@10.0.0.5/" },
		"a password of 2 lines":  func(c *agent.Camera) { c.Credentials.Password = camera.NewSecret("hunter2\nx") },
		"a password of 1000":     func(c *agent.Camera) { c.Credentials.Password = camera.NewSecret(strings.Repeat("hunter2", 200)) },
		"an address of no sense": func(c *agent.Camera) { c.Main = "rtsp://[::" },
	} {
		c := yard()
		change(&c)
		if _, _, err := s.AddCamera(c); err == nil {
			t.Errorf("%s: taken", what)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error holds the password: %v", what, err)
		}
	}
	if all, err := s.ReadCameras(); err != nil || len(all) != 0 {
		t.Errorf("%d cameras were kept, %v", len(all), err)
	}
}

// TestDamagedCamera: one description that cannot be read hides no other.
func TestDamagedCamera(t *testing.T) {
	s := openState(t)
	bad, _, err := s.AddCamera(yard())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.AddCamera(agent.Camera{Name: "Attic", Main: "rtsp://10.0.0.6/"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.Folder(), "cameras", bad.ID.String()+".json")
	for _, text := range []string{"", "{", `{"v":2}`, `{"v":1,"password":"hunter2"`, `{"v":1,"id":5}`, strings.Repeat(" ", 100_000)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.ReadCameras()
		if err == nil || len(got) != 1 || got[0].Name != "Attic" {
			t.Errorf("%.20q: %d others, %v", text, len(got), err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error quotes the file: %v", err)
		}
	}
}

func TestParseAddress(t *testing.T) {
	for address, want := range map[string][3]string{
		"rtsp://10.0.0.5/main":              {"rtsp://10.0.0.5/main", "", ""},
		"rtsp://viewer@10.0.0.5/main":       {"rtsp://10.0.0.5/main", "viewer", ""},
		"rtsp://viewer:p%40ss@10.0.0.5/a?b": {"rtsp://10.0.0.5/a?b", "viewer", "p@ss"},
		"rtsp://me%40home@[fe80::1]:8554/":  {"rtsp://[fe80::1]:8554/", "me@home", ""},
	} {
		bare, c, err := agent.ParseAddress(address)
		got := [3]string{bare, c.User.Reveal(), c.Password.Reveal()}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", address, err, diff)
		}
	}
	for _, address := range []string{"", "10.0.0.5", "rtsp://", "rtsp:10.0.0.5", "http://u:hunter2@10.0.0.5/", "rtsp://u:hunter2@10.0.0.5/%zz", "rtsp://u:hunter2@/"} {
		if _, _, err := agent.ParseAddress(address); err == nil {
			t.Errorf("%s is taken", address)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error holds the password: %v", err)
		}
	}
	if _, _, err := agent.ParseAddress("rtsp://u:a\nb@10.0.0.5/"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a line break: %v", err)
	}
}
