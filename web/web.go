// Package web serves Latchkey's page: the built app out of dist, or, in a binary
// that was built without Node, one page of plain HTML that says so.
//
// It is the whole of what a browser is ever sent as code, so it is also the place
// of the page's content security policy: nothing is loaded from anywhere else,
// nothing runs that is not a file of the build. It knows no home and no key; the
// paths under /v1/ are the server's and are refused here, so that a request that
// went astray is never answered with a page.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed all:dist
var dist embed.FS

//go:embed unbuilt.html
var unbuilt []byte

// policy is what the page may do. Pictures and clips are opened in the page and
// shown by blob: addresses; everything else comes from the server that sent the page.
// WebAssembly is compiled for one thing: what stretches a passphrase.
var policy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self' 'wasm-unsafe-eval'",
	"style-src 'self'",
	"img-src 'self' blob:",
	"media-src blob:",
	"worker-src 'self'",
	"connect-src 'self'",
	"manifest-src 'self'",
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
}, "; ")

// types are the kinds of files that a build holds. They are given here because the
// answer of the mime package depends on the machine, and a script sent as text
// does not run under nosniff.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png",
	".ico": "image/x-icon", ".json": "application/json", ".txt": "text/plain; charset=utf-8",
	".webmanifest": "application/manifest+json", ".wasm": "application/wasm",
}

// Handler serves the app that was built into this binary.
func Handler() http.Handler {
	app, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("web: internal error: " + err.Error()) // the name is a constant
	}
	h, err := handlerOf(app)
	if err != nil {
		panic("web: internal error: " + err.Error()) // an embedded file always reads
	}
	return h
}

// A page is one file of the build, ready to be sent.
type page struct {
	name string
	body []byte
	kind string
	tag  string
	keep string // Cache-Control
}

// site is a build in memory. The files never change while the program runs.
type site struct {
	files map[string]page
	index page
}

func handlerOf(app fs.FS) (http.Handler, error) {
	s := &site{files: map[string]page{}, index: newPage("index.html", unbuilt)}
	err := fs.WalkDir(app, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		body, err := fs.ReadFile(app, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		s.files[name] = newPage(name, body)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if built, ok := s.files["index.html"]; ok {
		s.index = built
	}
	return s, nil
}

func newPage(name string, body []byte) page {
	sum := sha256.Sum256(body)
	p := page{name: name, body: body, kind: types[path.Ext(name)], keep: "no-cache",
		tag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`}
	if p.kind == "" {
		p.kind = "application/octet-stream"
	}
	if strings.HasPrefix(name, "assets/") { // the build puts a hash in these names
		p.keep = "public, max-age=31536000, immutable"
	}
	return p
}

// ServeHTTP sends the file of that path, or the page itself: its paths are its own
// business. Only two kinds of paths are refused: the server's, and a file of a build
// that is not this one, which must not be answered with HTML.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Security-Policy", policy)
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Referrer-Policy", "no-referrer")
	head.Set("Cross-Origin-Opener-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), midi=()")

	name := strings.TrimPrefix(r.URL.Path, "/")
	switch p, ok := s.files[name]; {
	case name == "v1" || strings.HasPrefix(name, "v1/"):
		refuse(w)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "The page can only be read.", http.StatusMethodNotAllowed)
	case ok:
		p.serve(w, r)
	case strings.HasPrefix(name, "assets/") || name != "" && !fs.ValidPath(strings.TrimSuffix(name, "/")):
		head.Set("Cache-Control", "no-cache")
		http.Error(w, "There is no such file in this build. Load the page again.", http.StatusNotFound)
	default:
		s.index.serve(w, r)
	}
}

func (p page) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", p.kind)
	w.Header().Set("Cache-Control", p.keep)
	w.Header().Set("ETag", p.tag)
	http.ServeContent(w, r, p.name, time.Time{}, bytes.NewReader(p.body))
}

func refuse(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	w.WriteHeader(http.StatusNotFound)
	fmt.Fprintln(w, `{"v":1,"request":"","error":{"reason":"not-found","message":"there is no such thing here","retry_after_ms":0}}`)
}
