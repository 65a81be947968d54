package server_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// buried is a tombstone of the owner's.
func (m *home) buried(what tombstone.Tombstone) []byte {
	m.t.Helper()
	return must(tombstone.Sign(m.owner.Keys.Signing, m.owner.Title(), now(), what)).Bytes()
}

// listed are the events that the owner is listed.
func (m *home) listed() (all []latchkey.EventID) {
	m.t.Helper()
	for _, e := range must(m.member.Events(m.t.Context(), "", 0)).Events {
		all = append(all, e.Event)
	}
	return all
}

// files counts what is in the folder of blobs.
func (h *house) files(t *testing.T) (n int) {
	t.Helper()
	must(0, filepath.WalkDir(h.blobs, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			n++
		}
		return err
	}))
	return n
}

func eventOf(o keytest.Object) latchkey.EventID { return o.File.Header.Binding.Event }

// TestDelete: what was deleted is listed and handed out no more from the answer on, also
// where it was read into a cache before; it is not taken again; its bytes go, and those of
// others stay.
func TestDelete(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	keep, gone, day := m.stored(latchkey.Thumbnail, "stays"), m.stored(latchkey.Thumbnail, "goes"), m.stored(latchkey.Clip, "goes with its day")
	if _, _, err := m.get(gone.Name()); err != nil || len(m.listed()) != 3 {
		t.Fatalf("before: %v", err)
	}
	half := m.object(latchkey.Clip, "is deleted while it comes")
	held := m.part(half, 7)
	m.deletes(eventOf(gone))
	_, _, err := m.get(gone.Name())
	wantReason(t, "a deleted object", err, api.NotFound)
	if slices.Contains(m.listed(), eventOf(gone)) {
		t.Error("a deleted event is listed")
	}
	wantReason(t, "a deleted object that is uploaded again", m.put(gone), api.Deleted)
	m.deletes(eventOf(half))
	wantReason(t, "the rest of a deleted object", m.putFrom(half, int(held), len(half.Body)), api.Deleted)
	at := day.File.Header.Binding.Time
	if err := m.member.Delete(t.Context(), m.buried(tombstone.Tombstone{Scope: tombstone.Span, Camera: m.camera, From: at, To: at + 1}),
		m.buried(tombstone.Tombstone{Scope: tombstone.Span, Camera: m.camera, From: 0, To: 1})); err != nil {
		t.Fatal(err)
	}
	_, _, err = m.get(day.Name())
	wantReason(t, "an object of a deleted span", err, api.NotFound)
	if _, _, err := m.get(keep.Name()); err != nil || !slices.Equal(m.listed(), []latchkey.EventID{eventOf(keep)}) {
		t.Errorf("what was not deleted: %v", err)
	}
	eventually(t, "the bytes are gone, and those of the other are not", func() bool { return h.files(t) == 1 })
	if u := must(m.member.Usage(t.Context())); u.Objects != 1 || u.Bytes != uint64(len(keep.Body)) {
		t.Errorf("usage %+v", u)
	}
	all, count, err := m.member.Tombstones(t.Context(), 1)
	if err != nil || count != 4 || len(all) != 3 {
		t.Errorf("%d of %d tombstones, %v", len(all), count, err)
	}
	if err := m.member.Delete(t.Context(), all[0]); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if n := h.metric(t, "latchkey_cuts_total"); n != 0 {
		t.Errorf("%v connections are cut", n)
	}
}

// TestDeleteControl cuts out the one question that keeps what is deleted from being shown.
func TestDeleteControl(t *testing.T) {
	without := controls.Without(t, sabotage.Cut{
		File: "archive/tombstones.go", Old: "SELECT tombstones > 0 AND (", New: "SELECT 0 AND ("})
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestDelete$")
	if err == nil || !strings.Contains(string(out), "a deleted object") {
		t.Errorf("with the question cut out, the test says %v\n%s", err, out)
	}
}

// TestWhoDeletes: events whoever lives here, everything else an owner; nobody else, nobody
// who has left, and nobody what is another home's.
func TestWhoDeletes(t *testing.T) {
	h := openHouse(t)
	m := h.settle(t)
	o := m.shared(m.camera, latchkey.Thumbnail)
	event := eventGone(eventOf(o))
	span := tombstone.Tombstone{Scope: tombstone.Span, Camera: m.camera, From: 0, To: latchkey.MaxInt}
	at := m.owner.Title()
	by := func(who string, at *deed.Title, what tombstone.Tombstone) []byte {
		return must(tombstone.Sign(m.people[who].Keys.Signing, at, now(), what)).Bytes()
	}
	device := m.people[resident].Keys.DeviceSigning
	before := must(deed.Fold(at.Home(), at.Deeds(0)[:at.Head().Seq])) // while the removed one was in the home
	foreign := h.found(t)
	for what, c := range map[string]struct {
		b      []byte
		reason api.Reason
	}{
		"a resident's of a span":        {by(resident, at, span), "not-allowed"},
		"a resident's of the home":      {by(resident, at, tombstone.Tombstone{Scope: tombstone.Home}), "not-allowed"},
		"a guest's":                     {by(guest, at, event), "not-allowed"},
		"a removed resident's":          {by(removed, at, event), "not-allowed"},
		"a removed resident's of then":  {by(removed, before, event), "former-signer"},
		"a device's":                    {must(tombstone.Sign(device, at, now(), event)).Bytes(), "not-allowed"},
		"another home's":                {foreign.buried(event), "wrong-home"},
		"one that is none":              {[]byte{1}, "truncated"},
		"one with a spoilt signature":   {spoilt(m.buried(event)), "bad-signature"},
		"one of an agent's signing key": {must(tombstone.Sign(m.agent.Keys.Signing, at, now(), event)).Bytes(), "not-allowed"},
	} {
		wantReason(t, what, m.member.Delete(t.Context(), c.b), c.reason)
	}
	wantReason(t, "nothing", m.member.Delete(t.Context(), [][]byte{}...), "malformed")
	wantReason(t, "too many at once", m.member.Delete(t.Context(), slices.Repeat([][]byte{m.buried(event)}, api.MaxTombstones+1)...), "malformed")
	if _, _, err := m.get(o.Name()); err != nil {
		t.Fatalf("after refusals: %v", err)
	}
	wantReason(t, "by a guest's session", m.pages[guest].Delete(t.Context(), m.buried(event)), api.NotFound)
	if err := m.pages[resident].Delete(t.Context(), by(resident, at, event)); err != nil {
		t.Fatal(err)
	}
	_, _, err := m.get(o.Name())
	wantReason(t, "deleted by a resident", err, api.NotFound)
}

// TestHomeEnds: an owner deletes the home. What is open is cut, nobody signs in, uploads or
// appends any more, and all are told why; its agent is given the proof before it is turned
// away; nothing is left. The home beside it has noticed nothing.
func TestHomeEnds(t *testing.T) {
	news, index := &hung{}, &late{may: make(chan struct{})}
	h := openHouse(t, func(c *server.Config) {
		news.Outbox, c.Archive.Outbox = c.Archive.Outbox, news
		index.Deletions, c.Archive.Deletions = c.Archive.Deletions, index
	})
	m := h.settle(t)
	beside := h.found(t)
	o, other := m.shared(m.camera, latchkey.Thumbnail), beside.stored(latchkey.Thumbnail, "beside")
	open, theirs := must(m.pages[resident].Changes(t.Context())), must(beside.member.Changes(t.Context()))
	head := m.owner.Title().Head()
	_, known, err := m.member.Tombstones(t.Context(), 0)
	if err != nil || known != 0 {
		t.Fatalf("%d tombstones, %v", known, err)
	}
	proof := m.buried(tombstone.Tombstone{Scope: tombstone.Home})
	news.on.Store(true) // nobody learns of it but by the request itself
	if err := m.member.Delete(t.Context(), proof); err != nil {
		t.Fatal(err)
	}
	news.on.Store(false)
	if h.metric(t, "latchkey_cuts_total", "why=removed") == 0 {
		t.Error("the answer came before anybody was cut")
	}
	cut, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	for {
		if _, err := open.Next(cut); err != nil {
			break
		}
	}
	if cut.Err() != nil {
		t.Error("a page that was open is open still")
	}
	p := m.people[resident].Keys
	_, err = h.client.SignIn(t.Context(), m.owner.Home(), p.Device, p.DeviceSigning, head)
	wantReason(t, "whoever signs in", err, api.HomeDeleted)
	_, _, err = m.member.Deeds(t.Context(), 0)
	wantReason(t, "whoever asks for the deeds", err, api.HomeDeleted)
	wantReason(t, "what is uploaded", m.put(o), api.HomeDeleted)
	_, _, err = m.get(o.Name())
	if err == nil {
		t.Error("something of it is handed out")
	}
	s, f := m.dial(m.hello(start{1, 0, 1}, nil), m.agent)
	defer s.Close()
	deeds, first := f.(api.DeedsFrame)
	if !first || len(deeds.Deeds) == 0 || latchkey.Head(deeds.Head) != head {
		t.Fatalf("its agent is told %T first", f)
	}
	told, second := must(s.Receive(within(t))).(api.TombstonesFrame)
	if !second || len(told.Tombstones) != 1 || !bytes.Equal(told.Tombstones[0], proof) {
		t.Fatalf("and then not the proof: %+v", told)
	}
	if r, third := must(s.Receive(within(t))).(api.Refused); !third || r.Reason != api.HomeDeleted {
		t.Errorf("and then %+v", r)
	}
	if _, f := m.dial(m.hello(start{1, 0, 1}, &head), m.agent); !told.Last || f.(api.TombstonesFrame).Above != 0 {
		t.Errorf("an agent that knows the deeds is told %+v", f)
	}
	close(index.may)
	eventually(t, "the bytes are gone, and those of the other are not", func() bool { return h.files(t) == 1 })
	// Its sessions are gone with them, whether or not the server remembers this one, and
	// whoever signs in anew is told why.
	if _, _, err = m.member.Deeds(t.Context(), 0); api.ReasonOf(err) != api.SignedOut {
		wantReason(t, "whoever asks for the deeds once nothing is left", err, api.HomeDeleted)
	}
	_, err = h.client.SignIn(t.Context(), m.owner.Home(), p.Device, p.DeviceSigning, head)
	wantReason(t, "whoever signs in once nothing is left", err, api.HomeDeleted)
	if _, _, err := beside.get(other.Name()); err != nil {
		t.Errorf("the home beside it: %v", err)
	}
	still, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	if _, err := theirs.Next(still); still.Err() == nil {
		t.Errorf("a page of the home beside it ends: %v", err)
	}
}

// late takes nothing out of the index before it may.
type late struct {
	archive.Deletions
	may chan struct{}
}

// Unlist is [archive.Deletions]'.
func (l *late) Unlist(ctx context.Context, max int) (latchkey.HomeID, error) {
	select {
	case <-l.may:
		return l.Deletions.Unlist(ctx, max)
	case <-ctx.Done():
		return latchkey.HomeID{}, ctx.Err()
	}
}

// TestHomeEndsControl: without the question the agent of a home that was deleted goes on.
func TestHomeEndsControl(t *testing.T) {
	for want, cut := range map[string]sabotage.Cut{
		"what is uploaded: ":                 {File: "server/titles.go", Old: "if h.Ended {", New: "if false {"},
		"a page that was open is open still": {File: "server/news.go", Old: "case at.Ended:", New: "case false && at.Ended:"},
	} {
		cuts := []sabotage.Cut{cut}
		if cut.File == "server/news.go" {
			cuts = append(cuts, sabotage.Cut{File: "server/tombstone.go", Old: "s.cuts.gone(t.Home(), by)", New: ""})
		}
		without := controls.Without(t, cuts...)
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			out, err := without.Tests(t.Context(), "^TestHomeEnds$")
			if err == nil || !strings.Contains(string(out), want) {
				t.Errorf("with the question cut out, the test says %v\n%s", err, out)
			}
		})
	}
}

func spoilt(b []byte) []byte {
	b[len(b)-1]++
	return b
}

// TestRetention: what a home does not want kept any longer goes, oldest first; what it
// said nothing about stays.
func TestRetention(t *testing.T) {
	h := openHouse(t)
	m, other := h.found(t), h.found(t)
	old := m.stored(latchkey.Thumbnail, "old")
	theirs := other.stored(latchkey.Thumbnail, "as old, of others")
	h.pass(10 * 24 * time.Hour)
	m.upload = m.upload.Clock(h.time)
	m.member, other.member = m.signIn(), other.signIn()
	second, third := m.stored(latchkey.Clip, "of today"), m.stored(latchkey.Clip, "of today too")
	expire := func(days uint32, bytes uint64) {
		t.Helper()
		before := m.owner.Title().Head()
		m.owner.Sign(deed.RetainBody{Days: days, Bytes: bytes})
		m.append(before)
		must(0, server.Expire(t.Context(), h.Server))
	}
	must(0, server.Expire(t.Context(), h.Server))
	if len(m.listed()) != 3 {
		t.Error("a home that wants everything kept has lost something")
	}
	expire(11, 0)
	if len(m.listed()) != 3 {
		t.Error("what is ten days old is not kept for eleven")
	}
	expire(9, 0)
	if got := m.listed(); len(got) != 2 || slices.Contains(got, eventOf(old)) {
		t.Errorf("after nine days %v are listed", got)
	}
	h.pass(time.Minute)
	expire(0, uint64(len(third.Body)))
	if got := m.listed(); !slices.Equal(got, []latchkey.EventID{eventOf(third)}) {
		t.Errorf("of more bytes than are wanted %v are listed, without %v", got, eventOf(second))
	}
	if !slices.Equal(other.listed(), []latchkey.EventID{eventOf(theirs)}) {
		t.Error("another home has lost something")
	}
	if n := h.files(t); n != 2 {
		t.Errorf("%d files, want one of each home", n)
	}
}

// TestBackupWhileDeleting: what is deleted while a backup is made is no loss, and is not in
// the backup, which can be restored.
func TestBackupWhileDeleting(t *testing.T) {
	data, to := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "backup")
	l, h := run(t, data)
	m := foundAt(t, l, h)
	gone, stays := m.stored(latchkey.Thumbnail, "goes"), m.stored(latchkey.Thumbnail, "stays")
	h.blobs = filepath.Join(data, "blobs")
	deleted := false
	b, lost, err := server.BackUp(t.Context(), server.BackupConfig{Data: data, To: to, Progress: func(what string, done, of int) {
		if what != "objects" || deleted {
			return
		}
		deleted = true
		m.deletes(eventOf(gone))
		eventually(t, "its bytes are gone", func() bool { return h.files(t) == 1 })
	}})
	if err != nil || lost.Count > 0 || b.Objects != 1 || !deleted {
		t.Fatalf("backup of %d objects: %v, lost %+v", b.Objects, err, lost)
	}
	_, r := run(t, restore(t, to))
	m = m.at(t, r)
	m.connect(start{1, 0, 1})
	m.member = m.signIn()
	if got := m.listed(); !slices.Equal(got, []latchkey.EventID{eventOf(stays)}) {
		t.Errorf("after the restore %v are listed", got)
	}
}
