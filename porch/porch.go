// Package porch is a server in the home itself, beside the agent, so that the people who
// live there see it with the internet down.
//
// While the home's own server answers, everything goes through to it, as if the page had
// been opened there: a browser that signs in here becomes one of the person's devices, and
// has its keys. When it does not answer, the porch is a server by itself, with the deeds
// that the agent knows, a second line of the agent's, and every check of package server.
// It lets in those who see the whole home, for as long as the deeds can be believed to be
// the newest, and changes nothing that the home's server could have differently.
package porch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/pipes"
	"github.com/latchkey-cam/latchkey/server"
)

// lookEvery is how soon it is noticed that the home's server is back, and that the agent
// has taken new settings.
const lookEvery = time.Second

// Config is what [Open] must know.
type Config struct {
	// Folder keeps the certificate. What else lies there is made anew at each start.
	Folder string
	// Listen is the address in the home's network, HOST:PORT, and Names are the names and
	// addresses by which it is reached: those that the machine has, if there are none.
	Listen string
	Names  []string
	// Title is what the home's deeds come to, and Settings gives its newest settings,
	// sealed; nil if there are none.
	Title    *deed.Title
	Settings func() []byte
	// Unsent is listed and played.
	Unsent Unsent
	// Server is the home's own, and HTTP how it is trusted.
	Server string
	HTTP   *http.Client
	// Connected says whether it answers; Stands, whether the deeds that the porch has can
	// be believed to be the newest.
	Connected, Stands func() bool
	// App is the app's pages.
	App http.Handler
	Log *slog.Logger
}

// Porch is one that stands.
type Porch struct {
	Origin string // of its pages
	// Root is the fingerprint of the certificate that it has made itself.
	Root certificate.Fingerprint

	config  Config
	local   *server.Local
	inside  *pipes.Listener // that nobody outside of this program reaches
	archive *archive.SQLite // beside the server

	stop func() // ends watch, and waits for it

	settings []byte // that are in the archive
}

// Open makes a porch, which stands until Close.
func Open(ctx context.Context, c Config) (*Porch, error) {
	p := &Porch{config: c, inside: pipes.Listen(), settings: c.Settings()}
	if err := p.plant(ctx); err != nil {
		return nil, err
	}
	front, err := p.front()
	if err != nil {
		return nil, errors.Join(err, p.archive.Close())
	}
	shown := shelf{c.Unsent}
	p.local, err = server.Run(ctx, server.LocalConfig{
		Data: c.Folder, Listen: c.Listen, Certificate: server.CertificateConfig{Own: true, Names: c.Names},
		Cache: server.CacheConfig{Server: "none"}, App: c.App, Log: c.Log, Front: front, Porch: c.Stands,
		Objects: archive.Shelf{Home: c.Title.Home(), Lying: shown.lying, Row: shown.row}, Blobs: blob.Shown(shown.open),
	})
	if err != nil {
		return nil, errors.Join(err, p.archive.Close())
	}
	p.Origin, p.Root = p.local.Origin, p.local.Own.Fingerprint()
	p.local.Serve(p.inside)
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); p.watch(ctx) }()
	p.stop = func() { stop(); <-done }
	return p, nil
}

// watch takes new settings, tells pages when there is something new, and has them connect
// anew when the home's server is back, from which they hear of it then.
func (p *Porch) watch(ctx context.Context) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	connected := p.config.Connected()
	for {
		changed := p.config.Unsent.Changed()
		select {
		case <-ctx.Done():
			return
		case <-changed:
			p.local.Lists()
		case <-look.C:
			if err := p.settle(ctx); err != nil {
				p.config.Log.Error("the porch has no newer settings", "error", err)
			}
			before := connected
			if connected = p.config.Connected(); connected && !before {
				p.local.Part()
			}
		}
	}
}

// plant begins with a fresh archive: what was in the last one is known to the agent or
// worth nothing.
func (p *Porch) plant(ctx context.Context) error {
	folder := p.config.Folder
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(folder, "archive.db*"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if p.archive, err = server.OpenArchive(ctx, folder); err != nil {
		return err
	}
	if err := server.Plant(ctx, p.archive.Archive(), p.config.Title, p.settings); err != nil {
		return errors.Join(err, p.archive.Close())
	}
	return nil
}

// settle puts the newest settings into the archive: a page that has seen them takes no
// older ones.
func (p *Porch) settle(ctx context.Context) error {
	now := p.config.Settings()
	if len(now) == 0 || bytes.Equal(now, p.settings) {
		return nil
	}
	prev := [32]byte{}
	if len(p.settings) > 0 {
		prev = sha256.Sum256(p.settings)
	}
	err := p.archive.Archive().Settings.PutSettings(ctx, prev, archive.Document{Home: p.config.Title.Home(), Bytes: now})
	if err == nil {
		p.settings = now
	}
	return err
}

// front hands everything on to the home's own server while that answers.
func (p *Porch) front() (func(http.Handler) http.Handler, error) {
	c := p.config
	to, err := url.Parse(c.Server)
	if err != nil {
		return nil, err
	}
	on := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to) // with its name as the host
			// What comes from a page of this porch comes from one of the home's: it is the
			// same person's, with the same session. Of other pages the server judges itself.
			if r.In.Header.Get("Origin") == "https://"+r.In.Host {
				r.Out.Header.Set("Origin", c.Server)
			}
		},
		Transport: c.HTTP.Transport, FlushInterval: -1,
		ErrorLog:     slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	return func(own http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/v1/") && c.Connected() {
				on.ServeHTTP(w, r)
				return
			}
			own.ServeHTTP(w, r)
		})
	}, nil
}

// Agent is how the agent's second line reaches the porch: in this program alone.
func (p *Porch) Agent() (origin string, client *http.Client) {
	return "http://localhost", &http.Client{Transport: &http.Transport{DialContext: p.inside.Dial}}
}

// Failed tells if the porch falls by itself.
func (p *Porch) Failed() <-chan error { return p.local.Failed() }

// Close ends it.
func (p *Porch) Close() error {
	p.stop()
	return errors.Join(p.inside.Close(), p.local.Close(), p.archive.Close())
}
