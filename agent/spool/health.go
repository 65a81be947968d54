package spool

import (
	"errors"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

// Health says whether a spool takes what it is given.
type Health string

// The states of a spool's health.
const (
	Healthy   Health = "ok"
	Full      Health = "full"                    // the bound given by its owner
	DiskFull         = Health(durable.DiskFull)  // the machine's disk: of bytes, files or quota
	ReadOnly         = Health(durable.ReadOnly)  // the disk takes no writing
	Forbidden        = Health(durable.Forbidden) // the folder is another user's
	Away             = Health(durable.Away)      // the disk is not there
	Slow      Health = "slow"                    // something has been waiting for the disk
	Failing          = Health(durable.Failing)   // another error of the disk
)

// patience is how long the disk may take for one object before it is called slow. A
// clip of a minute takes a tired SD card some seconds.
const patience = 20 * time.Second

// Status is how a spool is doing.
type Status struct {
	Health  Health    `json:"health"`
	Since   time.Time `json:"since"`
	Objects int       `json:"objects"` // waiting
	Bytes   int64     `json:"bytes"`   // waiting
	Refused int       `json:"refused"` // by the server, for good; kept while there is room
	Damaged int       `json:"damaged"` // set aside; kept while there is room
	Lost    uint64    `json:"lost"`    // not taken since the start, because of Health
	Dropped uint64    `json:"dropped"` // refused or damaged ones removed since the start to make room
}

// Says returns a sentence for people: what is wrong with the spool and what to do, ""
// if nothing is.
func (s Status) Says() string {
	switch s.Health {
	case Full:
		return "As much waits for the server as is allowed: nothing new is kept until something is uploaded. Allow more with --spool, or see why the server does not take it."
	case DiskFull:
		return "The disk is full: nothing new is kept. Make room on it."
	case ReadOnly:
		return "The disk can only be read: nothing new is kept. Disks do that when they fail; check it (dmesg says why), and mount it for writing again."
	case Forbidden:
		return "The agent's folder may not be written by the user that the agent runs as: nothing new is kept. Give it back: sudo chown -R USER FOLDER."
	case Away:
		return "The disk with the agent's folder is not there: nothing new is kept. Plug it in and mount it at the same place; the agent notices."
	case Slow:
		return "The disk is so slow that something has been waiting for it since then: what happens meanwhile may be lost. Is it a tired SD card, or a network disk whose server is away?"
	case Failing:
		return "The disk gives errors: nothing new is kept. The log says more."
	}
	return ""
}

// Status says how the spool is doing. It asks no disk, so that it answers while one
// hangs.
func (s *Spool) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Health: s.health, Since: s.since, Lost: s.refused, Dropped: s.dropped, Damaged: s.unread}
	for _, began := range s.writing {
		if time.Since(began) > patience && (st.Health != Slow || began.Before(st.Since)) {
			st.Health, st.Since = Slow, began
		}
	}
	for _, l := range s.lanes {
		st.Objects += len(l)
		for _, item := range l {
			st.Bytes += item.Length
		}
	}
	for _, c := range s.dead {
		if c.damaged {
			st.Damaged++
		} else {
			st.Refused++
		}
	}
	return st
}

func (s *Spool) begin(id latchkey.ObjectID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writing[id] = time.Now()
}

func (s *Spool) finish(id latchkey.ObjectID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.writing, id)
}

// judge keeps the spool's health after an attempt to add.
func (s *Spool) judge(err error) {
	if errors.Is(err, errContent) {
		return // says nothing about the disk
	}
	health := healthOf(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.refused++
	}
	if health != s.health {
		if err != nil {
			s.log.Error("the spool does not take what it is given", "health", string(health), "error", err)
		} else {
			s.log.Info("the spool takes what it is given again")
		}
		s.health, s.since = health, time.Now()
	}
}

func healthOf(err error) Health {
	switch {
	case err == nil:
		return Healthy
	case errors.Is(err, ErrFull):
		return Full
	case errors.Is(err, ErrDiskFull):
		return DiskFull
	}
	return Health(durable.TroubleOf(err))
}
