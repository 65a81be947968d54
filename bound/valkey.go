package bound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valkey-io/valkey-go"
)

// ValkeyConfig is where a [Valkey] tier's server is.
type ValkeyConfig struct {
	// URL is the server's: "valkey://host:6379/0" or "redis://..."; "valkeys://..." or
	// "rediss://..." over TLS; "unix:///path". It may name a user and a password, and
	// is then a secret itself: read it from a file or the environment.
	URL string
	// Prefix begins the server's names, so that it can serve others, too. "": "bound".
	Prefix string
	// Patience is how long a reply may take before the connection ends, and how long a
	// connection takes to be made. 0: 500 ms.
	Patience time.Duration
	// Dial makes the connections, if they are to be made in another way than the URL
	// says: through a proxy. network and address are the URL's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Valkey is a tier in a Valkey or Redis server, which several processes share. A server
// that cannot be reached is a tier that knows nothing.
func Valkey(c ValkeyConfig) Tier {
	if c.Prefix == "" {
		c.Prefix = "bound"
	}
	if c.Patience == 0 {
		c.Patience = 500 * time.Millisecond
	}
	return Tier{name: "valkey", open: func(s setting) (store, error) {
		option, err := valkey.ParseURL(c.URL)
		if err != nil || option.Sentinel.MasterSet != "" || len(option.InitAddress) != 1 {
			// Without err, which quotes the password.
			return nil, errors.New("the cache's URL is not one of a single server, such as valkey://host:6379/0")
		}
		// The client retries nothing: a failed read is a miss. It keeps nothing of its
		// own: only what is compared at each read may be.
		option.DisableRetry, option.DisableCache, option.ForceSingleClient = true, true, true
		// Two connections carry everything: one alone makes a few readers wait for each
		// other, and over the client's usual four more system calls carry less each.
		option.PipelineMultiplex = 1 // a power of two
		// Callers who give up then leave their connection in step.
		option.AlwaysPipelining = true
		option.Dialer.Timeout, option.ConnWriteTimeout = c.Patience, c.Patience
		return &valkeyStore{config: c, setting: s, option: option, quit: make(chan struct{})}, nil
	}}
}

// valkeyStore is the store of a [Valkey] tier.
type valkeyStore struct {
	config  ValkeyConfig
	setting setting
	option  valkey.ClientOption
	now     atomic.Pointer[session] // nil while it is being replaced
	quit    chan struct{}           // closed with the store

	mu     sync.Mutex // protects what follows, and that now becomes nil
	closed bool
	trying chan struct{} // closed when the first attempt at a new client has ended
	making sync.WaitGroup
}

// begin waits for the first attempt, so that a cache that begins with its server there
// has it from the first question on.
func (v *valkeyStore) begin() {
	v.mu.Lock()
	v.remake()
	v.mu.Unlock()
	v.await(context.Background())
}

func (v *valkeyStore) current() source {
	if s := v.now.Load(); s != nil {
		return s
	}
	return nil
}

// await waits for the first attempt at a new client: it takes a millisecond or two, in
// which the origin would otherwise be asked for all that the server knows. If that fails
// nobody waits for the next.
func (v *valkeyStore) await(ctx context.Context) source {
	if s := v.now.Load(); s != nil {
		return s
	}
	v.mu.Lock()
	trying := v.trying
	v.mu.Unlock()
	select {
	case <-trying:
	case <-ctx.Done():
	}
	return v.current()
}

func (v *valkeyStore) replace(from source) bool {
	s, ok := from.(*session)
	if !ok {
		return false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed || !v.now.CompareAndSwap(s, nil) {
		return false
	}
	s.end()
	v.remake()
	return true
}

func (v *valkeyStore) close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	close(v.quit)
	v.making.Wait()
	if s := v.now.Swap(nil); s != nil {
		s.end()
	}
}

// How long it is until the next attempt to reach the server.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// remake makes a client, however long that takes. The caller holds mu.
func (v *valkeyStore) remake() {
	trying := make(chan struct{})
	v.trying = trying
	v.making.Go(func() {
		ok := v.attempt()
		close(trying)
		for pause := firstPause; !ok; pause = min(2*pause, longestPause) {
			select {
			case <-time.After(pause/2 + rand.N(pause)):
				ok = v.attempt()
			case <-v.quit:
				return
			}
		}
	})
}

func (v *valkeyStore) attempt() bool {
	s := &session{store: v, conns: map[*turnstile]bool{}}
	if s.dial() != nil {
		s.end()
		return false
	}
	v.now.Store(s)
	return true
}

// session is one client with its connections.
type session struct {
	store  *valkeyStore
	client valkey.Client

	mu    sync.Mutex // protects what follows
	ended bool
	conns map[*turnstile]bool
}

func (s *session) dial() error {
	option := s.store.option
	plain := option.DialCtxFn // of a URL with a path
	option.DialCtxFn = func(ctx context.Context, address string, dialer *net.Dialer, secure *tls.Config) (net.Conn, error) {
		conn, err := s.connect(ctx, plain, address, dialer, secure)
		if err != nil {
			return nil, err
		}
		return s.admit(conn)
	}
	client, err := valkey.NewClient(option)
	s.client = client
	return err
}

// admit puts a turnstile before a new connection, unless the session has ended.
func (s *session) admit(conn net.Conn) (net.Conn, error) {
	t := &turnstile{Conn: conn, patience: s.store.config.Patience}
	t.in.bulk = s.store.setting.maxValue
	t.out.bulk = max(s.store.setting.maxValue, maxName+len(s.store.config.Prefix))
	t.outOfStep = func(err error) { s.store.setting.outOfStep(s, err) }
	t.gone = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, t)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		_ = conn.Close()
		return nil, ErrClosed
	}
	s.conns[t] = true
	return t, nil
}

// maxName is the most bytes of a name at the server, without the prefix.
const maxName = maxScope + maxKey + 32

func (s *session) connect(ctx context.Context, plain func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error),
	address string, dialer *net.Dialer, secure *tls.Config) (net.Conn, error) {
	var conn net.Conn
	var err error
	switch {
	case s.store.config.Dial != nil:
		conn, err = s.store.config.Dial(ctx, "tcp", address)
	case plain != nil:
		return plain(ctx, address, dialer, secure)
	default:
		conn, err = dialer.DialContext(ctx, "tcp", address)
	}
	if err != nil || secure == nil {
		return conn, err
	}
	client := tls.Client(conn, secure)
	if err := client.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with the cache: %w", err)
	}
	return client, nil
}

// end closes the connections first, so that nothing that they still bring reaches
// anybody, and the client when it has noticed.
func (s *session) end() {
	s.mu.Lock()
	s.ended = true
	conns := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, t := range conns {
		_ = t.Close()
	}
	if s.client != nil {
		go s.client.Close()
	}
}

// on is the name under which the server keeps what is stored under n. No two share one.
func (s *session) on(n name) string {
	var most [128]byte // enough for most, and nothing to collect
	b := append(most[:0], s.store.config.Prefix...)
	b = append(b, ':')
	b = strconv.AppendUint(b, uint64(n.codec), 10)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(len(n.scope)), 10)
	b = append(b, ':')
	b = append(b, n.scope...)
	b = append(b, ':')
	b = append(b, n.key...)
	return string(b)
}

func (s *session) get(ctx context.Context, n name) (value []byte, err error) {
	defer survive(&err)
	value, err = s.client.Do(ctx, s.client.B().Get().Key(s.on(n)).Build()).AsBytes()
	if valkey.IsValkeyNil(err) {
		return nil, nil
	}
	return value, reply(err)
}

func (s *session) set(ctx context.Context, n name, v sealedValue) (err error) {
	defer survive(&err)
	life := max(s.store.setting.life.Milliseconds(), 1)
	said, err := s.client.Do(ctx, s.client.B().Set().Key(s.on(n)).Value(valkey.BinaryString(v.bytes)).PxMilliseconds(life).Build()).ToString()
	if err == nil && said != "OK" {
		return errMalformed
	}
	return reply(err)
}

func (s *session) remove(ctx context.Context, n name) (err error) {
	defer survive(&err)
	_, err = s.client.Do(ctx, s.client.B().Del().Key(s.on(n)).Build()).ToInt64()
	return reply(err)
}

// reply sorts what the client returns: a server that says no is in step, and a reply
// that a request cannot have is none.
func reply(err error) error {
	if err == nil {
		return nil
	}
	if valkey.IsParseErr(err) || valkey.IsValkeyNil(err) {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	if _, ok := valkey.IsValkeyErr(err); ok {
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// survive turns a panic of the client into an error.
func survive(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errPanicked, p)
	}
}
