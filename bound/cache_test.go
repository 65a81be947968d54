package bound_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/latchkey-cam/latchkey/bound"
)

// table is an origin that knows everything: what it answers names the question.
type table struct {
	epoch atomic.Uint64
	reads atomic.Int64
}

func (o *table) read(_ context.Context, q bound.Question) (bound.Answer, error) {
	o.reads.Add(1)
	return truth(q, o.epoch.Load()), nil
}

// truth is the only right answer to q at that epoch.
func truth(q bound.Question, epoch uint64) bound.Answer {
	return bound.Answer{Scope: q.Scope, Key: q.Key, Codec: q.Codec, Epoch: epoch, Bytes: fmt.Appendf(nil, "%s of %s in %d at %d", q.Key, q.Scope, q.Codec, epoch)}
}

// log keeps incidents.
type log struct {
	mu   sync.Mutex // protects what follows
	list []bound.Incident
}

func (l *log) add(i bound.Incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(l.list, i)
}

func (l *log) of(k bound.Kind) (found []bound.Incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.list {
		if i.Kind == k {
			found = append(found, i)
		}
	}
	return found
}

func open(t testing.TB, c bound.Config) *bound.Cache {
	t.Helper()
	if c.Keys == nil {
		c.Keys = bound.NewKeys()
	}
	cache, err := bound.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
	return cache
}

// want asks q and wants the truth at that epoch.
func want(t testing.TB, c *bound.Cache, q bound.Question, o bound.Origin, epoch uint64) {
	t.Helper()
	a, err := c.Get(t.Context(), q, o)
	if err != nil {
		t.Errorf("%v: %v", q, err)
		return
	}
	a.Stored = time.Time{}
	if diff := cmp.Diff(truth(q, epoch), a); diff != "" {
		t.Errorf("the answer to %v (-want +got):\n%s", q, diff)
	}
}

var thumbnails = bound.Question{Scope: "home/1", Key: "thumbnails", Codec: 1}

func TestAnswersFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}, Life: time.Minute})
		for _, q := range []bound.Question{thumbnails, {"home/1", "deeds", 1, 0}, {"home/2", "thumbnails", 1, 0}, {"home/1", "thumbnails", 2, 0}} {
			for range 3 {
				want(t, c, q, o.read, 0)
				synctest.Wait()
			}
		}
		if n := o.reads.Load(); n != 4 {
			t.Errorf("the origin was read %d times for 4 questions", n)
		}
		time.Sleep(time.Minute)
		want(t, c, thumbnails, o.read, 0)
		if n := o.reads.Load(); n != 5 {
			t.Errorf("after its life a value answers still: the origin was read %d times, want 5", n)
		}
	})
}

func TestNothingBelowTheFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}})
		want(t, c, thumbnails, o.read, 0)
		synctest.Wait()
		q := thumbnails
		q.Floor = 3
		if _, err := c.Get(t.Context(), q, o.read); !errors.Is(err, bound.ErrOld) {
			t.Errorf("an origin below the floor: %v, want ErrOld", err)
		}
		o.epoch.Store(3)
		want(t, c, q, o.read, 3)
		if s := c.Stats(); s.Stale != 1 || s.Tiers[0].Old != 2 {
			t.Errorf("%+v: want one stale read of the origin and two old values", s)
		}
	})
}

func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}})
		want(t, c, thumbnails, o.read, 0)
		synctest.Wait()
		o.epoch.Store(1)
		if err := c.Forget(t.Context(), thumbnails); err != nil {
			t.Fatal(err)
		}
		want(t, c, thumbnails, o.read, 1)
	})
}

// forgottenWhileRead has thumbnails read until release is closed, and meanwhile changed at
// the origin and forgotten.
func forgottenWhileRead(t *testing.T) (c *bound.Cache, o *table, release chan struct{}) {
	t.Helper()
	o, release = &table{}, make(chan struct{})
	c = open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}})
	go func() {
		_, err := c.Get(t.Context(), thumbnails, func(ctx context.Context, q bound.Question) (bound.Answer, error) {
			a, err := o.read(ctx, q)
			<-release
			return a, err
		})
		if err != nil {
			t.Error(err)
		}
	}()
	synctest.Wait()
	o.epoch.Store(1)
	if err := c.Forget(t.Context(), thumbnails); err != nil {
		t.Fatal(err)
	}
	return c, o, release
}

// TestForgetWhileReading: what was read before is not handed to who asks after, nor put
// over what they are given.
func TestForgetWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, o, release := forgottenWhileRead(t)
		want(t, c, thumbnails, o.read, 1)
		close(release)
		synctest.Wait()
		want(t, c, thumbnails, o.read, 1)
	})
}

func TestCrossedOrigin(t *testing.T) {
	for name, other := range map[string]bound.Question{
		"scope": {"home/2", "thumbnails", 1, 0}, "key": {"home/1", "deeds", 1, 0}, "codec": {"home/1", "thumbnails", 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, alarms := &table{}, &log{}
				c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}, Alarm: alarms.add})
				a, err := c.Get(t.Context(), thumbnails, func(ctx context.Context, _ bound.Question) (bound.Answer, error) { return o.read(ctx, other) })
				if !errors.Is(err, bound.ErrCrossed) || a.Bytes != nil {
					t.Errorf("an origin that answers %v: %q, %v; want ErrCrossed", other, a.Bytes, err)
				}
				synctest.Wait()
				if found := alarms.of(bound.Crossed); len(found) != 1 || found[0].Asked != thumbnails || found[0].Found != other {
					t.Errorf("told of %+v, want one crossing", found)
				}
				want(t, c, thumbnails, o.read, 0)
				want(t, c, other, o.read, 0)
			})
		})
	}
}

func TestErrorsAreNotCached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}})
		missing := errors.New("no such row")
		for range 2 {
			_, err := c.Get(t.Context(), thumbnails, func(context.Context, bound.Question) (bound.Answer, error) {
				o.reads.Add(1)
				return bound.Answer{}, missing
			})
			if !errors.Is(err, missing) {
				t.Errorf("%v, want the origin's error", err)
			}
			synctest.Wait() // whoever asks while the flight ends is told what it was told
		}
		if n := o.reads.Load(); n != 2 {
			t.Errorf("%d reads of the origin, want 2", n)
		}
	})
}

// TestCoalescing: a hundred who ask one thing at once share a read of the origin; who
// asks with another floor does not join them.
func TestCoalescing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{})
		slow := func(ctx context.Context, q bound.Question) (bound.Answer, error) {
			time.Sleep(time.Second)
			return o.read(ctx, q)
		}
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				q := thumbnails
				q.Floor = uint64(i % 2)
				want(t, c, q, slow, 5)
			})
		}
		o.epoch.Store(5)
		all.Wait()
		if n := o.reads.Load(); n != 2 {
			t.Errorf("100 callers with 2 floors read the origin %d times", n)
		}
	})
}

// TestCallerLeaves: whoever began a read does not take it along.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{})
		slow := func(ctx context.Context, q bound.Question) (bound.Answer, error) {
			select {
			case <-time.After(time.Second):
				return o.read(ctx, q)
			case <-ctx.Done():
				return bound.Answer{}, ctx.Err()
			}
		}
		leaving, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		go func() {
			began := time.Now()
			if _, err := c.Get(leaving, thumbnails, slow); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Millisecond {
				t.Errorf("%v after %v; want to leave after a millisecond", err, time.Since(began))
			}
		}()
		synctest.Wait()
		want(t, c, thumbnails, slow, 0)
		if n := o.reads.Load(); n != 1 {
			t.Errorf("%d reads of the origin, want 1", n)
		}
	})
}

// TestBytesAreShared: those who read the same from memory are given the same bytes. What
// somebody appends to them goes elsewhere; what somebody changes in them against the
// rule is found out by the next who reads, and not believed.
func TestBytesAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}})
		read := func() bound.Answer {
			t.Helper()
			a, err := c.Get(t.Context(), thumbnails, o.read)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return a
		}
		read()
		_ = append(read().Bytes, "more"...)
		a := read()
		if s := c.Stats().Tiers[0]; s.Damaged != 0 || s.Hits != 2 {
			t.Errorf("%+v: want two hits and no damage", s)
		}
		clear(a.Bytes)
		want(t, c, thumbnails, o.read, 0)
		if s := c.Stats().Tiers[0]; s.Damaged != 1 || s.Replaced != 1 {
			t.Errorf("%+v: want that the change was found out", s)
		}
	})
}

// TestOversize: an answer above the limit is handed out, and asked for each time.
func TestOversize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{})}, MaxValue: len(truth(thumbnails, 0).Bytes) - 1})
		for range 3 {
			want(t, c, thumbnails, o.read, 0)
			synctest.Wait()
		}
		if s := c.Stats(); s.Oversize != 3 || s.Origin != 3 || s.Tiers[0].Hits != 0 {
			t.Errorf("%+v: want it read three times and kept never", s)
		}
	})
}

// TestMemoryIsBounded: more than fits is not kept.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		c := open(t, bound.Config{Tiers: []bound.Tier{bound.Memory(bound.MemoryConfig{Bytes: 10 << 10})}})
		for range 2 {
			for i := range 1000 {
				want(t, c, home(i), o.read, 0)
				synctest.Wait()
			}
		}
		if n := o.reads.Load(); n < 1900 {
			t.Errorf("2,000 reads in a memory for 40 values reached the origin %d times", n)
		}
	})
}

func TestQuestions(t *testing.T) {
	o := &table{}
	c := open(t, bound.Config{})
	for _, q := range []bound.Question{
		{"", "k", 1, 0}, {"s", "", 1, 0}, {strings.Repeat("s", 257), "k", 1, 0}, {"s", strings.Repeat("k", 1025), 1, 0},
	} {
		if _, err := c.Get(t.Context(), q, o.read); !errors.Is(err, bound.ErrQuestion) {
			t.Errorf("Get of %d and %d bytes: %v, want ErrQuestion", len(q.Scope), len(q.Key), err)
		}
		if err := c.Forget(t.Context(), q); !errors.Is(err, bound.ErrQuestion) {
			t.Errorf("Forget of %d and %d bytes: %v, want ErrQuestion", len(q.Scope), len(q.Key), err)
		}
	}
	want(t, c, bound.Question{Scope: strings.Repeat("s", 256), Key: strings.Repeat("k", 1024)}, o.read, 0)
}
