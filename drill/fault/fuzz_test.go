package fault

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRESP wants whatever is taken to be taken as it came, and to be taken again alike.
func FuzzRESP(f *testing.F) {
	for _, seed := range []string{
		"+OK\r\n", "$5\r\nhello\r\n", "$-1\r\n", "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "%1\r\n+a\r\n:1\r\n", "|1\r\n+a\r\n:1\r\n+OK\r\n",
		">2\r\n+a\r\n+b\r\n", "*-1\r\n", "_\r\n", "=5\r\ntxt:a\r\n", "GET k\r\n", "*3\r\n$4\r\nMSET\r\n$1\r\na\r\n$0\r\n\r\n",
		"*3\r\n$4\r\nEVAL\r\n$1\r\na\r\n$2\r\n-1\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		takesWhole(t, b, RESP)
		if m, err := (resp{}).request(bufio.NewReader(bytes.NewReader(b)), nil); err == nil {
			if args := respArgs(m.bytes); len(args) > 0 {
				again := respCommand(args)
				if back, err := (resp{}).request(bufio.NewReader(bytes.NewReader(again)), nil); err != nil || !bytes.Equal(back.bytes, again) {
					t.Errorf("%q is written as %q", m.bytes, again)
				}
			}
		}
	})
}

// FuzzHTTP wants the same of HTTP.
func FuzzHTTP(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a?b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: a\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\nuntil the end",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) { takesWhole(t, b, HTTP) })
}

func takesWhole(t *testing.T, b []byte, p Protocol) {
	for _, take := range []func(r *bufio.Reader) (frame, error){
		func(r *bufio.Reader) (frame, error) { return p.request(r, nil) },
		func(r *bufio.Reader) (frame, error) { return p.reply(r, nil, call{verb: "GET"}) },
	} {
		m, err := take(bufio.NewReaderSize(bytes.NewReader(b), 16))
		if err != nil {
			continue
		}
		if !bytes.HasPrefix(b, m.bytes) || len(m.bytes) == 0 {
			t.Errorf("of %q is taken %q", b, m.bytes)
		}
		again, err := take(bufio.NewReader(bytes.NewReader(m.bytes)))
		if err != nil || !bytes.Equal(again.bytes, m.bytes) {
			t.Errorf("%q is taken as %q the second time, %v", m.bytes, again.bytes, err)
		}
		if m.reply {
			respValue(m.bytes)
		}
	}
}
