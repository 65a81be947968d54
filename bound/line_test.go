package bound_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/latchkey-cam/latchkey/bound"
)

// TestLengthsThatLie: a value whose lengths leave too little for what follows is damaged,
// and nothing worse happens.
func TestLengthsThatLie(t *testing.T) {
	start := genuine().value()[:4+8+2+8+8]
	piece := func(n int) []byte {
		return append(binary.BigEndian.AppendUint16(nil, uint16(n)), bytes.Repeat([]byte("x"), n)...)
	}
	for name, rest := range map[string][]byte{
		"one byte for the key":     append(piece(60), 0),
		"nothing for the key":      piece(60),
		"three bytes for a length": slices.Concat(piece(6), piece(60), []byte{0, 0, 0}),
		"nothing for a length":     slices.Concat(piece(6), piece(60)),
	} {
		value := slices.Concat(start, rest, make([]byte, 32))
		t.Run(name, func(t *testing.T) {
			try(t, vector{Keys: []string{secretA}, Scope: "home/1", Key: "thumbnails", Codec: 1, Now: then, Life: "1m", Value: hex.EncodeToString(value), Expect: "damaged"})
		})
	}
}

// TestKeysAreKeys: one or two lines of 64 hexadecimal digits, and no key twice.
func TestKeysAreKeys(t *testing.T) {
	a, b := strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	for text, ok := range map[string]bool{
		a: true, a + "\n": true, a + "\n" + b + "\n": true,
		"": false, a + "\n" + a: false, a + "\n" + b + "\n" + strings.Repeat("0c", 32): false, a[:62]: false, a + "0a": false, "zz" + a[2:]: false, a[:63]: false,
	} {
		path := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := bound.ReadKeys(path)
		if (err == nil) != ok || (k != nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && text != "" && strings.Contains(err.Error(), text[:8]) {
			t.Errorf("the error tells the key: %v", err)
		}
	}
	if k, err := bound.ReadKeys(filepath.Join(t.TempDir(), "none")); err == nil || k != nil {
		t.Error("keys were read from no file")
	}
}
