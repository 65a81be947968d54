package gate

import (
	"strings"
	"testing"
)

// A place says what was put into it, to the gate that made it and for its rank; nothing else
// is one.
func FuzzPlace(f *testing.F) {
	key := [32]byte{1}
	good := seal(&key, Agent, 77)
	if n, ok := good.open(&key, Agent); n != 77 || !ok {
		f.Fatalf("%s is %d, %t", good, n, ok)
	}
	if _, ok := good.open(&key, Person); ok {
		f.Error("an agent's place is good for a person")
	}
	if _, ok := good.open(&[32]byte{2}, Agent); ok {
		f.Error("another gate takes the place")
	}
	for _, s := range []string{string(good), "", string(good[:len(good)-1]), "B" + string(good[1:]), strings.Repeat("A", len(good)), strings.Repeat("*", len(good))} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := Place(s).open(&key, Agent)
		if ok && seal(&key, Agent, n) != Place(s) {
			t.Errorf("%q is taken for number %d", s, n)
		}
	})
}
