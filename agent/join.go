package agent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/key"
)

// JoinConfig is what [Join] must know.
type JoinConfig struct {
	// Folder is where the agent's state is to be; it is made if it is not there.
	Folder string

	// Link is the join link that the home's owner gave. It holds a secret.
	Link string

	// Replace gives the agent of the folder, which belongs to the link's home, new keys.
	Replace bool

	// Progress is told, in a sentence for people, what is being waited for.
	Progress func(string)

	// HTTP is used for everything that goes to the server. A client with bounded
	// waits if nil.
	HTTP *http.Client

	// Retry is how long to wait between looks at the server. A second if zero.
	Retry time.Duration

	// Log is told what happens; nobody if nil.
	Log *slog.Logger
}

// What a person can do something about in a join.
var (
	// ErrJoined: the folder's agent has a home already.
	ErrJoined = errors.New("this agent belongs to a home already. Another home needs another folder (--data); new keys for this agent, --replace")
	// ErrLink: the link is not one, or not this home's any more.
	ErrLink = errors.New("the join link does not lead to a home")
)

// joining is one join under way.
type joining struct {
	config JoinConfig
	link   api.Link
	client *api.Client
	state  *State
	keys   *key.AgentKeys
}

// Join gives the agent of a folder a home: it makes the agent's keys, answers in the
// slot of the link, and returns when the home's owner has taken it in and the home's
// deeds have been verified from the first one on. Until then the same link goes on
// with a join that was broken off.
func Join(ctx context.Context, c JoinConfig) (Joined, error) {
	c.Retry = cmp.Or(c.Retry, time.Second)
	if c.Progress == nil {
		c.Progress = func(string) {}
	}
	j := &joining{config: c}
	var err error
	if j.link, err = api.ParseLink(c.Link); err != nil {
		return Joined{}, fmt.Errorf("%w: %w", ErrLink, err)
	}
	if j.config.HTTP, err = trusting(c.HTTP, j.link.Origin, j.link.Trust); err != nil {
		return Joined{}, fmt.Errorf("%w: %w", ErrLink, err)
	}
	if j.client, err = api.NewClient(j.link.Origin, j.config.HTTP); err != nil {
		return Joined{}, fmt.Errorf("%w: %w", ErrLink, err)
	}
	if j.state, err = OpenState(c.Folder); err != nil {
		return Joined{}, err
	}
	defer j.state.Close() // everything was written durably
	lock, err := takeLock(c.Folder, lockFile, false)
	if errors.Is(err, errLocked) {
		return Joined{}, ErrRunning
	} else if err != nil {
		return Joined{}, err
	}
	defer lock.release() // the process's end does it too
	if c.Replace {
		return j.replace(ctx)
	}
	return j.run(ctx)
}

func (j *joining) run(ctx context.Context) (Joined, error) {
	id, err := j.state.settled()
	if err != nil && !errors.Is(err, errNotJoined) {
		return Joined{}, err
	}
	slot := j.link.Secret.Slot()
	switch {
	case err == nil && id.Placed:
		return Joined{}, ErrJoined
	case err == nil && id.Slot == slot.String():
		// Going on with this very join.
	default:
		if id, err = j.answer(ctx, slot); err != nil {
			return Joined{}, err
		}
	}
	if j.keys, err = j.state.keys(); err != nil {
		return Joined{}, err
	}
	title, err := j.wait(ctx, id.Home, id.Head, startFile)
	if err != nil {
		return Joined{}, err
	}
	id.Placed = true
	return Joined{id.Home, homeStatus(id.Home, title)}, j.state.keepIdentity(id)
}

// answer finds the home's announcement, answers it, and keeps what was settled.
func (j *joining) answer(ctx context.Context, slot api.Slot) (identity, error) {
	announcement, err := j.announcement(ctx, slot)
	if err != nil {
		return identity{}, err
	}
	home, err := j.check(announcement)
	if err != nil {
		return identity{}, err
	}
	if err := j.startAnew(home.Home); err != nil {
		return identity{}, err
	}
	if j.keys, err = j.state.keys(); err != nil {
		return identity{}, err
	}
	if err := j.say(ctx, slot, announcement); err != nil {
		return identity{}, err
	}
	id := identity{
		V: 1, Server: j.link.Origin, Trust: j.link.Trust, Home: home.Home, Agent: j.keys.Agent,
		Slot: slot.String(), Head: home.Head.String(),
	}
	return id, j.state.keepIdentity(id)
}

// say answers the announcement with the agent's keys.
func (j *joining) say(ctx context.Context, slot api.Slot, announcement []byte) error {
	answer, err := j.link.Secret.Answer(announcement, j.keys.Body())
	if err != nil {
		return err
	}
	err = j.patiently(ctx, func() error { return j.client.AnswerJoin(ctx, slot, answer) })
	if reason := api.ReasonOf(err); reason == api.Expired || reason == api.Conflict {
		return fmt.Errorf("%w: it has been used, or has run out. Ask the home's owner for a new one", ErrLink)
	}
	return err
}

// startAnew forgets what a join to another home, that was never finished, has left:
// keys and tokens are not to be used for two homes.
func (j *joining) startAnew(home latchkey.HomeID) error {
	before, err := j.state.identity()
	if errors.Is(err, errNotJoined) || err == nil && before.Home == home {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range []string{deedsFile, startFile, keysFile, identityFile} {
		if err := durable.Remove(j.state.dir, name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// announcement waits until the owner's browser has opened the slot.
func (j *joining) announcement(ctx context.Context, slot api.Slot) (b []byte, err error) {
	said := false
	for {
		err = j.patiently(ctx, func() error {
			b, err = j.client.JoinSlot(ctx, slot)
			return err
		})
		reason := api.ReasonOf(err)
		if reason == api.Expired || reason == api.NotFound && j.link.Home != nil {
			return nil, fmt.Errorf("%w: it has run out, or was used. Ask the home's owner for a new one", ErrLink)
		}
		if reason != api.NotFound {
			return b, err
		}
		if !said {
			j.config.Progress("Waiting for the home to be set up in a browser.")
			said = true
		}
		if err := pauseFor(ctx, j.config.Retry); err != nil {
			return nil, err
		}
	}
}

// patiently repeats what the network or a busy server prevents.
func (j *joining) patiently(ctx context.Context, try func() error) error {
	said := false
	for {
		err := try()
		if reason := api.ReasonOf(err); err == nil || ctx.Err() != nil || reason != "" && reason != api.Busy && reason != api.Internal {
			return err
		}
		if errors.Is(err, api.ErrMalformed) || errors.Is(err, api.ErrVersion) {
			return fmt.Errorf("what answers at %s does not speak this agent's language: is the address right, and are both of a like version", j.link.Origin)
		}
		if err := untrusted(err); err != nil {
			return err
		}
		if !said {
			j.config.Progress(fmt.Sprintf("The server at %s cannot be reached. Trying again.", j.link.Origin))
			said = true
		}
		if err := pauseFor(ctx, j.config.Retry); err != nil {
			return err
		}
	}
}

// check wants the announcement to be the home's that the link names, made by whoever
// made the link.
func (j *joining) check(announcement []byte) (api.Announcement, error) {
	a, err := j.link.Secret.CheckAnnouncement(announcement, time.Now())
	switch {
	case errors.Is(err, api.ErrExpired):
		return a, fmt.Errorf("%w: it has run out, says this machine's clock (%s). Ask the home's owner for a new one, or set the clock", ErrLink, time.Now().Format(time.DateTime))
	case err != nil:
		return a, fmt.Errorf("%w: what the server gave was not made with this link (%w)", ErrLink, err)
	case j.link.Home != nil && *j.link.Home != a.Home:
		return a, fmt.Errorf("%w: the server answers with another home than the link's", ErrLink)
	case j.link.Head != nil && *j.link.Head != a.Head:
		return a, fmt.Errorf("%w: the server answers with other deeds than the link's", ErrLink)
	}
	return a, nil
}

// wait connects until the owner has placed the agent with these keys. It counts its starts
// in that file, and wants the head that was announced to lie on the chain.
func (j *joining) wait(ctx context.Context, home latchkey.HomeID, announced, starts string) (*deed.Title, error) {
	head, err := latchkey.ParseHead(announced)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", identityFile, err)
	}
	chain, err := uplink.LoadChain(j.state.dir, deedsFile, home)
	if err != nil {
		return nil, err
	}
	start, err := uplink.NextStart(j.state.dir, starts)
	if err != nil {
		return nil, err
	}
	u, err := uplink.New(uplink.Config{
		Server: j.link.Origin, Home: home, Keys: j.keys, Chain: chain, Start: start,
		HTTP: j.config.HTTP, Retry: j.config.Retry, MostRetry: 2 * j.config.Retry, Log: j.config.Log,
	})
	if err != nil {
		return nil, err
	}
	title, err := u.Welcomed(ctx, func(s uplink.Status) {
		switch s.State {
		case uplink.NotPlaced:
			j.config.Progress("Waiting for the home's owner to take this agent in.")
		case uplink.Waiting, uplink.OtherChain:
			j.config.Progress(s.Detail)
		}
	})
	if err == nil && !title.OnChain(head) {
		err = fmt.Errorf("%w: the deeds that the server gives are not those that the link was made at", ErrLink)
	}
	return title, err
}

func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
