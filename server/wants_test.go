package server

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestWantsAreBounded: other servers cannot fill this one's memory by what they call for,
// and when it is over nothing is fed to them any more.
func TestWantsAreBounded(t *testing.T) {
	k := newTrunk(nil, nil, bus.ArchiveID{})
	for i := range maxWants {
		k.wanted[sealed.Stream{Camera: latchkey.CameraID{byte(i), byte(i >> 8)}}] = &wanted{}
	}
	one := sealed.Stream{Home: latchkey.HomeID{1}}
	if k.want(t.Context(), one); len(k.wanted) != maxWants || k.wanted[one] != nil {
		t.Errorf("%d streams are wanted", len(k.wanted))
	}
	k.close()
	w := &wanted{}
	if k.feed(t.Context(), one, w); w.feed != nil {
		t.Error("a stream is fed when it is over")
	}
}
