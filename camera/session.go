package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/auth"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"

	"github.com/latchkey-cam/latchkey/media"
)

const (
	defaultPatience = 10 * time.Second

	// keyPatience is how many times the patience the next key frame may take: cameras
	// with "smart" codecs send one in a minute.
	keyPatience = 9

	// maxDials is how many connections a session may make: the first, and a few for
	// redirections to another path. A camera that redirects in a circle runs into it.
	maxDials = 4
)

// Source says how to receive one stream of a camera.
type Source struct {
	Address     Address
	Credentials Credentials

	// Patience is how long the camera may keep silent, in whatever state; 10 s if
	// zero.
	Patience time.Duration

	// Certificate is the SHA-256 in hex of the certificate that the camera must show at
	// an address with rtsps; another one is [AnotherDevice]. If it is empty any is
	// taken, because cameras sign theirs themselves, and [Info] says which it was.
	Certificate string

	// Sound asks for the camera's sound, too. Units then come with what was heard, if
	// there is something to hear that can be recorded.
	Sound bool

	// FFmpeg is the program that encodes sound which cannot be recorded as it comes;
	// "ffmpeg" if empty.
	FFmpeg string

	// Info is told what the camera says of itself, once before the first unit and
	// again whenever more is known. It is never called at the same time as the handler
	// of units, and must not block. Nobody is told if it is nil.
	Info func(Info)

	// Admit is asked before each session whether the device at the address is the
	// camera that is meant; nothing is sent to it by the session if that returns an
	// error. Everything is admitted if nil.
	Admit func(context.Context) error

	// Unchanged is for how long the same picture may come before the camera is said to
	// be frozen; 60 s if zero. It is for tests.
	Unchanged time.Duration

	// Delays are waited for between one failed session and the next, the last one
	// again and again, each with a fifth more or less. 1, 2, 4, 8, 15, 30, 60 s if nil.
	Delays []time.Duration

	mute *atomic.Bool // the next session does without sound; nil if nobody remembers
}

// session is one RTSP session.
type session struct {
	Source
	client   *gortsplib.Client
	login    *auth.Sender // nil until the camera has asked for a password; the client's goroutine only
	dials    atomic.Int32
	strayed  atomic.Bool // a redirection to another host was refused
	sent     atomic.Bool // the camera has sent us somewhere else
	held     held
	damaged  *atomic.Uint64
	pictures atomic.Int64 // access units, those without a key frame before them included
	keys     atomic.Int64 // key units
	given    atomic.Int64 // units
	playing  atomic.Bool  // the stream has been asked for
	handle   func(media.Unit)

	// Of the client's goroutine until the stream is asked for, and of the one that reads
	// from then on.
	asked        base.Method // the last request
	info         Info
	refused      *Error // why the camera's answer is not gone along with
	video, audio *Track // what is received; no sound if audio is nil
	packets      *media.Packets
	units        *media.Assembler
	ear          *ear // nil without sound
	pictureClock reported
	soundClock   reported
	listening    bool // sound has been asked for

	mu  sync.Mutex // protects err
	err error      // why the packet callback ended the session; the first one
}

// Receive opens one session over TCP and hands every access unit of its H.264 or H.265
// video to handle, in order, from one goroutine, until the session breaks or ctx ends.
// The error, never nil, is an [*Error] or that of ctx. A panic in handle ends the
// session.
//
// The connection goes to the address that was given and to no other, whatever the
// camera answers. The user and password in the library's hands are made up; the true
// ones are put into a request when it is sent.
//
// What the library does in goroutines of its own cannot be guarded from here: a panic
// there would end the program. So it is given as little as can be to trip over: it never
// sees the camera's description, and its formats know nothing of what is in a packet
// (see clean). The other panic that is known is prevented in setup.
func Receive(ctx context.Context, s Source, handle func(media.Unit)) error {
	return receive(ctx, s, new(atomic.Uint64), handle)
}

func receive(ctx context.Context, s Source, damaged *atomic.Uint64, handle func(media.Unit)) error {
	if s.Patience == 0 {
		s.Patience = defaultPatience
	}
	if err := s.Credentials.Check(); err != nil {
		return s.Credentials.failure(WrongPassword, "%v", err)
	}
	r := &session{Source: s, damaged: damaged, handle: handle}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	err := r.run(ctx)
	r.regret()
	if ctx.Err() != nil && r.cause() == nil {
		return ctx.Err()
	}
	e := r.explain(err)
	if e.State == Lost || e.State == Silent { // it may not have heard that we closed the session
		e.stale = r.held.stale(s)
	}
	return e
}

// userAgent is what we call ourselves; some cameras answer nobody without a name.
const userAgent = "Latchkey"

// url is the address of the stream in a request, without user and password.
func (s Source) url() *base.URL {
	u := s.Address.u
	return (*base.URL)(&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, RawQuery: u.RawQuery})
}

func (r *session) run(ctx context.Context) error {
	tcp := gortsplib.ProtocolTCP
	u := r.url()
	if r.Credentials.given() {
		u.User = url.UserPassword("user", "password") // see authorize
	}
	r.client = &gortsplib.Client{
		Scheme: r.Address.u.Scheme, Host: r.Address.u.Host, Protocol: &tcp, UserAgent: userAgent,
		ReadTimeout: r.Patience, WriteTimeout: r.Patience,
		DialContext:       r.dial,
		DialTLSContext:    r.dial,
		OnRequest:         r.authorize,
		OnResponse:        r.challenge,
		OnTransportSwitch: func(error) {},
		OnPacketsLost:     func(n uint64) { r.damaged.Add(n) },
		OnDecodeError:     func(error) { r.damaged.Add(1) },
	}
	if err := r.client.Start(); err != nil {
		return err
	}
	defer r.client.Close() // says TEARDOWN, so that the camera frees its slot
	stop := context.AfterFunc(ctx, r.client.Close)
	defer stop()
	if err := r.play(ctx, u); err != nil {
		return err
	}
	go r.watch(ctx)
	return r.client.Wait()
}

// fail ends the session with that error.
func (r *session) fail(err error) {
	r.mu.Lock()
	if r.err == nil {
		r.err = err
		go r.client.Close() // waits for the goroutine that this may be
	}
	r.mu.Unlock()
}

func (r *session) cause() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

var errStrayed = errors.New("address of another host")

// dial connects to the camera and to nothing else: the library follows redirections,
// and would take the password along.
func (r *session) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if address != r.Address.hostPort() {
		r.strayed.Store(true)
		return nil, errStrayed
	}
	if r.dials.Add(1) > maxDials {
		return nil, fmt.Errorf("more than %d redirections", maxDials-1)
	}
	conn, shown, err := r.dialTLS(ctx)
	r.info.Certificate = shown
	return conn, err
}

// challenge is told of every response. It keeps what the camera asks to be answered
// with the password.
func (r *session) challenge(res *base.Response) {
	r.held.note(res)
	if !r.playing.Load() {
		r.mend(r.asked, res)
	}
	if res.StatusCode/100 == 3 {
		r.sent.Store(true)
	}
	if res.StatusCode != base.StatusUnauthorized || !r.Credentials.given() {
		return
	}
	login := &auth.Sender{WWWAuth: res.Header["WWW-Authenticate"],
		User: r.Credentials.User.Reveal(), Pass: r.Credentials.Password.Reveal()}
	if login.Initialize() == nil {
		r.login = login
		r.realm(res)
	}
}

// authorize is told of every request before it is sent. The library has answered the
// camera's challenge with the made-up user and password; this is the true answer.
func (r *session) authorize(req *base.Request) {
	r.asked = req.Method
	if _, asked := req.Header["Authorization"]; asked && r.login != nil {
		r.login.AddAuthorization(req)
	}
}

// explain turns the library's error into ours.
func (r *session) explain(err error) *Error {
	if e := (*Error)(nil); errors.As(r.cause(), &e) || errors.As(err, &e) {
		return e
	}
	if r.refused != nil {
		return r.refused
	}
	if r.strayed.Load() {
		return r.Credentials.failure(Elsewhere, "open stream: redirection to another host refused")
	}
	var status liberrors.ErrClientBadStatusCode
	var network net.Error
	switch {
	case errors.As(err, &status):
		state := map[base.StatusCode]State{
			base.StatusUnauthorized: WrongPassword, base.StatusForbidden: WrongPassword,
			base.StatusNotFound: NotFound, base.StatusNotEnoughBandwidth: Busy, base.StatusServiceUnavailable: Busy,
		}[status.Code]
		if state == "" {
			state = Unusable
		}
		return r.Credentials.failure(state, "open stream: status %d", status.Code)
	case errors.As(err, &liberrors.ErrClientRequestTimedOut{}):
		return r.Credentials.failure(Silent, "open stream: no answer for %v", r.Patience)
	case errors.As(err, &liberrors.ErrClientTCPTimeout{}):
		return r.Credentials.failure(Silent, "receive stream: nothing for %v", r.Patience)
	case r.pictures.Load() > 0:
		return r.Credentials.failure(Lost, "receive stream: %v", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return r.Credentials.failure(Busy, "open stream: %v", err)
	case errors.As(err, &network):
		return r.Credentials.failure(Unreachable, "open stream: %v", err)
	case errors.As(err, &liberrors.ErrClientSDPInvalid{}), errors.As(err, &liberrors.ErrClientContentTypeUnsupported{}),
		errors.As(err, &liberrors.ErrClientContentTypeMissing{}), errors.As(err, &liberrors.ErrClientAuthSetup{}):
		return r.Credentials.failure(Unusable, "describe stream: %v", err)
	case r.sent.Load():
		return r.Credentials.failure(Elsewhere, "open stream: redirection refused: %v", err)
	case errors.Is(err, io.EOF), errors.As(err, &liberrors.ErrClientTerminated{}):
		return r.Credentials.failure(Lost, "open stream: %v", err)
	}
	return r.Credentials.failure(Unusable, "open stream: %v", err)
}
