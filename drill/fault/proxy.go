package fault

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxLinks is how many connections a proxy carries at a time.
	maxLinks = 4096
	// maxPending is how many requests of a connection may wait for their replies.
	maxPending = 1 << 13
	// maxKeys and maxKey are how many keys of a request are remembered until then, and how
	// long one is. A request with more, or a longer one, is about none.
	maxKeys, maxKey = 16, 1 << 10
	// patience is how long a reply waits for the next one, to be overtaken by it.
	patience = 100 * time.Millisecond
)

// Protocol is how messages are told apart on a connection.
type Protocol interface {
	request(r *bufio.Reader, b []byte) (frame, error)
	reply(r *bufio.Reader, b []byte, asked call) (frame, error)
}

// The protocols.
var (
	RESP Protocol = resp{}  // of Redis and Valkey, versions 2 and 3
	HTTP Protocol = http1{} // HTTP/1.1
)

// call is what is remembered of a request until its reply has passed.
type call struct {
	verb string
	keys []string
}

// about remembers a request.
func about(verb string, keys ...string) call {
	if len(keys) > maxKeys || slices.ContainsFunc(keys, func(k string) bool { return len(k) > maxKey }) {
		return call{verb: verb}
	}
	return call{verb, keys}
}

// frame is one whole message, a request or a reply. Its bytes are used again for the
// next one.
type frame struct {
	bytes []byte
	call  call // the request, or the one that is answered
	reply bool
	aside bool // answers no request
	last  bool // behind it the connection speaks another protocol
}

// action is what becomes of a frame.
type action int

const (
	pass  action = iota
	drop         // it is not sent
	twice        // it is sent two times
	swap         // it is sent behind the next one
	hold         // it, and all behind it, is sent later
	glue         // it, and all behind it, goes to the client of another connection, and the other's to this one
	sever        // it is not sent, and the connection ends
)

// rule is a fault on the wire. It may change a frame's bytes, and says what becomes of it.
type rule struct {
	act   func(in *Injection, f *frame) action
	delay time.Duration // of hold
}

// ProxyConfig is where a proxy stands.
type ProxyConfig struct {
	// Upstream is the address of the server behind it, host and port. See [Proxy.Lead].
	Upstream string
	// Protocol is what is spoken there.
	Protocol Protocol
}

// Proxy stands between clients and a server on loopback. It opens one connection to the
// server for each of a client's, and passes on whole messages, as the faults have it
// that were put into it.
type Proxy struct {
	config   ProxyConfig
	listener net.Listener
	done     chan struct{}
	work     sync.WaitGroup
	accepted atomic.Uint64

	faults point[rule]

	mu       sync.Mutex // protects what follows, and of each end where it leads and what is pending
	upstream string
	ends     []*end // in the order in which they came
	down     bool
}

// end is one of the two sockets of a connection.
type end struct {
	conn    net.Conn
	r       *bufio.Reader
	server  bool
	to      *end
	pending []call // what this server was asked and has not answered yet
	opaque  atomic.Bool

	mu sync.Mutex // protects w: for a moment two may write after a glue
	w  *bufio.Writer
}

// NewProxy begins to listen.
func NewProxy(ctx context.Context, c ProxyConfig) (*Proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	p := &Proxy{config: c, upstream: c.Upstream, listener: listener, done: make(chan struct{})}
	p.work.Go(p.accept)
	return p, nil
}

// Addr is where it listens, host and port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Lead has new connections go to another server behind it.
func (p *Proxy) Lead(upstream string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.upstream = upstream
}

// Accepted is how many connections clients have opened so far.
func (p *Proxy) Accepted() uint64 { return p.accepted.Load() }

// Down makes an outage: every connection is broken, and so is each new one, until it is
// taken back.
func (p *Proxy) Down(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = on
	if on {
		for _, e := range p.ends {
			_ = e.conn.Close() // its pump says goodbye
		}
	}
}

// Close breaks every connection and returns when nothing of the proxy runs any more.
func (p *Proxy) Close() error {
	close(p.done)
	err := p.listener.Close()
	p.Down(true)
	p.work.Wait()
	return err
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(time.Millisecond) // no descriptors, which passes
			continue
		}
		p.accepted.Add(1)
		p.work.Go(func() { p.connect(conn) })
	}
}

// connect opens the other half of a connection, and carries it.
func (p *Proxy) connect(conn net.Conn) {
	p.mu.Lock()
	to := p.upstream
	p.mu.Unlock()
	upstream, err := net.DialTimeout("tcp", to, 5*time.Second)
	if err != nil {
		_ = conn.Close() // the client sees it
		return
	}
	c, s := newEnd(conn), newEnd(upstream)
	c.to, s.to, s.server = s, c, true
	p.mu.Lock()
	refused := p.down || len(p.ends) >= 2*maxLinks
	if !refused {
		p.ends = append(p.ends, c, s)
	}
	p.mu.Unlock()
	if refused {
		_, _ = conn.Close(), upstream.Close()
		return
	}
	p.work.Go(func() { p.pump(c) })
	p.pump(s)
}

func newEnd(conn net.Conn) *end {
	return &end{conn: conn, r: bufio.NewReaderSize(conn, 16<<10), w: bufio.NewWriterSize(conn, 16<<10)}
}

// leave ends the connection that e belongs to now.
func (p *Proxy) leave(e *end) {
	p.mu.Lock()
	p.ends = slices.DeleteFunc(p.ends, func(other *end) bool { return other == e })
	to := e.to
	p.mu.Unlock()
	_, _ = e.conn.Close(), to.conn.Close() // whichever was first
}

// flow is what one pump has on its hands.
type flow struct {
	p    *Proxy
	from *end
	to   *end // that was last written to
	kept []byte
	swap *Injection // whose kept is
}

// pump carries what comes from e to where it leads, until one of them breaks.
func (p *Proxy) pump(e *end) {
	defer p.leave(e)
	f := &flow{p: p, from: e}
	var buf []byte
	for {
		if e.r.Buffered() == 0 && f.flush() != nil || f.await() != nil {
			return
		}
		if e.opaque.Load() {
			if f.flush() != nil {
				return
			}
			_, _ = io.Copy(f.target().conn, e.r) // until it breaks
			return
		}
		m, err := p.read(e, buf[:0])
		if err != nil || f.carry(m) != nil {
			return
		}
		p.answered(e, m)
		if buf = m.bytes; cap(buf) > 1<<20 {
			buf = nil
		}
	}
}

// await returns when something has come. If a reply was kept back for it, and nothing
// comes, that goes out as it is.
func (f *flow) await() error {
	if f.kept == nil {
		_, err := f.from.r.Peek(1)
		return err
	}
	_ = f.from.conn.SetReadDeadline(time.Now().Add(patience)) // an error comes again with Peek
	_, err := f.from.r.Peek(1)
	_ = f.from.conn.SetReadDeadline(time.Time{})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	f.swap.missed()
	if err := f.release(); err != nil {
		return err
	}
	if err := f.flush(); err != nil {
		return err
	}
	return f.await()
}

// read takes the next message and notes what was asked, or which question is answered.
func (p *Proxy) read(e *end, buf []byte) (frame, error) {
	if !e.server {
		m, err := p.config.Protocol.request(e.r, buf)
		if err != nil {
			return m, err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(e.to.pending) == maxPending {
			return m, errors.New("too many requests without a reply")
		}
		e.to.pending = append(e.to.pending, m.call)
		return m, nil
	}
	var asked call
	p.mu.Lock()
	if len(e.pending) > 0 {
		asked = e.pending[0]
	}
	p.mu.Unlock()
	return p.config.Protocol.reply(e.r, buf, asked)
}

// answered notes that a reply has gone where it goes.
func (p *Proxy) answered(e *end, m frame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.reply && !m.aside && len(e.pending) > 0 {
		e.pending = e.pending[1:]
	}
}

var errSevered = errors.New("a fault ended the connection")

// carry does with a message what the faults want, and that is mostly to pass it on.
func (f *flow) carry(m frame) error {
	what, r := f.p.judge(&m)
	switch {
	case what == drop:
		return nil
	case what == sever:
		return errSevered
	case what == swap && f.kept == nil:
		f.kept, f.swap = bytes.Clone(m.bytes), r.in
		return nil
	case what == swap: // it overtakes already
		r.in.missed()
	case what == glue && !f.p.glue(f.from, m.call):
		r.in.missed()
	case what == hold:
		if err := f.flush(); err != nil {
			return err
		}
		select {
		case <-time.After(r.what.delay):
		case <-f.p.done:
		}
	case what == twice:
		if err := f.write(m.bytes); err != nil {
			return err
		}
	}
	if err := f.write(m.bytes); err != nil {
		return err
	}
	if m.last {
		f.from.opaque.Store(true)
		f.target().opaque.Store(true)
		return f.flush()
	}
	return f.release()
}

// judge asks the faults in turn; the first that wants something has it.
func (p *Proxy) judge(m *frame) (action, placed[rule]) {
	for _, r := range p.faults.active() {
		if what := r.what.act(r.in, m); what != pass {
			return what, r
		}
	}
	return pass, placed[rule]{}
}

func (f *flow) target() *end {
	f.p.mu.Lock()
	defer f.p.mu.Unlock()
	return f.from.to
}

// release sends what was kept back.
func (f *flow) release() error {
	if f.kept == nil {
		return nil
	}
	kept := f.kept
	f.kept = nil
	return f.write(kept)
}

func (f *flow) write(b []byte) error {
	to := f.target()
	if to != f.to {
		if err := f.flush(); err != nil {
			return err
		}
		f.to = to
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	_, err := to.w.Write(b)
	return err
}

func (f *flow) flush() error {
	if f.to == nil {
		return nil
	}
	f.to.mu.Lock()
	defer f.to.mu.Unlock()
	return f.to.w.Flush()
}

// glue leads a server's end to the client of the oldest other connection on which the
// like was asked and not answered yet, and that one's server to the client of this one.
func (p *Proxy) glue(s *end, c call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.ends {
		if o.server && o != s && !o.opaque.Load() && len(o.pending) > 0 && o.pending[0].verb == c.verb {
			mine, others := s.to, o.to
			s.to, others.to = others, s
			o.to, mine.to = mine, o
			return true
		}
	}
	return false
}
