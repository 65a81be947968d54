package server

import (
	"container/list"
	"context"
	"fmt"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
)

// maxTitles is how many bytes of deeds are kept in memory, folded; the chain of the home
// that was asked for longest ago goes first. A home with a few people, devices and cameras
// has about 10 KB.
const maxTitles = 64 << 20

// titles folds the chains of homes. What is kept is deeds, and what they come to; where a
// chain ends is asked for every question, so that no permission outlives the deed that
// took it away.
type titles struct {
	homes archive.Homes
	heads *heads
	kept  *kept // nil if there is no cache
	alarm *alarm

	mu     sync.Mutex // protects what follows
	folded map[latchkey.HomeID]*list.Element
	recent *list.List // of folded, the one asked for last in front
	size   int        // of all of them
}

// folded is a title that is kept, and how many bytes of deeds it has.
type folded struct {
	title *deed.Title
	size  int
}

func newTitles(homes archive.Homes, h *heads, k *kept, a *alarm) *titles {
	return &titles{homes: homes, heads: h, kept: k, alarm: a, folded: map[latchkey.HomeID]*list.Element{}, recent: list.New()}
}

// of returns the title of a home: [archive.ErrNotFound] if there is none, and a refusal
// while the home is closed. With it goes every right that is folded from deeds, so that
// nothing of a closed home is handed out by a route that forgot to ask.
func (c *titles) of(ctx context.Context, home latchkey.HomeID) (*deed.Title, error) {
	t, _, err := c.open(ctx, home)
	return t, err
}

// open is of for those who read what is kept of the home as well.
func (c *titles) open(ctx context.Context, home latchkey.HomeID) (*deed.Title, archive.HomeHead, error) {
	t, head, err := c.look(ctx, home)
	if err == nil {
		err = opened(head)
	}
	if err != nil {
		return nil, head, err
	}
	return t, head, nil
}

// opened refuses a home that is closed, or was deleted.
func opened(h archive.HomeHead) error {
	if h.Ended {
		return homeDeleted()
	}
	if h.Closed {
		return homeClosed()
	}
	return nil
}

// look is open for the few who deal with a closed home.
func (c *titles) look(ctx context.Context, home latchkey.HomeID) (*deed.Title, archive.HomeHead, error) {
	head, err := c.heads.of(ctx, home)
	if err != nil {
		return nil, head, err
	}
	t, err := c.at(ctx, head)
	return t, head, err
}

// at returns the title at a home's head.
func (c *titles) at(ctx context.Context, h archive.HomeHead) (*deed.Title, error) {
	t := c.get(h.Home)
	if t != nil && t.Head() == h.Head {
		return t, nil
	}
	t, err := c.extend(ctx, h, t)
	if deed.ReasonOf(err) == deed.WrongHome {
		c.alarm.misroute("deeds", true, "asked", h.Home.String())
		return nil, misroute()
	} else if err != nil {
		return nil, fmt.Errorf("fold the deeds of home %s: %w", h.Home, err)
	}
	c.put(t)
	return t, nil
}

// extend folds the deeds that t lacks, up to the head or beyond.
func (c *titles) extend(ctx context.Context, h archive.HomeHead, t *deed.Title) (*deed.Title, error) {
	if t != nil && t.Head().Seq >= h.Head.Seq {
		t = nil // the archive was put back to an earlier day, or forked: begin anew
	}
	for t == nil || t.Head().Seq < h.Head.Seq {
		var from uint64
		if t != nil {
			from = t.Head().Seq + 1
		}
		deeds, err := c.deeds(ctx, h, from)
		if err != nil {
			return nil, err
		}
		if t == nil {
			t, err = deed.Fold(h.Home, deeds)
		} else {
			t, err = t.Append(deeds...)
		}
		if err != nil {
			c.kept.forget(ctx, h.Home, codecDeeds, deedsKey(from)) // or a row that is repaired would not help
			return nil, err
		}
	}
	if !t.OnChain(h.Head) {
		return nil, fmt.Errorf("head %s is not on the chain", h.Head)
	}
	return t, nil
}

// deeds returns deeds of a home from that number on, at least one.
func (c *titles) deeds(ctx context.Context, h archive.HomeHead, from uint64) ([][]byte, error) {
	deeds, err := ask(ctx, c.kept, h, deedsForm, deedsKey(from), func(ctx context.Context) ([]archive.Deed, error) {
		return c.homes.Deeds(ctx, h.Home, from, maxDeedBytes)
	})
	if err != nil {
		return nil, err
	}
	if len(deeds) == 0 {
		return nil, fmt.Errorf("deeds from %d are missing", from)
	}
	return c.compared(h.Home, from, deeds)
}

// compared returns the bytes of deeds that are the asked home's, from that number on.
func (c *titles) compared(home latchkey.HomeID, from uint64, kept []archive.Deed) ([][]byte, error) {
	var deeds [][]byte
	for i, d := range kept {
		if d.Home != home || d.Seq != from+uint64(i) {
			c.alarm.misroute("deeds", true, "asked", home.String(), "found", d.Home.String())
			return nil, misroute()
		}
		deeds = append(deeds, d.Bytes)
	}
	return deeds, nil
}

func (c *titles) get(home latchkey.HomeID) *deed.Title {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.folded[home]
	if !ok {
		return nil
	}
	c.recent.MoveToFront(e)
	return e.Value.(folded).title
}

func (c *titles) put(t *deed.Title) {
	f := folded{title: t}
	for _, d := range t.Deeds(0) {
		f.size += len(d)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.folded[t.Home()]; ok {
		c.drop(e)
	}
	c.folded[t.Home()] = c.recent.PushFront(f)
	c.size += f.size
	for c.size > maxTitles {
		c.drop(c.recent.Back())
	}
}

func (c *titles) drop(e *list.Element) {
	f := e.Value.(folded)
	delete(c.folded, f.title.Home())
	c.recent.Remove(e)
	c.size -= f.size
}
