package crash

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// record is an event: the camera hands over its picture, its clip and its description, each
// once, and hears whether it is kept.
func (t *trial) record(context.Context) error {
	id := latchkey.NewEventID()
	for _, kind := range []latchkey.Kind{latchkey.Thumbnail, latchkey.Clip, latchkey.Description} {
		b := t.agent.Bind(t.owner.Title(), t.camera, kind)
		b.Event = id
		o := &object{binding: b, content: painted(b)}
		t.book.note(o)
		if t.box.record(b, o.content) == nil {
			o.kept = sure
		}
	}
	return nil
}

// painted is what is seen: bytes that only this object has. A clip is of several pieces.
func painted(b sealed.Binding) []byte {
	seed := sha256.Sum256(b.Object[:])
	size := 2_000 + int(seed[0])*20
	if b.Kind == latchkey.Clip {
		size *= 20
	}
	content := make([]byte, size)
	rand.NewChaCha8(seed).Read(content)
	return content
}

// removal takes somebody in, lets them look, and removes them.
func (t *trial) removal(ctx context.Context) error {
	o, err := t.admit(ctx)
	if err != nil {
		return err
	}
	return t.dismiss(ctx, o)
}

// admit takes somebody in, who looks at the home.
func (t *trial) admit(ctx context.Context) (*outsider, error) {
	o := &outsider{what: "a resident", person: keytest.NewPerson()}
	t.owner.Join(o.person, keytest.AsResident)
	if err := t.append(ctx); err != nil {
		return nil, err
	}
	err := insist(ctx, func() error { return t.enter(ctx, o) })
	if err != nil {
		return nil, fmt.Errorf("a resident looks: %w", err)
	}
	return o, nil
}

// enter signs somebody in, and has them look.
func (t *trial) enter(ctx context.Context, o *outsider) (err error) {
	k := o.person.Keys
	if o.session, err = t.client.SignIn(ctx, t.owner.Home(), k.Device, k.DeviceSigning, t.known); err != nil {
		return err
	}
	_, err = o.session.Events(ctx, "", 1)
	return err
}

// dismiss removes them.
func (t *trial) dismiss(ctx context.Context, o *outsider) error {
	t.owner.Dismiss(o.person)
	if err := t.append(ctx); err != nil {
		return err
	}
	t.out = append(t.out, o)
	return nil
}

// signOut ends a session of the owner's.
func (t *trial) signOut(ctx context.Context) error {
	o := &outsider{what: "whoever has a session that was ended"}
	err := insist(ctx, func() (err error) {
		o.session, err = t.signIn(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("sign in once more: %w", err)
	}
	err = insist(ctx, func() error { return o.session.SignOut(ctx) })
	if err != nil && api.ReasonOf(err) != api.SignedOut { // by an attempt that nobody answered
		return fmt.Errorf("sign out: %w", err)
	}
	t.out = append(t.out, o)
	return nil
}

// shutOut has all who may not see the home any more try to, by what they had and anew, until
// each is answered.
func (t *trial) shutOut(ctx context.Context) error {
	for _, o := range t.out {
		tries := []func() error{func() error {
			_, err := o.session.Events(ctx, "", 1)
			return err
		}}
		if o.person != nil {
			tries = append(tries, func() error { return t.enter(ctx, &outsider{person: o.person}) })
		}
		for _, try := range tries {
			err := try()
			for ; err != nil && api.ReasonOf(err) == "" && ctx.Err() == nil; err = try() { // nobody is there
				pause(ctx)
			}
			if err == nil {
				t.RevocationsBack++
				t.say("%s is shown the home again", o.what)
			}
		}
	}
	return ctx.Err()
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(2 * time.Millisecond):
	}
}

// deletion deletes an event, if there is one.
func (t *trial) deletion(ctx context.Context) error {
	for _, name := range t.book.order {
		o := t.book.objects[name]
		if o.kept != sure {
			continue
		}
		id := o.binding.Event
		one, err := tombstone.Sign(t.owner.Keys.Signing, t.owner.Title(), latchkey.TimeOf(time.Now()), tombstone.Tombstone{Scope: tombstone.Events, Events: []latchkey.EventID{id}})
		if err != nil {
			return err
		}
		t.book.gone[id] = unsure
		if err := insist(ctx, func() error { return t.session.Delete(ctx, one.Bytes()) }); err != nil {
			return fmt.Errorf("delete an event: %w", err)
		}
		t.book.gone[id] = sure
		return nil
	}
	return nil
}

// look opens all that is there. What it shows may be on its way still, and is compared in
// the end.
func (t *trial) look(ctx context.Context) error {
	_, err := t.see(ctx)
	return err
}

func (t *trial) see(ctx context.Context) (all []seen, err error) {
	err = insist(ctx, func() (err error) {
		all, err = t.once(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look at the home: %w", err)
	}
	return all, nil
}

func (t *trial) once(ctx context.Context) (all []seen, err error) {
	for before := ""; ; {
		page, err := t.session.Events(ctx, before, 100)
		if err != nil {
			return nil, err
		}
		for _, e := range page.Events {
			for _, row := range e.Objects {
				s, err := t.open(ctx, row)
				if err != nil {
					return nil, err
				}
				all = append(all, s)
			}
		}
		if before = page.Next; before == "" {
			return all, nil
		}
	}
}

func (t *trial) open(ctx context.Context, row api.ObjectRow) (s seen, err error) {
	h, err := sealed.ParseHeader(row.Header)
	if err != nil {
		return s, fmt.Errorf("row %s (%s): %w", row.Name, row.Problem, err)
	}
	s.name = h.Name()
	envelope, err := sealed.ParseEnvelope(row.Envelope)
	if err != nil {
		return s, err
	}
	d, err := t.session.Object(ctx, s.name)
	if err != nil {
		return s, err
	}
	defer d.File.Close() // read whole
	b, err := io.ReadAll(d.File)
	if err != nil {
		return s, err
	}
	body := bytes.NewReader(b)
	f, err := sealed.ReadFile(body)
	if err != nil {
		return s, err
	}
	f.Envelopes = []sealed.Envelope{envelope}
	var content bytes.Buffer
	err = open.Open(f, body, s.name, t.owner.Title(), t.owner.Ring(), &content)
	s.content = content.Bytes()
	return s, err
}
