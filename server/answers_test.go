package server_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
)

// unbound are the forms of good answers that carry no MAC, by why.
var unbound = map[api.Form]string{
	api.Object:  "its binding and its hash say what it is, and a browser's cache gives it to requests with other IDs",
	api.Letters: "each letter names the command that it answers, and is signed",
}

// TestEveryAnswerIsBound: whatever is answered to a page that is signed in carries the MAC
// of the request, be it good or a refusal.
func TestEveryAnswerIsBound(t *testing.T) {
	h := openHouse(t)
	m := h.found(t)
	o := m.stored(latchkey.Thumbnail, "a picture")
	p := h.signUp(t, "ada@example.org")
	key := p.session.MACKey()
	good, refused := 0, 0
	for _, route := range api.Routes {
		if !route.Right.Page() || route.ID == "sign-out" || route.ID == "sign-out-account" || route.ID == "delete-account" {
			continue
		}
		q := raw{method: route.Method, path: m.address(route, o.Name()), header: m.asPage(), mac: m.mac()}
		if body := expectations[route.ID].body; body != nil {
			q.body = string(must(json.Marshal(body(m))))
		}
		if !route.Right.Session() {
			q.path = accountAddress(route, p)
			q.header, q.mac = http.Header{"Cookie": {p.session.Cookie()}, "Origin": {h.origin}}, &key
			if route.Request != nil {
				q.body = string(must(json.Marshal(route.Request)))
			}
		}
		answer, text := h.do(t, q)
		if answer.StatusCode < 300 && unbound[route.Form] != "" {
			continue
		}
		if got, want := answer.Header.Get(api.HeaderAnswer), q.mac.AnswerMAC("test", answer.StatusCode, []byte(text)); !api.SameMAC(got, want) {
			t.Errorf("%s: %d %.200s carries the MAC %q", route.ID, answer.StatusCode, text, got)
		}
		if answer.StatusCode < 300 {
			good++
		} else {
			refused++
		}
	}
	if good < 10 || refused < 10 {
		t.Errorf("%d good answers and %d refusals were looked at", good, refused)
	}
	p.session = must(h.client.SignInAccount(t.Context(), p.byPhrase(), nil)) // the walk has ended the one before
	key = p.session.MACKey()
	leaver := h.signUp(t, "bob@example.org")
	leaverKey := leaver.session.MACKey()
	for _, signOut := range []raw{
		{method: "DELETE", path: m.path("/session"), header: m.asPage(), mac: m.mac()},
		{method: "DELETE", path: "/v1/accounts/" + p.id.String() + "/session", header: http.Header{"Cookie": {p.session.Cookie()}, "Origin": {h.origin}}, mac: &key},
		{method: "DELETE", path: "/v1/accounts/" + leaver.id.String(), header: http.Header{"Cookie": {leaver.session.Cookie()}, "Origin": {h.origin}}, mac: &leaverKey},
	} {
		answer, text := h.do(t, signOut)
		if !api.SameMAC(answer.Header.Get(api.HeaderAnswer), signOut.mac.AnswerMAC("test", 200, []byte(text))) {
			t.Errorf("signing out: %s %s", answer.Status, text)
		}
	}
}
