package fault_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/latchkey-cam/latchkey/drill/fault"
)

// site is a server whose answers name who asked, and the proxy before it.
func site(t *testing.T) (p *fault.Proxy, wait chan bool) {
	t.Helper()
	wait = make(chan bool)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body) // before anything is answered
		switch r.URL.Path {
		case "/wait":
			wait <- true
			<-wait
		case "/chunks":
			w.(http.Flusher).Flush()
		case "/none":
			w.WriteHeader(http.StatusNoContent)
			return
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
		case "/socket":
			c, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			_, b, _ := c.Read(r.Context())
			_ = c.Write(r.Context(), websocket.MessageText, append([]byte("echo "), b...))
			_ = c.Close(websocket.StatusNormalClosure, "")
			return
		}
		w.Header().Set("Cache-Control", "private, no-store")
		w.Header().Set("Vary", "Cookie")
		fmt.Fprintf(w, "%s %s for %s%s", r.Method, r.URL, r.Header.Get("Cookie"), b)
	}))
	t.Cleanup(s.Close)
	return proxy(t, strings.TrimPrefix(s.URL, "http://"), fault.HTTP), wait
}

// person has a client, and a connection, of their own.
type person struct {
	t      *testing.T
	client *http.Client
	url    string
	name   string
}

func visitor(t *testing.T, p *fault.Proxy, name string) person {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	t.Cleanup(c.CloseIdleConnections)
	return person{t, c, "http://" + p.Addr(), name}
}

func (p person) does(method, path, body string) string {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Cookie", p.name)
	a, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := io.ReadAll(a.Body)
	if err := a.Body.Close(); err != nil {
		p.t.Fatal(err)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

func TestHTTPPasses(t *testing.T) {
	p, _ := site(t)
	a := visitor(t, p, "ann")
	for _, tt := range []struct{ method, path, body, want string }{
		{"GET", "/", "", "GET / for ann"},
		{"POST", "/chunks?a=1", "what is sent", "POST /chunks?a=1 for annwhat is sent"},
		{"HEAD", "/", "", ""},
		{"GET", "/none", "", ""},
		{"GET", "/early", "", "GET /early for ann"},
		{"GET", "/chunks", "", "GET /chunks for ann"},
	} {
		if got := a.does(tt.method, tt.path, tt.body); got != tt.want {
			t.Errorf("%s %s is answered with %q", tt.method, tt.path, got)
		}
	}
	if p.Accepted() != 1 {
		t.Errorf("they took %d connections", p.Accepted())
	}
	c, _, err := websocket.Dial(t.Context(), "ws://"+p.Addr()+"/socket", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(t.Context(), websocket.MessageText, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(t.Context()); err != nil || string(b) != "echo hello" {
		t.Errorf("by websocket comes %q, %v", b, err)
	}
}

func TestAnswersCrossed(t *testing.T) {
	p, wait := site(t)
	a, b := visitor(t, p, "ann"), visitor(t, p, "ben")
	a.does("GET", "/", "") // the connections are kept
	b.does("GET", "/", "")
	in := p.Glue(once, seeded())
	var work sync.WaitGroup
	var anns, bens string
	work.Go(func() { anns = a.does("GET", "/wait", "") })
	<-wait // ann's answer is under way
	work.Go(func() { bens = b.does("GET", "/b", "") })
	for in.Injected() == 0 {
		time.Sleep(time.Millisecond)
	}
	wait <- true
	work.Wait()
	if anns != "GET /b for ben" || bens != "GET /wait for ann" {
		t.Errorf("ann is answered with %q, ben with %q", anns, bens)
	}
	if got := a.does("GET", "/", ""); got != "GET / for ann" || p.Accepted() != 2 {
		t.Errorf("later ann is answered with %q, over %d connections", got, p.Accepted())
	}
}

func TestByPath(t *testing.T) {
	p, _ := site(t)
	a, b := visitor(t, p, "ann"), visitor(t, p, "ben")
	in := p.ByPath(every, seeded())
	a.does("GET", "/home", "")
	if got := a.does("GET", "/home", ""); got != "GET /home for ann" || in.Injected() != 0 {
		t.Errorf("ann is answered with %q, and %d counted", got, in.Injected())
	}
	if got := b.does("GET", "/home?of=ben", ""); got != "GET /home for ann" || in.Injected() != 1 {
		t.Errorf("ben is answered with %q, and %d counted", got, in.Injected())
	}
	if got := b.does("POST", "/home", ""); got != "POST /home for ben" {
		t.Errorf("what is no question is answered with %q", got)
	}
	if got := b.does("GET", "/other", ""); got != "GET /other for ben" {
		t.Errorf("at another path there is %q", got)
	}
}

// TestThroughAnotherProxy has the standard library's proxy understand what passes.
func TestThroughAnotherProxy(t *testing.T) {
	p, _ := site(t)
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", p.Addr()
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Or net/http closes a body that was sent whole and is not read to its end yet when
		// the answer comes, and the answer is cut off.
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		pass.ServeHTTP(w, r)
	}))
	defer front.Close()
	a := person{t, front.Client(), front.URL, "ann"}
	for range 50 {
		if got := a.does("POST", "/chunks", strings.Repeat("x", 50_000)); len(got) != 50_000+len("POST /chunks for ann") {
			t.Fatalf("%d bytes", len(got))
		}
	}
}

// TestAnswersInDisorder has answers be lost with their connection, come late or twice, or
// be altered by one bit.
func TestAnswersInDisorder(t *testing.T) {
	p, _ := site(t)
	in := p.Disorder(every, seeded())
	lost, altered, whole := 0, 0, 0
	for range 40 {
		wire := dial(t, p.Addr()) // so that a second copy is nobody's answer
		fmt.Fprint(wire.conn, "GET /home HTTP/1.1\r\nHost: x\r\nCookie: Ada\r\n\r\n")
		a, err := http.ReadResponse(wire.r, nil)
		if err != nil {
			lost++
			continue
		}
		b, _ := io.ReadAll(a.Body)
		switch d := differ(string(b), "GET /home for Ada"); d {
		case 0:
			whole++
		case 1:
			altered++
		default:
			t.Errorf("%q", b)
		}
	}
	if lost == 0 || altered == 0 || whole < 10 || in.Injected() != 40 {
		t.Errorf("%d are counted: %d lost, %d altered, %d whole", in.Injected(), lost, altered, whole)
	}
}
