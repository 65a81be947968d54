package cameratest

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

//go:embed testdata/gstreamer.py
var gstreamer string

// ServeGStreamer starts a camera that is GStreamer's RTSP server, and returns its
// address. Launch is what it plays, in GStreamer's words, with payloaders named pay0
// and pay1. It asks for the password, by Digest, if there is a user. Its standard error
// goes to the test's log.
func ServeGStreamer(t testing.TB, launch, user, password string) string {
	t.Helper()
	python := "/usr/bin/python3" // the one for which the bindings are packaged
	if runtime.GOOS == "darwin" {
		python = "python3"
	}
	cmd := exec.Command(python, "-c", gstreamer)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	cmd.WaitDelay = 5 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start GStreamer's camera: %v", err)
	}
	t.Cleanup(func() {
		in.Close()
		kill := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
		if t.Failed() {
			t.Logf("GStreamer: %s", complaints.String())
		}
	})
	if err := json.NewEncoder(in).Encode(map[string]string{"launch": launch, "user": user, "password": password}); err != nil {
		t.Fatal(err)
	}
	var port int
	if _, err := fmt.Fscan(bufio.NewReader(out), &port); err != nil || port == 0 {
		t.Fatalf("GStreamer's camera does not start: %v", err)
	}
	return fmt.Sprintf("rtsp://127.0.0.1:%d/stream", port)
}

// File has ffmpeg write a film with sound into a file and returns its name. The
// arguments follow those that name the inputs: the picture that filter gives, and a
// tone.
func File(t testing.TB, filter string, args ...string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "film.mkv")
	line := append([]string{"-hide_banner", "-loglevel", "error", "-f", "lavfi", "-i", filter,
		"-f", "lavfi", "-i", "sine=frequency=440:sample_rate=8000", "-shortest", "-pix_fmt", "yuv420p", "-preset", "ultrafast", "-g", fmt.Sprint(Rate)}, args...)
	cmd := exec.Command("ffmpeg", append(line, name)...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("write a film: %v", err)
	}
	return name
}
