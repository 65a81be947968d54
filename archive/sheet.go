package archive

import (
	"fmt"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// A sheet is the receipts that were written at once, whosever they are, as one row keeps
// them:
//
//	version       1
//	then for each receipt, to the end:
//	  like        1: bit 0, it is of the home, session and device of the one before;
//	              bit 1, what was sent is what was asked for
//	  home        32, session 32, device 16; absent with bit 0
//	  request     behind its length of 2
//	  asked       behind its length of 2
//	  sent        behind its length of 2; absent with bit 1
//	  header      32
//	  bytes       8
//	  outcome     1
//	  time        8
//
// A bit that could be set is set: the same receipts are always the same bytes.
const (
	sheetVersion = 1
	sameSession  = 1 << 0
	sentAsAsked  = 1 << 1
)

// maxText is how long a request's ID or a name may be.
const maxText = 1024

// outcomes have their number on a sheet by their place.
var outcomes = []Outcome{Delivered, Misrouted, Damaged}

// writeSheet writes receipts as a row keeps them.
func writeSheet(all []Receipt) ([]byte, error) {
	var w wire.Writer
	w.Grow(1 + 320*len(all))
	w.U8(sheetVersion)
	for i, r := range all {
		outcome := slices.Index(outcomes, r.Outcome)
		if outcome < 0 || max(len(r.Request), len(r.Asked), len(r.Sent)) > maxText || max(r.Bytes, uint64(r.Time)) > latchkey.MaxInt {
			return nil, fmt.Errorf("a receipt with the outcome %q, of %d bytes, names of %d and %d", r.Outcome, r.Bytes, len(r.Asked), len(r.Sent))
		}
		like := r.like(all[:i])
		w.U8(like)
		if like&sameSession == 0 {
			w.Raw(r.Home[:])
			w.Raw(r.Session[:])
			w.Raw(r.Device[:])
		}
		text(&w, r.Request)
		text(&w, r.Asked)
		if like&sentAsAsked == 0 {
			text(&w, r.Sent)
		}
		w.Raw(r.Header[:])
		w.U64(r.Bytes)
		w.U8(uint8(outcome))
		w.U64(uint64(r.Time))
	}
	return w.Bytes(), nil
}

// like says what need not be written of a receipt that follows those.
func (r Receipt) like(before []Receipt) (like uint8) {
	if r.Sent == r.Asked {
		like |= sentAsAsked
	}
	if n := len(before) - 1; n >= 0 && before[n].Session == r.Session && before[n].Home == r.Home && before[n].Device == r.Device {
		like |= sameSession
	}
	return like
}

func text(w *wire.Writer, s string) { w.LP16([]byte(s)) }

// readSheet is the inverse of [writeSheet]; it takes no other spelling.
func readSheet(b []byte) (all []Receipt, err error) {
	r := wire.NewReader(b)
	if v := r.U8(); v != sheetVersion {
		r.Fail(fmt.Errorf("%w: version %d", wire.ErrMalformed, v))
	}
	for first := true; first || len(r.Rest()) > 0; first = false {
		is := readReceipt(r, all)
		if r.Err() != nil {
			return nil, fmt.Errorf("read a sheet of receipts: %w", r.Err())
		}
		all = append(all, is)
	}
	return all, nil
}

func readReceipt(r *wire.Reader, before []Receipt) (is Receipt) {
	like := r.U8()
	switch {
	case like&sameSession == 0:
		r.Into(is.Home[:])
		r.Into(is.Session[:])
		r.Into(is.Device[:])
	case len(before) > 0:
		last := before[len(before)-1]
		is.Home, is.Session, is.Device = last.Home, last.Session, last.Device
	}
	is.Request, is.Asked = string(r.LP16(maxText)), string(r.LP16(maxText))
	if is.Sent = is.Asked; like&sentAsAsked == 0 {
		is.Sent = string(r.LP16(maxText))
	}
	r.Into(is.Header[:])
	is.Bytes = r.U64()
	outcome := int(r.U8())
	is.Time = latchkey.Time(r.U64())
	if outcome >= len(outcomes) || like != is.like(before) {
		r.Fail(wire.ErrMalformed)
		return is
	}
	is.Outcome = outcomes[outcome]
	return is
}

// mark is by what a receipt is looked for: there are few others with the same, unless a
// session wants it so for its own. It costs no hash, and every database can make it of
// columns.
type mark [8]byte

func markOf(session Secret, request string) (m mark) {
	n := copy(m[:], session[:4])
	request = "----" + request
	copy(m[n:], request[len(request)-4:])
	return m
}

// part is which of so many parts of a lot a mark is in.
func (m mark) part() int { return int(m[0]^m[7]) % lotParts }

// A lot is so many receipts one after the other, and what is known of where they are, in
// parts: for each receipt its mark, and 2 bytes of how far into the lot its sheet is.
const (
	lotBits  = 14
	lotParts = 64
	lotEntry = len(mark{}) + 2
)
