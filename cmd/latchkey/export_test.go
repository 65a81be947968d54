package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/export"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/vault"
)

func berlin(t *testing.T, text string) time.Time {
	t.Helper()
	return must(time.Parse("2006-01-02 15:04:05 -0700", text))
}

// TestExport: everything is there as ordinary files with their times, in a name of its
// own for each event, also in the hour that comes twice; once more fetches nothing; and
// the home has no device more than before.
func TestExport(t *testing.T) {
	m := openExportHouse(t).found("Our house", "Front door", "../Garden")
	morning := m.happened(m.door, berlin(t, "2025-11-25 07:12:33 +0100"), "morning")
	m.happened(m.door, berlin(t, "2025-11-25 07:12:33 +0100"), "the same second")
	m.happened(m.yard, berlin(t, "2025-11-25 23:59:59 +0100"), "night")
	m.happened(m.door, berlin(t, "2025-10-26 02:30:00 +0200"), "summer time")
	m.happened(m.door, berlin(t, "2025-10-26 02:30:00 +0100"), "winter time")
	m.happened(m.door, berlin(t, "2025-03-30 03:00:00 +0200"), "an hour is left out")
	code := m.account("me@example.org", "a long enough passphrase", m.owner.Keys)
	to := filepath.Join(t.TempDir(), "Recordings")
	devices := func() int {
		p, _ := m.title().Person(m.owner.Keys.Person)
		return len(p.Devices)
	}
	before := devices()

	e := m.export(t.Context(), code, to)
	if e.code != 0 || e.report.Result != "whole" || e.report.Written != 12 || e.report.Events != 6 || e.report.Zone != "Europe/Berlin" {
		t.Fatalf("%d %+v\n%s", e.code, e.report, e.err)
	}
	got := tree(t, to)
	var names []string
	for name, text := range got {
		if strings.HasSuffix(name, ".jpg") {
			names = append(names, name+": "+text)
		}
	}
	slices.Sort(names)
	// Of two in one second the first by its ID has the plain name.
	for i, n := range names {
		names[i] = strings.NewReplacer("the same second", "morning").Replace(n)
	}
	want := []string{
		"2025-03-30/front-door/03-00-00 motion.jpg: picture of an hour is left out",
		"2025-10-26/front-door/02-30-00 motion 2.jpg: picture of winter time",
		"2025-10-26/front-door/02-30-00 motion.jpg: picture of summer time",
		"2025-11-25/front-door/07-12-33 motion 2.jpg: picture of morning",
		"2025-11-25/front-door/07-12-33 motion.jpg: picture of morning",
		"2025-11-25/garden/23-59-59 motion.jpg: picture of night",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("pictures (-want +got):\n%s", diff)
	}
	clip := filepath.Join(to, "2025-11-25/garden/23-59-59 motion.mp4")
	if info := must(os.Stat(clip)); info.ModTime().UTC() != berlin(t, "2025-11-25 23:59:59 +0100").UTC() || info.Mode().Perm() != 0o600 {
		t.Errorf("the clip is of %s, %s", info.ModTime(), info.Mode())
	}
	var said map[string]any
	must(0, json.Unmarshal(must(os.ReadFile(filepath.Join(to, "2025-11-25/garden/23-59-59 motion.json"))), &said))
	for member, want := range map[string]any{
		"camera": "../Garden", "home": "Our house", "what": "motion", "begins": "2025-11-25T23:59:59+01:00",
		"begins_utc": "2025-11-25T22:59:59Z", "zone": "Europe/Berlin", "clock": "synchronised",
	} {
		if said[member] != want {
			t.Errorf("%s is %v, want %v", member, said[member], want)
		}
	}
	if diff := cmp.Diff([]any{"person", "animal"}, said["saw"]); diff != "" {
		t.Errorf("what was seen (-want +got):\n%s", diff)
	}
	day := string(must(os.ReadFile(filepath.Join(to, "2025-11-25/index.html"))))
	index := string(must(os.ReadFile(filepath.Join(to, "index.html"))))
	if !strings.Contains(day, `src="garden/23-59-59%20motion.mp4"`) || !strings.Contains(day, "motion, person, animal</div>") || !strings.Contains(index, `<a href="2025-10-26/index.html">`) || strings.Contains(day+index, "<script") {
		t.Errorf("the pages are\n%s\n%s", index, day)
	}
	deeds := must(key.LoadHome(filepath.Join(to, "deeds.json")))
	if !deeds.Title.OnChain(morning[0].File.Header.Binding.Head) || len(deeds.Ring.Epochs()) != 0 {
		t.Error("the deeds are not those by which the objects were checked, or there are keys with them")
	}

	m.forget(nil)
	again := m.command(t.Context(), "--account", "ME@example.org", "--secret-file", m.file("a long enough passphrase\n"), "--to", to, "--words", m.words())
	if again.code != 0 || len(m.asked) != 0 || !strings.Contains(again.out, "0 files written now (0 B), 12 files there already") {
		t.Errorf("once more: %d %s%s, %d objects asked for", again.code, again.out, again.err, len(m.asked))
	}
	if diff := cmp.Diff(got, tree(t, to)); diff != "" {
		t.Errorf("once more changes:\n%s", diff)
	}
	if n := devices(); n != before {
		t.Errorf("the person has %d devices, %d before", n, before)
	}

	must(0, os.WriteFile(clip, []byte("somebody's own"), 0o600)) // altered, so it is not whole
	m.forget(nil)
	mended := m.export(t.Context(), code, to)
	if mended.code != 0 || mended.report.Written != 1 || len(m.asked) != 1 || cmp.Diff(got, tree(t, to)) != "" {
		t.Errorf("a damaged clip: %+v, %v asked for", mended.report, m.asked)
	}
}

// TestExportSealed: what is kept sealed beside the files opens without the server, also
// if it was asked for only later.
func TestExportSealed(t *testing.T) {
	m := openExportHouse(t).found("Our house", "Front door", "Yard")
	m.happened(m.door, berlin(t, "2025-11-25 07:12:33 +0100"), "morning")
	code, to := m.account("me@example.org", "", m.owner.Keys), t.TempDir()
	for i, more := range [][]string{nil, {"--sealed"}, {"--sealed"}} {
		e := m.export(t.Context(), code, to, more...)
		if want := []int{2, 2, 0}[i]; e.code != 0 || e.report.Written != want || e.report.Written+e.report.Kept != 2 {
			t.Fatalf("run %d: %+v\n%s", i, e.report, e.err)
		}
	}
	home := filepath.Join(t.TempDir(), "home.key")
	must(0, (&key.Home{Title: m.title(), Ring: m.owner.Ring()}).Save(home))
	clip := filepath.Join(to, "2025-11-25/front-door/07-12-33 motion.mp4")
	var out, said strings.Builder
	if code := run(t.Context(), []string{"open", clip + ".sealed", "--key", home, "-o", "-"}, &terminal{strings.NewReader(""), &out, &said}); code != 0 || out.String() != string(must(os.ReadFile(clip))) {
		t.Errorf("%d, %d bytes: %s", code, out.Len(), said.String())
	}
	if code := run(t.Context(), []string{"open", clip + ".sealed", "--key", filepath.Join(to, "deeds.json")}, &terminal{strings.NewReader(""), &out, &said}); code != 1 || !strings.Contains(said.String(), "no-envelope") {
		t.Errorf("with the deeds alone: %d %s", code, said.String())
	}
}

// TestExportPicks: days are the home's, cameras go by name.
func TestExportPicks(t *testing.T) {
	m := openExportHouse(t).found("Our house", "Front door", "Yard")
	m.happened(m.door, berlin(t, "2025-11-24 23:59:59 +0100"), "before")
	m.happened(m.door, berlin(t, "2025-11-25 00:00:00 +0100"), "first")
	m.happened(m.yard, berlin(t, "2025-11-25 12:00:00 +0100"), "yard")
	m.happened(m.door, berlin(t, "2025-11-25 23:59:59 +0100"), "last")
	m.happened(m.door, berlin(t, "2025-11-26 00:00:00 +0100"), "after")
	code := m.account("me@example.org", "", m.owner.Keys)
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--since 2025-11-25 --until 2025-11-25", []string{"00-00-00", "12-00-00", "23-59-59"}},
		{"--since 2025-11-25 --until 2025-11-25 --camera yard", []string{"12-00-00"}},
		{"--since 2025-11-25T12:01", []string{"00-00-00", "23-59-59"}},
		{"--until 2025-11-25T00:00:00+01:00", []string{"23-59-59"}},
	} {
		to := t.TempDir()
		e := m.export(t.Context(), code, to, strings.Fields(c.args)...)
		var got []string
		for name := range tree(t, to) {
			if strings.HasSuffix(name, ".mp4") {
				got = append(got, strings.Fields(filepath.Base(name))[0])
			}
		}
		slices.Sort(got)
		if e.code != 0 || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d %v, want %v\n%s", c.args, e.code, got, c.want, e.err)
		}
	}
	if e := m.export(t.Context(), code, t.TempDir(), "--camera", "Cellar"); e.code != 1 || !strings.Contains(e.err, "Front door, Yard") {
		t.Errorf("a camera that is not there: %d %s", e.code, e.err)
	}
	if e := m.export(t.Context(), code, t.TempDir(), "--since", "yesterday"); e.code != 2 || !strings.Contains(e.err, "no day and no moment") {
		t.Errorf("no day: %d %s", e.code, e.err)
	}
}

// TestExportRefusesStrangers: whatever comes in place of what was asked for, of the same
// home or of another, nothing of it is written; the rest is, and the exit code tells.
func TestExportRefusesStrangers(t *testing.T) {
	h := openExportHouse(t)
	m, other := h.found("Ours", "Front door", "Yard"), h.found("Theirs", "Front door", "Yard")
	ours := m.happened(m.door, berlin(t, "2025-11-25 07:00:00 +0100"), "our door")
	also := m.happened(m.yard, berlin(t, "2025-11-25 08:00:00 +0100"), "our yard")
	theirs := other.happened(other.door, berlin(t, "2025-11-25 07:00:00 +0100"), "SECRET")
	code, theirCode := m.account("me@example.org", "", m.owner.Keys), other.account("them@example.org", "", other.owner.Keys)
	for _, e := range []exported{m.export(t.Context(), code, t.TempDir()), other.export(t.Context(), theirCode, t.TempDir())} {
		if e.code != 0 {
			t.Fatal(e.err)
		}
	}
	h.mu.Lock()
	h.instead[ours[0].Name().String()] = also[0].Name().String() // two that are swapped
	h.instead[also[0].Name().String()] = ours[0].Name().String()
	h.instead[ours[1].Name().String()] = theirs[1].Name().String() // and a stranger's
	damaged := slices.Clone(h.objects[also[1].Name().String()])
	damaged[len(damaged)-100] ^= 1
	h.objects["damaged"], h.instead[also[1].Name().String()] = damaged, "damaged"
	h.mu.Unlock()

	to := t.TempDir()
	e := m.export(t.Context(), code, to)
	reasons := map[string]int{}
	for _, r := range e.report.Refused {
		reasons[r.Reason]++
	}
	if want := map[string]int{"wrong-camera": 2, "wrong-home": 1, "wrong-hash": 1}; e.code != 1 || e.report.Result != "refused" || !maps.Equal(reasons, want) {
		t.Errorf("%d %s %v, want %v\n%s", e.code, e.report.Result, reasons, want, e.err)
	}
	for name, text := range tree(t, to) {
		if text != "" {
			t.Errorf("%s was written: %.40q", name, text)
		}
	}
	if !strings.Contains(e.err, "another recording came in its place") || strings.Contains(e.err+e.out, "SECRET") {
		t.Errorf("it says %s", e.err)
	}

	h.mu.Lock()
	clear(h.instead)
	h.mu.Unlock()
	if e := m.export(t.Context(), code, to); e.code != 0 || e.report.Written != 4 {
		t.Errorf("when nobody interferes any more: %d %+v %s", e.code, e.report, e.err)
	}
}

// TestExportRefusesStrangersNotices is the control: one that does not say which object it
// asked for still opens nothing, because the envelopes are not for what came; but it
// takes what was crossed for what is damaged, and nobody is told.
func TestExportRefusesStrangersNotices(t *testing.T) {
	without := controls.Without(t, sabotage.Cut{
		File: "export/fetch.go", Old: "open.Open(f, x.body, o.Name(),", New: "open.Open(f, x.body, latchkey.Name{},",
	})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestExportRefusesStrangers$")
	if err == nil || !strings.Contains(string(out), "map[envelope:2 wrong-hash:1 wrong-home:1], want map[wrong-camera:2 ") {
		t.Errorf("the control says %s", out)
	}
}

// TestExportHasHeadConfirmed: an agent's word is enough; one that knows of another
// history stops everything.
func TestExportHasHeadConfirmed(t *testing.T) {
	h := openExportHouse(t)
	for name, c := range map[string]struct {
		add  uint64
		want string
	}{"the newest": {0, ""}, "another": {7, "another history of the home than agent"}} {
		m := h.found(name, "Front door", "Yard")
		m.happened(m.door, berlin(t, "2025-11-25 07:00:00 +0100"), "door")
		head := m.title().Head()
		head.Seq += c.add
		m.answering(head)
		code, to := m.account(fmt.Sprintf("me%d@example.org", c.add), "", m.owner.Keys), t.TempDir()
		e := m.command(t.Context(), "--recovery-code", "--secret-file", code, "--to", to)
		if c.want == "" && e.code != 0 || c.want != "" && (e.code != 1 || !strings.Contains(e.err, c.want) || len(tree(t, to)) > 0) {
			t.Errorf("%s: %d %s%s", name, e.code, e.out, e.err)
		}
	}
}

// TestExportGoesOn: broken off after some objects it says so, and the next run fetches
// the rest alone.
func TestExportGoesOn(t *testing.T) {
	m := openExportHouse(t).found("Ours", "Front door", "Yard")
	for i := range 4 {
		m.happened(m.door, berlin(t, fmt.Sprintf("2025-11-25 07:00:0%d +0100", i)), fmt.Sprint("event ", i))
	}
	code, to := m.account("me@example.org", "", m.owner.Keys), t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	m.forget(func(n int) {
		if n == 6 { // while the third object of the second event is on its way
			stop()
		}
	})
	e := m.export(ctx, code, to)
	if e.code != 1 || e.report.Result != "stopped" || e.report.Left == 0 || !strings.Contains(e.err, "it goes on where it stopped") {
		t.Fatalf("broken off: %d %+v\n%s", e.code, e.report, e.err)
	}
	written := e.report.Written
	m.forget(nil)
	e = m.export(t.Context(), code, to)
	if e.code != 0 || e.report.Kept != written || e.report.Written != 8-written || len(m.asked) > 7 {
		t.Errorf("the next run: %d %+v, %d asked for\n%s", e.code, e.report, len(m.asked), e.err)
	}
	for name := range tree(t, to) {
		if strings.Contains(name, ".tmp") || strings.Contains(name, "motion 2") {
			t.Errorf("%s is left", name)
		}
	}
}

// TestExportOfGuest: a guest gets what they see, under the names that the recordings
// have, because they cannot read the home's settings.
func TestExportOfGuest(t *testing.T) {
	m := openExportHouse(t).found("Our house", "Front door", "Yard")
	guest := keytest.NewPerson()
	m.sign(func() { m.owner.Join(guest, keytest.AsGuest(m.door)) })
	m.happened(m.door, berlin(t, "2025-11-25 07:00:00 +0100"), "door")
	m.happened(m.yard, berlin(t, "2025-11-25 08:00:00 +0100"), "yard")
	to := t.TempDir()
	e := m.export(t.Context(), m.account("guest@example.org", "", guest.Keys), to)
	if e.code != 0 || e.report.Written != 2 {
		t.Fatalf("%d %+v\n%s", e.code, e.report, e.err)
	}
	got := tree(t, to)
	if text := got["2025-11-25/the-door/07-00-00 motion.jpg"]; text != "picture of door" || len(got) != 7 {
		t.Errorf("a guest has %v", slices.Sorted(maps.Keys(got)))
	}
}

// TestExportSays: what stops an export is said in words, and what to do.
func TestExportSays(t *testing.T) {
	m := openExportHouse(t).found("Ours", "Front door", "Yard")
	m.happened(m.door, berlin(t, "2025-11-25 07:00:00 +0100"), "door")
	code := m.account("me@example.org", "", m.owner.Keys)
	stopped := func(what, want string, e exported) {
		t.Helper()
		if e.code != 1 || !strings.Contains(e.err, want) {
			t.Errorf("%s: %d %s\nwant %q", what, e.code, e.err, want)
		}
	}
	to := t.TempDir()
	args := []string{"--recovery-code", "--secret-file", code, "--to", to}
	stopped("no agent, no words", "Compare these words", m.command(t.Context(), args...))
	stopped("other words", m.words(), m.command(t.Context(), append(args, "--words", "acid acid")...))
	stopped("no recovery code", "no recovery code", m.command(t.Context(), "--recovery-code", "--secret-file", m.file("AAAA"), "--to", to))
	stopped("a wrong one", "does not open an account", m.command(t.Context(), "--recovery-code", "--secret-file", m.file(vault.NewRecoveryCode().Text()), "--to", to))
	stopped("no terminal", "--secret-file", m.command(t.Context(), "--recovery-code", "--to", to))
	away := must(net.Listen("tcp", "127.0.0.1:0"))
	must(0, away.Close())
	var out, said strings.Builder
	if code := run(t.Context(), []string{"export", "http://" + away.Addr().String(), "--recovery-code", "--secret-file", code, "--to", to, "--json"}, &terminal{strings.NewReader(""), &out, &said}); code != 1 || !strings.Contains(said.String(), "cannot be reached") || !strings.Contains(out.String(), `"result":"stopped"`) {
		t.Errorf("no server: %d %s%s", code, out.String(), said.String())
	}
	stopped("another home", "Ours "+m.owner.Home().String(), m.command(t.Context(), append(args, "--home", "Theirs")...))
	full := t.TempDir()
	must(0, os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o600))
	stopped("somebody's folder", "neither empty nor an export", m.export(t.Context(), code, full))

	hold := run(t.Context(), []string{"incident", "hold", "--data", m.data, "--everything", "--why", "a test", "--tell", "We are looking into it."}, &terminal{strings.NewReader(""), &strings.Builder{}, &strings.Builder{}})
	for deadline := time.Now().Add(30 * time.Second); len(m.server.Holds()) == 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if hold != 0 {
		t.Fatal("nothing is held")
	}
	stopped("a hold", "We are looking into it.", m.export(t.Context(), code, to))
	run(t.Context(), []string{"incident", "release", "--data", m.data, "--all", "--why", "a test"}, &terminal{strings.NewReader(""), &strings.Builder{}, &strings.Builder{}})
	for deadline := time.Now().Add(30 * time.Second); len(m.server.Holds()) != 0 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if e := m.export(t.Context(), code, to); e.code != 0 {
		t.Fatalf("released: %s", e.err)
	}
	m.say(deed.FreezeBody{})
	stopped("a freeze", "frozen", m.export(t.Context(), code, to))
	stranger := m.account("stranger@example.org", "", keytest.NewPerson().Keys)
	stopped("other keys", "does not know your keys", m.export(t.Context(), stranger, t.TempDir()))
}

// TestExportOverBadLine: what breaks on the way is fetched again.
func TestExportOverBadLine(t *testing.T) {
	t.Parallel() // it waits for a better line
	m := openExportHouse(t).found("Ours", "Front door", "Yard")
	m.happened(m.door, berlin(t, "2025-11-25 07:00:00 +0100"), "door")
	m.torn = map[int]bool{1: true, 4: true}
	if e := m.export(t.Context(), m.account("me@example.org", "", m.owner.Keys), t.TempDir()); e.code != 0 || e.report.Written != 2 || len(m.asked) != 5 {
		t.Errorf("%d %+v, %d asked for\n%s", e.code, e.report, len(m.asked), e.err)
	}
}

// fullFolder is a folder on a disk that takes so many bytes.
type fullFolder struct {
	export.Folder
	room int
}

func (f *fullFolder) OpenFile(name string, flag int) (durable.File, error) {
	opened, err := f.Folder.OpenFile(name, flag)
	return fullFile{opened, f}, err
}

type fullFile struct {
	durable.File
	f *fullFolder
}

func (f fullFile) Write(p []byte) (int, error) {
	if f.f.room -= len(p); f.f.room < 0 {
		return 0, &os.PathError{Op: "write", Path: "somewhere", Err: syscall.ENOSPC}
	}
	return f.File.Write(p)
}

// TestExportFullDisk: wherever the disk is full, it is said, what there is is whole, and
// with room again the export goes on.
func TestExportFullDisk(t *testing.T) {
	m := openExportHouse(t).found("Ours", "Front door", "Yard")
	m.happened(m.door, berlin(t, "2025-11-25 07:00:00 +0100"), "one")
	m.happened(m.door, berlin(t, "2025-11-25 07:00:01 +0100"), "two")
	k := *m.owner.Keys
	k.DeviceSigning = nil
	home := vault.Home{ID: m.owner.Home(), Head: m.owner.Title().Head(), Keys: &k}
	folder := t.TempDir()
	to := must(durable.Open(folder))
	defer to.Close()
	pictures := 0
	for _, room := range []int{0, 5_000, 40_000, 100_000, 140_000} {
		_, err := export.Run(t.Context(), export.Config{Client: m.client, Home: home, Words: m.words(), To: &fullFolder{to, room}})
		if err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Fatalf("with room for %d bytes: %v", room, err)
		}
		for name, text := range tree(t, folder) {
			if text != "" && text != "picture of one" && text != "picture of two" && text != "clip of "+strings.Repeat("one", 20_000) && text != "clip of "+strings.Repeat("two", 20_000) {
				t.Errorf("with room for %d bytes %s is %.20q, %d bytes", room, name, text, len(text))
			} else if text != "" {
				pictures++
			}
		}
	}
	if pictures == 0 {
		t.Error("nothing was ever written before the disk was full")
	}
	if s, err := export.Run(t.Context(), export.Config{Client: m.client, Home: home, Words: m.words(), To: to}); err != nil || s.Kept+s.Written != 4 || s.Kept == 0 {
		t.Errorf("with room: %+v, %v", s, err)
	}
}
