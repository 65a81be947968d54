package media

// bitReader reads a NAL unit bit by bit, from behind its header on. It leaves out the bytes
// that keep start codes from arising. Past the end it reads zeros and says so in short.
type bitReader struct {
	nal   []byte
	at    int // the bit
	zeros int // zero bytes in a row that were passed
	short bool
}

func bitsOf(nal []byte, header int) *bitReader { return &bitReader{nal: nal, at: header * 8} }

func (b *bitReader) bit() uint32 {
	i := b.at / 8
	if b.at%8 == 0 { // a new byte
		if b.zeros >= 2 && i < len(b.nal) && b.nal[i] == 3 {
			b.at, b.zeros = b.at+8, 0
			i++
		}
		switch {
		case i >= len(b.nal):
			b.short = true
			return 0
		case b.nal[i] == 0:
			b.zeros++
		default:
			b.zeros = 0
		}
	}
	b.at++
	return uint32(b.nal[i]>>(7-(b.at-1)%8)) & 1
}

func (b *bitReader) read(n int) uint32 {
	v := uint32(0)
	for range n {
		v = v<<1 | b.bit()
	}
	return v
}

// golomb reads an Exp-Golomb number. One of more than 31 bits counts as past the end.
func (b *bitReader) golomb() uint32 {
	n := 0
	for b.bit() == 0 {
		if n++; n > 31 || b.short {
			b.short = true
			return 0
		}
	}
	return 1<<n - 1 + b.read(n)
}
