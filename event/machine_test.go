package event

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/clock"
	"github.com/latchkey-cam/latchkey/media"
	"github.com/latchkey-cam/latchkey/motion"
)

// The machine knows no clock, so its rules are tested from inside, in no time; the
// whole watching is tested by the other files, with real cameras.

var noon = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// bench is a machine with a stream of 10 units a second, in groups of one second.
type bench struct {
	machine
	at         time.Time
	n          int
	parameters *media.Parameters
	size       int // of a unit
	smaller    int // of one of the sub-stream; 0: it does not come
	begun      []Event
	stills     [][]media.Unit
	ended      []Event
	clips      [][]media.Group
}

func newBench() *bench {
	b := &bench{at: noon, parameters: &media.Parameters{SPS: []byte{1}}, size: 1000}
	b.machine = machine{
		preRoll: 5 * time.Second, postRoll: 5 * time.Second, longest: time.Minute, together: motion.Together,
		ring: media.Ring{Limit: ringBytes}, small: media.Ring{Limit: smallBytes},
		moment: func(t time.Time) clock.Moment {
			return clock.Moment{Wall: latchkey.TimeOf(t), Monotonic: uint64(t.Sub(noon).Microseconds())}
		},
		begin: func(e Event, still []media.Unit) {
			b.begun, b.stills = append(b.begun, e), append(b.stills, still)
		},
		end: func(e Event, groups []media.Group) {
			b.ended, b.clips = append(b.ended, e), append(b.clips, groups)
		},
	}
	return b
}

// run runs for a time, in which something moves if score is not 0.
func (b *bench) run(d time.Duration, score float64) {
	began := b.at
	for end := b.at.Add(d); b.at.Before(end); b.n++ {
		b.unit(media.Unit{NALs: [][]byte{make([]byte, b.size)}, Key: b.n%10 == 0, Break: b.n == 0, Parameters: b.parameters,
			PTS: media.Ticks(b.n * media.Rate / 10), Taken: b.at, Received: b.at}, b.at)
		if b.smaller > 0 {
			b.small.Add(media.Unit{NALs: [][]byte{make([]byte, b.smaller)}, Key: b.n%10 == 0, Parameters: b.parameters,
				PTS: media.Ticks(b.n * media.Rate / 10), Taken: b.at, Received: b.at})
		}
		if b.n%2 == 0 {
			b.activity(motion.Activity{At: b.at, Received: b.at, Moving: score > 0, Score: score, Quality: score, Since: began, Began: began}, b.at)
		}
		b.at = b.at.Add(100 * time.Millisecond)
	}
}

func (b *bench) seconds(m clock.Moment) float64 { return float64(m.Monotonic) / 1e6 }

func span(groups []media.Group) (from, to float64) {
	last := groups[len(groups)-1].Units
	return groups[0].Start().Sub(noon).Seconds(), last[len(last)-1].Taken.Sub(noon).Seconds()
}

func TestEventHasItsRolls(t *testing.T) {
	b := newBench()
	b.run(20500*time.Millisecond, 0)
	b.run(3*time.Second, 0.1)
	b.run(20*time.Second, 0)
	if len(b.begun) != 1 || len(b.ended) != 1 {
		t.Fatalf("%d begun, %d ended", len(b.begun), len(b.ended))
	}
	e := b.ended[0]
	if got := b.seconds(e.Start); got != 20.5 {
		t.Errorf("started at %g s, want 20.5", got)
	}
	if got := b.seconds(e.End); got < 23 || got > 23.5 {
		t.Errorf("ended at %g s, want 23.4", got)
	}
	// 15.5 is in the group that begins at 15; 23.4 and 5 are 28.4.
	if from, to := span(b.clips[0]); from != 15 || to < 28.3 || to > 28.6 {
		t.Errorf("the clip is from %g to %g s, want 15 to 28.4", from, to)
	}
	if !b.clips[0][0].Units[0].Key {
		t.Error("the clip does not begin with a key unit")
	}
	if got := b.seconds(b.begun[0].Stages.Decided) - b.seconds(e.Start); got < 0 || got > 0.3 {
		t.Errorf("decided %g s after the start", got)
	}
	if e.ID != b.begun[0].ID || e.Score != 0.1 || e.Cause != "motion" || e.Continues != (latchkey.EventID{}) {
		t.Errorf("%+v", e)
	}
}

// What the camera says that it saw belongs to the event whose clip shows that time, to
// one that goes on from another as well, and to no later one.
func TestEventHasWhatTheCameraSees(t *testing.T) {
	b := newBench()
	b.longest = 20 * time.Second
	see := func(s latchkey.Sighting) { b.sees(sighting{s, b.at}) }
	b.run(10*time.Second, 0)
	see(latchkey.SawVisitor) // long before
	b.run(7*time.Second, 0)
	see(latchkey.SawPerson) // three seconds before
	b.run(3*time.Second, 0)
	b.run(8*time.Second, 0.1)
	see(latchkey.SawAnimal)
	b.run(17*time.Second, 0.1) // it is cut in here
	see(latchkey.SawVehicle)
	b.run(5*time.Second, 0.1)
	b.run(2*time.Second, 0)
	see(latchkey.SawPackage) // in the time after it
	b.run(40*time.Second, 0)
	b.run(time.Second, 0.1)
	b.run(40*time.Second, 0)
	if len(b.ended) != 3 {
		t.Fatalf("%d events", len(b.ended))
	}
	for i, want := range []latchkey.Sighting{latchkey.SawPerson | latchkey.SawAnimal, latchkey.SawVehicle | latchkey.SawPackage, 0} {
		if got := b.ended[i].Saw; got != want {
			t.Errorf("event %d saw %v, want %v", i, got.Names(), want.Names())
		}
	}
	if got := b.begun[0].Saw; got != latchkey.SawPerson {
		t.Errorf("at first it saw %v", got.Names())
	}
}

// A grey picture that comes late is of a stream that has ended: the event begins with
// what there are pictures of.
func TestMotionIsSeenLate(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	b.parameters = &media.Parameters{SPS: []byte{2}}
	b.n = 100 // which is a key unit
	b.run(500*time.Millisecond, 0)
	late := noon.Add(9800 * time.Millisecond)
	b.activity(motion.Activity{At: late, Received: late, Moving: true, Score: 0.1, Quality: 0.1, Since: late, Began: late}, b.at)
	b.run(20*time.Second, 0)
	if len(b.ended) != 1 {
		t.Fatalf("%d events", len(b.ended))
	}
	e := b.ended[0]
	if from, _ := span(b.clips[0]); from != 10 || b.seconds(e.Start) != 10 || b.seconds(e.End) != 10 || b.seconds(e.Stages.Received) != 10 {
		t.Errorf("the clip begins at %g s, and is of %+v", from, e)
	}
}

func TestMotionsCloseTogetherAreOneEvent(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	for range 4 {
		b.run(2*time.Second, 0.1)
		b.run(9500*time.Millisecond, 0)
	}
	b.run(10*time.Second, 0)
	if len(b.ended) != 1 {
		t.Fatalf("%d events, want 1", len(b.ended))
	}
	// What was waited for in vain is not in the clip: something moved last at 46.3 s.
	if _, to := span(b.clips[0]); to < 51.2 || to > 51.4 {
		t.Errorf("the clip goes to %g s, want 51.3", to)
	}
	b.run(2*time.Second, 0.1)
	b.run(12*time.Second, 0)
	if len(b.ended) != 2 || b.ended[1].Continues != (latchkey.EventID{}) {
		t.Errorf("%d events, want another one that continues none", len(b.ended))
	}
}

// There is no time after an event in which nothing is noticed: who comes a little more
// than ten seconds after another one has an event of their own, with the seconds
// before it.
func TestSecondVisitor(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	for range 5 {
		b.run(time.Second, 0.1)
		b.run(10300*time.Millisecond, 0)
	}
	b.run(5*time.Second, 0)
	if len(b.begun) != 5 || len(b.ended) != 5 {
		t.Fatalf("%d begun, %d ended, want 5", len(b.begun), len(b.ended))
	}
	for i, e := range b.ended {
		from, to := span(b.clips[i])
		if start, end := b.seconds(e.Start), b.seconds(e.End); from > start-5 || to < end+4.8 {
			t.Errorf("event %d from %g to %g s has a clip from %g to %g", i, start, end, from, to)
		}
	}
}

// Ten thousand motions an hour are bounded events, and bounded work: whatever their
// rhythm, no two events begin within ten seconds but one that continues the other.
func TestMotionStorm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 10))
	b := newBench()
	b.longest = 5 * time.Minute
	b.run(10*time.Second, 0)
	motions := 0
	for storm := b.at; b.at.Sub(storm) < 2*time.Hour; motions++ {
		b.run(time.Duration(1+r.IntN(3))*100*time.Millisecond, 0.1+r.Float64()/2)
		pause := time.Duration(r.IntN(3)) * 100 * time.Millisecond
		if r.IntN(200) == 0 {
			pause = time.Duration(r.IntN(20)) * time.Second
		}
		b.run(pause, 0)
	}
	b.run(20*time.Second, 0)
	if motions < 15_000 || len(b.begun) > 2*60 || len(b.ended) != len(b.begun) {
		t.Errorf("%d motions in two hours are %d events, of which %d ended", motions, len(b.begun), len(b.ended))
	}
	for i := 1; i < len(b.begun); i++ {
		apart := b.begun[i].Start.Sub(b.ended[i-1].End)
		if apart <= motion.Together && b.begun[i].Continues != b.ended[i-1].ID {
			t.Errorf("event %d begins %v after the one before it and does not continue it", i, apart)
		}
		if from, to := span(b.clips[i]); to-from > 5*60+11 {
			t.Errorf("the clip of event %d lasts %g s", i, to-from)
		}
	}
	if b.ring.Bytes() > 20_000*10 {
		t.Errorf("%d bytes are still kept after it", b.ring.Bytes())
	}
}

// A long motion gives clips that follow one another without a hole.
func TestLongMotionIsContinued(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	b.run(150*time.Second, 0.2)
	b.run(20*time.Second, 0)
	if len(b.ended) != 3 || len(b.begun) != 3 {
		t.Fatalf("%d begun, %d ended, want 3", len(b.begun), len(b.ended))
	}
	for i := 1; i < 3; i++ {
		if b.ended[i].Continues != b.ended[i-1].ID {
			t.Errorf("event %d does not continue the one before it", i)
		}
		_, to := span(b.clips[i-1])
		if from, _ := span(b.clips[i]); from-to > 0.11 || from <= to {
			t.Errorf("clip %d begins at %g s, after one that ends at %g", i, from, to)
		}
	}
	if from, to := span(b.clips[0]); to-from > 61 {
		t.Errorf("the first clip is from %g to %g s", from, to)
	}
}

// A stream of many bytes is cut before it fills the memory.
func TestHeavyEventIsCut(t *testing.T) {
	b := newBench()
	b.size = 500_000 // 5 MB a second
	b.run(6*time.Second, 0)
	b.run(20*time.Second, 0.2)
	b.run(10*time.Second, 0)
	if len(b.ended) < 3 {
		t.Fatalf("%d events", len(b.ended))
	}
	for i, groups := range b.clips {
		n := 0
		for _, g := range groups {
			n += g.Size()
		}
		if n > eventBytes+6_000_000 {
			t.Errorf("clip %d has %d bytes", i, n)
		}
	}
	if b.ring.Lost != 0 || b.ring.Bytes() > ringBytes {
		t.Errorf("%d units lost, %d bytes kept", b.ring.Lost, b.ring.Bytes())
	}
}

func TestThumbnailIsTheBestPictureOfTheFirstMoments(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	b.run(200*time.Millisecond, 0.1)
	b.run(200*time.Millisecond, 0.3)
	b.run(200*time.Millisecond, 0.2)
	b.run(2*time.Second, 0.25)
	if len(b.begun) != 1 {
		t.Fatalf("%d begun", len(b.begun))
	}
	still := b.stills[0]
	if got := still[len(still)-1].Taken.Sub(noon).Seconds(); got != 10.2 || b.seconds(b.begun[0].Picture) != 10.2 {
		t.Errorf("the picture is of %g s, want 10.2", got)
	}
	if !still[0].Key {
		t.Error("the still's units do not begin with a key unit")
	}
	b.run(time.Second, 0.9) // better, but too late
	b.run(12*time.Second, 0)
	if len(b.begun) != 1 || b.ended[0].Score != 0.9 {
		t.Errorf("%d begun, score %g", len(b.begun), b.ended[0].Score)
	}
}

func TestChangeOfParametersStartsAnotherClip(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	b.run(4*time.Second, 0.2)
	b.parameters = &media.Parameters{SPS: []byte{2}}
	b.run(4*time.Second, 0.2)
	b.run(12*time.Second, 0)
	if len(b.ended) != 2 || b.ended[1].Continues != b.ended[0].ID {
		t.Fatalf("%d events", len(b.ended))
	}
	for i, groups := range b.clips {
		for _, g := range groups {
			if g.Parameters() != groups[0].Parameters() {
				t.Errorf("clip %d has pictures of two kinds", i)
			}
		}
	}
	if from, _ := span(b.clips[1]); from != 14 {
		t.Errorf("the second clip begins at %g s, want 14", from)
	}
}

// A session that breaks off ends the event, and its pictures are not mixed with those
// of the next session.
func TestBreakEndsTheEvent(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	b.run(2*time.Second, 0.2)
	b.n = 0 // a break
	b.at = b.at.Add(3 * time.Second)
	b.run(time.Second, 0.2)
	if len(b.ended) != 1 {
		t.Fatalf("%d events ended", len(b.ended))
	}
	if _, to := span(b.clips[0]); to > 12 {
		t.Errorf("the clip goes to %g s, past the break at 12", to)
	}
	b.run(12*time.Second, 0)
	if len(b.ended) != 2 || b.ended[1].Continues != (latchkey.EventID{}) {
		t.Fatalf("%d events ended", len(b.ended))
	}
	if from, _ := span(b.clips[1]); from != 15 {
		t.Errorf("the next clip begins at %g s, want 15", from)
	}
}

// If the stream stops while something moves, the event ends all the same.
func TestStreamThatStops(t *testing.T) {
	b := newBench()
	b.run(10*time.Second, 0)
	b.run(2*time.Second, 0.2)
	for range 150 {
		b.at = b.at.Add(100 * time.Millisecond)
		b.tick(b.at)
	}
	if len(b.ended) != 1 {
		t.Errorf("%d events ended", len(b.ended))
	}
}

func TestMotionWithoutAStreamIsNothing(t *testing.T) {
	b := newBench()
	for range 50 {
		b.activity(motion.Activity{At: b.at, Moving: true, Score: 0.5, Since: b.at, Began: b.at}, b.at)
		b.at = b.at.Add(200 * time.Millisecond)
	}
	b.stop()
	if len(b.begun)+len(b.ended) != 0 {
		t.Errorf("%d events of nothing", len(b.begun))
	}
}

func TestQueueBeginsAnewAtAKeyUnit(t *testing.T) {
	q := newQueue(10, 1000)
	for i := range 40 {
		q.push(media.Unit{NALs: [][]byte{make([]byte, 10)}, Key: i%6 == 0, PTS: media.Ticks(i)})
	}
	var got []media.Ticks
	for u, ok := q.pop(); ok; u, ok = q.pop() {
		got = append(got, u.PTS)
	}
	if len(got) != 10 || q.lost() != 30 {
		t.Fatalf("%d units came through, %d were lost", len(got), q.lost())
	}
	q.push(media.Unit{NALs: [][]byte{{1}}, PTS: 41})
	q.push(media.Unit{NALs: [][]byte{{1}}, PTS: 42, Key: true})
	if u, ok := q.pop(); !ok || u.PTS != 42 || !u.Break {
		t.Errorf("after the loss comes %+v, want the key unit with a break", u)
	}
	q.push(media.Unit{NALs: [][]byte{make([]byte, 2000)}, Key: true})
	if _, ok := q.pop(); ok {
		t.Error("a unit larger than the queue came through")
	}
}
