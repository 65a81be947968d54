package bus

import (
	"testing"

	"github.com/latchkey-cam/latchkey/sealed"
)

// TestNothingIsLeft of who has listened, for as long as somebody else listens there.
func TestNothingIsLeft(t *testing.T) {
	b := NewLocal()
	of := sealed.Stream{Kind: sealed.SubStream}
	one, two := b.Tune(of, nil), b.Tune(of, nil)
	one()
	if n := len(b.ends[subject{of: of}]); n != 1 {
		t.Errorf("%d are listening, want the other", n)
	}
	two()
	if n := len(b.ends); n > 0 {
		t.Errorf("something is left of %d streams that nobody watches", n)
	}
}
