package cameratest

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"net"
	"regexp"
	"sync"
	"testing"
	"time"
)

// Rogue is a camera of our own making, byte for byte and without an RTSP library. It
// plays its film over and over, and misbehaves as it is told to, in any order.
type Rogue struct {
	*Script

	// User and Password are what it asks for; it is open if both are empty. Scheme is
	// how: Basic, Digest (MD5) or SHA-256; Digest if empty.
	User, Password, Scheme string

	// Describe is the description of its stream; one H.264 video if empty.
	Describe string

	// Session is the number of its sessions, and what it says of them.
	Session string

	Film Film

	mu           sync.Mutex // protects what follows
	misdeed      Misdeed
	changed      chan struct{} // closed when it is told something else
	calls        map[net.Conn]*Call
	right, wrong int
	players      sync.WaitGroup
}

// Misdeed is what a camera does in place of what it should. What is nil it does as it
// should.
type Misdeed struct {
	// Answer returns what is sent for a request, and whether it answers this one.
	Answer func(c *Call, r Request) (string, bool)

	// Play sends something in place of the film once PLAY has been answered. When it
	// returns nothing more comes until the camera is told to do something else.
	Play func(c *Call)
}

// Misbehave starts a camera that does m until it is told something else.
func Misbehave(t testing.TB, film Film, m Misdeed, change func(*Rogue)) *Rogue {
	t.Helper()
	r := &Rogue{Film: film, misdeed: m, changed: make(chan struct{}), calls: map[net.Conn]*Call{}, Scheme: "Digest",
		Describe: SDP("trackID=0"), Session: "1"}
	if change != nil {
		change(r)
	}
	t.Cleanup(r.players.Wait)
	t.Cleanup(func() { r.Do(Misdeed{}) })
	r.Script = play(t, func(conn net.Conn) { r.call(conn).hangUp() }, r.answer)
	return r
}

// Do has the camera do something else from now on, in old connections too.
func (r *Rogue) Do(m Misdeed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	close(r.changed)
	r.misdeed, r.changed = m, make(chan struct{})
}

// Behave has the camera do what it should from now on.
func (r *Rogue) Behave() { r.Do(Misdeed{}) }

// Logins returns how many requests came with the right password, and how many with
// a wrong one.
func (r *Rogue) Logins() (right, wrong int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.right, r.wrong
}

func (r *Rogue) call(conn net.Conn) *Call {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.calls[conn]
	if c == nil {
		c = &Call{rogue: r, conn: conn, over: make(chan struct{})}
		r.calls[conn] = c
	}
	return c
}

func (r *Rogue) now() (Misdeed, chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.misdeed, r.changed
}

func (r *Rogue) answer(conn net.Conn, q Request) (string, bool) {
	c := r.call(conn)
	m, changed := r.now()
	c.changed = changed
	if m.Answer != nil {
		if text, mine := m.Answer(c, q); mine {
			return text, true
		}
	}
	if !r.admits(q) {
		challenge := map[string]string{"Basic": `Basic realm="a camera"`, "Digest": `Digest realm="a camera", nonce="6f1a"`,
			"SHA-256": `Digest realm="a camera", nonce="6f1a", algorithm=SHA-256`}[r.Scheme]
		return Reply(q, "401 Unauthorized", "", "WWW-Authenticate: "+challenge), true
	}
	switch q.Method {
	case "DESCRIBE":
		return Reply(q, "200 OK", r.Describe, "Content-Type: application/sdp"), true
	case "SETUP":
		channels := regexp.MustCompile(`interleaved=\d+-\d+`).FindString(q.Header["Transport"])
		return Reply(q, "200 OK", "", "Session: "+r.Session, "Transport: RTP/AVP/TCP;unicast;"+channels), true
	case "PLAY":
		conn.Write([]byte(Reply(q, "200 OK", "", "Session: "+r.Session)))
		r.players.Go(func() { r.perform(c) })
		return "", true
	}
	return Honest(q), q.Method != "TEARDOWN"
}

// perform plays to one connection until it ends.
func (r *Rogue) perform(c *Call) {
	for {
		m, changed := r.now()
		playing := &Call{rogue: r, conn: c.conn, over: c.over, changed: changed, pictures: c.pictures, numbers: c.numbers}
		if m.Play != nil {
			m.Play(playing)
		} else {
			began := time.Now()
			for n := 0; playing.Picture(r.Film[n%len(r.Film)]); n++ {
				playing.Sleep(time.Until(began.Add(time.Duration(n+1) * time.Second / Rate)))
			}
		}
		c.pictures, c.numbers = playing.pictures, playing.numbers
		select {
		case <-c.over:
			return
		case <-changed:
		}
	}
}

// quoted are the parameters of an Authorization header.
var quoted = regexp.MustCompile(`(\w+)="([^"]*)"`)

// admits checks the password of a request by the book, RFC 2617 and 7616.
func (r *Rogue) admits(q Request) bool {
	if r.User+r.Password == "" || q.Method == "OPTIONS" {
		return true
	}
	given := q.Header["Authorization"]
	if given == "" {
		return false
	}
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(r.User+":"+r.Password))
	if r.Scheme != "Basic" {
		sum := func(text string) string {
			h := map[string]func() hash.Hash{"Digest": md5.New, "SHA-256": sha256.New}[r.Scheme]()
			h.Write([]byte(text))
			return fmt.Sprintf("%x", h.Sum(nil))
		}
		p := map[string]string{}
		for _, m := range quoted.FindAllStringSubmatch(given, -1) {
			p[m[1]] = m[2]
		}
		want = sum(sum(r.User+":a camera:"+r.Password) + ":6f1a:" + sum(q.Method+":"+q.URL))
		given = ""
		if p["username"] == r.User && p["uri"] == q.URL {
			given = p["response"]
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if given == want {
		r.right++
	} else {
		r.wrong++
	}
	return given == want
}

// Call is one connection to a [Rogue].
type Call struct {
	rogue    *Rogue
	conn     net.Conn
	changed  chan struct{}
	over     chan struct{}
	end      sync.Once
	pictures int
	numbers  [256]uint16 // of the next RTP packet on each channel

	H265    bool // pictures are sent as those of H.265
	Channel byte // on which pictures are sent
}

func (c *Call) hangUp() { c.end.Do(func() { close(c.over) }) }

// HangUp ends the connection without a word.
func (c *Call) HangUp() { c.conn.Close() }

// On reports whether there is still somebody to misbehave to, and reason to.
func (c *Call) On() bool {
	select {
	case <-c.over:
		return false
	case <-c.changed:
		return false
	default:
		return true
	}
}

// Sleep waits and returns On.
func (c *Call) Sleep(d time.Duration) bool {
	select {
	case <-c.over:
	case <-c.changed:
	case <-time.After(d):
	}
	return c.On()
}

// Send sends bytes and returns On.
func (c *Call) Send(b []byte) bool {
	if _, err := c.conn.Write(b); err != nil {
		return false
	}
	return c.On()
}

// Drip sends bytes one at a time, each after a pause, until there is no more reason to.
func (c *Call) Drip(b []byte, pause time.Duration) {
	for i := 0; i < len(b) && c.Send(b[i:i+1]) && c.Sleep(pause); i++ {
	}
}

// Packet sends an RTP packet of type 96, or 97 if the channel is not that of pictures.
func (c *Call) Packet(channel byte, stamp uint32, last bool, payload []byte) bool {
	kind := byte(96)
	if channel != c.Channel {
		kind = 97
	}
	if last {
		kind |= 0x80
	}
	n := c.numbers[channel]
	c.numbers[channel]++
	p := append([]byte{0x80, kind, byte(n >> 8), byte(n), byte(stamp >> 24), byte(stamp >> 16), byte(stamp >> 8), byte(stamp), 1, 2, 3, channel}, payload...)
	return c.Frame(channel, p)
}

// Frame sends bytes as an interleaved frame.
func (c *Call) Frame(channel byte, b []byte) bool {
	return c.Send(append([]byte{'$', channel, byte(len(b) >> 8), byte(len(b))}, b...))
}

// Picture sends the next access unit, stamped as the next one at [Rate].
func (c *Call) Picture(nals [][]byte) bool {
	stamp := 12345 + uint32(c.pictures)*90000/Rate
	c.pictures++
	return c.Stamped(nals, stamp)
}

// Stamped sends an access unit.
func (c *Call) Stamped(nals [][]byte, stamp uint32) bool {
	for i, nal := range nals {
		last := i == len(nals)-1
		if len(nal) <= 1200 {
			c.Packet(c.Channel, stamp, last, nal)
			continue
		}
		indicator, header, rest := []byte{nal[0]&0xe0 | 28}, nal[0]&0x1f, nal[1:]
		if c.H265 {
			indicator, header, rest = []byte{nal[0]&0x81 | 49<<1, nal[1]}, nal[0]>>1&0x3f, nal[2:]
		}
		for first := byte(0x80); len(rest) > 0; first = 0 {
			n := min(len(rest), 1200)
			end := byte(0)
			if n == len(rest) {
				end = 0x40
			}
			c.Packet(c.Channel, stamp, last && end != 0, bytes.Join([][]byte{indicator, {first | end | header}, rest[:n]}, nil))
			rest = rest[n:]
		}
	}
	return c.On()
}
