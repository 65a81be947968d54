package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"fmt"
	"html/template"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"

	"github.com/latchkey-cam/latchkey/certificate"
)

// CertificateConfig says how a server on one machine comes by its certificate. The
// zero value is plain HTTP.
type CertificateConfig struct {
	// Domain is the server's name in the world's DNS: a certificate for it is issued
	// and renewed by a public authority. The rest of the second group goes with it.
	Domain string
	Email  string
	// Directory is the authority's, Let's Encrypt's if empty; Roots are who is
	// believed to be it, the system's if nil.
	Directory string
	Roots     *x509.CertPool
	// Plain is the address for what comes to port 80: the authority's question, and
	// browsers, which are led to https. Empty: none.
	Plain string

	// Own lets the server make its certificate itself. Names are the names and
	// addresses by which it is reached, of those that such a certificate can be for;
	// if there are none, those that the machine has.
	Own   bool
	Names []string
}

// certificateFolder is in the data folder.
const certificateFolder = "certificates"

// listen opens the listeners and says by what origin the server is reached.
func (l *Local) listen(ctx context.Context, c LocalConfig) error {
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	l.crowd = newCrowd(listener, c.MostPerAddress)
	listener = Gathering(l.crowd)
	l.listeners = append(l.listeners, listener)
	l.Address, l.Origin = listener.Addr().String(), c.Origin
	port := listener.Addr().(*net.TCPAddr).Port
	switch {
	case c.Certificate.Domain != "":
		return l.listenAsDomain(ctx, c, port)
	case c.Certificate.Own:
		return l.listenAsOwn(c, port)
	case l.Origin == "":
		l.Origin = "http://localhost:" + strconv.Itoa(port)
	}
	return nil
}

func (l *Local) listenAsDomain(ctx context.Context, c LocalConfig, port int) error {
	d := certificate.DomainConfig{
		Domain: c.Certificate.Domain, Email: c.Certificate.Email, Directory: c.Certificate.Directory, Roots: c.Certificate.Roots,
		Folder: filepath.Join(c.Data, certificateFolder), TLSPort: port, Log: c.Log,
	}
	var plain net.Listener
	var err error
	if c.Certificate.Plain != "" {
		plain, err = net.Listen("tcp", c.Certificate.Plain)
		if err != nil {
			return fmt.Errorf("listen for plain HTTP: %w", err)
		}
		l.listeners = append(l.listeners, plain)
		d.HTTPPort = plain.Addr().(*net.TCPAddr).Port
	}
	if l.domain, err = certificate.Obtain(ctx, d); err != nil {
		return err
	}
	if l.Origin == "" {
		l.Origin = originOf(c.Certificate.Domain, port)
	}
	l.tls = l.domain.Config()
	if plain != nil {
		l.serve(plain, l.domain.Handler(redirect(l.Origin)))
	}
	return nil
}

func (l *Local) listenAsOwn(c LocalConfig, port int) error {
	folder, err := l.folders[0].Sub(certificateFolder)
	if err != nil {
		return err
	}
	l.folders = append(l.folders, folder)
	if l.Own, err = certificate.OpenOwn(folder, nil); err != nil {
		return err
	}
	names := c.Certificate.Names
	for _, n := range names {
		if !certificate.Allowed(n) {
			return fmt.Errorf("make a certificate: %.100q is neither a private address nor a name such as nas.local; for a name of the world use a domain's certificate", n)
		}
	}
	current := func() []string { return names }
	if len(names) == 0 {
		current = certificate.LocalNames
	}
	if l.Origin == "" {
		l.Origin = originOf(firstHome(current()), port)
	}
	l.tls = l.Own.Config(current)
	return nil
}

func originOf(host string, port int) string {
	if port == 443 {
		if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
			return "https://[" + host + "]"
		}
		return "https://" + host
	}
	return "https://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// firstHome is the name that other machines in the home most likely reach: an address
// of version 4, or else what there is.
func firstHome(names []string) string {
	for _, n := range names {
		if ip := net.ParseIP(n); ip.To4() != nil && !ip.IsLoopback() {
			return n
		}
	}
	return names[0]
}

// serveAll serves the handler on the listener, in TLS if there is a certificate.
func (l *Local) serveAll(h http.Handler) error {
	listener := l.listeners[0]
	switch {
	case l.Own != nil:
		page, err := l.plainPage()
		if err != nil {
			return err
		}
		f := newFork(listener)
		l.serve(f.plain, page)
		l.serve(tls.NewListener(f.secure, l.shakes.Config(l.tls)), atHome(l.Origin, l.withRoot(h)))
	case l.tls != nil:
		l.serve(tls.NewListener(listener, l.shakes.Config(l.tls)), h)
	default:
		l.serve(listener, h)
	}
	return nil
}

// redirect leads a browser to the same path at the server's origin; what is behind
// the # goes with it.
func redirect(origin string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "Use "+origin, http.StatusMisdirectedRequest)
			return
		}
		http.Redirect(w, r, origin+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
}

// atHome leads pages that were opened under another of the machine's names to the one
// that requests must come from. A name that somebody else's DNS gives this machine
// leads there too, and gets nothing.
func atHome(origin string, h http.Handler) http.Handler {
	u, err := url.Parse(origin)
	if err != nil {
		panic("internal error: " + err.Error()) // New has refused it
	}
	elsewhere := redirect(origin)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != u.Host {
			elsewhere.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// rootPath is where the root of an own certificate is to be had.
const rootPath = "/latchkey-root.crt"

func (l *Local) withRoot(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != rootPath {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/x-x509-ca-cert")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(l.Own.Root()) // whoever left does not need it
	})
}

//go:embed plain.html
var plainHTML string

// plainPage is all that somebody gets who comes without TLS to a server with a
// certificate of its own: why not, and what to do.
func (l *Local) plainPage() (http.Handler, error) {
	t, err := template.New("plain").Parse(plainHTML)
	if err != nil {
		return nil, fmt.Errorf("make server: %w", err)
	}
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		w.WriteHeader(http.StatusUpgradeRequired)
		_ = t.Execute(w, map[string]string{"Origin": l.Origin, "Root": rootPath, "Fingerprint": l.Own.Fingerprint().String()}) // whoever left does not need it
	})
	return l.withRoot(page), nil
}
