package footage_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

const killedFolder = "LATCHKEY_FOOTAGE_KILLED"

// TestKilled kills a program that records, by SIGKILL at each of the moments that have a
// name, on the file system of this machine, and has the next start find what the program
// had been told is kept.
func TestKilled(t *testing.T) {
	if folder := os.Getenv(killedFolder); folder != "" {
		recordUntilKilled(t, folder)
		return
	}
	binary := filepath.Join(t.TempDir(), "footage.test")
	build := exec.Command("go", "test", "-c", "-tags", "crashpoints", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, point := range []string{
		"footage.begun", "footage.begun:3", "footage.written", "footage.written:4", "footage.synced", "footage.synced:4",
		"footage.ended", "footage.ended:2", "footage.going", "footage.removed", "never",
	} {
		t.Run(point, func(t *testing.T) {
			folder := t.TempDir()
			run := exec.Command(binary, "-test.run", "^TestKilled$")
			run.Env = append(os.Environ(), killedFolder+"="+folder, "LATCHKEY_CRASH="+point)
			out, err := run.CombinedOutput()
			if killed := strings.Contains(fmt.Sprint(err), "killed"); killed == (point == "never") {
				t.Fatalf("the program ended with %v\n%s", err, out)
			}
			journal, err := os.ReadFile(filepath.Join(folder, "journal"))
			if err != nil {
				t.Fatal(err)
			}
			told := strings.Fields(string(journal))
			have := afterKill(t, folder)
			swept := slices.Index(told, "sweeping")
			if swept >= 0 { // the first segment may be gone, as the timeline says
				told = append(told[2:swept:swept], told[swept+1:]...)
			}
			for _, hash := range told {
				if !slices.Contains(have, hash) {
					t.Errorf("of %d that were kept one is lost; %d are there", len(told), len(have))
				}
			}
			if swept < 0 && len(have) > len(told)+1 {
				t.Errorf("%d are there, of %d that were kept and one that was on its way", len(have), len(told))
			}
		})
	}
}

// recordUntilKilled records segments of two groups and notes of each group that it is
// kept, which a killed process does not take back; in the end it makes room.
func recordUntilKilled(t *testing.T, folder string) {
	disk, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t, disk, nil)
	journal, err := os.Create(filepath.Join(folder, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		h.codings["0 main"] = &footage.Coding{Init: []byte{byte(h.n)}}
		for range 2 {
			g := h.record(0, footage.Main, time.Minute, 5000)
			if lost := h.store.Status().Lost; lost > 0 {
				t.Fatalf("%d are lost", lost)
			}
			hash := sha256.Sum256(g.Content)
			fmt.Fprintln(journal, hex.EncodeToString(hash[:]))
		}
	}
	fmt.Fprintln(journal, "sweeping")
	h.store.SetKeep(footage.Keep{Bytes: h.store.Status().Bytes - 1})
	if err := h.store.Sweep(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// afterKill opens the store as the next start does, and returns the hashes of what is
// there. Nothing of it may be damaged, and what is gone must have its reason.
func afterKill(t *testing.T, folder string) (hashes []string) {
	disk, err := durable.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	h := newHome(t, disk, nil)
	for g, err := range h.store.Read(context.Background(), h.cameras[0], footage.Main, always) {
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(g.Content)
		hashes = append(hashes, hex.EncodeToString(hash[:]))
	}
	if r, err := h.store.Check(context.Background(), nil); err != nil || len(r.Findings) > 0 {
		t.Errorf("check %+v, %v", r, err)
	}
	h.clock.pass(8 * time.Minute)
	tl, err := h.store.Timeline(h.cameras[0], footage.Main, "2026-11-26")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range tl.Gaps {
		if g.From == latchkey.TimeOf(noon) && len(hashes) == 6 && g.Reason != footage.Evicted {
			t.Errorf("the first two minutes are gone: %s", g.Reason)
		}
	}
	return hashes
}
