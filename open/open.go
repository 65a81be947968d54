// Package open checks and decrypts sealed objects for whoever holds a key of their
// home: all steps of docs/seal.md, "Reading", in their order. Nothing of an object's
// content leaves this package before its signature and the hash of its whole body
// have been checked.
//
// Neither server nor agent may import it; a test of the house says so.
package open

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/cobblestone"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Open writes the content of an object to w. The file's prefix is f and its body is
// what body gives from here to its end. What was asked for is compared with what it
// is; a zero name asks nothing but that it is of the title's home.
//
// The whole body is hashed before the first byte is decrypted. If body is an
// [io.ReadSeeker] it is read twice, otherwise it is held in memory, at most as much
// as its kind may have. A refusal is a [*sealed.Error]; what was written to w before
// one is authentic but not whole.
func Open(f sealed.File, body io.Reader, asked latchkey.Name, t *deed.Title, ring key.Ring, w io.Writer) error {
	if err := sealed.Verify(f.Header, asked, t); err != nil {
		return err
	}
	body, err := checkBody(f.Header, body)
	if err != nil {
		return err
	}
	k, err := objectKey(f, t, ring)
	if err != nil {
		return err
	}
	r, err := cobblestone.NewReader(body, k, f.Header.Binding.Bytes())
	if err != nil {
		return refusal(err)
	}
	_, err = r.WriteTo(w)
	return refusal(err)
}

// checkBody returns the body, to be read from its beginning, once it is known to be
// the one that was signed.
func checkBody(h sealed.Header, body io.Reader) (io.Reader, error) {
	if s, ok := body.(io.ReadSeeker); ok {
		start, err := s.Seek(0, io.SeekCurrent)
		if err == nil {
			if err := h.CheckBody(s); err != nil {
				return nil, err
			}
			if _, err := s.Seek(start, io.SeekStart); err != nil {
				return nil, fmt.Errorf("read body: %w", err)
			}
			return io.LimitReader(s, int64(h.BodyLength)), nil
		}
	}
	var kept bytes.Buffer
	if err := h.CheckBody(io.TeeReader(body, &kept)); err != nil {
		return nil, err
	}
	return &kept, nil
}

// objectKey opens the first envelope that is for a key of the ring.
func objectKey(f sealed.File, t *deed.Title, ring key.Ring) ([]byte, error) {
	for _, e := range f.Envelopes {
		private, ok := ring.Find(e.Recipient, e.Key)
		if !ok {
			continue
		}
		if err := sealed.CheckEnvelope(f.Header, e, t); err != nil {
			return nil, err
		}
		k, err := private.Open(sealed.EnvelopeInfo(f.Header.Binding, e.Recipient, e.Key, e.Epoch), e.Sealed)
		if err != nil {
			return nil, sealed.Refuse(sealed.BadEnvelope, "the envelope does not open with the key it names")
		}
		return k, nil
	}
	return nil, sealed.Refuse(sealed.NoEnvelope, "none of %d envelopes is for a key at hand", len(f.Envelopes))
}

// refusal gives what package cobblestone says its reason; other errors stay.
func refusal(err error) error {
	switch {
	case errors.Is(err, cobblestone.ErrTruncated):
		return sealed.Refuse(sealed.Truncated, "%v", err)
	case errors.Is(err, cobblestone.ErrCommitment):
		return sealed.Refuse(sealed.Commitment, "%v", err)
	case errors.Is(err, cobblestone.ErrChunk):
		return sealed.Refuse(sealed.BadChunk, "%v", err)
	}
	return err
}

// ReaderAt gives any part of an object's content. It may be used by several
// goroutines at a time if the body may.
type ReaderAt struct{ c *cobblestone.ReaderAt }

// NewReaderAt checks an object like [Open] does, the hash of its whole body
// included, and opens its last chunk, which proves how long the content is. The body
// must not change while the reader is used.
func NewReaderAt(f sealed.File, body io.ReaderAt, size int64, asked latchkey.Name, t *deed.Title, ring key.Ring) (*ReaderAt, error) {
	if err := sealed.Verify(f.Header, asked, t); err != nil {
		return nil, err
	}
	if err := f.Header.CheckBody(io.NewSectionReader(body, 0, size)); err != nil {
		return nil, err
	}
	k, err := objectKey(f, t, ring)
	if err != nil {
		return nil, err
	}
	c, err := cobblestone.NewReaderAt(body, uint64(size), k, f.Header.Binding.Bytes())
	if err != nil {
		return nil, refusal(err)
	}
	return &ReaderAt{c}, nil
}

// Size is that of the content.
func (r *ReaderAt) Size() int64 { return r.c.Size() }

// ReadAt gives the content from off on.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := r.c.ReadAt(p, off)
	return n, refusal(err)
}
