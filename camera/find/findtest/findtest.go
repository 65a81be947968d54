// Package findtest is devices with several streams for tests, each stream at a path of
// its own, as cameras and recorders have them.
package findtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"github.com/latchkey-cam/latchkey/camera/cameratest"
)

// Device is what a device has. It plays its films over and over, from the first time that
// somebody watches.
type Device struct {
	User, Password string // open if both are empty

	// Films are its streams by path and question, "/stream?x=1".
	Films map[string]cameratest.Film

	Any       bool   // it has the stream "/" at every path
	Video     string // "MJPEG" for a device that has nothing better
	Sessions  int    // at once; no limit if 0
	Reordered bool   // its pictures come in the order of decoding, as with B-frames
	TLS       *tls.Config
}

// Server is a device that answers.
type Server struct {
	Device
	address netip.AddrPort
	server  *gortsplib.Server
	streams map[string]*gortsplib.ServerStream
	begin   chan struct{} // closed when somebody watches

	mu      sync.Mutex // protects what follows
	open    map[*gortsplib.ServerSession]bool
	most    int
	asked   []string
	refused int
	played  int
}

// Serve starts a device. It ends with the test.
func Serve(t testing.TB, d Device) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Device: d, address: netip.MustParseAddrPort(l.Addr().String()),
		streams: map[string]*gortsplib.ServerStream{}, open: map[*gortsplib.ServerSession]bool{}, begin: make(chan struct{})}
	if d.TLS != nil {
		l = tls.NewListener(l, d.TLS) // and not by the library, which would encrypt the packets once more
	}
	s.server = &gortsplib.Server{Handler: s, RTSPAddress: s.address.String(),
		Listen: func(string, string) (net.Listener, error) { return l, nil }}
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var all sync.WaitGroup
	for path, film := range d.Films {
		stream := &gortsplib.ServerStream{Server: s.server, Desc: &description.Session{Medias: []*description.Media{{
			Type: description.MediaTypeVideo, Formats: []format.Format{s.format(film)}}}}}
		if err := stream.Initialize(); err != nil {
			t.Fatal(err)
		}
		s.streams[path] = stream
		if d.Video == "" {
			all.Go(func() { s.play(t, stream, film, stop) })
		}
	}
	t.Cleanup(func() {
		close(stop)
		all.Wait()
		for _, stream := range s.streams {
			stream.Close()
		}
		s.server.Close()
	})
	return s
}

func (s *Server) format(film cameratest.Film) format.Format {
	if s.Video != "" {
		return &format.MJPEG{}
	}
	f := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	for _, nal := range film[0] {
		switch nal[0] & 0x1f {
		case 7:
			f.SPS = nal
		case 8:
			f.PPS = nal
		}
	}
	return f
}

func (s *Server) play(t testing.TB, stream *gortsplib.ServerStream, film cameratest.Film, stop chan struct{}) {
	media := stream.Desc.Medias[0]
	packets, err := media.Formats[0].(*format.H264).CreateEncoder()
	if err != nil {
		t.Error(err)
		return
	}
	select {
	case <-s.begin:
	case <-stop:
		return
	}
	time.Sleep(50 * time.Millisecond) // who asked is not a reader before it has its answer
	began := time.Now()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / cameratest.Rate))):
		}
		shown := n
		if k := n % len(film); s.Reordered && k > 0 && k+2 < len(film) { // I0 P3 B1 B2 P6 B4 B5 ...
			shown += []int{2, -1, -1}[(k-1)%3]
		}
		encoded, err := packets.Encode(film[n%len(film)])
		if err != nil {
			t.Error(err)
			return
		}
		for _, p := range encoded {
			p.Timestamp = 54321 + uint32(shown)*90000/cameratest.Rate
			stream.WritePacketRTP(media, p) // nobody may be watching
		}
	}
}

// Address returns where the device is.
func (s *Server) Address() netip.AddrPort { return s.address }

// URL returns the address of a stream.
func (s *Server) URL(path string) string {
	scheme := "rtsp://"
	if s.TLS != nil {
		scheme = "rtsps://"
	}
	return scheme + s.address.String() + path
}

// Asked returns the paths that it was asked to describe, in order.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// MostSessions returns how many sessions there were at once at most.
func (s *Server) MostSessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// Refused returns how many requests came with a wrong password.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// Played returns how many times it was asked to play.
func (s *Server) Played() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.played
}

func (s *Server) admit(conn *gortsplib.ServerConn, r *base.Request) (*base.Response, *gortsplib.ServerStream, error) {
	if s.User+s.Password != "" && !conn.VerifyCredentials(r, s.User, s.Password) {
		if len(r.Header["Authorization"]) > 0 {
			s.refused++
		}
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	path := r.URL.RequestURI()
	if before, _, found := strings.Cut(path, "/trackID"); found {
		path = before
	}
	stream := s.streams[strings.TrimSuffix(path, "/")]
	if s.Any && stream == nil {
		stream = s.streams["/"]
	}
	if stream == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, stream, nil
}

// OnDescribe is for the RTSP server.
func (s *Server) OnDescribe(ctx *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, ctx.Request.URL.RequestURI())
	return s.admit(ctx.Conn, ctx.Request)
}

// OnSetup is for the RTSP server.
func (s *Server) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[ctx.Session] = true
	s.most = max(s.most, len(s.open))
	if s.Device.Sessions > 0 && len(s.open) > s.Device.Sessions {
		delete(s.open, ctx.Session)
		s.most = s.Device.Sessions
		return &base.Response{StatusCode: base.StatusNotEnoughBandwidth}, nil, nil
	}
	return s.admit(ctx.Conn, ctx.Request)
}

// OnPlay is for the RTSP server.
func (s *Server) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.played++; s.played == 1 {
		close(s.begin)
	}
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose is for the RTSP server.
func (s *Server) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, ctx.Session)
}

// Certificate makes a certificate as cameras have, signed by itself, and returns its
// SHA-256 in hexadecimal.
func Certificate(t testing.TB) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, hex.EncodeToString(sum[:])
}
