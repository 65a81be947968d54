package relay

import (
	"cmp"
	"slices"
	"sync/atomic"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// How much is kept of what comes before the newest group, for viewers who are a moment
// behind when a new one begins: two seconds of a camera of 15 pictures a second. Who is
// further behind goes on with the new one.
const (
	tailPieces = 32
	tailBytes  = 2 << 20
)

// budget is how many bytes may be kept, and are.
type budget struct {
	limit int64
	used  atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

// piece is a fragment as it is kept. Its bytes are the relay's own copy, which all who
// watch are given and nobody changes.
type piece struct {
	run      latchkey.RunID
	sequence uint32
	key      bool
	own      bool // it came by the agent's own connection, not from another relay
	bytes    []byte
}

// run is what is kept of one run of a stream: the newest group, and before it a tail.
// Between two pieces nothing is missing, unless the second begins with a key frame.
type run struct {
	id    latchkey.RunID
	last  uint32 // of the newest fragment that came
	whole bool   // no fragment was missing since the newest key fragment
	quiet bool   // nothing has come since the newer run's newest group began

	pieces []*piece
	size   int64
	group  int   // where in pieces the newest group begins; -1 if it is too long to be kept
	grown  int64 // the newest group's bytes
}

// admits says whether a fragment goes on: it has not come before, and a viewer can begin
// with it or has what is before it.
func (r *run) admits(p *piece) bool {
	if p.sequence <= r.last {
		return false
	}
	r.whole = p.key || r.whole && p.sequence == r.last+1
	r.last = p.sequence
	return r.whole
}

// keep adds a piece that was admitted, and returns how many bytes of others were let go.
func (r *run) keep(p *piece) (freed int64) {
	if p.key {
		r.group, r.grown = len(r.pieces), 0
	}
	r.pieces = append(r.pieces, p)
	n := int64(len(p.bytes))
	r.size, r.grown = r.size+n, r.grown+n
	if r.group >= 0 && (len(r.pieces)-r.group > sealed.MaxGroupFragments || r.grown > sealed.MaxGroup) {
		r.group = -1
	}
	return r.trim()
}

// trim lets the oldest go until what is before the newest group is a tail; the newest
// piece stays.
func (r *run) trim() (freed int64) {
	end := r.group
	if end < 0 {
		end = len(r.pieces) - 1
	}
	var tail int64
	begin := end
	for begin > 0 && end-begin < tailPieces {
		if tail += int64(len(r.pieces[begin-1].bytes)); tail > tailBytes {
			break
		}
		begin--
	}
	return r.drop(begin)
}

// drop lets the n oldest pieces go, and returns how many bytes they had.
func (r *run) drop(n int) (freed int64) {
	for _, p := range r.pieces[:n] {
		freed += int64(len(p.bytes))
	}
	clear(r.pieces[:n])
	r.pieces = r.pieces[n:]
	r.group = max(r.group-n, -1)
	r.size -= freed
	return freed
}

// place is where in a run somebody is.
type place struct {
	run   latchkey.RunID
	next  uint64 // no fragment below it is given
	begun bool   // all before it were, from a key fragment on: the very next needs not be one
}

// at returns what is to be given next to who is there: what comes next, or else what the
// newest group begins with.
func (r *run) at(w place) *piece {
	if w.begun {
		i, found := slices.BinarySearchFunc(r.pieces, w.next, func(p *piece, next uint64) int { return cmp.Compare(uint64(p.sequence), next) })
		if found {
			return r.pieces[i]
		}
	}
	if r.group >= 0 && uint64(r.pieces[r.group].sequence) >= w.next {
		return r.pieces[r.group]
	}
	return nil
}

// beyond is the place behind p.
func beyond(p *piece) place { return place{p.run, uint64(p.sequence) + 1, true} }
