package bound

import "sync/atomic"

// Stats is what a cache has done since it was made.
type Stats struct {
	Tiers      []TierStats // in the order of the configuration
	Origin     uint64      // reads of the origin
	Failed     uint64      // of them: errors
	Crossed    uint64      // of them: answers to another question
	Stale      uint64      // of them: answers below the floor
	Refused    uint64      // reads that the budget, or the bound on flights, did not allow
	Joined     uint64      // reads that waited for somebody else's of the same question
	Refreshed  uint64      // reads of the origin before the answer had expired
	Oversize   uint64      // answers that were handed out and not stored, for their size
	Panics     uint64      // of origins
	LostAlarms uint64      // incidents that nobody was told of because too many came at once
}

// TierStats is what one tier has done.
type TierStats struct {
	Name        string
	State       State
	Hits        uint64 // fresh answers
	Misses      uint64 // nothing there
	Misrouted   uint64 // genuine values that answer another question
	Damaged     uint64 // what is not as it was stored, and what is no value
	UnknownKey  uint64 // values under a key that is not ours
	Old         uint64 // values below the floor
	Expired     uint64 // values stored too long ago, or after now
	Failed      uint64 // reads that failed
	Unasked     uint64 // reads while the tier was in quarantine, being replaced, or too late
	OutOfStep   uint64 // replies that nobody had asked for
	Writes      uint64 // writes that failed
	Panics      uint64 // of the client
	Replaced    uint64 // clients that were thrown away
	Quarantines uint64
}

// tally counts what [TierStats] shows.
type tally struct {
	verdicts                                 [verdicts]atomic.Uint64
	outOfStep, writes, replaced, quarantines atomic.Uint64
}

func (t *tally) count(v verdict) { t.verdicts[v].Add(1) }

func (t *tier) stats() TierStats {
	state := t.ward.state(t.now())
	if state != Isolated && t.store.current() == nil {
		state = Replacing
	}
	n := func(v verdict) uint64 { return t.tally.verdicts[v].Load() }
	return TierStats{
		Name: t.name, State: state,
		Hits: n(fresh), Misses: n(absent), Misrouted: n(misrouted), Damaged: n(damaged),
		UnknownKey: n(unknown), Old: n(old), Expired: n(expired), Failed: n(failed), Unasked: n(unasked),
		OutOfStep: t.tally.outOfStep.Load(), Writes: t.tally.writes.Load(), Panics: n(panicked),
		Replaced: t.tally.replaced.Load(), Quarantines: t.tally.quarantines.Load(),
	}
}

// Stats says what the cache has done.
func (c *Cache) Stats() Stats {
	s := Stats{
		Origin: c.tally.origin.Load(), Failed: c.tally.failed.Load(), Crossed: c.tally.crossed.Load(), Stale: c.tally.stale.Load(),
		Refused: c.tally.refused.Load(), Joined: c.tally.joined.Load(), Refreshed: c.tally.refreshed.Load(),
		Oversize: c.tally.oversize.Load(), Panics: c.tally.panics.Load(), LostAlarms: c.tally.lostAlarms.Load(),
	}
	for _, t := range c.tiers {
		s.Tiers = append(s.Tiers, t.stats())
	}
	return s
}

// reads counts what [Stats] shows beside the tiers.
type reads struct {
	origin, failed, crossed, stale, refused, joined, refreshed, oversize, panics, lostAlarms atomic.Uint64
}
