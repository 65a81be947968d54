package media

import "time"

// Group is a group of pictures: a key unit and what follows it up to the next one.
type Group struct {
	Units []Unit // at least one; the first is a key unit

	// End is the PTS of the key unit that follows, zero as long as there is none.
	End Ticks
}

// Start returns when the group's first picture was taken.
func (g Group) Start() time.Time { return g.Units[0].Taken }

// Parameters returns the parameter sets of the group.
func (g Group) Parameters() *Parameters { return g.Units[0].Parameters }

// Size returns how many bytes the group takes, with its sounds.
func (g Group) Size() int {
	n := 0
	for _, u := range g.Units {
		n += u.Size()
	}
	return n
}

// payload returns how many bytes the group's pictures take in a clip, each NAL unit
// after its length.
func (g Group) payload() int64 {
	n := int64(0)
	for _, u := range g.Units {
		n += int64(u.picture() + 4*len(u.NALs))
	}
	return n
}

// Ring keeps the newest groups of one stream. It is bounded in bytes by Limit and
// in time by whoever calls [Ring.Trim].
//
// If a group alone grows past the limit, because a camera sends no key units, the
// ring begins anew at the next one and counts what it lost in Lost.
type Ring struct {
	Limit int    // bytes of pictures and sounds
	Lost  uint64 // units that could not be kept

	groups []Group
	bytes  int
}

// Add puts a unit into the ring. A unit that breaks with the ones before it empties
// the ring first.
func (r *Ring) Add(u Unit) {
	if u.Break {
		r.Clear()
	}
	switch n := len(r.groups); {
	case u.Key:
		if n > 0 {
			r.groups[n-1].End = u.PTS
		}
		r.groups = append(r.groups, Group{Units: []Unit{u}})
	case n == 0:
		r.Lost++
		return
	default:
		r.groups[n-1].Units = append(r.groups[n-1].Units, u)
	}
	r.bytes += u.Size()
	for r.bytes > r.Limit && len(r.groups) > 1 {
		r.drop()
	}
	if r.bytes > r.Limit {
		r.Lost += uint64(len(r.groups[0].Units))
		r.Clear()
	}
}

// Trim drops the groups that ended before t. The group that holds t stays whole.
func (r *Ring) Trim(t time.Time) {
	for len(r.groups) > 1 && !r.groups[1].Start().After(t) {
		r.drop()
	}
}

// Clear empties the ring.
func (r *Ring) Clear() { r.groups, r.bytes = nil, 0 }

// Bytes returns how many bytes of pictures and sounds are kept.
func (r *Ring) Bytes() int { return r.bytes }

// Since returns the groups from the one that holds t on, or all if t is before them,
// but none from before the last change of parameters. They stay as they are when the
// ring goes on; the last one is as long as it is now.
func (r *Ring) Since(t time.Time) []Group {
	from := 0
	for i := 1; i < len(r.groups); i++ {
		if !r.groups[i].Start().After(t) || r.groups[i].Parameters() != r.groups[i-1].Parameters() {
			from = i
		}
	}
	return append([]Group(nil), r.groups[from:]...)
}

func (r *Ring) drop() {
	r.bytes -= r.groups[0].Size()
	r.groups[0] = Group{} // the slice's memory lives on; what it held must not
	r.groups = r.groups[1:]
}
