package server_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/settings"
)

// TestWholeWay: a home is founded, an agent uploads, a browser lists and opens.
func TestWholeWay(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	if err := h.client.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	thumbnail := m.stored(latchkey.Thumbnail, "a picture")
	clip := m.stored(latchkey.Clip, strings.Repeat("a clip ", 100_000))
	for name, want := range map[latchkey.Name]string{thumbnail.Name(): "a picture", clip.Name(): strings.Repeat("a clip ", 100_000)} {
		if content, err := m.see(name); err != nil || content != want {
			t.Errorf("%s opens as %.20q, %v", name, content, err)
		}
	}
	deeds, head, err := m.member.Deeds(t.Context(), 0)
	if err != nil || head != m.owner.Title().Head() {
		t.Fatalf("head %s, %v", head, err)
	}
	if title := fold(t, m.owner.Home(), deeds); title.Head() != head {
		t.Errorf("the deeds lead to %s", title.Head())
	}
	if h.logs.text() != "" && len(h.logs.lines(t, "misroute")) > 0 {
		t.Errorf("an alarm on a good day: %s", h.logs.text())
	}
	answer, _ := h.do(t, raw{method: "GET", path: objectPath(clip.Name()), header: m.asPage(), mac: m.mac()})
	for name, want := range map[string]string{
		"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Content-Type": "application/octet-stream",
		api.HeaderRequest: "test", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("object's header %s: %q, want %q", name, got, want)
		}
	}
	answer, _ = h.do(t, raw{method: "GET", path: m.path("/events"), header: m.asPage(), mac: m.mac()})
	if got := answer.Header.Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("a list's Cache-Control: %q", got)
	}
}

func TestSetupSecret(t *testing.T) {
	h := openHouse(t)
	late := must(h.MintSetup(t.Context()))
	h.pass(api.SetupLife + time.Second)
	m := h.found(t)
	deeds := m.owner.Deeds()[:2]
	_, err := h.client.Found(t.Context(), late, deeds)
	wantReason(t, "a secret that ran out", err, api.Expired)
	_, err = h.client.Found(t.Context(), "x", deeds)
	wantReason(t, "no secret", err, api.Expired)
	secret := must(h.MintSetup(t.Context()))
	_, err = h.client.Found(t.Context(), secret, deeds[:1])
	wantReason(t, "a home without an epoch", err, api.Malformed)
	_, err = h.client.Found(t.Context(), secret, [][]byte{{1}, {2}})
	wantReason(t, "no deeds", err, api.Malformed)
	_, err = h.client.Found(t.Context(), secret, deeds)
	wantReason(t, "a home that is there", err, api.Conflict)
	if strings.Contains(h.logs.text(), secret) || strings.Contains(h.logs.text(), late) {
		t.Error("a set-up secret stands in the log")
	}
}

func TestAppendIsCompareAndSwap(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	before := m.owner.Title().Head()
	one := m.owner.Title()
	first := m.owner.StartEpoch()
	m.append(before)
	// The same again: the answer was lost.
	if head, err := m.member.Append(t.Context(), before, first); err != nil || head != m.owner.Title().Head() {
		t.Errorf("the same again: %v, %v", head, err)
	}
	after := m.owner.Title()
	m.owner.Adopt(one)
	second := m.owner.StartEpoch()
	_, err := m.member.Append(t.Context(), before, second)
	wantReason(t, "a second at once", err, api.Conflict)
	refused, _ := errors.AsType[*api.Error](err)
	if refused.Status != http.StatusConflict || refused.Refusal.Home != m.owner.Home().String() || len(refused.Refusal.Deeds) != 1 || string(refused.Refusal.Deeds[0]) != string(first) {
		t.Errorf("the refusal brings %d deeds", len(refused.Refusal.Deeds))
	}
	m.owner.Adopt(after)
	fork := after.Head()
	fork.Hash[0]++
	_, err = m.member.Append(t.Context(), fork, second)
	wantReason(t, "onto a fork", err, api.Conflict)
	fork.Seq += 5
	_, err = m.member.Append(t.Context(), fork, second)
	wantReason(t, "onto what is not there", err, api.UnknownHead)
	_, err = m.member.Append(t.Context(), after.Head(), second)
	wantReason(t, "a deed that does not follow", err, api.Reason("replayed"))
	_, err = m.member.Append(t.Context(), after.Head(), []byte{1, 1})
	wantReason(t, "no deed", err, api.Malformed)
	foreign := openHouse(t).found(t)
	_, err = m.member.Append(t.Context(), after.Head(), foreign.owner.Deeds()[2])
	wantReason(t, "another home's deed", err, api.Reason("wrong-home"))
}

// settings makes the document that follows prev.
func (m *home) settings(prev []byte, name string) []byte {
	m.t.Helper()
	content := settings.Content{Home: name, Zone: "Europe/Berlin"}
	if prev == nil {
		return m.owner.Settings(nil, content)
	}
	kept := must(sealed.ParseSettings(prev))
	return m.owner.Settings(&kept, content)
}

func TestSettings(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	if d, err := m.member.Settings(t.Context()); err != nil || len(d) != 0 {
		t.Errorf("settings of a new home: %d bytes, %v", len(d), err)
	}
	first := m.settings(nil, "one")
	for range 2 {
		if err := m.member.PutSettings(t.Context(), first); err != nil {
			t.Fatal(err)
		}
	}
	second, rival := m.settings(first, "two"), m.settings(first, "rival")
	if err := m.member.PutSettings(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	err := m.member.PutSettings(t.Context(), rival)
	wantReason(t, "a rival", err, api.Conflict)
	if e, _ := errors.AsType[*api.Error](err); string(e.Refusal.Document) != string(second) {
		t.Error("the conflict does not bring the newer document")
	}
	wantReason(t, "a step back", m.member.PutSettings(t.Context(), first), api.Conflict)
	wantReason(t, "nonsense", m.member.PutSettings(t.Context(), []byte{1}), api.Reason("truncated"))
	altered := append([]byte{}, m.settings(second, "three")...)
	altered[len(altered)-1] ^= 1
	wantReason(t, "an altered signature", m.member.PutSettings(t.Context(), altered), api.Reason("bad-signature"))
	foreign := h.found(t)
	wantReason(t, "another home's", m.member.PutSettings(t.Context(), foreign.settings(nil, "x")), api.WrongHome)
	if d, err := m.member.Settings(t.Context()); err != nil || string(d) != string(second) {
		t.Errorf("at the end: %d bytes, %v", len(d), err)
	}
	// A server that has lost some is given the newest.
	third := m.settings(second, "three")
	fourth := m.settings(third, "four")
	if err := m.member.PutSettings(t.Context(), fourth); err != nil {
		t.Errorf("settings of number 4 after number 2: %v", err)
	}
	wantReason(t, "those between", m.member.PutSettings(t.Context(), third), api.Conflict)
}
