package footage_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/internal/vectors"
)

// vector is a folder of footage as a release has left it, or as somebody has made it of
// one, and what a start makes of it.
type vector struct {
	Name    string            `json:"name"`
	Says    string            `json:"says"`
	Home    latchkey.HomeID   `json:"home"`
	Key     []byte            `json:"key"`
	Files   map[string][]byte `json:"files"`
	Given   []given           `json:"given"`   // all groups, by camera, track and order
	Damaged int               `json:"damaged"` // groups and segments that are said not to verify
	Gaps    []string          `json:"gaps"`    // of both days of the first camera's main track
	Saved   int               `json:"saved"`
}

// given is a group that is given back.
type given struct {
	Camera    latchkey.CameraID `json:"camera"`
	Track     string            `json:"track"`
	Sequence  uint64            `json:"sequence"`
	Start     latchkey.Time     `json:"start"`
	Quality   uint8             `json:"quality"`
	Monotonic uint64            `json:"monotonic"`
	Boot      latchkey.BootID   `json:"boot"`
	Duration  int64             `json:"duration"` // microseconds
	Key       bool              `json:"key"`
	Motion    uint8             `json:"motion"`
	Type      string            `json:"type"`
	Init      []byte            `json:"init"`
	Content   string            `json:"content"` // SHA-256
}

const vectorCount = 21

var vectorDays = []latchkey.Day{"2026-11-26", "2026-11-27"}

// TestVectors opens what every release has written.
func TestVectors(t *testing.T) {
	writeVectors(t)
	all, by := vectors.Read[vector](t, func(v *vector) *string { return &v.Name })
	if by["go"] != vectorCount {
		t.Errorf("%d vectors, want %d", by["go"], vectorCount)
	}
	for _, v := range all {
		t.Run(v.Name, func(t *testing.T) {
			have := v
			outcome(t, &have)
			if diff := cmp.Diff(v, have); diff != "" {
				t.Errorf("%s (-want +have):\n%s", v.Says, diff)
			}
		})
	}
}

// outcome has a start make of a vector's files what it makes of them.
func outcome(t *testing.T, v *vector) {
	t.Helper()
	disk := durabletest.New()
	for name, content := range v.Files {
		put(t, disk, name, content)
	}
	key, err := footage.NewKey(v.Key)
	if err != nil {
		t.Fatal(err)
	}
	h := newHome(t, disk, func(c *footage.Config) { c.Home, c.Key = v.Home, key })
	h.clock.pass(24 * time.Hour)
	v.Given, v.Damaged, v.Gaps, v.Saved = nil, h.store.Status().Unopened, nil, 0
	for _, camera := range h.cameras {
		v.Saved += len(h.store.Saved(camera))
		for _, track := range []footage.Track{footage.Main, footage.Sub, footage.Still} {
			for f, err := range h.store.Read(context.Background(), camera, track, always) {
				if errors.Is(err, footage.ErrDamaged) {
					v.Damaged++
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				hash := sha256.Sum256(f.Content)
				v.Given = append(v.Given, given{
					camera, track.String(), f.Sequence, f.Start.Wall, uint8(f.Start.Quality), f.Start.Monotonic, f.Boot,
					f.Duration.Microseconds(), f.Key, f.Motion, f.Coding.Type, f.Coding.Init, hex.EncodeToString(hash[:]),
				})
			}
		}
	}
	for _, day := range vectorDays {
		tl, err := h.store.Timeline(h.cameras[0], footage.Main, day)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range tl.Gaps {
			v.Gaps = append(v.Gaps, fmt.Sprintf("%s %s %s", g.From.Time().Format("02 15:04:05"), g.Until.Time().Format("02 15:04:05"), g.Reason))
		}
	}
}

func put(t testing.TB, disk durable.FS, name string, content []byte) {
	t.Helper()
	if err := durable.MkdirAll(disk, path.Dir(name)); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteBytes(disk, name, content); err != nil {
		t.Fatal(err)
	}
}

// folder is what a store has left, and how long the parts of its files are.
type folder map[string][]byte

// vectorFolder records a little, and ends in order or by a crash.
func vectorFolder(t *testing.T, crash bool) folder {
	disk := durabletest.New()
	h := newHome(t, disk, nil)
	for range 4 {
		h.record(0, footage.Main, 2*time.Second, 40)
	}
	h.record(0, footage.Sub, 2*time.Second, 40)
	h.record(0, footage.Still, 2*time.Second, 40)
	h.record(1, footage.Main, 2*time.Second, 40)
	h.writer(0, footage.Main).Gap(footage.Off)
	h.clock.pass(time.Minute)
	if !crash {
		h.close()
	}
	files := disk.Contents()
	h.close()
	return files
}

const (
	vectorDir      = "2026-11-26/aeaaaaaaaaaaaaaaaaaaaaaaaa/"
	vectorMain     = vectorDir + "main-0000000000000001.footage"
	vectorIndex    = vectorDir + "main.index"
	vectorOther    = "2026-11-26/aiaaaaaaaaaaaaaaaaaaaaaaaa/"
	vectorTomorrow = "2026-11-27/aeaaaaaaaaaaaaaaaaaaaaaaaa/"
)

// groupAt is where a group of a segment begins.
func groupAt(segment []byte, n int) int {
	at := 0
	for range n + 1 {
		i := bytes.Index(segment[at+1:], []byte("a group:\x00\x00"))
		if i < 0 {
			panic("internal error: no such group")
		}
		at += 1 + i
	}
	return at
}

func writeVectors(t *testing.T) {
	flip := func(f folder, name string, at int) {
		if at < 0 {
			at += len(f[name])
		}
		f[name][at] ^= 1
	}
	move := func(from, to string) func(folder) {
		return func(f folder) {
			f[to] = f[from]
			delete(f, from)
			delete(f, vectorIndex)
		}
	}
	for name, made := range map[string]struct {
		says   string
		crash  bool
		change func(folder)
	}{
		"ended":         {"A store that was closed gives back everything, and why there is no more.", false, func(folder) {}},
		"crashed":       {"After a crash the segments are not ended, and all that was synced is there.", true, func(folder) {}},
		"torn-body":     {"A last group that is not there in full is not there.", true, func(f folder) { f[vectorMain] = f[vectorMain][:len(f[vectorMain])-1] }},
		"torn-head":     {"Nor is one of which there is a part of the head.", true, func(f folder) { f[vectorMain] = f[vectorMain][:groupAt(f[vectorMain], 3)+50] }},
		"torn-zeros":    {"Nor one of which there are zeros.", true, func(f folder) { clear(f[vectorMain][groupAt(f[vectorMain], 3)+150:]) }},
		"flipped-body":  {"A flipped byte in a body costs that group.", false, func(f folder) { flip(f, vectorMain, groupAt(f[vectorMain], 1)+150) }},
		"flipped-head":  {"One in a head costs nothing: the contents say the same.", false, func(f folder) { flip(f, vectorMain, groupAt(f[vectorMain], 1)+50) }},
		"flipped-end":   {"One in the contents costs nothing: the heads say the same.", false, func(f folder) { flip(f, vectorMain, -30) }},
		"flipped-twice": {"One in a head and one in the contents cost that group; the next is found.", false, func(f folder) { flip(f, vectorMain, groupAt(f[vectorMain], 1)+50); flip(f, vectorMain, -30) }},
		"flipped-key":   {"One in the beginning costs the segment.", false, func(f folder) { flip(f, vectorMain, 120) }},
		"flipped-index": {"One in an index costs the reasons of its holes.", false, func(f folder) { flip(f, vectorIndex, 60) }},
		"exchanged": {"A group in another's place is not given for that one; one is found where it stands, and those before it are not.", true, func(f folder) {
			b := f[vectorMain]
			one, two, three := groupAt(b, 1), groupAt(b, 2), groupAt(b, 3)
			f[vectorMain] = slices.Concat(b[:one], b[two:three], b[one:two], b[three:])
		}},
		"other-number": {"A segment under another number does not open.", false, move(vectorMain, vectorDir+"main-0000000000000002.footage")},
		"other-track":  {"Nor does one under another track's name.", false, move(vectorMain, vectorDir+"sub-0000000000000009.footage")},
		"other-camera": {"Nor does one under another camera.", false, move(vectorMain, vectorOther+"main-0000000000000009.footage")},
		"other-day":    {"Nor does one in another day.", false, move(vectorMain, vectorTomorrow+"main-0000000000000001.footage")},
		"other-index":  {"An index of another camera does not open, and the segments are read.", false, func(f folder) { f[vectorIndex] = f[vectorOther+"main.index"] }},
		"missing":      {"A segment that is gone is a hole that is said.", false, func(f folder) { delete(f, vectorMain) }},
		"saved": {"Saved spans are names; others than the store writes are left alone.", false, func(f folder) {
			f["saved/aeaaaaaaaaaaaaaaaaaaaaaaaa-1-2"] = nil
			f["saved/aiaaaaaaaaaaaaaaaaaaaaaaaa-10-20"] = []byte("whatever")
			f["saved/aiaaaaaaaaaaaaaaaaaaaaaaaa-010-20"], f["saved/aiaaaaaaaaaaaaaaaaaaaaaaaa-30-20"], f["saved/notes"] = nil, nil, nil
		}},
	} {
		writeVector(t, name, made.says, made.crash, made.change, nil)
	}
	writeVector(t, "other-home", "What another home has recorded does not open.", false, func(folder) {}, func(v *vector) { v.Home[0]++ })
	writeVector(t, "other-key", "Nor does what was sealed under another key.", false, func(folder) {}, func(v *vector) { v.Key[0]++ })
}

func writeVector(t *testing.T, name, says string, crash bool, change func(folder), reader func(*vector)) {
	vectors.Write(t, name, func(t *testing.T) vector {
		f := vectorFolder(t, crash)
		change(f)
		v := vector{Name: name, Says: says, Home: latchkey.HomeID{9}, Key: bytes.Repeat([]byte{1}, 32), Files: map[string][]byte{}}
		for _, file := range slices.Sorted(maps.Keys(f)) {
			if !strings.Contains(file, ".tmp-") {
				v.Files[file] = f[file]
			}
		}
		if reader != nil {
			reader(&v)
		}
		outcome(t, &v)
		return v
	})
}
