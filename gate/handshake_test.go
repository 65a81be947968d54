package gate_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey/gate"
)

// secure listens with TLS behind the bound, and answers each connection with a byte.
func secure(t *testing.T, config *tls.Config) (address string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	config.Certificates = []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var shakes gate.Handshakes
	under := tls.NewListener(listener, shakes.Config(config))
	t.Cleanup(func() { under.Close() })
	go func() {
		for {
			c, err := under.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = c.Write([]byte{1})
			}()
		}
	}()
	return listener.Addr().String()
}

// greeted opens a connection and reads the byte.
func greeted(ctx context.Context, address string, c *tls.Config) (tls.ConnectionState, error) {
	d := tls.Dialer{Config: c}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer conn.Close()
	_, err = io.ReadFull(conn, make([]byte, 1))
	return conn.(*tls.Conn).ConnectionState(), err
}

// TestHandshakes: many come at once, in both ranks, in both versions, and all are let in;
// and whoever comes again has it cheaper.
func TestHandshakes(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			address := secure(t, &tls.Config{MaxVersion: version, NextProtos: []string{"http/1.1"}})
			var all sync.WaitGroup
			var resumed atomic.Int64
			for i := range 200 {
				all.Go(func() {
					c := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(1)}
					if i%2 == 0 {
						c.NextProtos = []string{"http/1.1"}
					}
					for range 2 {
						state, err := greeted(t.Context(), address, c)
						if err != nil {
							t.Error(err)
							return
						}
						if state.DidResume {
							resumed.Add(1)
						}
					}
				})
			}
			all.Wait()
			if resumed.Load() != 200 {
				t.Errorf("%d of 200 resumed", resumed.Load())
			}
		})
	}
}

// TestHandshakesThatGoNowhere: whoever begins a handshake and says no more, or breaks it off,
// keeps nobody else from one.
func TestHandshakesThatGoNowhere(t *testing.T) {
	address := secure(t, &tls.Config{})
	for name, begin := range map[string]func(c net.Conn){
		"says no more after its hello": func(c net.Conn) { _ = tls.Client(deaf{c}, &tls.Config{InsecureSkipVerify: true}).Handshake() },
		"goes away after its hello": func(c net.Conn) {
			_ = tls.Client(deaf{c}, &tls.Config{InsecureSkipVerify: true}).Handshake()
			c.Close()
		},
		"says half a hello": func(c net.Conn) { _, _ = c.Write([]byte{22, 3, 1, 1, 0, 1, 0}) },
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				begin(c)
			}
			ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
			defer stop()
			if _, err := greeted(ctx, address, &tls.Config{InsecureSkipVerify: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

// deaf hears nothing of what the other side says.
type deaf struct{ net.Conn }

func (deaf) Read([]byte) (int, error) { return 0, net.ErrClosed }
