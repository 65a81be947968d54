package cameratest

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// Script is a server that says what it is told to, line by line. It is for what no
// RTSP library can be made to do.
type Script struct {
	addr string
	gone func(net.Conn) // told when a connection has ended; may be nil

	mu    sync.Mutex // protects what follows
	conns int
	heard []string
}

// Request is one request as it came in.
type Request struct {
	Method, URL, CSeq string
	Header            map[string]string
}

// Play starts a server that calls answer for every request and sends what it returns;
// an empty answer is none at all. It may also write to the connection itself. The
// connection is closed when answer reports false. A nil answer never reads a byte.
func Play(t testing.TB, answer func(conn net.Conn, r Request) (string, bool)) *Script {
	t.Helper()
	return play(t, nil, answer)
}

func play(t testing.TB, gone func(net.Conn), answer func(conn net.Conn, r Request) (string, bool)) *Script {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Script{addr: l.Addr().String(), gone: gone}
	var open sync.Map
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(conn, true)
			s.mu.Lock()
			s.conns++
			s.mu.Unlock()
			if answer != nil {
				all.Go(func() { s.talk(conn, answer) })
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(conn, _ any) bool { conn.(net.Conn).Close(); return true })
		all.Wait()
	})
	return s
}

func (s *Script) talk(conn net.Conn, answer func(net.Conn, Request) (string, bool)) {
	if s.gone != nil {
		defer s.gone(conn)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		for { // what a player reports between its requests
			frame, err := in.Peek(4)
			if err != nil || frame[0] != '$' {
				break
			}
			in.Discard(4 + int(frame[2])<<8 + int(frame[3]))
		}
		r := Request{Header: map[string]string{}}
		for first := true; ; first = false {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			s.mu.Lock()
			s.heard = append(s.heard, line)
			s.mu.Unlock()
			line = strings.TrimSpace(line)
			if line == "" {
				break
			}
			if first {
				fmt.Sscan(line, &r.Method, &r.URL)
			} else if name, value, ok := strings.Cut(line, ":"); ok {
				r.Header[name] = strings.TrimSpace(value)
			}
		}
		r.CSeq = r.Header["CSeq"]
		text, on := answer(conn, r)
		if _, err := conn.Write([]byte(text)); err != nil || !on {
			return
		}
	}
}

// Address returns the server's address.
func (s *Script) Address() string { return "rtsp://" + s.addr + "/stream" }

// Connections returns how many connections came in.
func (s *Script) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conns
}

// Heard returns everything that was said to the server.
func (s *Script) Heard() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.heard, "")
}

// Reply spells an RTSP response. The header lines have no line ends.
func Reply(r Request, status string, body string, header ...string) string {
	text := "RTSP/1.0 " + status + "\r\nCSeq: " + r.CSeq + "\r\n"
	for _, line := range header {
		text += line + "\r\n"
	}
	if body != "" {
		text += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	return text + "\r\n" + body
}

// SDP is the description of a stream with one H.264 video at that control address.
func SDP(control string) string {
	return "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=film\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n" +
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=control:" + control + "\r\n"
}

// Honest answers every request as a camera without a password does, up to PLAY.
func Honest(r Request) string {
	switch r.Method {
	case "OPTIONS":
		return Reply(r, "200 OK", "", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN")
	case "DESCRIBE":
		return Reply(r, "200 OK", SDP("trackID=0"), "Content-Type: application/sdp")
	case "SETUP":
		return Reply(r, "200 OK", "", "Session: 1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
	}
	return Reply(r, "200 OK", "", "Session: 1")
}
