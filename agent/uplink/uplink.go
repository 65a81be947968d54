// Package uplink is the agent's one outbound connection, and the uploads.
//
// An [Uplink] keeps a websocket to the server (docs/wire.md, "The agent's websocket"):
// over it the agent proves that it is itself and no copy, learns of new deeds and
// settings, and asks for its cameras to be placed. While the newest head has been
// verified over that connection, two lanes carry the spool to the server: one for
// thumbnails and descriptions, one for clips, so that a picture never waits behind a
// film. Envelopes are made at that moment, for those who may see the object then.
//
// Nothing that the server says is taken on its word. Deeds are folded, answers name
// the request and the home that they answer, and a server which offers another chain
// than the one verified is given nothing more.
package uplink

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/comeback"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/certificate"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Config is what [New] must know.
type Config struct {
	Server string // https://HOST[:PORT]
	Home   latchkey.HomeID
	Keys   *key.AgentKeys
	Chain  *Chain
	Start  *Start

	// Tombstones are what was deleted; nil for an uplink that only waits to be welcomed.
	Tombstones *Tombstones

	// Buried is told that more was deleted, which is on the disk by then; nobody if nil.
	// It does not wait for what it does about that.
	Buried func()

	// Spool is what is carried up; nil for an uplink that only waits to be welcomed.
	Spool *spool.Spool

	// HTTP is used for the websocket and the uploads; a client
	// with bounded waits if nil.
	HTTP *http.Client

	// Retry is the first wait after an attempt that went wrong, and MostRetry the
	// longest. A second and a minute if zero: a home that was out for days is back
	// within a minute of its server.
	Retry, MostRetry time.Duration

	// Wishes returns the cameras that the home's people are to be asked about; nobody
	// is asked if nil. It is called from the uplink's goroutines.
	Wishes func() []Wish

	// Settings is given every settings document that the server sends; it verifies.
	Settings func(document []byte, t *deed.Title)

	// Heard is told what the server's clock shows, at the beginning of each connection.
	Heard func(latchkey.Time)

	// Surely is the time by which it is judged whether rights have ended, and whether
	// that can be judged. If not, and if it is nil, nothing is sealed to somebody whose
	// rights end.
	Surely func(t *deed.Title) (at latchkey.Time, sure bool)

	// Command is given every command that the server brings; it verifies. It must not
	// block. Commands are refused as busy if it is nil.
	Command func(*Command)

	// Wanted is told of every stream that somebody begins or ceases to watch, and at the
	// end of a connection that nobody does. Knock is given every knock of a viewer; it
	// verifies. Neither may block; nothing is brought if they are nil.
	Wanted func(of sealed.Stream, wanted bool)
	Knock  func(Knock)

	// Condition makes the letter in which the agent says how it is; nothing is said if
	// it is nil. It is called at the beginning of a connection, once a minute, in a new
	// epoch, and after [Uplink.Tell].
	Condition func(t *deed.Title) ([]byte, error)

	// Follows says that the server hears of new deeds from this agent alone: it is told
	// of each by a hello that names it.
	Follows bool

	// Acknowledged is told of every object that the server has taken.
	Acknowledged func(sealed.Header)

	// Log is told what happens; nobody if nil.
	Log *slog.Logger
}

// Wish is a camera to be placed.
type Wish struct {
	Camera latchkey.CameraID
	Name   string // sealed to the home's people before it leaves
}

// State says how an uplink is doing.
type State string

// The states of an uplink.
const (
	Connecting State = "connecting"
	Connected  State = "connected"
	Waiting    State = "waiting"     // for the next attempt; the detail says why
	NotPlaced  State = "not-placed"  // the home's deeds do not know this agent (any more)
	OtherChain State = "other-chain" // the server offers deeds that are not this home's
	Cloned     State = "cloned"      // another copy of this agent has taken its place
	Released   State = "released"    // the home has released this agent
	Ended      State = "ended"       // an owner has deleted the home
)

// Status is how an uplink is doing, for people and programs.
type Status struct {
	State    State     `json:"state"`
	Since    time.Time `json:"since"`
	Detail   string    `json:"detail,omitempty"`   // for people
	Uploaded uint64    `json:"uploaded"`           // objects acknowledged since the start
	Trouble  string    `json:"trouble,omitempty"`  // with uploads, while connected
	Retrying int       `json:"retrying,omitempty"` // objects that went wrong and will be tried again

	// Discarded objects were recorded for those who lived here before the home was handed
	// over, and thrown away since the start.
	Discarded uint64 `json:"discarded,omitempty"`

	// Deleted objects had not been uploaded when people of the home deleted them.
	Deleted uint64 `json:"deleted,omitempty"`
}

// What ends an uplink.
var (
	// ErrCloned: another copy of the agent has said a hello since, or has its place.
	ErrCloned = errors.New("another copy of this agent has connected since, or this folder was restored from a backup; " +
		"what it recorded has not been uploaded. See that only one copy runs. If this is to be the one, choose Give it new keys " +
		"beside the agent on the home's page, and run latchkey agent join --replace with the link that you get there")
	// ErrReleased: the home has released the agent.
	ErrReleased = errors.New("the home has released this agent. It records and uploads nothing any more; what it had not uploaded stays in its folder " +
		"until you remove that. For another home, join in another folder (latchkey agent join --data FOLDER LINK)")
)

// endedSays is what people are told of an agent whose home was deleted. It goes on saying
// hello: a server that is restored from a backup must be told, too.
const endedSays = "An owner has deleted the home. What this agent recorded is removed, and it records nothing any more. " +
	"For another home, join in another folder (latchkey agent join --data FOLDER LINK). Leave it running if the server may be restored from a backup: it sees to it that the home stays deleted."

// Parted says why the agent with those keys is not the home's any more: [ErrReleased], or
// [ErrCloned] if the home has given its place to another copy of it. It is nil for one
// that is, or that is to be placed yet.
func Parted(t *deed.Title, keys *key.AgentKeys) error {
	if t == nil {
		return nil
	}
	was, _ := t.AgentByKey(keys.KeyID())
	is, stands := t.Agent(keys.Agent)
	switch {
	case was.ID != keys.Agent: // or nobody's
		return nil
	case !stands:
		return ErrReleased
	case is.Signing[0].ID() != keys.KeyID():
		return ErrCloned
	}
	return nil
}

// Uplink is the connection of one agent to its server.
type Uplink struct {
	config Config
	client *api.Client
	agent  *api.Agent
	log    *slog.Logger
	nudge  chan struct{} // holds one: the wishes have changed
	news   chan struct{} // holds one: the condition has changed
	told   func(Status)  // of changes of state; set before Run, nil if nobody is

	comeback comeback.Comeback // for the goroutine of Run alone

	mu      sync.Mutex // protects everything below
	status  Status
	ready   bool          // the newest head was verified over the connection that stands
	changed chan struct{} // closed, and replaced, when ready becomes true
	skew    time.Duration // how far the server's clock is ahead of this machine's
	retries map[latchkey.ObjectID]*retry
	finals  int // refusals for good since the last acknowledgement
}

// New returns an uplink that [Uplink.Run] sets going.
func New(c Config) (*Uplink, error) {
	if c.HTTP == nil {
		c.HTTP = NewHTTP(nil)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Retry, c.MostRetry = cmp.Or(c.Retry, time.Second), cmp.Or(c.MostRetry, time.Minute)
	client, err := api.NewClient(c.Server, c.HTTP)
	if err != nil {
		return nil, err
	}
	u := &Uplink{
		config: c, client: client, log: c.Log,
		nudge: make(chan struct{}, 1), news: make(chan struct{}, 1), changed: make(chan struct{}),
		status:   Status{State: Connecting, Since: time.Now()},
		retries:  map[latchkey.ObjectID]*retry{},
		comeback: comeback.Comeback{Pause: comeback.Pause{Least: c.Retry, Most: c.MostRetry}},
	}
	u.agent = client.Agent(c.Home, c.Keys.Agent, c.Keys.Signing).Clock(u.serverNow)
	return u, nil
}

// Nudge says that the wishes have changed.
func (u *Uplink) Nudge() {
	select {
	case u.nudge <- struct{}{}:
	default: // one is waiting, and will see this change too
	}
}

// Tell says that the condition has changed.
func (u *Uplink) Tell() {
	select {
	case u.news <- struct{}{}:
	default: // it will be made of what holds then
	}
}

// Status says how the uplink is doing.
func (u *Uplink) Status() Status {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.status
	s.Retrying = len(u.retries)
	return s
}

func (u *Uplink) say(state State, detail string) {
	u.mu.Lock()
	changed := u.status.State != state
	if changed {
		u.status.Since = time.Now()
	}
	u.status.State, u.status.Detail = state, detail
	status := u.status
	u.mu.Unlock()
	if changed && u.told != nil {
		u.told(status)
	}
}

// Run connects and uploads until ctx ends, and then returns nil; or it returns
// [ErrCloned] or [ErrReleased].
func (u *Uplink) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var lanes sync.WaitGroup
	defer lanes.Wait()
	defer stop()
	u.discard(u.config.Chain.Title()) // a power cut may have left some
	u.throwDeleted()
	if u.config.Spool != nil {
		lanes.Go(func() { u.carry(ctx, latchkey.Thumbnail, latchkey.Description) })
		lanes.Go(func() { u.carry(ctx, latchkey.Clip) })
	}
	for ctx.Err() == nil {
		u.say(Connecting, "")
		err := u.converse(ctx)
		if ctx.Err() != nil {
			break
		}
		if errors.Is(err, errAgain) {
			continue
		}
		if parted := Parted(u.config.Chain.Title(), u.config.Keys); parted != nil {
			err = parted
		}
		switch {
		case errors.Is(err, ErrCloned):
			u.say(Cloned, sentence(ErrCloned.Error()))
			return ErrCloned
		case errors.Is(err, ErrReleased):
			u.say(Released, sentence(ErrReleased.Error()))
			return ErrReleased
		}
		wait := u.comeback.Failed(err)
		state, detail := explain(err, u.config.Server)
		if u.config.Tombstones != nil && u.config.Tombstones.Ended() {
			state, detail = Ended, endedSays
		}
		u.say(state, detail)
		u.log.Warn("the connection to the server ended", "state", string(state), "error", err, "again_in", wait.Round(time.Millisecond))
		if sleep(ctx, wait) != nil {
			break
		}
	}
	return nil
}

// Welcomed connects until the server has welcomed the agent and the home's deeds have
// been verified, and returns the title; told hears of every change of state meanwhile.
// It is how a join ends, and takes the place of [Uplink.Run].
func (u *Uplink) Welcomed(ctx context.Context, told func(Status)) (*deed.Title, error) {
	u.told = told
	ctx, stop := context.WithCancel(ctx)
	welcomed, _ := u.verified()
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	select {
	case <-welcomed:
		stop()
		<-ended
		return u.config.Chain.Title(), nil
	case err := <-ended:
		stop()
		return nil, cmp.Or(err, ctx.Err())
	}
}

// verified says whether the newest head was verified over the connection that stands;
// if not, the channel is closed when it has been.
func (u *Uplink) verified() (<-chan struct{}, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.changed, u.ready
}

func (u *Uplink) setReady(ready bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if ready && !u.ready {
		close(u.changed)
		u.changed = make(chan struct{})
	}
	u.ready = ready
}

// explain puts an error into a state and words for people.
func explain(err error, server string) (State, string) {
	switch {
	case errors.Is(err, ErrOtherChain), api.ReasonOf(err) == api.UnknownHead:
		return OtherChain, "The server offers other deeds than those this agent has verified. Nothing is uploaded to it. " +
			"Whoever runs the server has to know: it was rolled back and takes nothing back, or somebody is showing this agent another home."
	case api.ReasonOf(err) == api.Closed:
		return Waiting, "The server was restored from a backup, and this agent does not know enough of the home to open it again: an owner has to confirm it in the app. Recording goes on."
	case api.ReasonOf(err) == api.Turn:
		return Waiting, "Many come back to the server at the same time, and each in their turn. Recording goes on."
	case api.ReasonOf(err) == api.UnknownAgent:
		return NotPlaced, "The home's owner has not taken this agent in (any more)."
	case api.ReasonOf(err) != "":
		return Waiting, "The server answers, and not now: " + string(api.ReasonOf(err)) + "."
	case isProtocol(err):
		return Waiting, "What answers at " + server + " does not speak this agent's language. Is the address right, and are both of a like version?"
	}
	if said := certificateTrouble(err, server); said != "" {
		return Waiting, said
	}
	return Waiting, "The server at " + server + " cannot be reached. Recording goes on."
}

// certificateTrouble says what is wrong with a server's certificate, "" if that is not
// the trouble.
func certificateTrouble(err error, server string) string {
	if errors.Is(err, certificate.ErrOther) {
		return sentence(certificate.ErrOther.Error()) + " Recording goes on."
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok && invalid.Reason == x509.Expired {
		return "The certificate of " + server + " is out of its time, or this machine's clock is wrong (" + time.Now().UTC().Format(time.DateOnly) + "). Recording goes on."
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "The certificate of " + server + " is not one that this machine trusts: it has changed, or something in between (a hotel's or company's network) answers in the server's place. Recording goes on."
	}
	return ""
}

// sentence makes a sentence of an error's words.
func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] + "." }

// isProtocol says whether the other side said something that it should not have.
func isProtocol(err error) bool {
	return errors.Is(err, errProtocol) || errors.Is(err, api.ErrCrossed) || errors.Is(err, api.ErrMalformed) || errors.Is(err, api.ErrVersion)
}
