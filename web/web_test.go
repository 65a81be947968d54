package web_test

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/latchkey-cam/latchkey/web"
)

const indexHTML = `<!doctype html><title>app</title><script type="module" src="/assets/app-1a.js"></script>`

func built(t *testing.T) http.Handler {
	t.Helper()
	return handler(t, fstest.MapFS{
		".gitkeep":          {},
		"index.html":        {Data: []byte(indexHTML)},
		"favicon.svg":       {Data: []byte("<svg/>")},
		"assets/app-1a.js":  {Data: []byte("export {}")},
		"assets/app-1a.css": {Data: []byte("body{}")},
	})
}

func handler(t *testing.T, app fs.FS) http.Handler {
	t.Helper()
	h, err := web.HandlerOf(app)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// ask sends the path as it is, without the cleaning that a client or a mux does.
func ask(t *testing.T, h http.Handler, method, path string) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path = path
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestPaths(t *testing.T) {
	const once, forever = "no-cache", "public, max-age=31536000, immutable"
	for _, c := range []struct {
		path, kind, keep, body string
		status                 int
	}{
		{"/", "text/html; charset=utf-8", once, indexHTML, 200},
		{"/index.html", "text/html; charset=utf-8", once, indexHTML, 200},
		{"/favicon.svg", "image/svg+xml", once, "<svg/>", 200},
		{"/assets/app-1a.js", "text/javascript; charset=utf-8", forever, "export {}", 200},
		{"/assets/app-1a.css", "text/css; charset=utf-8", forever, "body{}", 200},
		// the page's own paths
		{"/events/abcdefgh", "text/html; charset=utf-8", once, indexHTML, 200},
		{"/cameras/", "text/html; charset=utf-8", once, indexHTML, 200},
		{"/v10", "text/html; charset=utf-8", once, indexHTML, 200},
		{"/.gitkeep", "text/html; charset=utf-8", once, indexHTML, 200},
		// a file of an older build must not come back as HTML
		{"/assets/app-0f.js", "text/plain; charset=utf-8", once, "", 404},
		{"/assets/", "text/plain; charset=utf-8", once, "", 404},
		// paths that lead out
		{"/../web.go", "text/plain; charset=utf-8", once, "", 404},
		{"/assets/../../web.go", "text/plain; charset=utf-8", once, "", 404},
		{"//etc/passwd", "text/plain; charset=utf-8", once, "", 404},
		{"/events/../../etc/passwd", "text/plain; charset=utf-8", once, "", 404},
	} {
		t.Run(c.path, func(t *testing.T) {
			res, body := ask(t, built(t), "GET", c.path)
			if res.StatusCode != c.status {
				t.Fatalf("status %d, want %d", res.StatusCode, c.status)
			}
			if c.status == 200 && body != c.body {
				t.Errorf("body %q, want %q", body, c.body)
			}
			if got := res.Header.Get("Content-Type"); got != c.kind {
				t.Errorf("Content-Type %q, want %q", got, c.kind)
			}
			if got := res.Header.Get("Cache-Control"); got != c.keep {
				t.Errorf("Cache-Control %q, want %q", got, c.keep)
			}
		})
	}
}

func TestTheServersPathsAreRefused(t *testing.T) {
	for _, path := range []string{"/v1", "/v1/", "/v1/homes", "/v1/../index.html"} {
		res, body := ask(t, built(t), "GET", path)
		var refusal struct {
			V     int
			Error struct{ Reason string }
		}
		if err := json.Unmarshal([]byte(body), &refusal); err != nil {
			t.Fatalf("%s: %v in %q", path, err, body)
		}
		if res.StatusCode != 404 || refusal.V != 1 || refusal.Error.Reason != "not-found" {
			t.Errorf("%s: %d %s, want 404 and the reason not-found", path, res.StatusCode, body)
		}
		if got := res.Header.Get("Cache-Control"); got != "private, no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

func TestHeadersStandOnEveryAnswer(t *testing.T) {
	want := map[string]string{
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
	}
	for _, path := range []string{"/", "/assets/app-1a.js", "/assets/gone.js", "/v1/homes", "/events/a"} {
		res, _ := ask(t, built(t), "GET", path)
		for name, value := range want {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", path, name, got, value)
			}
		}
		csp := res.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self' 'wasm-unsafe-eval';", "style-src 'self';", "img-src 'self' blob:;",
			"media-src blob:;", "connect-src 'self';", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy lacks %q: %s", path, part, csp)
			}
		}
		if strings.Contains(strings.Replace(csp, "'wasm-unsafe-eval'", "", 1), "unsafe") || strings.Contains(csp, "http") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy lets something in: %s", path, csp)
		}
		if !strings.Contains(res.Header.Get("Permissions-Policy"), "camera=()") {
			t.Errorf("%s: Permissions-Policy %q", path, res.Header.Get("Permissions-Policy"))
		}
	}
}

func TestOnlyReading(t *testing.T) {
	if res, body := ask(t, built(t), "HEAD", "/"); res.StatusCode != 200 || body != "" {
		t.Errorf("HEAD: %d %q", res.StatusCode, body)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if res, _ := ask(t, built(t), method, "/"); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d, Allow %q", method, res.StatusCode, res.Header.Get("Allow"))
		}
	}
}

func TestAnUnchangedPageIsNotSentAgain(t *testing.T) {
	h := built(t)
	res, _ := ask(t, h, "GET", "/")
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("If-None-Match", res.Header.Get("ETag"))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
		t.Errorf("%d with %d bytes, want 304 and none", w.Code, w.Body.Len())
	}
}

func TestWithoutTheBuildThePageSaysSo(t *testing.T) {
	h := handler(t, fstest.MapFS{".gitkeep": {}})
	for _, path := range []string{"/", "/events/a"} {
		res, body := ask(t, h, "GET", path)
		if res.StatusCode != 200 || res.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %d, Cache-Control %q", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
		for _, part := range []string{"built without Node", "make web"} {
			if !strings.Contains(body, part) {
				t.Errorf("%s: the page does not say %q", path, part)
			}
		}
		checkPage(t, body)
	}
}

// The build that is in this binary, whichever it is, obeys the policy it is sent with.
func TestTheEmbeddedPageObeysThePolicy(t *testing.T) {
	res, body := ask(t, web.Handler(), "GET", "/")
	if res.StatusCode != 200 {
		t.Fatalf("status %d", res.StatusCode)
	}
	checkPage(t, body)
	if _, err := os.Stat("dist/index.html"); err == nil && strings.Contains(body, "built without Node") {
		t.Error("there is a build in dist, and the page that says there is none was sent")
	}
}

var (
	inlineScript = regexp.MustCompile(`(?i)<script(?:\s[^>]*)?>\s*[^<\s]`)
	inlineStyle  = regexp.MustCompile(`(?i)<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:`)
	elsewhere    = regexp.MustCompile(`(?i)(?:src|href)\s*=\s*["']?(?:[a-z]+:)?//`)
)

func checkPage(t *testing.T, body string) {
	t.Helper()
	for what, re := range map[string]*regexp.Regexp{"an inline script": inlineScript, "inline style or a handler": inlineStyle, "something from elsewhere": elsewhere} {
		if found := re.FindString(body); found != "" {
			t.Errorf("the page holds %s: %q", what, found)
		}
	}
}

func TestCheckPageSeesWhatItLooksFor(t *testing.T) {
	for re, page := range map[*regexp.Regexp]string{
		inlineScript: `<script type="module">alert(1)</script>`,
		inlineStyle:  `<p style="color:red">`,
		elsewhere:    `<script src="https://cdn.example/x.js"></script>`,
	} {
		if !re.MatchString(page) {
			t.Errorf("%v does not see %q", re, page)
		}
	}
	if inlineScript.MatchString(indexHTML) || elsewhere.MatchString(indexHTML) {
		t.Error("a page that obeys is refused")
	}
}
