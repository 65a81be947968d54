package camera

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/base"
)

// readAhead is how much is taken from the camera at once. A key picture comes in dozens
// of packets; with the library's own buffer there is a system call for every third.
const readAhead = 64 << 10

// lastDrop is how long a camera has to take notice of the end of a session before its
// connection is cut. Cut with something unread, the end might never reach it.
const lastDrop = 500 * time.Millisecond

// connect connects to the camera, and over TLS if the address says so.
func (s Source) connect(ctx context.Context) (net.Conn, error) {
	conn, _, err := s.dialTLS(ctx)
	return conn, err
}

// dialTLS is connect, and returns the SHA-256 of the camera's certificate in hex, empty
// without TLS. A certificate that is not the one that was pinned is [AnotherDevice].
func (s Source) dialTLS(ctx context.Context) (net.Conn, string, error) {
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Address.hostPort())
	if err != nil {
		return nil, "", err
	}
	conn := &line{Conn: plain}
	if !s.Address.secure() {
		return conn, "", nil
	}
	var shown string
	secure := tls.Client(conn, &tls.Config{
		ServerName: s.Address.u.Hostname(),
		MinVersion: tls.VersionTLS12,
		// A camera's certificate is signed by nobody. What counts is that it is the
		// same as when the camera was added, which is checked below.
		InsecureSkipVerify: true,
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 {
				return errors.New("no certificate")
			}
			sum := sha256.Sum256(raw[0])
			shown = hex.EncodeToString(sum[:])
			if s.Certificate != "" && !strings.EqualFold(s.Certificate, shown) {
				return s.Credentials.failure(AnotherDevice, "open stream: another certificate than the camera's: %s", shown)
			}
			return nil
		},
	})
	if err := secure.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, shown, err
	}
	return secure, shown, nil
}

// line is a connection to a camera that reads ahead, and that is closed so that what
// was said last arrives.
type line struct {
	net.Conn
	closed atomic.Bool

	mu     sync.Mutex // protects what follows; held while reading
	buffer []byte
	rest   []byte
}

// Read reads what has come in.
func (l *line) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed.Load() {
		return 0, net.ErrClosed
	}
	if len(l.rest) == 0 {
		if l.buffer == nil {
			l.buffer = make([]byte, readAhead)
		}
		n, err := readNow(l.Conn, l.buffer)
		if l.rest = l.buffer[:n]; n == 0 {
			return 0, err
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// Close says that nothing more will be sent, and leaves the rest to a goroutine that
// soon ends.
func (l *line) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	l.Conn.SetDeadline(time.Unix(1, 0)) // whoever reads ends
	go func() {
		l.mu.Lock() // and only then
		l.mu.Unlock()
		defer l.Conn.Close()
		if half, ok := l.Conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
			l.Conn.SetDeadline(time.Now().Add(lastDrop))
			io.CopyN(io.Discard, l.Conn, 16<<20)
		}
	}()
	return nil
}

// mend makes of a response what the library understands, where a camera's meaning is
// clear and the library is strict, and takes what is asked for here: the description is
// read by us, and the library is given our own words (see clean). It is called from the
// client's goroutine, with the method of the last request.
func (r *session) mend(method base.Method, res *base.Response) {
	defer func() {
		if v := recover(); v != nil {
			r.refused = r.Credentials.failure(Unusable, "describe stream: internal error: %v", v)
			res.Body = nil
		}
	}()
	// Some cameras number their answers by a count of their own. No two requests are
	// ever under way, so that an answer is the answer.
	delete(res.Header, "CSeq")
	if server := res.Header["Server"]; len(server) > 0 {
		r.info.Server = r.Credentials.plain(server[0])
	}
	switch code := res.StatusCode; {
	case code/100 == 3:
		if to := res.Header["Location"]; len(to) != 1 || !r.home(to[0]) {
			r.refused = r.Credentials.failure(Elsewhere, "open stream: redirection to another host refused")
			delete(res.Header, "Location")
		}
	case method == base.Options && code != base.StatusOK && code != base.StatusUnauthorized:
		res.StatusCode = base.StatusOK // it does not know the question; that is no reason not to ask the next
	case method == base.Describe && code == base.StatusOK:
		r.mendDescription(res)
	}
}

// home says whether a redirection stays on the camera.
func (r *session) home(to string) bool {
	a, err := ParseAddress(to)
	return err == nil && a.u.Scheme == r.Address.u.Scheme && a.hostPort() == r.Address.hostPort()
}

func (r *session) mendDescription(res *base.Response) {
	if kind := res.Header["Content-Type"]; len(kind) == 0 || bytes.HasPrefix(bytes.TrimSpace(res.Body), []byte("v=")) {
		res.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
	} else if !strings.HasPrefix(strings.ToLower(kind[0]), "application/sdp") {
		r.refused = r.Credentials.failure(Unusable, "describe stream: %q is no description", r.Credentials.plain(kind[0]))
		return
	}
	offer, err := ParseOffer(res.Body)
	if err != nil {
		r.refused = r.Credentials.failure(Unusable, "describe stream: %v", err)
		res.Body = nil
		return
	}
	r.video, r.audio = offer.choose(r.Sound, r.Address.secure())
	r.refused = r.unfit(offer)
	r.tell(offer)
	res.Body = clean(r.video, r.audio)
	if at := res.Header["Content-Base"]; len(at) > 0 {
		if fixed := fixBase(at[0]); fixed != "" {
			res.Header["Content-Base"] = base.HeaderValue{fixed}
		} else {
			delete(res.Header, "Content-Base")
		}
	}
}

// fixBase returns the address to which a description's addresses are relative, empty if
// it makes no sense; the one that was asked for is taken then. Some cameras begin it
// twice.
func fixBase(s string) string {
	s = strings.TrimSpace(s)
	for _, scheme := range []string{"rtsp://", "rtsps://"} {
		for strings.HasPrefix(s, scheme+scheme) {
			s = strings.TrimPrefix(s, scheme)
		}
	}
	u, err := url.Parse(s)
	if err != nil || !strings.HasPrefix(s, "/") && (u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Hostname() == "") {
		return ""
	}
	return s
}

// unfit says why nothing of an offer can be recorded, nil if something can.
func (r *session) unfit(o Offer) *Error {
	if r.video != nil {
		return nil
	}
	for _, t := range o.Tracks {
		if t.Kind == "video" {
			return r.Credentials.failure(Unsupported, "describe stream: no H.264 or H.265 among %s", names(o))
		}
	}
	return r.Credentials.failure(NoVideo, "describe stream: no video among %s", names(o))
}

func names(o Offer) string {
	var list []string
	for _, t := range o.Tracks {
		list = append(list, fmt.Sprintf("%.32q", t))
	}
	return fmt.Sprintf("%.200s", strings.Join(list, " "))
}

// plain is text of a camera's as it may be shown: short, without secrets and without
// anything that is no text.
func (c Credentials) plain(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\ufffd' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(c.scrub(text), ""))
	return fmt.Sprintf("%.100s", strings.TrimSpace(text))
}
