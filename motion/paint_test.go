package motion_test

import (
	"image"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/demo/paint"
	"github.com/latchkey-cam/latchkey/motion"
)

// grey makes of a painted frame what a camera's decoder would.
func grey(img *image.RGBA, at time.Time) camera.Grey {
	const by = paint.Width / width
	g := camera.Grey{Width: width, Height: height, Pix: make([]byte, width*height), Taken: at, Received: at}
	for y := range height {
		for x := range width {
			sum := 0
			for j := range by {
				row := img.Pix[(y*by+j)*img.Stride+x*by*4:]
				for i := range by {
					sum += 3*int(row[i*4]) + 6*int(row[i*4+1]) + int(row[i*4+2])
				}
			}
			g.Pix[y*width+x] = byte(sum / (10 * by * by))
		}
	}
	return g
}

// In the painted scenes, with their clock, swaying tree and breathing lamp, what
// crosses is motion every time, and nothing else ever is.
func TestPaintedScenes(t *testing.T) {
	for _, s := range paint.Scenes {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			var d motion.Detector
			begin := time.Date(2025, 6, 1, 11, 59, 0, 0, time.UTC)
			crossings, found := 0, false
			var since time.Duration // of the crossing that is on its way, or of the rest after it
			before := false
			for at := begin; at.Before(begin.Add(60 * time.Second)); at = at.Add(200 * time.Millisecond) {
				crossing := paint.Crossing(s, at)
				if since += 200 * time.Millisecond; crossing != before {
					if before && at.Sub(begin) > 20*time.Second && !found {
						t.Errorf("what crossed before %v was not found", at.Sub(begin))
					}
					before, found, since = crossing, false, 0
					if crossing {
						crossings++
					}
				}
				a := d.Look(grey(paint.Frame(s, at), at), motion.Config{}, nil)
				found = found || a.Moving
				if a.Moving && !crossing && since > time.Second {
					t.Errorf("something moved at %v, %v after what crossed had gone", at.Sub(begin), since)
				}
			}
			if crossings < 3 {
				t.Errorf("%d crossings in 60 s", crossings)
			}
		})
	}
}
