package media

import "bytes"

// maxNALs is how many NAL units a picture may have. One in slices has some dozens.
const maxNALs = 512

// Packets puts pictures together that come in RTP packets (RFC 6184, RFC 7798). What is
// torn or makes no sense is left out, and the rest of its picture is taken. Some cameras
// put start codes into their packets, and some do not say where a picture ends: it then
// ends with the first packet of another time.
//
// The bytes of a packet are copied once into memory that is used again, and those of a
// picture once more, into as much as they need; the packets may be thrown away.
//
// The zero Packets is ready, for H.264. It is for one session.
type Packets struct {
	H265 bool

	data  []byte
	nals  []span
	open  bool   // a NAL unit in fragments is under way, from begin on
	begin int    // where the one under way begins
	next  uint16 // the number of the next fragment
	stamp uint32
	going bool // something has begun: a fragment without a beginning is damage
	codes bool // the camera puts start codes into its packets
}

// span is where a NAL unit lies.
type span struct{ from, to int }

// Take takes one packet: its payload, number and stamp, and whether it says that it is
// the last one of its picture. It calls picture with each picture that is complete, and
// returns its error. It reports false if something was wrong with the packet.
func (p *Packets) Take(payload []byte, number uint16, stamp uint32, last bool, picture func(nals [][]byte, stamp uint32) error) (bool, error) {
	if stamp != p.stamp && len(p.data) > 0 {
		if err := p.flush(picture); err != nil {
			return false, err
		}
	}
	p.stamp = stamp
	var ok bool
	if len(p.data)+len(payload) > maxUnit || len(p.nals) >= maxNALs {
		p.data, p.nals, p.open = nil, nil, false
	} else if p.H265 {
		ok = p.unpack265(payload, number)
	} else {
		ok = p.unpack(payload, number)
	}
	if last {
		return ok, p.flush(picture)
	}
	return ok, nil
}

func (p *Packets) unpack(b []byte, number uint16) bool {
	const aggregate, fragment = 24, 28
	if len(b) == 0 {
		p.abandon()
		return false
	}
	switch t := typeOf(b); {
	case t == fragment:
		if len(b) < 3 {
			p.abandon()
			return false
		}
		return p.fragment(b[1], number, b[2:], b[0]&0x60|b[1]&0x1f)
	case t == aggregate:
		return p.aggregate(b[1:])
	case t == 0 && bytes.HasPrefix(b, []byte{0, 0}): // a start code
		p.codes = true
	case t == 0 || t > 29: // means nothing, and is no harm
		p.abandon()
		return true
	case t > aggregate:
		p.abandon()
		return false
	}
	return p.whole(b)
}

func (p *Packets) unpack265(b []byte, number uint16) bool {
	const aggregate, fragment = 48, 49
	if len(b) < 3 {
		p.abandon()
		return false
	}
	switch t := typeOf265(b); {
	case t == fragment:
		return p.fragment(b[2], number, b[3:], b[0]&0x81|b[2]&0x3f<<1, b[1])
	case t == aggregate:
		return p.aggregate(b[2:])
	case t > fragment:
		p.abandon()
		return false
	}
	return p.whole(b)
}

// whole takes a NAL unit that fills a packet.
func (p *Packets) whole(nal []byte) bool {
	p.abandon()
	p.going = true
	p.begin = len(p.data)
	p.data = append(p.data, nal...)
	p.close()
	return true
}

// aggregate takes a packet of several NAL units, each after its length.
func (p *Packets) aggregate(b []byte) bool {
	p.abandon()
	for len(b) >= 2 && len(p.nals) < maxNALs {
		size := int(b[0])<<8 | int(b[1])
		if size == 0 || size > len(b)-2 {
			return size == 0 // padding
		}
		p.whole(b[2 : 2+size])
		b = b[2+size:]
	}
	return len(b) == 0
}

// fragment takes a part of a NAL unit. The flags say whether it is the first or the last
// one, or both, which some cameras say; the header is that of the NAL unit.
func (p *Packets) fragment(flags byte, number uint16, b []byte, header ...byte) bool {
	const first, last = 0x80, 0x40
	switch {
	case flags&first != 0:
		p.abandon()
		p.open, p.going, p.begin = true, true, len(p.data)
		p.data = append(p.data, header...)
	case !p.open:
		return !p.going // we have come in the middle
	case number != p.next:
		p.abandon()
		return false
	}
	p.data = append(p.data, b...)
	p.next = number + 1
	if flags&last != 0 {
		p.close()
	}
	return true
}

// abandon forgets a NAL unit that has not been completed.
func (p *Packets) abandon() {
	if p.open {
		p.data, p.open = p.data[:p.begin], false
	}
}

// close ends the NAL unit under way. It looks for start codes where a camera's first ones
// would be, behind its parameter sets, and from then on everywhere.
func (p *Packets) close() {
	const behindSets = 512
	p.open = false
	code := []byte{0, 0, 1}
	nal := p.data[p.begin:]
	p.codes = p.codes || bytes.Contains(nal[:min(len(nal), behindSets)], code)
	if !p.codes {
		p.nals = append(p.nals, span{p.begin, len(p.data)})
		return
	}
	for from := p.begin; from < len(p.data) && len(p.nals) < maxNALs; {
		to, skip := len(p.data), 0
		if i := bytes.Index(p.data[from:], code); i >= 0 {
			to, skip = from+i, len(code)
		}
		next := to + skip
		for to > from && p.data[to-1] == 0 { // of a longer code, or padding
			to--
		}
		if to > from {
			p.nals = append(p.nals, span{from, to})
		}
		from = next
	}
}

// flush hands over what there is of a picture.
func (p *Packets) flush(picture func([][]byte, uint32) error) error {
	p.abandon()
	if len(p.nals) == 0 {
		p.data = p.data[:0]
		return nil
	}
	data, nals := bytes.Clone(p.data), make([][]byte, len(p.nals))
	for i, s := range p.nals {
		nals[i] = data[s.from:s.to:s.to]
	}
	p.data, p.nals = p.data[:0], p.nals[:0]
	if cap(p.data) > 1<<20 {
		p.data = nil // a giant must not be paid for ever after
	}
	return picture(nals, p.stamp)
}
