package agent_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/latchkey-cam/latchkey/agent"
)

// TestFolderOfAnotherUser: the sentence has the command that mends it, and nobody waits.
func TestFolderOfAnotherUser(t *testing.T) {
	h := newHouse(t).joined()
	failed := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with what it may
		if err := asNobody(h.folder); err != nil {
			failed <- err
			return
		}
		_, err := agent.Start(h.ctx, agent.Config{Folder: h.folder}, time.Hour, func(string) {})
		failed <- err
	}()
	err := <-failed
	if !errors.Is(err, os.ErrPermission) || !strings.Contains(err.Error(), "sudo chown -R ") || !strings.Contains(err.Error(), h.folder) {
		t.Errorf("start: %v", err)
	}
	if err := os.Chmod(h.folder, 0o700); err != nil {
		t.Fatal(err)
	}
}

// asNobody takes from this thread, or from the folder, what it takes to read the folder.
func asNobody(folder string) error {
	if os.Geteuid() != 0 {
		return os.Chmod(folder, 0)
	}
	for dir := folder; dir != "/"; dir = filepath.Dir(dir) { // the way there may be walked
		if info, err := os.Stat(dir); dir != folder && err == nil && info.Mode().Perm()&0o011 == 0 {
			if err := os.Chmod(dir, info.Mode().Perm()|0o011); err != nil {
				return err
			}
		}
	}
	if err := unix.Setfsuid(65534); err != nil {
		return fmt.Errorf("become nobody: %w", err)
	}
	return nil
}
