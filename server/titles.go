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

// maxTitles is how many homes' chains are kept in memory; the one asked for longest ago
// goes first.
const maxTitles = 1024

// titles folds the chains of homes. What is cached is deeds, and what they come to; the
// head is read from the archive for every question, so that no permission outlives the
// deed that took it away.
type titles struct {
	homes archive.Homes
	alarm *alarm

	mu     sync.Mutex // protects what follows
	folded map[latchkey.HomeID]*list.Element
	recent *list.List // of *deed.Title, the one asked for last in front
}

func newTitles(homes archive.Homes, a *alarm) *titles {
	return &titles{homes: homes, alarm: a, folded: map[latchkey.HomeID]*list.Element{}, recent: list.New()}
}

// of returns the title of a home: [archive.ErrNotFound] if there is none, and a refusal
// while the home is closed. With it goes every right that is folded from deeds, so that
// nothing of a closed home is handed out by a route that forgot to ask.
func (c *titles) of(ctx context.Context, home latchkey.HomeID) (*deed.Title, error) {
	t, closed, err := c.look(ctx, home)
	if err != nil {
		return nil, err
	}
	if closed {
		return nil, homeClosed()
	}
	return t, nil
}

// look is of for the few who deal with a closed home, and says whether it is one.
func (c *titles) look(ctx context.Context, home latchkey.HomeID) (t *deed.Title, closed bool, err error) {
	h, err := c.homes.Head(ctx, home)
	if err != nil {
		return nil, false, err
	}
	if h.Home != home {
		c.alarm.misroute("head", true, "asked", home.String(), "found", h.Home.String())
		return nil, false, misroute()
	}
	t = c.get(home)
	if t != nil && t.Head() == h.Head {
		return t, h.Closed, nil
	}
	if t, err = c.extend(ctx, home, t, h.Head); deed.ReasonOf(err) == deed.WrongHome {
		c.alarm.misroute("deeds", true, "asked", home.String())
		return nil, false, misroute()
	} else if err != nil {
		return nil, false, fmt.Errorf("fold the deeds of home %s: %w", home, err)
	}
	c.put(t)
	return t, h.Closed, nil
}

// extend folds the deeds that t lacks, up to head or beyond.
func (c *titles) extend(ctx context.Context, home latchkey.HomeID, t *deed.Title, head latchkey.Head) (*deed.Title, error) {
	if t != nil && t.Head().Seq >= head.Seq {
		t = nil // the archive was put back to an earlier day, or forked: begin anew
	}
	for t == nil || t.Head().Seq < head.Seq {
		var from uint64
		if t != nil {
			from = t.Head().Seq + 1
		}
		kept, err := c.homes.Deeds(ctx, home, from, maxDeedBytes)
		if err != nil {
			return nil, err
		}
		deeds, err := c.compared(home, from, kept)
		if err != nil {
			return nil, err
		}
		if len(deeds) == 0 {
			return nil, fmt.Errorf("deeds from %d are missing", from)
		}
		if t == nil {
			t, err = deed.Fold(home, deeds)
		} else {
			t, err = t.Append(deeds...)
		}
		if err != nil {
			return nil, err
		}
	}
	if !t.OnChain(head) {
		return nil, fmt.Errorf("head %s is not on the chain", head)
	}
	return t, nil
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
	return e.Value.(*deed.Title)
}

func (c *titles) put(t *deed.Title) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.folded[t.Home()]; ok {
		e.Value = t
		c.recent.MoveToFront(e)
		return
	}
	c.folded[t.Home()] = c.recent.PushFront(t)
	for c.recent.Len() > maxTitles {
		last := c.recent.Back()
		delete(c.folded, last.Value.(*deed.Title).Home())
		c.recent.Remove(last)
	}
}
