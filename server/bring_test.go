package server_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestUploadsAreTheirAgents: an object is brought by the agent that signed it, at a head
// that this server has, and a row that was found crossed takes nothing.
func TestUploadsAreTheirAgents(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title().Head()
	other := m.owner.PlaceAgent()
	m.append(before)
	o := m.object(latchkey.Thumbnail, "a picture")
	head := m.owner.Title().Head()
	upload := func(by *keytest.Agent, head latchkey.Head, o keytest.Object) error {
		a := h.client.Agent(m.owner.Home(), by.Keys.Agent, by.Keys.Signing)
		return a.Upload(t.Context(), head, o.Name(), o.File.Bytes(), 0, bytes.NewReader(o.Body), uint64(len(o.Body)))
	}
	fork := head
	fork.Hash[0]++
	wantReason(t, "brought by another agent", upload(other, head, o), api.WrongAgent)
	wantReason(t, "at a fork", upload(m.agent, fork, o), api.UnknownHead)
	if err := upload(m.agent, head, o); err != nil {
		t.Fatal(err)
	}
	second := m.stored(latchkey.Thumbnail, "another")
	h.crossRows(t, o.Name(), second.Name())
	wantReason(t, "where a crossed row lies", upload(m.agent, head, o), api.Misroute)
}

// TestUploadWithTwoEpochs: an envelope of an epoch that has passed does no harm beside
// one of the newest, in whichever order they come.
func TestUploadWithTwoEpochs(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title()
	o := m.object(latchkey.Thumbnail, "a picture")
	m.startEpoch()
	newest := must(seal.WrapForEpoch(o.Key, o.File.Header.Binding, m.owner.Title()))
	o.File.Envelopes = append(o.File.Envelopes, newest)
	slices.Reverse(o.File.Envelopes)
	if err := m.put(o); err != nil {
		t.Error(err)
	}
	o = m.object(latchkey.Thumbnail, "another")
	o.File.Envelopes = append(o.File.Envelopes, must(seal.WrapForEpoch(o.Key, o.File.Header.Binding, before)))
	if err := m.put(o); err != nil {
		t.Errorf("beside one that was old when it was recorded: %v", err)
	}
}

// TestListWithoutWhatIsNotTheirs: a guest who may see less than before is not even told
// of the rest, though there are envelopes for them.
func TestListWithoutWhatIsNotTheirs(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title().Head()
	elsewhere := m.owner.PlaceCamera(m.agent)
	guest := m.owner.Join(keytest.NewPerson(), keytest.AsGuest())
	m.append(before)
	page := m.page(guest)
	m.shared(m.camera, latchkey.Thumbnail)
	h.crossRows(t, m.shared(m.camera, latchkey.Thumbnail).Name(), m.shared(m.camera, latchkey.Thumbnail).Name())
	list := func(want int) {
		t.Helper()
		p := must(page.Events(t.Context(), "", 0))
		n := 0
		for _, e := range p.Events {
			n += len(e.Objects)
		}
		if n != want {
			t.Errorf("%d rows are listed, want %d: %+v", n, want, p.Events)
		}
	}
	list(3) // of which two are named and not shown
	before = m.owner.Title().Head()
	m.owner.Change(guest, keytest.AsGuest(elsewhere), 0)
	m.append(before)
	list(0)
}

// TestHomeGrowsMeanwhile: deeds that change nothing for an object come while its body is on
// its way. The index's transaction takes the newest head alone; the object is checked with
// that, and is there.
func TestHomeGrowsMeanwhile(t *testing.T) {
	m := openHouse(t).found(t)
	known, o := m.owner.Title().Head(), m.object(latchkey.Clip, strings.Repeat("x", 600_000))
	late := &hookReader{r: bytes.NewReader(o.Body), after: 400_000, hook: func() {
		eventually(t, "the body is being received", func() bool { return m.offset(o).Held > 0 })
		m.owner.PlaceCamera(m.agent)
		m.append(known)
	}}
	if err := m.upload.Upload(t.Context(), known, o.Name(), o.File.Bytes(), 0, late, uint64(len(o.Body))); err != nil {
		t.Fatal(err)
	}
	if got, err := m.see(o.Name()); err != nil || len(got) != 600_000 {
		t.Errorf("opens as %d bytes, %v", len(got), err)
	}
}

// TestUploadOfUnknownLength: a body that comes in chunks, so that nobody has said how long
// it is, is taken, and refused if it goes on.
func TestUploadOfUnknownLength(t *testing.T) {
	m := openHouse(t).found(t)
	for more, want := range map[string]sealed.Reason{"": "", "x": sealed.Trailing, strings.Repeat("x", 1<<20): sealed.Trailing} {
		o := m.object(latchkey.Thumbnail, "a picture")
		path := objectPath(o.Name())
		body := io.MultiReader(bytes.NewReader(o.File.Bytes()), bytes.NewReader(o.Body), strings.NewReader(more))
		request := must(http.NewRequestWithContext(t.Context(), "PUT", m.house.origin+path, body))
		request.Header = with(m.asAgent("PUT", path), api.HeaderRequest, "test")
		answer := must(http.DefaultClient.Do(request))
		text := string(must(io.ReadAll(answer.Body)))
		answer.Body.Close()
		if want == "" && answer.StatusCode != 201 || !strings.Contains(text, string(want)) {
			t.Errorf("with %d bytes more: %d %s, want %s", len(more), answer.StatusCode, text, want)
		}
	}
}
