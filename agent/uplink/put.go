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
	if item.Head < title.HandedOver() { // it was being recorded while the home changed hands
		u.discard(title)
		return spool.ErrGone
	}
	if u.config.Tombstones != nil && u.config.Tombstones.Covers(o.Header.Binding) { // it was being recorded when it was deleted
		u.throwDeleted()
		return spool.ErrGone
	}
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
	if reason := api.ReasonOf(err); reason == api.OldEpoch || reason == api.HandedOver {
		return u.learn(item, err)
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

// learn takes in the deeds that came with the refusal of an object.
func (u *Uplink) learn(item spool.Item, err error) error {
	e, _ := errors.AsType[*api.Error](err)
	if e.Refusal.Home != u.config.Home.String() || e.Refusal.Head == nil {
		return fmt.Errorf("%w: a refusal with deeds of another home", errProtocol)
	}
	switch t, err := u.extend(latchkey.Head(*e.Refusal.Head), e.Refusal.Deeds); {
	case err != nil:
		return err
	case item.Head < t.HandedOver():
		return spool.ErrGone
	}
	return errLearnt
}

// extend takes in deeds, and does what they ask for at once.
func (u *Uplink) extend(head latchkey.Head, deeds [][]byte) (*deed.Title, error) {
	t, err := u.config.Chain.Extend(head, deeds)
	if err == nil {
		u.discard(t)
	}
	return t, err
}

// discard throws away what was recorded for those who lived here before the home was
// handed over: nobody takes it any more, and whoever lives here now has no business with
// it.
func (u *Uplink) discard(t *deed.Title) {
	if t == nil || t.HandedOver() == 0 || u.config.Spool == nil {
		return
	}
	n, err := u.config.Spool.Discard(t.HandedOver())
	u.thrown("what was recorded for those who lived here before", n, err, &u.status.Discarded)
}

// throwDeleted throws away what people of the home have had deleted before it was
// uploaded.
func (u *Uplink) throwDeleted() {
	if u.config.Tombstones == nil || u.config.Spool == nil {
		return
	}
	n, err := u.config.Spool.Delete(u.config.Tombstones.Covers)
	u.thrown("what people of the home have had deleted", n, err, &u.status.Deleted)
}

// thrown counts what was thrown away before it was uploaded, and says so.
func (u *Uplink) thrown(what string, n int, err error, count *uint64) {
	if err != nil {
		u.log.Error("not all is thrown away", "what", what, "error", err)
	}
	if n == 0 {
		return
	}
	u.log.Warn("thrown away before it was uploaded", "what", what, "objects", n)
	u.mu.Lock()
	defer u.mu.Unlock()
	*count += uint64(n)
	clear(u.retries) // of what is gone; the others are tried again sooner
}

// buried takes in tombstones, and does at once what they ask for.
func (u *Uplink) buried(m api.TombstonesFrame) error {
	if u.config.Tombstones == nil {
		return nil // it only waits to be welcomed, and is sent them again
	}
	if err := u.config.Tombstones.follow(m, u.config.Chain.Title()); err != nil {
		return err
	}
	u.throwDeleted()
	if u.config.Buried != nil {
		u.config.Buried()
	}
	return nil
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

// envelopes wraps an object's key for those who may see it now: those who see the whole
// home, by the epoch's key, and each guest and link whose rights cover it.
func (u *Uplink) envelopes(o spool.Object, t *deed.Title) ([]sealed.Envelope, error) {
	b := o.Header.Binding
	e, err := seal.WrapForEpoch(o.Key, b, t)
	if err != nil {
		return nil, err
	}
	all := []sealed.Envelope{e}
	var at latchkey.Time
	sure := false
	if u.config.Surely != nil {
		at, sure = u.config.Surely(t)
	}
	for _, p := range t.Recipients(b.Camera, b.Kind, b.Head.Seq, at, sure) {
		kind := sealed.ToPerson
		if p.Role == deed.Link {
			kind = sealed.ToLink
		}
		if e, err = seal.Wrap(o.Key, b, kind, p.KEM, t.Epoch()); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

// put sends an object from offset on, with envelopes for those who may see it now.
func (u *Uplink) put(ctx context.Context, item spool.Item, t *deed.Title, o spool.Object, offset uint64) error {
	if offset > o.Header.BodyLength {
		return fmt.Errorf("%w: an offset past the end", errProtocol)
	}
	envelopes, err := u.envelopes(o, t)
	if err != nil {
		return err
	}
	if _, err := o.Body.Seek(int64(offset), io.SeekStart); err != nil {
		return fmt.Errorf("read %s: %w", item.Name, err)
	}
	prefix := sealed.File{Header: o.Header, Envelopes: envelopes}.Bytes()
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
