package agent

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/footage"
	"github.com/latchkey-cam/latchkey/letter"
)

// timelineRoom is how much of a letter timelines take before the rest is to be asked for
// again, and stretchRoom what one stretch of them takes.
const timelineRoom, stretchRoom = 700 << 10, 200

func span(s letter.Stretch) footage.Span { return footage.Span(s) }

// kept is the store, if what it has of that camera may be shown: the home has or had the
// camera, and what was recorded for those who lived here before is gone.
func (a *Agent) kept(id latchkey.CameraID) (*footage.Store, error) {
	t := a.chain.Title()
	if _, ok := t.AnyCamera(id); !ok {
		return nil, errNoCamera
	}
	store := a.archive.opened()
	if store == nil {
		s := a.archive.status()
		return nil, failure(string(s.Health), "What was recorded cannot be read now. "+s.Health.Says())
	}
	if !a.archive.ours(t.HandedOver()) {
		return nil, failure("clearing", "What was recorded before the home was handed over is being removed. Try again in a minute.")
	}
	if len(a.archive.deletedOf(store, id)) > 0 {
		return nil, failure("clearing", "What people of the home have had deleted is being removed. Try again in a minute.")
	}
	return store, nil
}

// tracks are those that a letter names.
var tracks = map[string]footage.Track{"main": footage.Main, "sub": footage.Sub}

func (a *Agent) timeline(ctx context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.Timeline)
	var all letter.Timelines
	room := timelineRoom
	for _, id := range ask.Cameras {
		store, err := a.kept(id)
		if err != nil {
			return nil, err
		}
		one, err := timelineOf(store, id, tracks[ask.Track], ask.Stretch)
		if err != nil {
			return nil, err
		}
		if room -= stretchRoom*(len(one.Pictures)+len(one.Holes)+len(one.Saved)) + 2*len(one.Motion) + 200; room < 0 && len(all.Cameras) > 0 {
			break
		}
		all.Cameras = append(all.Cameras, one)
	}
	return all, nil
}

// timelineOf puts together what the days in UTC have of a stretch.
func timelineOf(store *footage.Store, id latchkey.CameraID, track footage.Track, asked letter.Stretch) (letter.CameraTimeline, error) {
	const minute = 60_000_000
	one := letter.CameraTimeline{Camera: id}
	first := asked.From / minute
	motion := make([]byte, (asked.Until-1)/minute-first+1)
	for at := asked.From; at < asked.Until; {
		t, err := store.Timeline(id, track, at.Day())
		if err != nil {
			return one, err
		}
		day := at / (1440 * minute) * (1440 * minute)
		for _, s := range t.Pictures {
			one.Pictures = appendStretch(one.Pictures, s, asked)
		}
		for _, g := range t.Gaps {
			for _, s := range appendStretch(nil, g.Span, asked) {
				one.Holes = append(one.Holes, letter.Hole{Stretch: s, Reason: g.Reason.String(), Says: g.Reason.Says(), Loss: g.Reason.Loss()})
			}
		}
		for i, m := range t.Motion {
			if at := day/minute + latchkey.Time(i); at >= first && at-first < latchkey.Time(len(motion)) {
				motion[at-first] = m
			}
		}
		at = day + 1440*minute
	}
	for _, s := range store.Saved(id) { // whole: by exactly that span it is let go of
		if s.From < asked.Until && s.Until > asked.From {
			one.Saved = append(one.Saved, letter.Stretch{From: s.From, Until: s.Until})
		}
	}
	if slices.Max(motion) > 0 {
		one.Motion = motion
	}
	return one, nil
}

// appendStretch appends the part of a span that was asked for, if there is one.
func appendStretch(all []letter.Stretch, s footage.Span, asked letter.Stretch) []letter.Stretch {
	if part := (letter.Stretch{From: max(s.From, asked.From), Until: min(s.Until, asked.Until)}); part.From < part.Until {
		return append(all, part)
	}
	return all
}

func (a *Agent) stills(ctx context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.Stills)
	store, err := a.kept(ask.Camera)
	if err != nil {
		return nil, err
	}
	all, err := store.Stills(ctx, ask.Camera, span(ask.Stretch), int(ask.Most))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b footage.Group) int { return cmp.Compare(a.Start.Wall, b.Start.Wall) }) // the clock may have been set back
	strip := letter.Strip{Until: ask.Until}
	room := letter.MaxCarried
	for _, s := range all {
		if room -= len(s.Content); room < 0 {
			strip.Until = s.Start.Wall
			break
		}
		strip.Stills = append(strip.Stills, letter.Shot{Time: s.Start.Wall, JPEG: s.Content})
	}
	return strip, nil
}

func (a *Agent) footage(ctx context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.Footage)
	store, err := a.kept(ask.Camera)
	if err != nil {
		return nil, err
	}
	p := footageReply{ask: ask}
	for g, err := range store.Read(ctx, ask.Camera, tracks[ask.Track], span(ask.Stretch)) {
		if err != nil && !errors.Is(err, footage.ErrDamaged) {
			return nil, err
		}
		if !p.take(g, err != nil) {
			break
		}
	}
	return p.Pieces, nil
}

// footageReply is the groups of one reply.
type footageReply struct {
	letter.Pieces
	ask  letter.Footage
	used int64
}

// take takes a group, or as much of it as there is room for, and says whether there is room
// for more.
func (p *footageReply) take(g footage.Group, damaged bool) bool {
	sequence, offset := int64(g.Sequence), int64(0)
	if sequence < p.ask.Group && sequence != 0 {
		return true
	}
	if sequence == p.ask.Group {
		offset = min(p.ask.Offset, int64(len(g.Content)))
	}
	piece := letter.Piece{
		Sequence: sequence, Time: g.Start.Wall, Lasts: g.Duration.Microseconds(), Key: g.Key, Motion: int64(g.Motion), Damaged: damaged,
	}
	room := p.ask.Most - p.used
	if room <= 0 || len(p.Pieces.Pieces) == letter.MaxPieces || !damaged && !p.codedAs(g.Coding) {
		p.More, p.Group, p.Offset = true, sequence, offset
		return false
	}
	if damaged {
		p.Pieces.Pieces = append(p.Pieces.Pieces, piece)
		return true
	}
	n := min(room, int64(len(g.Content))-offset)
	piece.Offset, piece.Of, piece.Bytes = offset, int64(len(g.Content)), g.Content[offset:offset+n]
	if n > 0 {
		p.Pieces.Pieces = append(p.Pieces.Pieces, piece)
	}
	if p.used += n; offset+n < piece.Of {
		p.More, p.Group, p.Offset = true, sequence, offset+n
		return false
	}
	return true
}

// codedAs says whether a group goes on in the coding of those before it.
func (p *footageReply) codedAs(c *footage.Coding) bool {
	if p.Type == "" {
		p.Type, p.Init = c.Type, c.Init
	}
	return c.Type == p.Type && bytes.Equal(c.Init, p.Init)
}

func (a *Agent) save(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.Save)
	store, err := a.kept(ask.Camera)
	if err == nil {
		err = store.Save(ask.Camera, span(ask.Stretch))
	}
	return letter.Done{}, err
}

func (a *Agent) unsave(_ context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.Unsave)
	store, err := a.kept(ask.Camera)
	if err == nil {
		err = store.Unsave(ask.Camera, span(ask.Stretch))
	}
	return letter.Done{}, err
}

func (a *Agent) deleteFootage(ctx context.Context, c letter.Command, _ func(letter.Progress)) (letter.Reply, error) {
	ask := c.(letter.DeleteFootage)
	store, err := a.kept(ask.Camera)
	if err == nil {
		err = store.Delete(ctx, ask.Camera, span(ask.Stretch))
	}
	return letter.Done{}, err
}
