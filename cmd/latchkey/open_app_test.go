package main

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/export"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/vault"
)

// lines is a terminal's output, of which the first line is waited for.
type lines struct{ w *io.PipeWriter }

func (l lines) Write(p []byte) (int, error) { return l.w.Write(p) }

// opened is an export that the command shows.
type opened struct {
	t            *testing.T
	link         string
	host, secret string
	said         *strings.Builder // once it has ended
	end          func() int
}

// openApp runs the command until the test ends, or end is called.
func openApp(t *testing.T, args ...string) *opened {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r, w := io.Pipe()
	o := &opened{t: t, said: &strings.Builder{}}
	done := make(chan int, 1)
	go func() {
		code := run(ctx, append([]string{"open-app"}, args...), &terminal{strings.NewReader(""), lines{w}, o.said})
		_ = w.Close()
		done <- code
	}()
	ended := false
	o.end = func() int {
		if ended {
			return 0
		}
		ended = true
		stop()
		return <-done
	}
	t.Cleanup(func() { o.end() })
	b := make([]byte, 256)
	n, err := r.Read(b)
	if err != nil {
		t.Fatalf("the command showed nothing: %d %s", o.end(), o.said)
	}
	u := must(url.Parse(strings.TrimSpace(string(b[:n]))))
	o.link, o.host, o.secret = u.String(), u.Host, strings.TrimPrefix(u.Fragment, "open=")
	return o
}

// carrying gives each request the link's secret, as the page does.
type carrying struct{ secret string }

func (c carrying) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Latchkey-Open", c.secret)
	return http.DefaultTransport.RoundTrip(r)
}

func (o *opened) client() *api.Client {
	return must(api.NewClient("http://"+o.host, &http.Client{Transport: carrying{o.secret}}))
}

// unlock opens the vault in the export by the passphrase with which it was made.
func (o *opened) unlock(email, passphrase string) vault.Home {
	o.t.Helper()
	c, ctx := o.client(), o.t.Context()
	stretch := must(account.ParseStretch(must(c.PassphraseParams(ctx, email))))
	auth, kek, err := vault.Passphrase(passphrase, stretch)
	must(0, err)
	return must(homesOf(must(c.SignInAccount(ctx, api.SignInAccount{Email: email, Auth: auth[:]}, nil)), kek))[0]
}

// copied makes an export of what is shown, which makes every check that there is.
func (o *opened) copied(home vault.Home, from, to string) (export.Summary, error) {
	head := must(key.LoadHome(filepath.Join(from, "deeds.json"))).Title.Head()
	folder := must(durable.Open(to))
	defer folder.Close()
	return export.Run(o.t.Context(), export.Config{Client: o.client(), Home: home, Words: wordsOf(head), To: folder})
}

const shownPassphrase = "a long enough passphrase"

// exportForApp makes an export of two events for the app.
func exportForApp(t *testing.T) (m *exportHome, folder string) {
	m = openExportHouse(t).found("Our house", "Front door", "Yard")
	m.happened(m.door, berlin(t, "2025-11-25 07:12:33 +0100"), "morning")
	m.happened(m.yard, berlin(t, "2025-11-25 23:59:59 +0100"), "night")
	return m, m.forApp("me@example.org", m.owner.Keys)
}

// TestOpenApp: without the server, by the passphrase alone, everything of the export is
// there, under its names, and passes every check; nothing of it changes, and nothing stays.
func TestOpenApp(t *testing.T) {
	m, folder := exportForApp(t)
	before := whole(t, folder)
	must(0, m.server.Close())
	t.Setenv("TMPDIR", t.TempDir())
	o := openApp(t, folder)
	home := o.unlock("me@example.org", shownPassphrase)
	to := t.TempDir()
	s, err := o.copied(home, folder, to)
	if err != nil || s.Events != 2 || s.Written != 4 || len(s.Refused) != 0 || s.Name != "Our house" {
		t.Fatalf("%+v %v", s, err)
	}
	got := tree(t, to)
	for name, text := range tree(t, folder) {
		if is, ok := got[name]; text != "" && (!ok || is != text) {
			t.Errorf("%s is %.20q, want %.20q", name, is, text)
		}
	}
	if code := o.end(); code != 0 {
		t.Errorf("it ends with %d: %s", code, o.said)
	}
	if diff := cmp.Diff(before, whole(t, folder)); diff != "" {
		t.Errorf("the export has changed:\n%s", diff)
	}
	if left := must(os.ReadDir(os.TempDir())); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// whole is every file of a folder with what it holds.
func whole(t *testing.T, folder string) map[string]string {
	all := tree(t, folder)
	for name := range all {
		all[name] = string(must(os.ReadFile(filepath.Join(folder, name))))
	}
	return all
}

// TestOpenAppTurnsAway: whoever has not the link's secret gets nothing, a page of another
// site gets nothing, by whatever name it calls this machine, and nothing is changed.
func TestOpenAppTurnsAway(t *testing.T) {
	m, folder := exportForApp(t)
	o := openApp(t, folder)
	if !strings.HasPrefix(o.host, "127.0.0.1:") {
		t.Errorf("it listens on %s", o.host)
	}
	_, port, _ := strings.Cut(o.host, ":")
	home := m.owner.Home().String()
	const id = "aaaaaaaaaaaaaaaaaaaaaaaaaa"
	for _, c := range []struct {
		what, method, path string
		header             map[string]string
		want               int
	}{
		{"as the page does", "GET", "/v1/health", map[string]string{"Latchkey-Open": o.secret}, 200},
		{"the page itself", "GET", "/", nil, 200},
		{"as the page opens a websocket", "GET", "/v1/health?open=" + o.secret, nil, 200},
		{"without the secret", "GET", "/v1/health", nil, 403},
		{"without the secret, nothing", "GET", "/v1", nil, 403},
		{"without the secret, a page's", "GET", "/v1/homes/" + home + "/events", nil, 403},
		{"with another secret", "GET", "/v1/health", map[string]string{"Latchkey-Open": strings.ToLower(o.secret)}, 403},
		{"without the secret, a websocket", "GET", "/v1/homes/" + home + "/changes?request=" + id + "&mac=x&open=x", nil, 403},
		{"by another name", "GET", "/v1/health", map[string]string{"Latchkey-Open": o.secret, "Host": "evil.example:" + port}, 421},
		{"by the name localhost", "GET", "/", map[string]string{"Host": "localhost:" + port}, 421},
		{"without the port", "GET", "/", map[string]string{"Host": "127.0.0.1"}, 421},
		{"from another site's page", "GET", "/v1/health", map[string]string{"Latchkey-Open": o.secret, "Origin": "https://evil.example"}, 403},
		{"from a page of another program here", "POST", "/v1/sessions/challenge", map[string]string{"Latchkey-Open": o.secret, "Origin": "http://127.0.0.1:1"}, 403},
		{"from nowhere in particular", "GET", "/v1/health", map[string]string{"Latchkey-Open": o.secret, "Origin": "null"}, 403},
		{"found a home", "POST", "/v1/homes", map[string]string{"Latchkey-Open": o.secret, "Latchkey-Request": id}, 403},
		{"sign up", "POST", "/v1/accounts", map[string]string{"Latchkey-Open": o.secret, "Latchkey-Request": id}, 403},
	} {
		r := must(http.NewRequest(c.method, "http://"+o.host+c.path, nil))
		for name, value := range c.header {
			r.Header.Set(name, value)
		}
		r.Host = c.header["Host"]
		answer := must(http.DefaultClient.Do(r))
		body := string(must(io.ReadAll(answer.Body)))
		must(0, answer.Body.Close())
		if answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %.100s", c.what, answer.StatusCode, c.want, body)
		}
		if answer.Header.Get("Access-Control-Allow-Origin") != "" || strings.Contains(body, o.secret) {
			t.Errorf("%s: the answer tells other sites something", c.what)
		}
	}
}

// TestOpenAppTurnsAwayNotices are the controls: without each of its checks the guard lets
// somebody in, and a copy that is no copy lets a home be founded.
func TestOpenAppTurnsAwayNotices(t *testing.T) {
	cuts := map[string]sabotage.Cut{
		"by another name: 200":          {File: "attic/guard.go", Old: "if r.Host != g.host {", New: "if false {"},
		"from another site's page: 200": {File: "attic/guard.go", Old: `if origin := r.Header.Get("Origin"); origin != "" && origin`, New: `if origin := r.Header.Get("Origin"); false && origin`},
		"without the secret: 200":       {File: "attic/guard.go", Old: "subtle.ConstantTimeCompare(hash[:], g.token[:]) != 1 {", New: "subtle.ConstantTimeCompare(hash[:], g.token[:]) > 1 {"},
		"found a home: 415":             {File: "server/wall.go", Old: "if a.server.config.Copy && !a.route.Copy {", New: "if false {"},
	}
	without := controls.Without(t, slices.Collect(maps.Values(cuts))...)
	t.Parallel()
	out, err := without.Tests(t.Context(), "^TestOpenAppTurnsAway$")
	for says := range cuts {
		if err == nil || !strings.Contains(string(out), says) {
			t.Errorf("the control does not say %q:\n%s", says, out)
		}
	}
}

// TestOpenAppRefuses: what is of another home, what was altered and what is exchanged is
// not shown, and said; the rest is.
func TestOpenAppRefuses(t *testing.T) {
	m, folder := exportForApp(t)
	other := m.found("Theirs", "Front door", "Yard")
	strange := other.happened(other.door, berlin(t, "2025-11-25 07:12:33 +0100"), "SECRET")[0]
	morning, night := filepath.Join(folder, "2025-11-25/front-door/07-12-33 motion"), filepath.Join(folder, "2025-11-25/yard/23-59-59 motion")
	must(0, os.WriteFile(filepath.Join(folder, "strange.sealed"), strange.Bytes(), 0o600))
	altered := must(os.ReadFile(morning + ".jpg.sealed"))
	altered[len(sealed.Magic)+40] ^= 1 // in the binding
	must(0, os.WriteFile(morning+".jpg.sealed", altered, 0o600))
	damaged := must(os.ReadFile(night + ".mp4.sealed"))
	damaged[len(damaged)-100] ^= 1 // in the body
	must(0, os.WriteFile(night+".mp4.sealed", damaged, 0o600))
	must(0, os.Symlink(m.file("not ours"), filepath.Join(folder, "elsewhere.sealed")))

	o := openApp(t, folder)
	s, err := o.copied(o.unlock("me@example.org", shownPassphrase), folder, t.TempDir())
	if err != nil || s.Written != 2 || len(s.Refused) != 1 || s.Refused[0].Reason != string(sealed.WrongHash) {
		t.Errorf("%+v %v", s, err)
	}
	o.end()
	for _, want := range []string{"strange.sealed: wrong-home", "07-12-33 motion.jpg.sealed: "} {
		if !strings.Contains(o.said.String(), want) {
			t.Errorf("it does not say %q: %s", want, o.said)
		}
	}
	if strings.Contains(o.said.String(), "elsewhere") {
		t.Errorf("it follows a link out of the folder: %s", o.said)
	}
}

// TestOpenAppSays: what the app cannot be opened with is said in words.
func TestOpenAppSays(t *testing.T) {
	m, folder := exportForApp(t)
	plain := t.TempDir()
	if e := m.command(t.Context(), "--account", "me@example.org", "--secret-file", m.file(shownPassphrase), "--to", plain, "--words", m.words()); e.code != 0 {
		t.Fatal(e.err)
	}
	for what, c := range map[string]struct {
		args []string
		want string
	}{
		"no export":         {[]string{t.TempDir()}, "the folder is no export"},
		"nothing is sealed": {[]string{plain}, "Make the export with --app"},
		"no vault":          {[]string{folder, "--vault", filepath.Join(folder, "deeds.json")}, "that is no vault"},
	} {
		var out, said strings.Builder
		if code := run(t.Context(), append([]string{"open-app"}, c.args...), &terminal{strings.NewReader(""), &out, &said}); code != 1 || !strings.Contains(said.String(), c.want) {
			t.Errorf("%s: %d %s", what, code, said.String())
		}
	}
}

// forApp makes an export for the app with somebody's passphrase.
func (m *exportHome) forApp(email string, k *key.PersonKeys) (folder string) {
	m.t.Helper()
	m.account(email, shownPassphrase, k)
	folder = m.t.TempDir()
	e := m.command(m.t.Context(), "--account", email, "--secret-file", m.file(shownPassphrase+"\n"), "--to", folder, "--words", m.words(), "--app")
	if e.code != 0 {
		m.t.Fatal(e.err)
	}
	return folder
}

// TestOpenAppOfOthers: a guest is shown what they were given, and whoever has the keys to
// another home nothing.
func TestOpenAppOfOthers(t *testing.T) {
	h := openExportHouse(t)
	m, other, guest := h.found("Ours", "Front door", "Yard"), h.found("Theirs", "Front door", "Yard"), keytest.NewPerson()
	m.sign(func() { m.owner.Join(guest, keytest.AsGuest(m.door)) })
	m.happened(m.door, berlin(t, "2025-11-26 07:12:33 +0100"), "door")
	m.happened(m.yard, berlin(t, "2025-11-26 08:12:33 +0100"), "yard")
	other.happened(other.door, berlin(t, "2025-11-25 07:12:33 +0100"), "SECRET")
	ours, theirs, given := m.forApp("me@example.org", m.owner.Keys), other.forApp("them@example.org", other.owner.Keys), m.forApp("guest@example.org", guest.Keys)

	o := openApp(t, ours, "--vault", filepath.Join(theirs, "vault.json"))
	if s, err := o.copied(o.unlock("them@example.org", shownPassphrase), ours, t.TempDir()); err == nil || s.Events != 0 {
		t.Errorf("with the keys to another home: %+v %v", s, err)
	}
	// The owner's recordings beside a guest's are not the guest's to open.
	must(0, os.CopyFS(filepath.Join(given, "more"), os.DirFS(ours)))
	o, to := openApp(t, given), t.TempDir()
	s, err := o.copied(o.unlock("guest@example.org", shownPassphrase), given, to)
	if err != nil || s.Written != 2 || tree(t, to)["2025-11-26/the-door/07-12-33 motion.jpg"] != "picture of door" {
		t.Errorf("a guest: %+v %v", s, err)
	}
}
