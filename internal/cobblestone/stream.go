package cobblestone

import (
	"errors"
	"fmt"
	"io"
)

var errClosed = errors.New("write to a message that was closed")

// Writer encrypts what is written to it. It holds at most one chunk.
type Writer struct {
	w       io.Writer
	c       *chunks
	i       uint64
	content []byte // of the chunk that is not full yet
	sealed  []byte // the chunk being written
	err     error
}

// NewWriter starts a message under key, which must never have encrypted another. The
// message is whole only after [Writer.Close].
func NewWriter(w io.Writer, key, context []byte) (*Writer, error) {
	c, start, err := newChunks(key, context)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(start); err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	return &Writer{w: w, c: c, content: make([]byte, 0, ChunkSize), sealed: make([]byte, 0, sealedChunk)}, nil
}

// Write encrypts p. After an error the message cannot be finished.
func (w *Writer) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	written := 0
	for len(p) > 0 {
		n := min(len(p), ChunkSize-len(w.content))
		if n == ChunkSize { // a whole chunk needs no copy
			w.flush(p[:n])
		} else if w.content = append(w.content, p[:n]...); len(w.content) == ChunkSize {
			w.flush(w.content)
			w.content = w.content[:0]
		}
		if w.err != nil {
			return written, w.err
		}
		written += n
		p = p[n:]
	}
	return written, nil
}

func (w *Writer) flush(content []byte) {
	if w.i >= maxChunks {
		w.err = errors.New("write message: too long")
		return
	}
	w.sealed = w.c.seal(w.sealed[:0], w.i, content)
	w.i++
	if _, err := w.w.Write(w.sealed); err != nil {
		w.err = fmt.Errorf("write message: %w", err)
	}
}

// Close writes the last chunk, without which the message is truncated. It does not
// close the writer below.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	w.flush(w.content)
	if w.err != nil {
		return w.err
	}
	w.err = errClosed
	return nil
}

// Reader decrypts a message. What it gives has been authenticated, chunk by chunk;
// the end of the message is authenticated by [io.EOF].
type Reader struct {
	r       io.Reader
	c       *chunks
	i       uint64
	sealed  []byte
	opened  []byte
	content []byte // opened and not yet read
	err     error
}

// NewReader reads the beginning of a message from r and compares the commitment. It
// reads r to its end.
func NewReader(r io.Reader, key, context []byte) (*Reader, error) {
	start := make([]byte, Overhead)
	if _, err := io.ReadFull(r, start); err != nil {
		return nil, ended(err)
	}
	c, err := openChunks(start, key, context)
	if err != nil {
		return nil, err
	}
	return &Reader{r: r, c: c, sealed: make([]byte, sealedChunk), opened: make([]byte, 0, ChunkSize)}, nil
}

func ended(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrTruncated
	}
	return fmt.Errorf("read message: %w", err)
}

// Read gives content.
func (r *Reader) Read(p []byte) (int, error) {
	for len(r.content) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.content, r.err = r.next()
	}
	n := copy(p, r.content)
	r.content = r.content[n:]
	return n, nil
}

// WriteTo gives all the content that is left to w without copying it.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for {
		n, err := w.Write(r.content)
		written += int64(n)
		r.content = r.content[n:]
		switch {
		case err != nil:
			return written, err
		case r.err == io.EOF:
			return written, nil
		case r.err != nil:
			return written, r.err
		}
		r.content, r.err = r.next()
	}
}

// next opens a chunk; with the last it returns [io.EOF].
func (r *Reader) next() ([]byte, error) {
	n, err := io.ReadFull(r.r, r.sealed)
	last := errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case err != nil && !last:
		return nil, ended(err)
	case n < TagSize, r.i >= maxChunks:
		return nil, ErrTruncated
	}
	content, err := r.c.open(r.opened[:0], r.i, r.sealed[:n])
	if err != nil {
		return nil, err
	}
	r.i++
	if last {
		return content, io.EOF
	}
	return content, nil
}

// ReaderAt decrypts any part of a message. It may be used by several goroutines at a
// time if the reader below may.
type ReaderAt struct {
	r    io.ReaderAt
	c    *chunks
	size int64 // of the content
}

// NewReaderAt opens a message of size bytes. The commitment is compared and the last
// chunk opened first, which proves how long the content is.
func NewReaderAt(r io.ReaderAt, size uint64, key, context []byte) (*ReaderAt, error) {
	content, err := ContentSize(size)
	if err != nil {
		return nil, err
	}
	start := make([]byte, Overhead)
	if err := readAt(r, start, 0); err != nil {
		return nil, err
	}
	c, err := openChunks(start, key, context)
	if err != nil {
		return nil, err
	}
	at := &ReaderAt{r, c, int64(content)}
	if _, err := at.chunk(content/ChunkSize, make([]byte, sealedChunk)); err != nil {
		return nil, err
	}
	return at, nil
}

// Size is that of the content.
func (r *ReaderAt) Size() int64 { return r.size }

// chunk reads and opens chunk i within buf, which holds a sealed chunk.
func (r *ReaderAt) chunk(i uint64, buf []byte) ([]byte, error) {
	length := min(r.size-int64(i)*ChunkSize, ChunkSize) + TagSize
	buf = buf[:length]
	if err := readAt(r.r, buf, Overhead+int64(i)*sealedChunk); err != nil {
		return nil, err
	}
	c := chunks{aead: r.c.aead, base: r.c.base} // the nonce of its own
	return c.open(buf[:0], i, buf)
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	if n, err := r.ReadAt(p, off); n < len(p) {
		return ended(err)
	}
	return nil
}

// ReadAt gives the content from off on. Only chunks that authenticate are given.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("read message: negative offset")
	}
	if off >= r.size {
		return 0, io.EOF
	}
	buf := make([]byte, sealedChunk)
	n := 0
	for n < len(p) && off+int64(n) < r.size {
		at := off + int64(n)
		content, err := r.chunk(uint64(at/ChunkSize), buf)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], content[at%ChunkSize:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
