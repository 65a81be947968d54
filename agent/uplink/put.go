package uplink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/crash"
	"github.com/latchkey-cam/latchkey/seal"
	"github.com/latchkey-cam/latchkey/sealed"
)

// stall is how long an upload may make no progress at all.
const stall = 2 * time.Minute

// errLearnt: the refusal taught something, and the next attempt is another one.
var errLearnt = errors.New("try again with what was learnt")

// upload carries one object to the server and returns nil when it is indexed and
// durable there.
func (u *Uplink) upload(ctx context.Context, item spool.Item) error {
	o, err := u.config.Spool.Open(item)
	if err != nil {
		return err
	}
	defer o.Body.Close() // read only
	title := u.config.Chain.Title()
	var offset uint64
	if item.Name.Kind == latchkey.Clip { // the others are one packet or ten
		if offset, err = u.held(ctx, item, title); err != nil {
			return err
		}
	}
	crash.Point("uplink.put")
	err = u.put(ctx, item, title, o, offset)
	if e, ok := errors.AsType[*api.Error](err); ok && e.Refusal.Error.Reason == api.Offset {
		// It is told in the same breath, so that thumbnails need not ask first.
		err = u.put(ctx, item, title, o, e.Offset)
	}
	if api.ReasonOf(err) == api.OldEpoch {
		return u.learn(err)
	}
	if err != nil {
		return err
	}
	crash.Point("uplink.acknowledged")
	if u.config.Acknowledged != nil {
		u.config.Acknowledged(o.Header)
	}
	return nil
}

// learn takes in the deeds that came with a refusal.
func (u *Uplink) learn(err error) error {
	e, _ := errors.AsType[*api.Error](err)
	if e.Refusal.Home != u.config.Home.String() || e.Refusal.Head == nil {
		return fmt.Errorf("%w: a refusal with deeds of another home", errProtocol)
	}
	if _, err := u.config.Chain.Extend(latchkey.Head(*e.Refusal.Head), e.Refusal.Deeds); err != nil {
		return err
	}
	return errLearnt
}

// held asks how much of an object's body the server has. If it has all of it, a put
// with nothing left to send is still what acknowledges the object: that answer names
// it.
func (u *Uplink) held(ctx context.Context, item spool.Item, t *deed.Title) (uint64, error) {
	ctx, stop := context.WithTimeout(ctx, stall)
	defer stop()
	progress, err := u.agent.Offset(ctx, t.Head(), item.Name)
	switch {
	case api.ReasonOf(err) == api.NotFound:
		return 0, nil
	case err != nil:
		return 0, err
	case progress.Stored:
		return uint64(item.Length), nil
	}
	return progress.Held, nil
}

// put sends an object from offset on, with an envelope for the epoch that holds now.
func (u *Uplink) put(ctx context.Context, item spool.Item, t *deed.Title, o spool.Object, offset uint64) error {
	if offset > o.Header.BodyLength {
		return fmt.Errorf("%w: an offset past the end", errProtocol)
	}
	e, err := seal.WrapForEpoch(o.Key, o.Header.Binding, t)
	if err != nil {
		return err
	}
	if _, err := o.Body.Seek(int64(offset), io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", item.Name, err)
	}
	prefix := sealed.File{Header: o.Header, Envelopes: []sealed.Envelope{e}}.Bytes()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	body := &moving{r: o.Body, timer: time.AfterFunc(stall, stop)}
	defer body.timer.Stop()
	return u.agent.Upload(ctx, t.Head(), item.Name, prefix, offset, body, o.Header.BodyLength-offset)
}

// moving restarts the timer whenever something is read.
type moving struct {
	r     io.Reader
	timer *time.Timer
}

// Read is [io.Reader]'s.
func (m *moving) Read(p []byte) (int, error) {
	m.timer.Reset(stall)
	return m.r.Read(p)
}
