package server

import (
	"container/list"
	"context"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// maxHeads is how many homes' heads are remembered; the one asked for longest ago goes
// first.
const maxHeads = 1 << 16

// heads knows where the homes' chains end, when each last moved and how much it has
// indexed. It is from here that a question gets the floor below which nothing answers it.
//
// The archive is asked each time, unless this server is the only one that changes it:
// then a head is remembered until this server has changed something of its home
// ([forgetful]), and only as long as the lease is fresh. Between servers that would not
// be enough: somebody who was removed at one could go on at another until the news came.
type heads struct {
	homes archive.Homes
	alarm *alarm
	alone bool
	fresh func() bool // the lease

	mu     sync.Mutex // protects what follows
	places map[latchkey.HomeID]*list.Element
	recent *list.List // of *place, the one asked for last in front
}

// place is one home's head. It is put into the map before the archive is asked, so that
// a change which comes in between takes it out again and what is read is not kept.
type place struct {
	home  latchkey.HomeID
	known bool
	head  archive.HomeHead
}

func newHeads(homes archive.Homes, a *alarm, alone bool, fresh func() bool) *heads {
	return &heads{homes: homes, alarm: a, alone: alone, fresh: fresh, places: map[latchkey.HomeID]*list.Element{}, recent: list.New()}
}

// of returns the head of a home. Error: [archive.ErrNotFound].
func (h *heads) of(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	if !h.alone || !h.fresh() {
		return h.read(ctx, home)
	}
	p, head, known := h.find(home)
	if known {
		return head, nil
	}
	head, err := h.read(ctx, home)
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.places[home]; ok && e.Value == p {
		if err != nil {
			h.drop(e) // homes that are not there take no room
		} else {
			p.head, p.known = head, true
		}
	}
	return head, err
}

// read asks the archive.
func (h *heads) read(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	head, err := h.homes.Head(ctx, home)
	if err == nil && head.Home != home {
		h.alarm.misroute("head", true, "asked", home.String(), "found", head.Home.String())
		return archive.HomeHead{}, misroute()
	}
	return head, err
}

// find returns the place of a home, and the head if it is known.
func (h *heads) find(home latchkey.HomeID) (p *place, head archive.HomeHead, known bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.places[home]; ok {
		h.recent.MoveToFront(e)
		p = e.Value.(*place)
		return p, p.head, p.known
	}
	p = &place{home: home}
	h.places[home] = h.recent.PushFront(p)
	if h.recent.Len() > maxHeads {
		h.drop(h.recent.Back())
	}
	return p, head, false
}

// forget has the archive asked again for a home.
func (h *heads) forget(home latchkey.HomeID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e, ok := h.places[home]; ok {
		h.drop(e)
	}
}

func (h *heads) drop(e *list.Element) {
	delete(h.places, e.Value.(*place).home)
	h.recent.Remove(e)
}

// forgetful returns the archive such that after each of its calls that changes what a
// head says, the head is forgotten: whatever the call returned, as it may have failed
// after the commit.
func forgetful(a archive.Archive, h *heads) archive.Archive {
	a.Homes = forgetfulHomes{a.Homes, h}
	a.Sessions = forgetfulSessions{a.Sessions, h}
	a.Objects = forgetfulObjects{a.Objects, h}
	a.Tombstones = forgetfulTombstones{a.Tombstones, h}
	a.Deletions = forgetfulDeletions{a.Deletions, h}
	return a
}

type forgetfulHomes struct {
	archive.Homes
	heads *heads
}

func (f forgetfulHomes) Append(ctx context.Context, onto latchkey.Head, g archive.Growth) error {
	defer f.heads.forget(g.Home)
	return f.Homes.Append(ctx, onto, g)
}

func (f forgetfulHomes) Reopen(ctx context.Context, home latchkey.HomeID, confirmed latchkey.Head) error {
	defer f.heads.forget(home)
	return f.Homes.Reopen(ctx, home, confirmed)
}

type forgetfulSessions struct {
	archive.Sessions
	heads *heads
}

// StartSession may end the oldest of a device's sessions.
func (f forgetfulSessions) StartSession(ctx context.Context, s archive.Session) error {
	defer f.heads.forget(s.Home)
	return f.Sessions.StartSession(ctx, s)
}

func (f forgetfulSessions) EndSession(ctx context.Context, home latchkey.HomeID, session latchkey.SessionID) error {
	defer f.heads.forget(home)
	return f.Sessions.EndSession(ctx, home, session)
}

type forgetfulObjects struct {
	archive.Objects
	heads *heads
}

func (f forgetfulObjects) Index(ctx context.Context, e archive.Entry) error {
	defer f.heads.forget(e.Header.Binding.Home)
	return f.Objects.Index(ctx, e)
}

type forgetfulTombstones struct {
	archive.Tombstones
	heads *heads
}

func (f forgetfulTombstones) PutTombstones(ctx context.Context, home latchkey.HomeID, all []tombstone.Tombstone) error {
	defer f.heads.forget(home)
	return f.Tombstones.PutTombstones(ctx, home, all)
}

type forgetfulDeletions struct {
	archive.Deletions
	heads *heads
}

func (f forgetfulDeletions) Unlist(ctx context.Context, max int) (home latchkey.HomeID, err error) {
	defer func() { f.heads.forget(home) }()
	return f.Deletions.Unlist(ctx, max)
}

func (f forgetfulDeletions) Expire(ctx context.Context, home latchkey.HomeID, before latchkey.Time, bytes uint64, max int) (int, error) {
	defer f.heads.forget(home)
	return f.Deletions.Expire(ctx, home, before, bytes, max)
}
