package main

import (
	"context"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/latchkey-cam/latchkey/camera"
	"github.com/latchkey-cam/latchkey/media"
)

// thumbnails prints what one thumbnail costs, made of a group of pictures of the
// main film as an event makes it.
func thumbnails(ctx context.Context, folder string) error {
	all, sps, pps, err := pictures(filepath.Join(folder, "main"))
	if err != nil {
		return err
	}
	var a media.Assembler
	a.Announce(sps, pps)
	var group []media.Unit
	for i, nals := range all[:15] {
		u, ok, err := a.Unit(nals, uint32(i*media.Rate/15), time.Now())
		if err != nil {
			return err
		}
		if ok {
			group = append(group, u)
		}
	}
	const times = 20
	before := ofChildren()
	began := time.Now()
	for range times {
		if _, err := camera.Still(ctx, "", group); err != nil {
			return err
		}
	}
	fmt.Printf("\none thumbnail, the last of %d pictures of 1920x1080: %.0f ms of CPU, %.0f ms of waiting\n",
		len(group), float64((ofChildren()-before).Milliseconds())/times, float64(time.Since(began).Milliseconds())/times)
	return nil
}

// ofChildren is the CPU time of the children that have ended.
func ofChildren() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
