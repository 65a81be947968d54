package event

import (
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey/media"
)

// missed is how much of a clip's beginning or end the sub-stream may lack: it comes in a
// little later than the main stream.
const missed = time.Second

// smaller returns the groups of a clip, which is to begin at from, as the sub-stream has
// them, with the sounds of the main stream; nil if it does not have the whole of it, so
// that nothing is lost for the sake of a smaller clip.
func smaller(sub, main []media.Group, from time.Time) []media.Group {
	if len(sub) == 0 || len(main) == 0 {
		return nil
	}
	if begins := main[0].Start(); begins.After(from) {
		from = begins
	}
	end := newest(main)
	if sub = until(sub, end); sub[0].Start().Sub(from) > missed || end.Sub(newest(sub)) > missed {
		return nil
	}
	return hearing(sub, main)
}

// newest is when the last picture was taken.
func newest(groups []media.Group) time.Time {
	units := groups[len(groups)-1].Units
	return units[len(units)-1].Taken
}

// hearing returns the groups with the sounds of others, of a stream with an axis of its
// own, in place of theirs.
func hearing(groups, others []media.Group) []media.Group {
	here, there := groups[0].Units[0], others[0].Units[0]
	offset := here.PTS - there.PTS + media.TicksOf(there.Taken.Sub(here.Taken))
	var sounds []media.Sound
	for _, g := range others {
		for _, u := range g.Units {
			for _, s := range u.Sounds {
				s.PTS += offset
				sounds = append(sounds, s)
			}
		}
	}
	first := groups[0]
	first.Units = slices.Clone(first.Units)
	first.Units[0].Sounds = sounds
	return append([]media.Group{first}, groups[1:]...)
}
