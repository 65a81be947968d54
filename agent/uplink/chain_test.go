package uplink_test

import (
	"errors"
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/durable/durabletest"
	"github.com/latchkey-cam/latchkey/key/keytest"
)

func load(t testing.TB, fsys durable.FS, home latchkey.HomeID) *uplink.Chain {
	t.Helper()
	c, err := uplink.LoadChain(fsys, "deeds", home)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestChainGrowsAndOutlivesItsProcess(t *testing.T) {
	disk := durabletest.New()
	owner := keytest.NewOwner()
	first := owner.Found()
	c := load(t, disk, owner.Home())
	if c.Title() != nil {
		t.Error("a title before the first deed")
	}
	changed := c.Changed()
	if _, err := c.Extend(owner.Title().Head(), first); err != nil {
		t.Fatal(err)
	}
	select {
	case <-changed:
	default:
		t.Error("nobody was told of the first deeds")
	}
	agent := owner.PlaceAgent()
	owner.PlaceCamera(agent)
	// A server that repeats what is known, or everything, does no harm, and is no news.
	for i, from := range []uint64{2, 1, 0, 4} {
		changed := c.Changed()
		title, err := c.Extend(owner.Title().Head(), owner.Title().Deeds(from))
		if err != nil || title.Head() != owner.Title().Head() {
			t.Errorf("deeds from %d on: %v", from, err)
		}
		select {
		case <-changed:
			if i > 0 {
				t.Errorf("deeds from %d on, which are known, are news", from)
			}
		default:
		}
	}
	disk.Crash()
	if got := load(t, disk, owner.Home()).Title().Head(); got != owner.Title().Head() {
		t.Errorf("after a power cut the chain ends at %s, want %s", got, owner.Title().Head())
	}
}

func TestChainRefusesAnother(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	early := owner.Title()
	agent := owner.PlaceAgent()
	owner.PlaceCamera(agent)
	known := owner.Title()
	owner.PlaceCamera(agent)
	honest := owner.Title()

	forker := *owner
	forker.Adopt(early)
	forker.PlaceAgent()
	forker.StartEpoch()
	forker.PlaceAgent()
	fork := forker.Title()
	stranger := keytest.NewOwner()
	stranger.Found()

	for name, say := range map[string]struct {
		head  latchkey.Head
		deeds [][]byte
	}{
		"an ancestor":                        {early.Head(), nil},
		"forked, from the first deed":        {fork.Head(), fork.Deeds(0)},
		"forked, from the known end":         {fork.Head(), fork.Deeds(4)},
		"forked, said by the head":           {fork.Head(), nil},
		"another home":                       {stranger.Title().Head(), stranger.Title().Deeds(0)},
		"a head further than its deeds":      {honest.Head(), nil},
		"a head of no hash beyond the end":   {latchkey.Head{Seq: 99}, honest.Deeds(4)},
		"a fork's deed among those known":    {honest.Head(), append(fork.Deeds(3)[:1:1], honest.Deeds(4)...)},
		"nonsense":                           {honest.Head(), [][]byte{[]byte("deed")}},
		"an empty deed":                      {honest.Head(), [][]byte{{}}},
		"deeds with a gap":                   {honest.Head(), honest.Deeds(5)[:0]},
		"the right deeds and one too many":   {honest.Head(), append(honest.Deeds(4), honest.Deeds(4)[0][:9])},
		"the right deeds and another's head": {fork.Head(), honest.Deeds(4)},
	} {
		t.Run(name, func(t *testing.T) {
			disk := durabletest.New()
			c := load(t, disk, owner.Home())
			if _, err := c.Extend(known.Head(), known.Deeds(0)); err != nil {
				t.Fatal(err)
			}
			_, err := c.Extend(say.head, say.deeds)
			if name == "an ancestor" {
				// Such a message may have been under way for long; only a welcome
				// that is behind is a rollback.
				if err != nil {
					t.Errorf("an old message: %v", err)
				}
			} else if !errors.Is(err, uplink.ErrOtherChain) {
				t.Errorf("taken: %v", err)
			}
			if c.Title().Head() != known.Head() || load(t, disk, owner.Home()).Title().Head() != known.Head() {
				t.Error("the chain is not what it was")
			}
		})
	}
}

func TestDamagedChainIsNoTitle(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	disk := durabletest.New()
	if _, err := load(t, disk, owner.Home()).Extend(owner.Title().Head(), owner.Deeds()); err != nil {
		t.Fatal(err)
	}
	genuine, err := durable.ReadBytes(disk, "deeds", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "cut": genuine[:len(genuine)-1], "longer": append(genuine[:len(genuine):len(genuine)], 0),
		"another magic": append([]byte("L"), genuine[1:]...), "no deeds": []byte("latchkey deeds 1\n"),
		"no magic": genuine[len("latchkey deeds 1\n"):],
	} {
		if err := durable.WriteBytes(disk, "deeds", b); err != nil {
			t.Fatal(err)
		}
		if _, err := uplink.LoadChain(disk, "deeds", owner.Home()); err == nil {
			t.Errorf("%s: loaded", name)
		}
	}
	var other latchkey.HomeID
	if err := durable.WriteBytes(disk, "deeds", genuine); err != nil {
		t.Fatal(err)
	}
	if _, err := uplink.LoadChain(disk, "deeds", other); deed.ReasonOf(err) != deed.WrongHome {
		t.Errorf("another home's chain: %v", err)
	}
}
