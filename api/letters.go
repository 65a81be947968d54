package api

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// WriteReply writes one letter of the stream that answers a command:
// u32(length) || letter.
func WriteReply(w io.Writer, letter []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(letter)), uint32(len(letter)))
	_, err := w.Write(append(b, letter...))
	return err
}

// ReadReply reads the next letter of the stream that answers a command. The error is
// [io.EOF] where the stream ends between two letters, and [ErrMalformed] for a letter
// that is empty or too long.
func ReadReply(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n == 0 || n > sealed.MaxLetter {
		return nil, fmt.Errorf("%w: a reply of %d bytes", ErrMalformed, n)
	}
	letter := make([]byte, n)
	if _, err := io.ReadFull(r, letter); errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	} else if err != nil {
		return nil, err
	}
	return letter, nil
}

// Replies are the letters that answer a command, as they come. Nothing is checked: that
// is for whoever opens them.
type Replies struct {
	Request string // ID of the request that they answer
	body    io.ReadCloser
}

// Next waits for the next reply; after the last the error is [io.EOF].
func (r *Replies) Next() ([]byte, error) { return ReadReply(r.body) }

// Close gives up on the replies that have not come; the agent is told to stop.
func (r *Replies) Close() error { return r.body.Close() }

// Command sends a sealed command to an agent. It returns when the first reply is there.
func (h *Home) Command(ctx context.Context, agent latchkey.AgentID, letter []byte) (*Replies, error) {
	q := h.call(http.MethodPost, "/agents/"+agent.String()+"/commands")
	q.header = http.Header{"Content-Type": {"application/octet-stream"}}
	q.content = letter
	a, err := h.client.do(ctx, q)
	if err != nil {
		return nil, err
	}
	return &Replies{a.Header.Get(HeaderRequest), a.Body}, nil
}

// Conditions returns the newest sealed condition of each agent.
func (h *Home) Conditions(ctx context.Context) ([]AgentCondition, error) {
	var a Conditions
	err := h.ask(ctx, h.call(http.MethodGet, "/conditions"), nil, &a, &a.Home)
	return a.Conditions, err
}
