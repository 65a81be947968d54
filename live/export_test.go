package live

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// MaxSeen is how many knocks a porter remembers.
const MaxSeen = parcel.Remembered

// Knocked is a viewer who has sent the knock of a vector, with the key that it brought.
func Knocked(k sealed.Knock, asker *key.Private, sent latchkey.Time) *Viewer {
	return &Viewer{stream: k.Stream, knocked: &knocked{k, asker, sent}}
}

// First says whether the porter has not met that knock, and remembers it.
func (p *Porter) First(knock [32]byte) bool { return p.seen.First(knock) }

// Skip has the run go on as if so many fragments had been sealed.
func (r *Run) Skip(n uint32) { r.sequence += n }

// Content is what a grant holds, for vectors that are made byte by byte and for fuzzing.
func Content(k []byte, i Init) []byte { return granted{k, i}.encode() }

// ParseContent is its inverse.
func ParseContent(b []byte) (k []byte, i Init, err error) {
	g, err := parseGranted(b)
	return g.key, g.init, err
}

// Copy is another viewer who stands where v stands.
func (v *Viewer) Copy() *Viewer {
	c := *v
	for _, w := range []**watched{&c.now, &c.next} {
		if *w != nil {
			is := **w
			*w = &is
		}
	}
	return &c
}
