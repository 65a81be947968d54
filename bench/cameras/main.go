// Command cameras measures what watching cameras costs: CPU time and memory of each
// part of the agent, beside ffmpeg copying the same streams into files and, if
// LATCHKEY_BENCH_MEDIAMTX names the program, MediaMTX recording them.
//
// All that is compared in a row runs at the same time, against one RTSP server that
// plays a film of 1920x1080 at 15 pictures and 2 Mbit/s a second, and is not counted.
// CPU time is the kernel's, in shares of one core. Believe the ratios.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/bench/role"
)

// roles are what this program does when it starts itself.
var roles = map[string]func(context.Context, []string) error{
	"serve": serve, "store": store, "look": look, "whole": whole,
}

func main() { role.Main("cameras", roles, measure) }

// Of a row: how long things settle, and how long they are measured.
const settle = 8 * time.Second

// measure prints the table.
func measure(ctx context.Context) error {
	seconds, err := role.Number("LATCHKEY_BENCH_SECONDS", "seconds", 40)
	if err != nil {
		return err
	}
	span := time.Duration(seconds) * time.Second
	folder, err := os.MkdirTemp("", "latchkey-cameras-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) // temporary
	for name, film := range films {
		if err := film.make(ctx, filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	server, address, err := startServer(ctx, folder)
	if err != nil {
		return err
	}
	defer server.end()

	fmt.Printf("\nWatching cameras of 1920x1080, 15 pictures and 2 Mbit a second, %.0f s a row; CPU in %% of one core, resident memory in MiB\n\n", span.Seconds())
	fmt.Println("cameras   take in, seal, store   ffmpeg -c copy     of ffmpeg   MediaMTX           of MediaMTX")
	for _, n := range []int{1, 4, 8} {
		if err := storingRow(ctx, folder, address, n, span); err != nil {
			return err
		}
	}
	fmt.Println("\ncameras   motion, sub-stream   motion, key frames   the whole agent, motion without end")
	for _, n := range []int{1, 4, 8} {
		if err := lookingRow(ctx, folder, address, n, span); err != nil {
			return err
		}
	}
	return thumbnails(ctx, folder)
}

// storingRow compares the storing of n cameras.
func storingRow(ctx context.Context, folder, address string, n int, span time.Duration) error {
	ours, err := startSelf(ctx, "store", filepath.Join(folder, fmt.Sprintf("spool-%d", n)), address, strconv.Itoa(n))
	if err != nil {
		return err
	}
	defer ours.end()
	copies, err := startCopies(ctx, filepath.Join(folder, fmt.Sprintf("copies-%d", n)), address, n)
	defer copies.end()
	if err != nil {
		return err
	}
	mtx, err := startMediaMTX(ctx, filepath.Join(folder, fmt.Sprintf("mediamtx-%d", n)), address, n)
	if err != nil {
		return err
	}
	defer mtx.end()
	costs, err := watchCosts(ctx, span, ours, copies, mtx)
	if err != nil {
		return err
	}
	us, ffmpeg := costs[0], costs[1]
	fmt.Printf("%4d      %-20s   %-16s   %5.2f      ", n, us, ffmpeg, us.cpu/ffmpeg.cpu)
	if mtx == nil {
		fmt.Println("  not given")
		return nil
	}
	fmt.Printf("  %-16s   %5.2f\n", costs[2], us.cpu/costs[2].cpu)
	return nil
}

// lookingRow measures the looking for motion at n cameras, and the whole agent.
func lookingRow(ctx context.Context, folder, address string, n int, span time.Duration) error {
	var parts []*group
	for _, args := range [][]string{
		{"look", address, strconv.Itoa(n), "sub"}, {"look", address, strconv.Itoa(n), "main"},
		{"whole", filepath.Join(folder, fmt.Sprintf("whole-%d", n)), address, strconv.Itoa(n)},
	} {
		p, err := startSelf(ctx, args[0], args[1:]...)
		if err != nil {
			return err
		}
		defer p.end()
		parts = append(parts, p)
	}
	costs, err := watchCosts(ctx, span, parts...)
	if err != nil {
		return err
	}
	fmt.Printf("%4d      %-18s   %-18s   %s\n", n, costs[0], costs[1], costs[2])
	return nil
}

// startSelf starts this program in a role.
func startSelf(ctx context.Context, role string, args ...string) (*group, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(ctx, self, append([]string{role}, args...)...)
}

// startServer starts the RTSP server and returns where it listens.
func startServer(ctx context.Context, folder string) (*group, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	c := exec.CommandContext(ctx, self, "serve", folder)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := c.Start(); err != nil {
		return nil, "", err
	}
	g := &group{commands: []*exec.Cmd{c}}
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		g.end()
		return nil, "", fmt.Errorf("start the cameras: %w", err)
	}
	return g, strings.TrimSpace(string(line[:n])), nil
}
