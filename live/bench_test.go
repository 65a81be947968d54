package live_test

import (
	"crypto/rand"
	"testing"

	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/live"
	"github.com/latchkey-cam/latchkey/sealed"
)

// fragmentSize is that of a fragment of a good picture: a key frame, or a few pictures.
const fragmentSize = 50 << 10

// broadcast is a run, one who watches it, and media to be sealed.
func broadcast(b *testing.B) (owner *keytest.Owner, run *live.Run, viewer *live.Viewer, media []byte) {
	owner = keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	of := sealed.Stream{Home: owner.Home(), Camera: owner.PlaceCamera(agent), Kind: sealed.MainStream}
	_, device := owner.Device()
	viewer = live.NewViewer(device, of)
	media = make([]byte, fragmentSize)
	rand.Read(media)
	run, err := live.Start(agent.Keys, of, init1080, at(moment))
	if err != nil {
		b.Fatal(err)
	}
	if err := letIn(owner, agent, run, viewer); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	return owner, run, viewer, media
}

func letIn(owner *keytest.Owner, agent *keytest.Agent, run *live.Run, viewer *live.Viewer) error {
	knock, err := viewer.Knock(owner.Title(), moment)
	if err != nil {
		return err
	}
	visitor, err := live.NewPorter(agent.Keys, 1).Open(knock, owner.Title(), at(moment))
	if err != nil {
		return err
	}
	grant, err := visitor.Grant(run, owner.Title(), at(moment))
	if err != nil {
		return err
	}
	_, err = viewer.Take(grant, owner.Title(), moment)
	return err
}

// BenchmarkSeal is what an agent does for a fragment, whoever watches.
func BenchmarkSeal(b *testing.B) {
	_, run, _, media := broadcast(b)
	b.SetBytes(fragmentSize)
	for b.Loop() {
		if _, err := run.Seal(media, true, uint64(moment)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCarry is what a server does for a fragment and a viewer before it copies it.
func BenchmarkCarry(b *testing.B) {
	_, run, _, media := broadcast(b)
	fragment, err := run.Seal(media, true, uint64(moment))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		f, err := sealed.ParseFragment(fragment)
		if err == nil {
			err = f.Stream.Answers(run.Stream())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTake is what a viewer does for a fragment.
func BenchmarkTake(b *testing.B) {
	owner, run, viewer, media := broadcast(b)
	fragment, err := run.Seal(media, true, uint64(moment))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(fragmentSize)
	for b.Loop() {
		if _, err := viewer.Copy().Take(fragment, owner.Title(), moment); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLetIn is a knock, its grant, and what both ends make of them.
func BenchmarkLetIn(b *testing.B) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	of := sealed.Stream{Home: owner.Home(), Camera: owner.PlaceCamera(agent), Kind: sealed.MainStream}
	_, device := owner.Device()
	run, err := live.Start(agent.Keys, of, init1080, at(moment))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := letIn(owner, agent, run, live.NewViewer(device, of)); err != nil {
			b.Fatal(err)
		}
	}
}
