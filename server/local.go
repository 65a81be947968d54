package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/bound"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/gate"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/notify"
	"github.com/latchkey-cam/latchkey/strain"
)

// LocalConfig is a server on one machine.
type LocalConfig struct {
	// Data is the folder in which everything is kept; it is made if it is not there.
	Data string
	// Listen is the address for browsers and agents, HOST:PORT; port 0 is any that is
	// free. Without a certificate it speaks plain HTTP: for loopback, or behind a
	// proxy that has one.
	Listen string
	// Origin is how browsers reach the server. Empty: what follows from the
	// certificate, or else http://localhost with the port.
	Origin string
	// Certificate says how the server comes by one.
	Certificate CertificateConfig
	// Metrics is the address of the counters for Prometheus, on loopback; empty: none.
	Metrics string
	// Cache says where what was read of homes is kept.
	Cache CacheConfig
	// MostPerAddress is how many connections of one address are taken at a time, none of
	// loopback being counted. 0: no bound.
	MostPerAddress int
	// Front, if there is one, stands before the server, and hands on what it wants to.
	Front func(http.Handler) http.Handler
	// Objects and Blobs are shown in place of those in the data folder; nil: those.
	Objects archive.Objects
	Blobs   blob.Store
	// App, Log, Mail, MaxHomeBytes, Porch and Ungated are [Config]'s.
	App          http.Handler
	Log          *slog.Logger
	Mail         notify.Mailer
	MaxHomeBytes uint64
	Porch        func() bool
	Ungated      bool
}

// Local is a server on one machine that runs.
type Local struct {
	Origin     string // of the pages
	Address    string // that is listened on
	MetricsURL string // empty if there are none

	// Own is the server's own certificate; nil if it has another or none.
	Own *certificate.Own

	server    *Server
	archive   *archive.SQLite
	blobs     *blob.Disk
	cache     *bound.Cache   // nil if there is none
	folders   []*durable.Dir // the first is the data folder
	listeners []net.Listener // the first is for browsers and agents
	tls       *tls.Config    // nil for plain HTTP
	domain    *certificate.Domain
	http      []*http.Server
	failed    chan error
	crowd     *crowd
	shakes    gate.Handshakes
	ending    context.Context // ended by Close
	end       context.CancelFunc
	notes     sync.WaitGroup // of what is usual
}

// The names in the data folder.
const (
	archiveFile = "archive.db"
	blobFolder  = "blobs"
)

// OpenArchive opens the archive of a data folder, for a program that looks after a
// server beside it.
func OpenArchive(ctx context.Context, data string) (*archive.SQLite, error) {
	return archive.OpenSQLite(ctx, filepath.Join(data, archiveFile))
}

// Spacious lets this program's memory grow to five times what is in use before it is
// collected, and not to twice: a delivery leaves 20 KB behind, and a server that has little
// in use would otherwise collect ten times a second, which takes it a fifteenth of its time.
// The environment's GOGC goes before. For a program that is a server and little else.
func Spacious() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// Run starts a server on one machine. It runs until Close.
func Run(ctx context.Context, c LocalConfig) (*Local, error) {
	l := &Local{failed: make(chan error, 4)}
	l.ending, l.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := l.start(ctx, c); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

func (l *Local) start(ctx context.Context, c LocalConfig) error {
	folder, err := durable.Open(c.Data)
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	l.folders = append(l.folders, folder)
	if err := startable(folder); err != nil {
		return err
	}
	if l.archive, err = OpenArchive(ctx, c.Data); err != nil {
		return err
	}
	blobs, err := folder.Sub(blobFolder)
	if err != nil {
		return err
	}
	l.folders = append(l.folders, blobs)
	if l.blobs, err = blob.NewDisk(blobs); err != nil {
		return err
	}
	if l.cache, err = openCache(c.Cache, folder); err != nil {
		return err
	}
	if err := l.listen(ctx, c); err != nil {
		return err
	}
	var trust string
	if l.Own != nil {
		trust = l.Own.Fingerprint().String()
	}
	id, err := ServerID(folder)
	if err != nil {
		return err
	}
	log := cmp.Or(c.Log, slog.Default())
	index, bodies := l.archive.Archive(), blob.Store(l.blobs)
	if c.Objects != nil {
		index.Objects, bodies = c.Objects, c.Blobs
	}
	l.server, err = New(ctx, Config{
		ID: id, Archive: index, Blobs: bodies, Cache: l.cache, Origin: l.Origin, App: c.App, Log: c.Log,
		Mail: c.Mail, MaxHomeBytes: c.MaxHomeBytes, Trust: trust, Porch: c.Porch, Ungated: c.Ungated,
		Usual: readUsual(folder, log), Strains: []strain.Measure{strain.Processors(), strain.Memory(), strain.Descriptors()},
	})
	if err != nil {
		return err
	}
	l.look(log)
	h := l.server.Handler()
	if c.Front != nil {
		h = c.Front(h)
	}
	if err := l.serveAll(h); err != nil {
		return err
	}
	if c.Metrics != "" {
		return l.serveMetrics(c.Metrics)
	}
	return nil
}

// serveMetrics serves the counters. They say how busy a house is, so that they are for
// this machine alone.
func (l *Local) serveMetrics(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	if at, ok := listener.Addr().(*net.TCPAddr); !ok || !at.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("metrics are for loopback addresses only, not %s", listener.Addr()), listener.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", l.server.Operator())
	mux.Handle("GET /metrics", promhttp.HandlerFor(l.server.Metrics(), promhttp.HandlerOpts{}))
	l.MetricsURL = "http://" + listener.Addr().String() + "/metrics"
	l.serve(listener, mux)
	return nil
}

func (l *Local) serve(listener net.Listener, h http.Handler) {
	s := HTTPServer(h)
	l.http = append(l.http, s)
	go func() {
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			l.failed <- fmt.Errorf("serve: %w", err)
		}
	}()
}

// HTTPServer returns an HTTP server with the limits that this handler counts on: what
// comes before a request's body is small and comes soon. The deadlines of bodies and
// answers are the handler's, which knows how large they are. And the handler finds the
// connection of a request, to cut it.
func HTTPServer(h http.Handler) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // what strangers send is no news
	}
	keepLines(s)
	return s
}

// Serve also serves on another listener, without what stands in front.
func (l *Local) Serve(listener net.Listener) { l.serve(listener, l.server.Handler()) }

// Lists tells every page to ask for its list again, because what is shown has changed.
func (l *Local) Lists() { l.server.hub.lists() }

// Part has every page connect anew, because somebody else answers in front.
func (l *Local) Part() { l.server.hub.part() }

// Metrics is [Server.Metrics].
func (l *Local) Metrics() prometheus.Gatherer { return l.server.Metrics() }

// MintSetup is [Server.MintSetup].
func (l *Local) MintSetup(ctx context.Context) (string, error) { return l.server.MintSetup(ctx) }

// Holds is [Server.Holds].
func (l *Local) Holds() []archive.Hold { return l.server.Holds() }

// AnyHome says whether a home was founded here.
func (l *Local) AnyHome(ctx context.Context) (bool, error) {
	return l.archive.Archive().Setups.AnyHome(ctx)
}

// Drain is [Server.Drain]; connections are not kept for further requests any more.
func (l *Local) Drain(ctx context.Context, within time.Duration) {
	for _, s := range l.http {
		s.SetKeepAlivesEnabled(false)
	}
	l.server.Drain(ctx, within)
}

// Failed tells if the server stops by itself.
func (l *Local) Failed() <-chan error { return l.failed }

// shutdownWithin is what requests under way have left when the server closes.
const shutdownWithin = 5 * time.Second

// Close stops listening, lets requests under way end, ends the websockets and closes
// what is kept.
func (l *Local) Close() error {
	ctx, stop := context.WithTimeout(context.Background(), shutdownWithin)
	defer stop()
	var errs []error
	if l.domain != nil {
		errs = append(errs, l.domain.Close())
	}
	for _, s := range l.http {
		if s.Shutdown(ctx) != nil { // late uploads; they come back
			errs = append(errs, s.Close())
		}
	}
	l.end()
	l.notes.Wait()
	if l.server != nil {
		errs = append(errs, l.server.Close())
	}
	if l.cache != nil {
		errs = append(errs, l.cache.Close())
	}
	if l.archive != nil {
		errs = append(errs, l.archive.Close())
	}
	for _, listener := range l.listeners { // if the start got no further
		if err := listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	for _, f := range l.folders {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
