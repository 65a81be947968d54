// Package wire writes and reads the fixed binary layouts of docs/seal.md,
// docs/deed.md and docs/wire.md: big-endian integers, raw bytes and bytes that
// their length goes before. There is one spelling of every value, so that what
// was read and written again is the same bytes.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/latchkey-cam/latchkey"
)

// What is wrong with bytes that could not be read. A [Reader]'s error is always one
// of these, so that each format can give it the name of its own page.
var (
	ErrTruncated = errors.New("the bytes end too early")
	ErrMalformed = errors.New("the bytes have another layout")
	ErrOversize  = errors.New("a part is longer than its limit")
)

// Writer collects bytes. Its zero value is ready.
type Writer struct{ b []byte }

// Grow makes room for n bytes more, for who knows how much is to come.
func (w *Writer) Grow(n int) { w.b = slices.Grow(w.b, n) }

// U8 writes one byte.
func (w *Writer) U8(v uint8) { w.b = append(w.b, v) }

// U16 writes two bytes.
func (w *Writer) U16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }

// U32 writes four bytes.
func (w *Writer) U32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

// U64 writes eight bytes.
func (w *Writer) U64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }

// Raw writes p as it is.
func (w *Writer) Raw(p []byte) { w.b = append(w.b, p...) }

// Label writes a domain separation: the text and a zero byte.
func (w *Writer) Label(s string) { w.b = append(append(w.b, s...), 0) }

// LP16 writes the length of p as two bytes, then p. No format has a field that could
// be longer than that; a caller who tries has a bug.
func (w *Writer) LP16(p []byte) {
	if len(p) > math.MaxUint16 {
		panic(fmt.Sprintf("wire: internal error: %d bytes behind a 16-bit length", len(p)))
	}
	w.U16(uint16(len(p)))
	w.Raw(p)
}

// Signatures writes what everything signed ends with: how many there are, 255 at most, and
// each behind its length.
func (w *Writer) Signatures(all [][]byte) {
	w.U8(uint8(len(all)))
	for _, s := range all {
		w.LP16(s)
	}
}

// LP32 writes the length of p as four bytes, then p.
func (w *Writer) LP32(p []byte) {
	if uint64(len(p)) > math.MaxUint32 {
		panic(fmt.Sprintf("wire: internal error: %d bytes behind a 32-bit length", len(p)))
	}
	w.U32(uint32(len(p)))
	w.Raw(p)
}

// Head writes a place in a chain of deeds, 40 bytes.
func (w *Writer) Head(h latchkey.Head) {
	w.U64(h.Seq)
	w.Raw(h.Hash[:])
}

// Bytes returns what was written. It stays the writer's until the writer is dropped.
func (w *Writer) Bytes() []byte { return w.b }

// Len is how much was written.
func (w *Writer) Len() int { return len(w.b) }

// Reader takes bytes apart. After its first error it gives zeroes and keeps that
// error, so that a layout can be read straight through and asked at the end. What
// it returns is part of the bytes it was made of; nothing is copied.
type Reader struct {
	b   []byte
	off int
	err error
}

// NewReader returns a reader of b.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is the first thing that was wrong, or nil.
func (r *Reader) Err() error { return r.err }

// Fail makes err the reader's error unless it has one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Offset is how many bytes were read.
func (r *Reader) Offset() int { return r.off }

// Rest returns what has not been read, without reading it.
func (r *Reader) Rest() []byte {
	if r.err != nil {
		return nil
	}
	return r.b[r.off:]
}

// Done returns the reader's error, or [ErrMalformed] if something is left.
func (r *Reader) Done() error {
	if r.err == nil && r.off < len(r.b) {
		r.err = fmt.Errorf("%w: %d bytes too many", ErrMalformed, len(r.b)-r.off)
	}
	return r.err
}

// Raw reads n bytes. After an error it returns nil.
func (r *Reader) Raw(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b)-r.off {
		r.err = fmt.Errorf("%w: want %d more, have %d", ErrTruncated, n, len(r.b)-r.off)
		return nil
	}
	p := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return p
}

// Into reads as many bytes as dst holds; after an error dst is left as it was.
func (r *Reader) Into(dst []byte) { copy(dst, r.Raw(len(dst))) }

// U8 reads one byte.
func (r *Reader) U8() uint8 {
	if p := r.Raw(1); p != nil {
		return p[0]
	}
	return 0
}

// U16 reads two bytes.
func (r *Reader) U16() uint16 {
	if p := r.Raw(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

// U32 reads four bytes.
func (r *Reader) U32() uint32 {
	if p := r.Raw(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// U64 reads eight bytes. A number that JavaScript would not read exactly is refused.
func (r *Reader) U64() uint64 {
	p := r.Raw(8)
	if p == nil {
		return 0
	}
	v := binary.BigEndian.Uint64(p)
	if v > latchkey.MaxInt {
		r.err = fmt.Errorf("%w: %d is larger than 2^53-1", ErrMalformed, v)
		return 0
	}
	return v
}

// LP16 reads bytes that a 16-bit length goes before; a length over limit is [ErrOversize].
func (r *Reader) LP16(limit int) []byte { return r.prefixed(uint64(r.U16()), limit) }

// LP32 reads bytes that a 32-bit length goes before; a length over limit is [ErrOversize].
func (r *Reader) LP32(limit int) []byte { return r.prefixed(uint64(r.U32()), limit) }

func (r *Reader) prefixed(n uint64, limit int) []byte {
	if r.err == nil && n > uint64(limit) {
		r.err = fmt.Errorf("%w: %d bytes, at most %d", ErrOversize, n, limit)
	}
	return r.Raw(int(n))
}

// Head reads a place in a chain of deeds.
func (r *Reader) Head() (h latchkey.Head) {
	h.Seq = r.U64()
	r.Into(h.Hash[:])
	return h
}
