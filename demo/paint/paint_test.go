package paint_test

import (
	"bytes"
	"context"
	"math"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/demo/paint"
)

// TestFramesFollowFromTheTime: the same moment is the same picture, every scene is
// another one, and in each something crosses before its rhythm is over.
func TestFramesFollowFromTheTime(t *testing.T) {
	at := time.Unix(1_800_000_000, 0)
	seen := map[string]paint.Scene{}
	for _, s := range paint.Scenes {
		first := paint.Frame(s, at)
		if !bytes.Equal(first.Pix, paint.Frame(s, at).Pix) {
			t.Errorf("%s looks different at the same moment", s)
		}
		if other, ok := seen[string(first.Pix)]; ok {
			t.Errorf("%s looks like %s", s, other)
		}
		seen[string(first.Pix)] = s
		if moved := changedBelowClock(s, at, 20*time.Second); moved < 3000 {
			t.Errorf("%s: at most %d pixels change within 20 s, want something that crosses", s, moved)
		}
	}
}

// changedBelowClock is the largest number of pixels, without the burnt-in strip, in
// which two pictures half a second apart differ.
func changedBelowClock(s paint.Scene, from time.Time, during time.Duration) (most int) {
	last := paint.Frame(s, from)
	for after := time.Duration(0); after < during; after += time.Second / 2 {
		next := paint.Frame(s, from.Add(after))
		changed := 0
		for i := 40 * next.Stride; i < len(next.Pix); i += 4 {
			if next.Pix[i] != last.Pix[i] {
				changed++
			}
		}
		most, last = max(most, changed), next
	}
	return most
}

// TestSoundIsOfTheScene: it is quiet until somebody comes, and a moment always sounds the
// same.
func TestSoundIsOfTheScene(t *testing.T) {
	noon := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for _, scene := range paint.Scenes {
		var quiet, loud float64
		for at := noon; at.Before(noon.Add(40 * time.Second)); at = at.Add(time.Millisecond) {
			v := math.Abs(paint.Sample(scene, at))
			if paint.Crossing(scene, at) {
				loud = max(loud, v)
			} else {
				quiet = max(quiet, v)
			}
		}
		if quiet == 0 || quiet > 0.01 || loud < 0.1 || loud > 1 || paint.Sample(scene, noon) != paint.Sample(scene, noon) {
			t.Errorf("%s: %.3f when nobody is there, %.3f when somebody is", scene, quiet, loud)
		}
	}
}

// TestServesLikeACamera watches a painted camera with another project's client.
func TestServesLikeACamera(t *testing.T) {
	camera, err := paint.Serve(t.Context(), paint.Config{Scene: paint.Garden, User: "viewer", Password: "p@ss w0rd"})
	if err != nil {
		t.Fatal(err)
	}
	defer camera.Close()
	for address, size := range map[string]string{camera.URL(): "640,360\npcm_mulaw", camera.SubURL(): "320,180"} {
		if got := probe(t, address, url.UserPassword("viewer", "p@ss w0rd")); got != "h264,"+size {
			t.Errorf("%s is %q, want h264,%s", address, got, size)
		}
		if got := probe(t, address, url.UserPassword("viewer", "guess")); !strings.Contains(got, "401") {
			t.Errorf("%s with a wrong password: %q, want 401", address, got)
		}
	}
}

func probe(t *testing.T, address string, user *url.Userinfo) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = user
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, _ := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-rtsp_transport", "tcp",
		"-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", u.String()).CombinedOutput()
	return strings.TrimSpace(string(out))
}

func TestCloseEndsTheChild(t *testing.T) {
	camera, err := paint.Serve(t.Context(), paint.Config{Scene: paint.Driveway})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := camera.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %s", took)
	}
	if got := probe(t, camera.URL(), nil); !strings.Contains(got, "refused") {
		t.Errorf("after Close the camera answers %q, want a refused connection", got)
	}
}
