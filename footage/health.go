package footage

import (
	"errors"
	"time"

	"github.com/latchkey-cam/latchkey/internal/durable"
)

// Health says whether a store keeps what it is given. The words are those of the
// agent's spool.
type Health string

// The states of a store's health.
const (
	HealthOK        Health = "ok"
	HealthFull      Health = "full"                    // the bound given by its owner; all that is left is saved
	HealthDiskFull         = Health(durable.DiskFull)  // the machine's disk: of bytes, files or quota
	HealthReadOnly         = Health(durable.ReadOnly)  // the disk takes no writing
	HealthForbidden        = Health(durable.Forbidden) // the folder is another user's
	HealthAway             = Health(durable.Away)      // the disk is not there
	HealthSlow      Health = "slow"                    // the disk does not keep up
	HealthFailing          = Health(durable.Failing)   // another error of the disk
)

// patience is how long the disk may take for one group before it is called slow, and
// for how long it is after something was lost because of it.
const patience = 20 * time.Second

// Says returns a sentence for people: what is wrong and what to do, "" if nothing is.
func (h Health) Says() string {
	switch h {
	case HealthFull:
		return "As much footage is kept as is allowed, and all of it is saved: nothing new is recorded. Allow more, or let go of something that is saved."
	case HealthDiskFull:
		return "The disk for footage is full, and nothing on it can be removed to make room: nothing new is recorded. Make room on it, or let go of something that is saved."
	case HealthReadOnly:
		return "The disk for footage can only be read: nothing new is recorded. Disks do that when they fail; check it (dmesg says why), and mount it for writing again."
	case HealthForbidden:
		return "The folder for footage may not be written by the user that the agent runs as: nothing new is recorded. Give it back: sudo chown -R USER FOLDER."
	case HealthAway:
		return "The disk for footage is not there: nothing new is recorded. Plug it in and mount it at the same place; the agent notices. If it is gone for good name another folder: --footage FOLDER."
	case HealthSlow:
		return "The disk for footage does not keep up: some of what the cameras send is lost. Is it a tired SD card, or a network disk whose server is away?"
	case HealthFailing:
		return "The disk for footage gives errors: nothing new is recorded. The log says more."
	}
	return ""
}

// HealthOf says what an error of the store, or of opening it, makes of its health.
func HealthOf(err error) Health {
	switch {
	case err == nil:
		return HealthOK
	case errors.Is(err, ErrFull):
		return HealthFull
	case errors.Is(err, ErrBehind):
		return HealthSlow
	case errors.Is(err, ErrDiskFull):
		return HealthDiskFull
	}
	return Health(durable.TroubleOf(err))
}

// reasonOf is why a group was lost that could not be kept because of err.
func reasonOf(err error) Reason {
	if errors.Is(err, ErrTooLarge) {
		return Refused
	}
	return map[Health]Reason{
		HealthFull: Full, HealthDiskFull: DiskFull, HealthReadOnly: ReadOnly, HealthForbidden: Forbidden,
		HealthAway: Away, HealthSlow: Slow, HealthFailing: Failing,
	}[HealthOf(err)]
}

// Status is how a store is doing.
type Status struct {
	Health    Health    `json:"health"`
	Since     time.Time `json:"since"`
	Bytes     int64     `json:"bytes"`                  // of segments
	Segments  int       `json:"segments"`               // on the disk
	Lost      uint64    `json:"lost"`                   // groups not kept since the start
	Evicted   uint64    `json:"evicted"`                // segments removed since the start before their time
	Until     time.Time `json:"evicted_until,omitzero"` // of what was removed before its time, and whose days are not over yet; zero for nothing
	Unopened  int       `json:"unopened"`               // segments that do not open
	Forgotten int       `json:"forgotten"`              // indexes that did not open at the start
	Repaired  int       `json:"repaired"`               // segments about which index and disk did not agree at the start
}

// Status says how the store is doing. It asks no disk, so that it answers while one
// hangs.
func (s *Store) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Health: s.health, Since: s.since, Bytes: s.bytes, Lost: s.lost, Evicted: s.evicted, Forgotten: s.forgotten, Repaired: s.repaired}
	if st.Health == HealthOK && !s.behind.IsZero() && time.Since(s.behind) < patience {
		st.Health, st.Since = HealthSlow, s.behind
	}
	for _, sh := range s.shelves {
		if w := sh.writer; w != nil && !w.busy.IsZero() && time.Since(w.busy) > patience && (st.Health != HealthSlow || w.busy.Before(st.Since)) {
			st.Health, st.Since = HealthSlow, w.busy
		}
		for _, x := range sh.days {
			st.Segments += len(x.entries)
			for _, g := range x.gaps {
				if until := g.Until.Time(); g.reason == Evicted && until.After(st.Until) {
					st.Until = until
				}
			}
			for _, e := range x.entries {
				if e.state == shut {
					st.Unopened++
				}
			}
		}
	}
	return st
}

// judge keeps the store's health after an attempt to keep a group.
func (s *Store) judge(err error) {
	health := HealthOf(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.vain = s.vain && err != nil
	if health == s.health {
		return
	}
	if err != nil {
		s.log.Error("footage is not kept", "health", string(health), "error", err)
	} else {
		s.log.Info("footage is kept again")
	}
	s.health, s.since = health, time.Now()
}
