package agent_test

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/latchkey-cam/latchkey/agent"
)

// TestPieces: each 256 KiB of a clip have a hash of their own, in whatever sizes the clip
// is written, and a clip of too many has none.
func TestPieces(t *testing.T) {
	const piece = 256 << 10
	content := bytes.Repeat([]byte("a picture "), 3*piece/10+1)
	for _, n := range []int{0, 1, piece - 1, piece, piece + 1, 2 * piece, len(content)} {
		for _, size := range []int{1000, piece, 3*piece + 10} {
			var writes [][]byte
			for rest := content[:n]; len(rest) > 0; {
				k := min(size, len(rest))
				writes, rest = append(writes, rest[:k]), rest[k:]
			}
			if got := agent.Pieces(writes...); !bytes.Equal(got, sums(content[:n])) {
				t.Errorf("%d bytes in writes of %d: %d bytes of hashes, or others", n, size, len(got))
			}
		}
	}
	large := make([]byte, piece)
	many := make([][]byte, 513)
	for i := range many {
		many[i] = large
	}
	if got := agent.Pieces(many[:512]...); len(got) != 512*sha256.Size {
		t.Errorf("512 pieces have %d bytes of hashes", len(got))
	}
	if got := agent.Pieces(many...); got != nil {
		t.Errorf("513 pieces have %d bytes of hashes", len(got))
	}
}
