package attic

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// HeaderOpen carries the secret of the link. A websocket, to which a page cannot give
// headers, has it as the parameter "open" of its address.
const HeaderOpen = "Latchkey-Open"

// guard lets nobody in but the page that was opened with the link. A site on the web can
// have a browser ask this machine for something, also by a name of its own that it lets
// lead to 127.0.0.1; and another person at this machine can ask for themselves.
type guard struct {
	host  string // HOST:PORT that pages call this by
	token [sha256.Size]byte
	next  http.Handler
}

// ServeHTTP is [http.Handler]'s.
func (g guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Host != g.host {
		turnAway(w, http.StatusMisdirectedRequest, "This is not "+g.host+".")
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != "http://"+g.host {
		turnAway(w, http.StatusForbidden, "This request came from another page.")
		return
	}
	if r.URL.Path == "/v1" || strings.HasPrefix(r.URL.Path, "/v1/") {
		shown := r.Header.Get(HeaderOpen)
		if shown == "" {
			shown = r.URL.Query().Get("open")
		}
		if hash := sha256.Sum256([]byte(shown)); subtle.ConstantTimeCompare(hash[:], g.token[:]) != 1 {
			turnAway(w, http.StatusForbidden, "Open the page by the link that latchkey open-app has printed.")
			return
		}
	}
	g.next.ServeHTTP(w, r)
}

func turnAway(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "private, no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(sentence + "\n")) // whoever left does not need it
}
