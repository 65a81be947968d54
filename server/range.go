package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/latchkey-cam/latchkey/api"
)

// extent is the part of an object file that somebody is sent.
type extent struct {
	from, length uint64
	of           uint64 // the length of the file
}

// whole says that it is all of the file.
func (e extent) whole() bool { return e.length == e.of }

// ends says that it is the last of the file.
func (e extent) ends() bool { return e.from+e.length == e.of }

// contentRange is the part as an answer says it.
func (e extent) contentRange() string {
	return fmt.Sprintf("bytes %d-%d/%d", e.from, e.from+e.length-1, e.of)
}

// extentOf is which part of a file of that length a request asks for (RFC 9110, 14).
// Several parts, other units and what does not parse are answered with the whole, as is a
// range that shall hold only for a file which has not changed: there is no name for that.
func extentOf(asked, unless string, of uint64) (extent, error) {
	all := extent{length: of, of: of}
	span, ok := strings.CutPrefix(asked, "bytes=")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !dash || unless != "" {
		return all, nil
	}
	from, fromErr := ordinal(first)
	to, toErr := ordinal(last)
	switch {
	case first == "" && toErr == nil: // the last so many
		to = min(to, of)
		from, to = of-to, of-1
		if from == of {
			return all, outside()
		}
	case fromErr != nil || last != "" && (toErr != nil || to < from):
		return all, nil
	case from >= of:
		return all, outside()
	case last == "" || to >= of:
		to = of - 1
	}
	return extent{from, to - from + 1, of}, nil
}

// ordinal reads a number of digits alone.
func ordinal(digits string) (uint64, error) {
	if strings.Trim(digits, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(digits, 10, 53)
}

func outside() *refusal {
	return refuse(http.StatusRequestedRangeNotSatisfiable, api.Malformed, "The range lies outside of the object file.")
}

// begin is what of the file's prefix is in the part, after which its body is to be sent
// from where it then stands.
func (e extent) begin(prefix []byte, body io.Reader) ([]byte, error) {
	n := uint64(len(prefix))
	if e.from < n {
		return prefix[e.from:min(n, e.from+e.length)], nil
	}
	if err := skip(body, e.from-n); err != nil {
		return nil, fmt.Errorf("read object from %d on: %w", e.from, err)
	}
	return nil, nil
}

// skip passes over n bytes, without reading them where that is possible.
func skip(r io.Reader, n uint64) error {
	if s, ok := r.(io.Seeker); ok {
		_, err := s.Seek(int64(n), io.SeekCurrent)
		return err
	}
	_, err := io.CopyN(io.Discard, r, int64(n))
	return err
}
