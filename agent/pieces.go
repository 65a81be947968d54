package agent

import (
	"crypto/sha256"
	"hash"
	"io"
)

const (
	pieceBytes = 256 << 10 // of a clip, sixteen chunks of its body

	// maxPieces is of how many pieces a description has the hashes: it has room for
	// 32 KiB. A clip of more than 128 MiB is read as a whole.
	maxPieces = 512
)

// pieces passes a clip on and has the SHA-256 of each piece of it, which its description
// says: a reader who has only a part of the clip knows by them that it is the agent's.
type pieces struct {
	to   io.Writer
	hash hash.Hash
	part int // bytes of the piece that is not full
	sums []byte
}

func piecesTo(w io.Writer) *pieces { return &pieces{to: w, hash: sha256.New()} }

// Write is [io.Writer]'s.
func (p *pieces) Write(b []byte) (int, error) {
	n, err := p.to.Write(b)
	for rest := b[:n]; len(rest) > 0; {
		next := rest[:min(len(rest), pieceBytes-p.part)]
		p.hash.Write(next)
		rest = rest[len(next):]
		if p.part += len(next); p.part == pieceBytes {
			p.end()
		}
	}
	return n, err
}

func (p *pieces) end() {
	p.sums = p.hash.Sum(p.sums)
	p.hash.Reset()
	p.part = 0
}

// hashes are those of all pieces, the last of which is shorter; nil if there are too many.
func (p *pieces) hashes() []byte {
	if p.part > 0 {
		p.end()
	}
	if len(p.sums) > maxPieces*sha256.Size {
		return nil
	}
	return p.sums
}
