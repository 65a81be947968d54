package gate

// numbers is how many numbers of a line can be given and not used at a time.
const numbers = 1 << 22

// bits say which of the last numbers were used: one each.
type bits struct {
	from uint64 // the first that is known, a multiple of 64
	ring []uint64
}

// reach makes a number known, if no other is forgotten for it whose turn is still to come.
func (b *bits) reach(number, turn uint64) bool {
	if b.ring == nil {
		b.ring = make([]uint64, numbers/64)
	}
	for number-b.from >= numbers {
		if b.from+64 > turn {
			return false
		}
		b.ring[b.from/64%uint64(len(b.ring))] = 0
		b.from += 64
	}
	return true
}

// free says whether a number, of those up to the last, is known and was not used.
func (b *bits) free(number, last uint64) bool {
	return number >= b.from && number <= last && b.ring[number/64%uint64(len(b.ring))]&(1<<(number%64)) == 0
}

// set notes that a known number was used, or was not after all.
func (b *bits) set(number uint64, used bool) {
	word := &b.ring[number/64%uint64(len(b.ring))]
	if used {
		*word |= 1 << (number % 64)
	} else {
		*word &^= 1 << (number % 64)
	}
}
