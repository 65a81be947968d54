package gate

import (
	"cmp"
	"slices"
	"time"
)

// queue decides who goes in when. It has no clock and no goroutine of its own, so that a
// simulation runs what runs in production.
type queue struct {
	patience, farthest time.Duration

	at     time.Time // everything up to then is decided
	pace   pace
	credit float64 // so many can go in now
	lines  [ranks]line
	strains
}

// waiter is somebody at the gate.
type waiter struct {
	rank   Rank
	number uint64
	since  time.Time
	enter  chan struct{} // closed when they may go in, or wait no longer
	later  time.Duration // in which they are to come back; 0 if they may go in
}

// line is those of one rank. Everybody has a number, each the next. The turn moves on with
// those who go in, and at their pace if nobody is there: who does not come back delays nobody.
type line struct {
	turn    float64 // the number whose turn it is
	last    uint64  // the last number that was given
	used    bits
	waiting []*waiter // by number

	went          float64 // in since everything was decided
	rate          float64 // at which the rank goes in, a second
	entered, sent uint64
}

const (
	// atOnce is for how long what nobody has used can be used later.
	atOnce = 100 * time.Millisecond
	// longest is what is decided at a time: after a longer sleep nothing is made up for.
	longest = time.Second
	// lately is over how long the rate is taken at which a rank goes in.
	lately = 2 * time.Second
	// share is what those who are not first have of the pace at least.
	share = 0.1
)

func newQueue(c Config, now time.Time) queue {
	return queue{patience: c.Patience, farthest: c.Farthest, at: now, pace: pace{rate: c.First, least: c.Least, usual: c.First, fallen: now}, strains: strains{calm: now}}
}

// arrive takes somebody who has come, with a number or without. If it is to be too long
// until their turn they are not taken, and it says after which time they are to come
// back, and whether their number is kept for them.
func (q *queue) arrive(now time.Time, w *waiter, numbered bool) (after time.Duration, kept bool) {
	q.decide(now)
	l := &q.lines[w.rank]
	if kept = numbered && l.used.free(w.number, l.last); !kept {
		w.number = l.last + 1
		if kept = l.used.reach(w.number, uint64(l.turn)); kept {
			l.last = w.number
		}
	}
	after = q.until(w)
	full := len(l.waiting) > int(q.pace.rate*q.patience.Seconds())
	if kept && !full && (after <= q.patience || q.idle(w.rank)) {
		l.used.set(w.number, true)
		w.since = now
		l.waiting = slices.Insert(l.waiting, l.index(w), w)
		return 0, true
	}
	l.sent++
	if full {
		after = max(after, q.patience)
	}
	return min(max(after, atOnce), q.farthest), kept
}

// idle says whether somebody of a rank could go in and nobody is there to: then whoever comes
// need not wait for those who have not come.
func (q *queue) idle(rank Rank) bool {
	for i := range q.lines {
		if len(q.lines[i].waiting) > 0 {
			return false
		}
	}
	return q.credit >= q.needs(rank, false)
}

// until is how long it is until somebody's turn.
func (q *queue) until(w *waiter) time.Duration {
	ahead := float64(w.number) - q.lines[w.rank].turn
	seconds := max(ahead, 0) / q.left(w.rank)
	return time.Duration(min(seconds, q.farthest.Seconds()) * float64(time.Second))
}

// left is the rate at which a rank can go in beside those before it.
func (q *queue) left(rank Rank) float64 {
	left := q.pace.usual
	for _, before := range q.lines[:rank] {
		left -= before.rate
	}
	return max(left, share*q.pace.usual)
}

func (l *line) index(w *waiter) int {
	i, _ := slices.BinarySearchFunc(l.waiting, w, func(a, b *waiter) int { return cmp.Compare(a.number, b.number) })
	return i
}

// leave is for a waiter who does not wait any more: the place is theirs as before.
func (q *queue) leave(w *waiter) {
	l := &q.lines[w.rank]
	if i := l.index(w); i < len(l.waiting) && l.waiting[i] == w {
		l.waiting = slices.Delete(l.waiting, i, i+1)
		l.used.set(w.number, false)
	}
}

// decide brings everything up to now.
func (q *queue) decide(now time.Time) {
	dt := min(now.Sub(q.at), longest)
	if dt <= 0 {
		return
	}
	q.at = now
	q.pace.step(now, dt, q.credit < 1, q.strains.step(now))
	let := q.pace.rate * dt.Seconds()
	q.credit = min(q.credit+let, max(1, q.pace.rate*atOnce.Seconds()))
	weight := min(dt.Seconds()/lately.Seconds(), 1)
	for i := range q.lines {
		l := &q.lines[i]
		l.rate += (l.went/dt.Seconds() - l.rate) * weight
		l.went = 0
		if len(l.waiting) == 0 {
			l.turn = min(l.turn+q.left(Rank(i))*dt.Seconds(), float64(l.last))
		}
	}
}

// advance returns those who wait no longer: they may go in now, or, because fewer go in
// than it seemed when they came, it is not yet their turn.
func (q *queue) advance(now time.Time) (done []*waiter) {
	q.decide(now)
	for {
		l := q.first()
		if l == nil {
			break
		}
		q.credit--
		if l.waiting[0].number > uint64(l.turn) {
			l.turn++
		}
		l.went++
		l.entered++
		done = append(done, l.waiting[0])
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
	}
	for i := range q.lines {
		l := &q.lines[i]
		l.waiting = slices.DeleteFunc(l.waiting, func(w *waiter) bool {
			if now.Sub(w.since) < q.patience {
				return false
			}
			l.used.set(w.number, false)
			l.sent++
			w.later = max(q.until(w), atOnce)
			done = append(done, w)
			return true
		})
	}
	return done
}

// first is the line out of which somebody may go in now: the first in which somebody waits,
// but that each so-many-th who goes in is of another.
func (q *queue) first() (first *line) {
	shared := q.shared()
	for i := range q.lines {
		l := &q.lines[i]
		if len(l.waiting) > 0 && q.credit >= q.needs(Rank(i), shared) && (first == nil || shared) {
			first = l
		}
	}
	return first
}

// shared says whether the next who goes in is not of the first line in which somebody waits.
func (q *queue) shared() bool {
	var entered uint64
	for i := range q.lines {
		entered += q.lines[i].entered
	}
	return entered%uint64(1/share) == 0
}

// needs is how much credit somebody of a rank needs. Persons go in on the credit of those who
// come later, and so do the others where it is their share.
func (q *queue) needs(rank Rank, shared bool) float64 {
	if rank == Person || shared {
		return 1 - q.pace.rate*atOnce.Seconds()
	}
	return 1
}

// next is how long it is until there may be something to decide for somebody who waits.
func (q *queue) next() (after time.Duration, ok bool) {
	for i := range q.lines {
		if len(q.lines[i].waiting) == 0 {
			continue
		}
		seconds := max(q.needs(Rank(i), q.shared())-q.credit, 0) / q.pace.rate
		return min(max(time.Duration(seconds*float64(time.Second)), time.Millisecond), q.patience), true
	}
	return 0, false
}
