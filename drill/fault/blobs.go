package fault

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/blob"
)

// Blobs puts faults into what stores of blobs hand out.
type Blobs struct {
	faults point[harm]
	names  others[latchkey.HomeID, latchkey.Name]
	bodies others[latchkey.Name, []byte] // their beginnings
}

// harm is what is done to an object. It returns false where it cannot be.
type harm func(ctx context.Context, in *Injection, store blob.Store, name latchkey.Name, o *blob.Object) (bool, error)

// Cross hands out another home's object, or the right one from a wrong place on.
func (b *Blobs) Cross(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, func(ctx context.Context, in *Injection, store blob.Store, name latchkey.Name, o *blob.Object) (bool, error) {
		other, ok := b.names.than(name.Home)
		if !ok || !in.strikes() {
			return false, nil
		}
		if in.draw(2) == 0 {
			_, err := io.CopyN(io.Discard, o.Body, 1+int64(in.draw(int(min(o.Header.BodyLength, 4096)))))
			return true, err
		}
		another, err := store.Open(ctx, other.value)
		if err != nil {
			return true, err
		}
		err = o.Body.Close()
		*o = another
		return true, err
	})
}

// Rot turns one bit of an object's body over.
func (b *Blobs) Rot(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, func(_ context.Context, in *Injection, _ blob.Store, _ latchkey.Name, o *blob.Object) (bool, error) {
		if o.Header.BodyLength == 0 || !in.strikes() {
			return false, nil
		}
		bit := in.draw(8 * int(min(o.Header.BodyLength, 1<<20)))
		o.Body = &altered{ReadCloser: o.Body, change: func(at int64, p []byte) {
			if i := int64(bit/8) - at; i >= 0 && i < int64(len(p)) {
				p[i] ^= 1 << (bit % 8)
			}
		}}
		return true, nil
	})
}

// reused is how much of a body lies in the buffer that is used too early.
const reused = 4096

// Reuse lays the beginning of another object's body over an object's.
func (b *Blobs) Reuse(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, func(_ context.Context, in *Injection, _ blob.Store, name latchkey.Name, o *blob.Object) (bool, error) {
		other, ok := b.bodies.than(name)
		if !ok || o.Header.BodyLength == 0 || !in.strikes() {
			return false, nil
		}
		o.Body = &altered{ReadCloser: o.Body, change: func(at int64, p []byte) {
			if at < int64(len(other.value)) {
				copy(p, other.value[at:])
			}
		}}
		return true, nil
	})
}

// Disorder has a body break off, come late or twice, or go on as another home's.
func (b *Blobs) Disorder(s Schedule, rng *rand.Rand) *Injection {
	return b.faults.put(s, rng, func(ctx context.Context, in *Injection, store blob.Store, name latchkey.Name, o *blob.Object) (bool, error) {
		other, ok := b.names.than(name.Home)
		if !ok || o.Header.BodyLength < 2 || !in.strikes() {
			return false, nil
		}
		at := 1 + int64(in.draw(int(min(o.Header.BodyLength-1, 1<<20))))
		switch in.draw(4) {
		case 0:
			o.Body = joined{io.LimitReader(o.Body, at), o.Body.Close}
			return true, nil
		case 1:
			time.Sleep(late)
			return true, nil
		case 2:
			again, err := store.Open(ctx, name)
			if err == nil {
				o.Body = join(o.Body, o.Body, again.Body)
			}
			return true, err
		}
		another, err := store.Open(ctx, other.value)
		if err == nil {
			o.Body = join(io.LimitReader(o.Body, at), o.Body, another.Body)
		}
		return true, err
	})
}

// joined is a body that is put together.
type joined struct {
	io.Reader
	close func() error
}

// Close is [io.Closer]'s.
func (j joined) Close() error { return j.close() }

// join reads a part of mine, and then another body.
func join(part io.Reader, mine, then io.ReadCloser) joined {
	return joined{io.MultiReader(part, then), func() error { return errors.Join(mine.Close(), then.Close()) }}
}

// altered is a body with something else in it.
type altered struct {
	io.ReadCloser
	at     int64
	change func(at int64, p []byte)
}

// Read is [io.Reader]'s.
func (a *altered) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	a.change(a.at, p[:n])
	a.at += int64(n)
	return n, err
}

// Wrap returns a store whose objects pass here.
func (b *Blobs) Wrap(inner blob.Store) blob.Store { return blobs{inner, b} }

type blobs struct {
	blob.Store
	b *Blobs
}

// Open is [blob.Store]'s.
func (s blobs) Open(ctx context.Context, name latchkey.Name) (blob.Object, error) {
	o, err := s.Store.Open(ctx, name)
	if err != nil {
		return o, err
	}
	s.b.names.note(name.Home, name)
	active := s.b.faults.active()
	for _, f := range active {
		if done, err := f.what(ctx, f.in, s.Store, name, &o); err != nil {
			_ = o.Body.Close() // read only
			return blob.Object{}, err
		} else if done {
			return o, nil
		}
	}
	if len(active) > 0 {
		var begins []byte
		o.Body = &altered{ReadCloser: o.Body, change: func(_ int64, p []byte) {
			if more := p[:min(len(p), reused-len(begins))]; len(more) > 0 {
				begins = slices.Concat(begins, more)
				s.b.bodies.note(name, begins)
			}
		}}
	}
	return o, nil
}
