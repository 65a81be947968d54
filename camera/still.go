package camera

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

const (
	stillWidth, stillHeight = 640, 360
	stillPatience           = 5 * time.Second
	maxStill                = 512 << 10 // bytes; a picture of noise of that size stays below
)

// Still returns the last of the units as a JPEG picture that fits 640x360. The units
// are a group's, from its key unit on. Program is ffmpeg's name, "ffmpeg" if empty.
//
// If the last unit cannot be decoded, the picture is the key unit's.
func Still(ctx context.Context, program string, units []media.Unit) ([]byte, error) {
	if len(units) == 0 || !units[0].Key {
		return nil, errors.New("make still: no key unit")
	}
	picture, err := still(ctx, program, units)
	if err != nil && len(units) > 1 && ctx.Err() == nil {
		picture, err = still(ctx, program, units[:1])
	}
	if err != nil {
		return nil, fmt.Errorf("make still: %w", err)
	}
	return picture, nil
}

func still(ctx context.Context, program string, units []media.Unit) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, stillPatience)
	defer cancel()
	w, h := fit(units[0].Parameters.Width(), units[0].Parameters.Height())
	c, err := start(ctx, program, append(input(units[0].Parameters),
		"-vf", fmt.Sprintf("select=gte(n\\,%d),scale=%d:%d:flags=bicubic,format=yuvj420p", len(units)-1, w, h),
		"-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4", "-f", "image2pipe", "pipe:1"))
	if err != nil {
		return nil, err
	}
	go func() {
		defer c.in.Close()
		c.in.SetWriteDeadline(time.Now().Add(stillPatience))
		var b []byte
		for _, u := range units {
			b = u.AppendAnnexB(b[:0])
			if _, err := c.in.Write(b); err != nil {
				return // the child has what it wanted, or has failed and says so
			}
		}
		c.in.Write(delimiter(units[0].Parameters))
	}()
	picture, err := io.ReadAll(io.LimitReader(c.out, maxStill+1))
	if len(picture) > maxStill {
		cancel()
	}
	ended := c.end()
	if err != nil {
		return nil, errors.Join(err, ended)
	}
	got, err := jpeg.DecodeConfig(bytes.NewReader(picture))
	if err != nil || len(picture) > maxStill || got.Width != w || got.Height != h {
		return nil, errors.Join(fmt.Errorf("%d bytes are no picture of %dx%d", len(picture), w, h), ended)
	}
	return picture, nil
}

// fit returns the size of the still of a video of that size, which is never enlarged.
func fit(width, height int) (w, h int) {
	if width*stillHeight > stillWidth*height {
		w, h = min(width, stillWidth), height*min(width, stillWidth)/width
	} else {
		w, h = width*min(height, stillHeight)/height, min(height, stillHeight)
	}
	return max(16, w/2*2), max(16, h/2*2)
}
