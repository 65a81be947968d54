package server

import (
	"context"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// A backup has what was deleted since it was made. So agents keep the tombstones of their
// home, and one that has others than its server gives it all of them, before the home is
// opened again: nothing that was deleted is shown by a restored server while an agent of
// the home remembers.

// parseMark reads the place in a list that a hello names.
func parseMark(text string) (m archive.Mark, err error) {
	if text == "" {
		return m, nil
	}
	number, digest, _ := strings.Cut(text, ":")
	m.Number, err = strconv.ParseUint(number, 10, 53)
	b, hexErr := hex.DecodeString(digest)
	if err = errors.Join(err, hexErr); err != nil || len(b) != len(m.Digest) || m.Number == 0 {
		return m, malformed("The hello's place in the list of tombstones does not parse.")
	}
	m.Digest = [32]byte(b)
	return m, nil
}

// takeTombstones has the agent give what this server lacks, if it has followed another
// list than this server's, and remembers from where on it is told.
func (t *conversation) takeTombstones(ctx context.Context, hello api.Hello, title *deed.Title) error {
	s := t.server
	m, err := parseMark(hello.Tombstones)
	if err != nil {
		return err
	}
	is, err := s.config.Archive.Tombstones.Mark(ctx, t.home, m.Number)
	switch {
	case errors.Is(err, archive.ErrNotFound):
	case err != nil:
		return err
	case is.Home != t.home:
		s.alarm.misroute("tombstone", true, "asked", t.home.String(), "found", is.Home.String())
		return misroute()
	case is.Digest == m.Digest && is.Number == m.Number:
		t.buried = m.Number
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, giveBackWithin)
	defer stop()
	t.conn.SetReadLimit(maxFrame)
	if err := t.send(ctx, api.TombstonesLost{ID: hello.ID, Home: t.home}); err != nil {
		return err
	}
	for count, last := 0, false; !last; {
		f, err := t.receive(ctx)
		if err != nil {
			return err
		}
		g, _ := f.(api.TombstonesFrame) // another message is of no home
		if count += len(g.Tombstones); g.Home != t.home || len(g.Tombstones) < 1 || count > tombstone.MaxInHome {
			return malformed("Want the tombstones that the agent has.")
		}
		if err := s.bury(ctx, nil, title, g.Tombstones, func(tombstone.Tombstone, *deed.Title) error { return nil }); err != nil {
			return err
		}
		last = g.Last
	}
	s.log.Warn("tombstones were given back", "home", t.home, "agent", t.agent.ID)
	return nil
}

// end tells an agent whose home was deleted how that came about: the deeds that it has not
// seen, and the tombstones. It may have been away for long, and believes nobody's word.
func (t *conversation) end(ctx context.Context, hello api.Hello, title *deed.Title) error {
	head, _ := hello.KnownHead() // it parses, or the hello was refused
	from := uint64(0)
	if head != nil {
		from = head.Seq + 1
	}
	for from <= title.Head().Seq {
		deeds := firstOf(title.Deeds(from), maxDeedBytes)
		from += uint64(len(deeds))
		hash, _ := title.HashAt(from - 1) // below the head
		if err := t.send(ctx, api.DeedsFrame{Home: t.home, Head: api.Head{Seq: from - 1, Hash: hash}, Deeds: deeds}); err != nil {
			return err
		}
	}
	t.told = title.Head()
	if err := t.tellDeleted(ctx); err != nil {
		return err
	}
	return homeDeleted()
}

// tellDeleted sends the agent the tombstones that it was not sent yet, behind the deeds:
// one may be signed at the newest.
func (t *conversation) tellDeleted(ctx context.Context) error {
	for {
		head, err := t.server.heads.of(ctx, t.home)
		if err != nil || head.Tombstones <= t.buried || head.Head != t.told {
			return err // more deeds are told next, and then these
		}
		all, err := t.server.tombstonesOf(ctx, t.home, t.buried)
		if err != nil {
			return err
		}
		all = all[:min(uint64(len(all)), head.Tombstones-t.buried)] // what came since may be signed at a deed that came since
		reached := t.buried + uint64(len(all))
		if len(all) == 0 {
			return nil // another server's archive is behind
		}
		if err := t.send(ctx, api.TombstonesFrame{Home: t.home, Above: t.buried, Tombstones: all, Last: reached >= head.Tombstones}); err != nil {
			return err
		}
		t.buried = reached
	}
}
