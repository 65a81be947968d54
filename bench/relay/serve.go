package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bench/role"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// makeCertificate writes one for 127.0.0.1 that nobody checks.
func makeCertificate(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, about, about, key.Public(), key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	certificateFile, keyFile := certificateIn(folder)
	if err := os.WriteFile(certificateFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}

// anyServer is how those who watch connect: whose certificate it is does not matter here.
func anyServer() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// serve is the server that is measured: a relay between websockets.
func serve(ctx context.Context, args []string) error {
	r, err := newRelay()
	if err != nil {
		return err
	}
	defer r.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/watch", func(w http.ResponseWriter, q *http.Request) { complain(goesOut(r, w, q)) })
	mux.HandleFunc("/bring", func(w http.ResponseWriter, q *http.Request) { complain(comesIn(r, w, q)) })
	s := &http.Server{Handler: mux}
	context.AfterFunc(ctx, func() { _ = s.Close() }) // what is under way ends with it
	fmt.Println(l.Addr())
	certificateFile, keyFile := certificateIn(args[0])
	if err := s.ServeTLS(l, certificateFile, keyFile); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func complain(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
	}
}

// goesOut passes the stream on to one viewer.
func goesOut(r *relay.Relay, w http.ResponseWriter, q *http.Request) error {
	c, err := websocket.Accept(w, q, nil)
	if err != nil {
		return err
	}
	defer c.CloseNow() // the end of it
	v, err := letIn(c.CloseRead(q.Context()), r)
	if err != nil {
		return err
	}
	defer v.Close()
	for {
		b, err := v.Next()
		switch {
		case errors.Is(err, relay.ErrAway):
			continue
		case errors.Is(err, context.Canceled), errors.Is(err, relay.ErrClosed):
			return nil // whoever watched has gone
		case err != nil:
			return err
		}
		if c.Write(v.Context(), websocket.MessageBinary, b) != nil {
			return nil // as above
		}
	}
}

// comesIn takes the stream from the one who brings it.
func comesIn(r *relay.Relay, w http.ResponseWriter, q *http.Request) error {
	c, err := websocket.Accept(w, q, nil)
	if err != nil {
		return err
	}
	defer c.CloseNow() // the end of it
	c.SetReadLimit(4 << 20)
	in, err := r.Inlet(stream)
	for errors.Is(err, relay.ErrUnwanted) && pause(q.Context(), 10*time.Millisecond) == nil { // nobody watches yet
		in, err = r.Inlet(stream)
	}
	if err != nil {
		return err
	}
	defer in.Close()
	for {
		_, b, err := c.Read(q.Context())
		if err != nil {
			return nil // whoever brought it has gone
		}
		if err := in.Take(b); err != nil {
			return err
		}
	}
}

// pages are the audience of the server above.
type pages struct{ address string }

func (p pages) dial(ctx context.Context, path string) (*websocket.Conn, error) {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: anyServer()}}
	c, _, err := websocket.Dial(ctx, "wss://"+p.address+path, &websocket.DialOptions{HTTPClient: client})
	return c, err
}

func (p pages) bring(ctx context.Context) error {
	c, err := p.dial(ctx, "/bring")
	if err != nil {
		return err
	}
	defer c.CloseNow() // the end of it
	pictures := noise()
	return film(ctx, 1, func(n uint32) error {
		err := c.Write(ctx, websocket.MessageBinary, fragment(n, pictures))
		if ctx.Err() != nil {
			return nil
		}
		return err
	})
}

func (p pages) join(ctx context.Context, t *tally, joined func()) error {
	c, err := p.dial(ctx, "/watch")
	if err != nil {
		return err
	}
	defer c.CloseNow() // the end of it
	joined()
	c.SetReadLimit(4 << 20)
	header := make([]byte, sealed.FragmentHeader)
	for last := uint32(0); ; {
		_, m, err := c.Reader(ctx)
		if err == nil {
			_, err = io.ReadFull(m, header)
		}
		var rest int64
		if err == nil {
			rest, err = io.Copy(io.Discard, m)
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		n, at := binary.BigEndian.Uint32(header[67:]), latchkey.Time(binary.BigEndian.Uint64(header[72:]))
		var missing int64
		if last != 0 {
			missing = int64(n - last - 1)
		}
		last = n
		t.add(len(header)+int(rest), missing, time.Since(at.Time()))
	}
}

func measureRelay(ctx context.Context, folder string, n int, span time.Duration) (result, error) {
	server, err := role.Start(ctx, "serve", folder)
	if err != nil {
		return result{}, err
	}
	defer server.End()
	return watch(ctx, server, pages{server.Said}, n, span)
}
