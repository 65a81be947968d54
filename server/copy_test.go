package server_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/server"
)

// TestCopy: a copy of a home is looked at as the home itself is, and changed in nothing.
func TestCopy(t *testing.T) {
	t.Parallel()
	h := openHouse(t)
	m := h.settle(t)
	name := m.shared(m.camera, latchkey.Thumbnail).Name()
	there := h.again(t, server.Config{Archive: h.archive.Archive(), Blobs: must(blob.NewDisk(h.disk)), Now: h.time, Copy: true})
	device, signing := m.owner.Device()
	head := m.owner.Title().Head()
	home := must(there.client.SignIn(t.Context(), m.owner.Home(), device, signing, head))
	for what, ask := range looking(t.Context(), home, name) {
		if err := ask(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	mac := home.MACKey()
	for _, route := range api.Routes { // but what ends the session
		if !route.Right.Session() || route.Form == api.Websocket || route.ID == "sign-out" {
			continue
		}
		answer, text := there.do(t, raw{
			method: route.Method, path: m.address(route, name), mac: &mac, body: "{}",
			header: http.Header{"Cookie": {home.Cookie()}, "Origin": {there.origin}},
		})
		if copied := strings.Contains(text, `"`+string(api.Copied)+`"`); copied == route.Copy {
			t.Errorf("%s: %d %s", route.ID, answer.StatusCode, text)
		}
	}
	if err := m.member.PutSettings(t.Context(), m.settings(nil, "house")); err != nil {
		t.Errorf("the home itself takes itself for a copy: %v", err)
	}
}
