package relay_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/internal/sabotage"
	"github.com/latchkey-cam/latchkey/relay"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestNobodyIsGivenAnothers: a viewer is given nothing of another home, camera or stream,
// though it comes by the inlet of theirs, as the next of the run that they watch. Of two
// comparisons each is enough.
func TestNobodyIsGivenAnothers(t *testing.T) {
	for _, other := range []sealed.Stream{streamOf(2, 1, sealed.MainStream), streamOf(1, 2, sealed.MainStream), streamOf(1, 1, sealed.SubStream)} {
		b := open(t, relay.Config{})
		v := b.watch(hall)
		in := b.inlet(hall)
		b.letIn(v, hall, 1, runOf(1), 1)
		b.bring(in, hall, runOf(1), 1, 2, 4)
		b.want(b.given(in, v), 1, 2)
		err := in.Take(fragment(other, runOf(1), 3, true, 100))
		in.Away()
		if p, _ := v.Next(); p != nil {
			t.Errorf("given %d bytes of %s", len(p), other)
		}
		if len(b.raised()) == 0 {
			t.Errorf("no alarm for %s, taken with %v", other, err)
		}
	}
}

// The comparisons, each with what stands in its place when it is cut out, and the test
// that then fails.
var (
	onTheWayIn = sabotage.Cut{File: "relay/inlet.go", Old: "f.Stream.Answers(in.stream.of)", New: "f.Stream.Answers(f.Stream)"}
	lost       = []struct {
		sabotage.Cut
		test string
	}{
		{onTheWayIn, "BelongsElsewhere"},
		{sabotage.Cut{File: "relay/viewer.go", Old: "err = f.Stream.Answers(v.stream.of)", New: "err = nil"}, "NobodyIsGivenAnothers"},
		{sabotage.Cut{File: "relay/viewer.go", Old: "err := g.Stream.Answers(v.stream.of)", New: "err := error(nil)"}, "GrantsFindTheirKnock"},
		{sabotage.Cut{File: "relay/relay.go", Old: "v.end(ErrCut)", New: "_ = ErrCut"}, "CutInFlight"},
		{sabotage.Cut{File: "relay/run.go", Old: "r.whole && p.sequence == r.last+1", New: "r.whole"}, "MissingFragments"},
		{sabotage.Cut{File: "relay/run.go", Old: "if p.sequence <= r.last {", New: "if p.sequence == 0 {"}, "Histories"},
	}
)

// TestMissingComparisonsAreNoticed is the control. Without the comparison on the way in
// the one on the way out still holds; without all of it each of those tests fails.
func TestMissingComparisonsAreNoticed(t *testing.T) {
	var all []sabotage.Cut
	var names []string
	for _, l := range lost {
		all, names = append(all, l.Cut), append(names, l.test)
	}
	program := sabotage.Program{Root: ".."}
	withoutOne, withoutAll := program.Without(t, onTheWayIn), program.Without(t, all...)
	out, passed := says(t, withoutOne, "^Test(NobodyIsGivenAnothers|BelongsElsewhere)$")
	if passed || strings.Contains(out, "--- FAIL: TestNobodyIsGivenAnothers ") || !strings.Contains(out, "--- FAIL: TestBelongsElsewhere ") {
		t.Errorf("without the comparison on the way in the tests say:\n%s", out)
	}
	out, _ = says(t, withoutAll, "^Test("+strings.Join(names, "|")+")$")
	for _, name := range names {
		if !strings.Contains(out, "--- FAIL: Test"+name+" ") {
			t.Errorf("without all of it %s does not fail:\n%s", name, out)
		}
	}
}

func says(t *testing.T, without sabotage.Control, run string) (out string, passed bool) {
	t.Helper()
	b, err := without.Tests(t.Context(), run, "-rapid.nofailfile", "-rapid.shrinktime=1ms")
	return string(b), err == nil
}

// FuzzMessages: whatever comes in, wherever it does, a viewer is given only whole
// fragments of their stream and run, as they came.
func FuzzMessages(f *testing.F) {
	k := knock(hall, agent, 1)
	f.Add(fragment(hall, runOf(1), 1, true, 100))
	f.Add(fragment(hall, runOf(1), 2, false, 100))
	f.Add(fragment(hall, runOf(2), 1, true, 100))
	f.Add(fragment(streamOf(2, 1, sealed.MainStream), runOf(1), 1, true, 100))
	f.Add(k)
	f.Add(grant(hall, agent, k, runOf(1), 1))
	f.Fuzz(func(t *testing.T, p []byte) {
		b := open(t, relay.Config{})
		v := b.watch(hall)
		in := b.inlet(hall)
		b.letIn(v, hall, 1, runOf(1), 1)
		came := bytes.Clone(p)
		taken := in.Take(p) == nil
		clear(p)
		in.Away()
		got, _ := v.Next()
		fragment, err := sealed.ParseFragment(got)
		switch {
		case got == nil:
		case err != nil || !taken || !bytes.Equal(got, came) || fragment.Stream != hall || fragment.Run != runOf(1) || !fragment.Key:
			t.Errorf("given %s, %v", fragment, err)
		}
		if err := b.Grant(hall.Home, agent, came); err == nil {
			t.Error("a grant that nobody waits for is taken")
		}
		if k, err := v.Knock(came); err == nil && k.Stream != hall {
			t.Errorf("a knock at %s is taken", k.Stream)
		}
	})
}
