package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/tombstone"
)

// maxTombstoneBytes is how many bytes of tombstones go in one answer or message.
const maxTombstoneBytes = 256 << 10

// delete takes tombstones of somebody who lives here. From the archive's commit on nothing
// that they cover is listed, handed out or taken; the bytes go in steps afterwards.
func (s *Server) delete(a *asking) error {
	var in api.PutTombstones
	if err := a.read(&in); err != nil {
		return err
	}
	if err := a.aboutHome(in.Home); err != nil {
		return err
	}
	if len(in.Tombstones) < 1 || len(in.Tombstones) > api.MaxTombstones {
		return malformed("Want 1 to 32 tombstones.")
	}
	if err := s.bury(a.r.Context(), a, a.title, in.Tombstones, tombstone.Tombstone.Now); err != nil {
		return err
	}
	a.answer(api.HomeOK{Home: a.home, OK: true})
	return nil
}

// bury keeps tombstones that hold by the title, and by what else is asked of them. By is
// the request that brings them, nil if there is none.
func (s *Server) bury(ctx context.Context, by *asking, t *deed.Title, all [][]byte, also func(tombstone.Tombstone, *deed.Title) error) error {
	var good []tombstone.Tombstone
	for _, b := range all {
		one, err := tombstone.Parse(b)
		if err == nil {
			err = one.Verify(t)
		}
		if err == nil {
			err = also(one, t)
		}
		if err != nil {
			return objectRefusal(err)
		}
		good = append(good, one)
	}
	switch err := s.config.Archive.Tombstones.PutTombstones(ctx, t.Home(), good); {
	case errors.Is(err, archive.ErrTooMany):
		return refuse(http.StatusTooManyRequests, api.TooMany, "The home has as many deletions on record as it may.")
	case err != nil:
		return err
	}
	s.log.Info("deleted", "home", t.Home(), "tombstones", len(good))
	s.deletions.soon()
	if slices.ContainsFunc(good, func(t tombstone.Tombstone) bool { return t.Scope == tombstone.Home }) {
		s.cuts.gone(t.Home(), by)
	}
	s.news.soon()
	s.hub.changed(t.Home(), api.EventsChanged)
	s.hub.changed(t.Home(), api.DeedsChanged) // which is when agents are told
	return nil
}

// tombstonesOf reads tombstones of a home, and refuses what is another's.
func (s *Server) tombstonesOf(ctx context.Context, home latchkey.HomeID, above uint64) (all [][]byte, err error) {
	rows, err := s.config.Archive.Tombstones.TombstonesAbove(ctx, home, above, maxTombstoneBytes)
	if err != nil {
		return nil, err
	}
	for i, row := range rows {
		t, _ := tombstone.Parse(row.Bytes) // what does not parse is of no home
		if row.Home != home || row.Number != above+uint64(i)+1 || t.Home != home {
			s.alarm.misroute("tombstone", true, "asked", home.String(), "found", row.Home.String())
			return nil, misroute()
		}
		all = append(all, row.Bytes)
	}
	return all, nil
}

func (s *Server) tombstones(a *asking) error {
	q, err := a.query()
	if err != nil {
		return err
	}
	above, err := number(q, "above", 0, latchkey.MaxInt, 0)
	if err != nil {
		return err
	}
	all, err := s.tombstonesOf(a.r.Context(), a.home, above)
	if err != nil {
		return err
	}
	a.answer(api.Tombstones{Home: a.home, Count: a.place.Tombstones, Tombstones: some(all)})
	return nil
}

func (s *Server) usage(a *asking) error {
	u, err := s.config.Archive.Objects.Usage(a.r.Context(), a.home)
	if err != nil {
		return err
	}
	if u.Home != a.home {
		s.alarm.misroute("usage", true, "asked", a.home.String(), "found", u.Home.String())
		return misroute()
	}
	a.answer(api.Usage{Home: a.home, Objects: u.Objects, Bytes: u.Bytes, Most: s.config.MaxHomeBytes})
	return nil
}

// alive refuses an upload that a tombstone covers, before a byte of its body is read. The
// index asks again in the transaction that would keep it.
func (s *Server) alive(ctx context.Context, h sealed.Header) error {
	gone, err := s.config.Archive.Tombstones.Deleted(ctx, h.Binding)
	if err == nil && gone {
		return deletedObject()
	}
	return err
}

func deletedObject() *refusal {
	return refuse(http.StatusConflict, api.Deleted, "People of the home have had this deleted. It is not taken any more.").after(time.Minute)
}

// deletions removes, in bounded steps, what was deleted and what was kept for as long as
// its home wants it kept. It is the only thing that removes what was stored.
type deletions struct {
	server *Server
	wake   chan struct{} // has one place

	dropped time.Time // when it was last looked for what no index names; of run
}

// soon has what was deleted removed now.
func (d *deletions) soon() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// How much goes in one step, which holds the archive's one place to write; how often it is
// looked for what was kept for long enough, for the first time soon after the start; and
// when what went wrong is tried again.
const (
	deleteAtOnce = 128
	expireEvery  = time.Hour
	expireFirst  = time.Minute
	deleteAgain  = time.Minute
)

// run removes until ctx ends.
func (d *deletions) run(ctx context.Context) {
	timer := time.NewTimer(expireFirst)
	defer timer.Stop()
	for expire := false; ; {
		if err := d.step(ctx, expire); err != nil && ctx.Err() == nil {
			d.server.log.Warn("what is deleted is not removed yet", "error", err)
			timer.Reset(deleteAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
			expire = false
		case <-timer.C:
			expire = true
			timer.Reset(expireEvery)
		}
	}
}

func (d *deletions) step(ctx context.Context, expire bool) error {
	if err := d.unlist(ctx); err != nil {
		return err
	}
	if expire {
		if err := d.expire(ctx); err != nil {
			return err
		}
		if err := d.drop(ctx); err != nil {
			return err
		}
	}
	return d.remove(ctx)
}

// unlist takes what tombstones cover out of the index.
func (d *deletions) unlist(ctx context.Context) error {
	for {
		home, err := d.server.config.Archive.Deletions.Unlist(ctx, deleteAtOnce)
		if err != nil || home == (latchkey.HomeID{}) {
			return err
		}
		if err := d.remove(ctx); err != nil {
			return err
		}
	}
}

// expire takes out of every home's index what it does not want kept any longer. What that
// is says the home's newest deed; a home whose deeds cannot be read keeps all.
func (d *deletions) expire(ctx context.Context) error {
	s := d.server
	for after := (latchkey.HomeID{}); ; {
		homes, err := s.config.Archive.Deletions.HomesAfter(ctx, after, deleteAtOnce)
		if err != nil || len(homes) == 0 {
			return err
		}
		for _, home := range homes {
			after = home
			title, err := s.titles.of(ctx, home)
			if err != nil {
				s.log.Warn("a home whose deeds cannot be read keeps everything", "home", home, "error", err)
				continue
			}
			if err := d.expireOf(ctx, title); err != nil {
				return err
			}
		}
	}
}

func (d *deletions) expireOf(ctx context.Context, t *deed.Title) error {
	days, bytes := t.Retention()
	if days == 0 && bytes == 0 {
		return nil
	}
	var before latchkey.Time
	if days > 0 {
		before = timeOf(d.server.now().AddDate(0, 0, -int(days)))
	}
	for {
		n, err := d.server.config.Archive.Deletions.Expire(ctx, t.Home(), before, bytes, deleteAtOnce)
		if err != nil || n == 0 {
			return err
		}
		d.server.counters.expired.Add(float64(n))
		if err := d.remove(ctx); err != nil {
			return err
		}
	}
}

// remove removes the bytes of what has left the index. An upload under way keeps its own:
// the index does not take it, and the next step finds it ended.
func (d *deletions) remove(ctx context.Context) error {
	s := d.server
	for {
		names, err := s.config.Archive.Deletions.Leaving(ctx, deleteAtOnce)
		if err != nil || len(names) == 0 {
			return err
		}
		for _, n := range names {
			if err := s.config.Blobs.Remove(ctx, n); err != nil {
				return err
			}
			if err := s.config.Archive.Deletions.Left(ctx, n); err != nil {
				return err
			}
		}
	}
}
