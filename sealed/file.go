package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/latchkey-cam/latchkey/internal/wire"
)

// Magic is how an object file begins.
const Magic = "latchkey object 1\n"

// MaxPrefix is the largest part of an object file that is not its body.
const MaxPrefix = len(Magic) + 2 + MaxHeader + 2 + MaxEnvelopes*(2+MaxEnvelope)

// File is the part of an object file before its body.
type File struct {
	Header    Header
	Envelopes []Envelope
}

// ReadFile reads an object file up to its body, and not a byte more from r. An error
// that is no refusal is r's own.
func ReadFile(r io.Reader) (File, error) {
	magic, err := take(r, len(Magic))
	if err != nil {
		return File{}, err
	}
	if err := checkMagic(string(magic)); err != nil {
		return File{}, err
	}
	h, err := takeLP16(r, "header", MaxHeader)
	if err != nil {
		return File{}, err
	}
	var f File
	if f.Header, err = ParseHeader(h); err != nil {
		return File{}, err
	}
	n, err := take(r, 2)
	if err != nil {
		return File{}, err
	}
	count := int(binary.BigEndian.Uint16(n))
	if count > MaxEnvelopes {
		return File{}, Refuse(Oversize, "%d envelopes, at most %d", count, MaxEnvelopes)
	}
	for range count {
		p, err := takeLP16(r, "envelope", MaxEnvelope)
		if err != nil {
			return File{}, err
		}
		e, err := ParseEnvelope(p)
		if err != nil {
			return File{}, err
		}
		f.Envelopes = append(f.Envelopes, e)
	}
	return f, nil
}

// checkMagic compares what a file begins with; a greater digit is a later version.
func checkMagic(magic string) error {
	if magic == Magic {
		return nil
	}
	digit := len(Magic) - 2
	if magic[:digit] == Magic[:digit] && magic[digit] > Magic[digit] && magic[digit] <= '9' && magic[digit+1:] == Magic[digit+1:] {
		return Refuse(FutureVersion, "object file of version %c; this program reads 1", magic[digit])
	}
	return Refuse(Malformed, "this is no object file")
}

func take(r io.Reader, n int) ([]byte, error) {
	p := make([]byte, n)
	if _, err := io.ReadFull(r, p); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, Refuse(Truncated, "the file ends before its body")
	} else if err != nil {
		return nil, fmt.Errorf("read object file: %w", err)
	}
	return p, nil
}

func takeLP16(r io.Reader, what string, limit int) ([]byte, error) {
	n, err := take(r, 2)
	if err != nil {
		return nil, err
	}
	size := int(binary.BigEndian.Uint16(n))
	if size > limit {
		return nil, Refuse(Oversize, "%s of %d bytes, at most %d", what, size, limit)
	}
	return take(r, size)
}

// Bytes returns the file up to its body.
func (f File) Bytes() []byte {
	var w wire.Writer
	w.Grow(len(Magic) + 2*BindingSize)
	w.Raw([]byte(Magic))
	w.LP16(f.Header.Bytes())
	w.U16(uint16(len(f.Envelopes)))
	for _, e := range f.Envelopes {
		w.LP16(e.Bytes())
	}
	return w.Bytes()
}

// WriteTo writes the file up to its body; the body is to follow.
func (f File) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(f.Bytes())
	return int64(n), err
}
