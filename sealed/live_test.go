package sealed_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey/sealed"
)

// TestStreamKinds: each has a name of its own, by which it is found again, and no other
// name is one.
func TestStreamKinds(t *testing.T) {
	for kind, name := range map[sealed.StreamKind]string{sealed.MainStream: "main", sealed.SubStream: "sub", sealed.SoundStream: "sound"} {
		if is, known := sealed.ParseStreamKind(name); !known || is != kind || kind.String() != name {
			t.Errorf("%q is %v, %t; %d is %q", name, is, known, uint8(kind), kind.String())
		}
	}
	for _, name := range []string{"", "Main", "main ", "stream-0", "stream-4"} {
		if is, known := sealed.ParseStreamKind(name); known || is != 0 {
			t.Errorf("%q is taken for %v", name, is)
		}
	}
}
