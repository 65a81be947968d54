package uplink

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/internal/durable"
)

const tokenSize = 32

// Start is one start of this agent: its number, the incarnation, which is on the disk
// before anything is sealed under it, and the tokens by which a server tells the agent
// from a copy of it.
//
// A token replaces the one before when the server takes a hello. If the answer is lost
// nobody here knows whether it did, so the same hello is said again, by a later start
// too, until it is answered; only then the next is made.
type Start struct {
	fs   durable.FS // nil: nothing is kept
	name string

	mu   sync.Mutex // protects file
	file startFile
}

type startFile struct {
	V           int    `json:"v"`
	Incarnation uint64 `json:"incarnation"` // of the newest start
	Said        hello  `json:"said"`        // the last hello; zero before the first
	Answered    bool   `json:"answered"`    // whether the server took it
}

// hello is the part of a hello message that must not be made twice.
type hello struct {
	Incarnation uint64 `json:"incarnation"`
	Token       []byte `json:"token"`
	Next        []byte `json:"next"`
}

// NextStart takes the next incarnation and returns when it is on the disk. A file that
// cannot be read is an error: going on would repeat numbers.
func NextStart(fsys durable.FS, name string) (*Start, error) {
	s := &Start{fs: fsys, name: name}
	b, err := durable.ReadBytes(fsys, name, 4096)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.file = startFile{V: 1, Answered: true}
	case err != nil:
		return nil, fmt.Errorf("count this start: %w", err)
	default:
		if err := json.Unmarshal(b, &s.file); err != nil {
			return nil, fmt.Errorf("count this start: %w", err)
		}
		if s.file.V != 1 || s.file.Incarnation == 0 || s.file.Incarnation >= latchkey.MaxInt {
			return nil, fmt.Errorf("count this start: the file %s holds no count of version 1", name)
		}
	}
	s.file.Incarnation++
	if err := s.store(s.file); err != nil {
		return nil, fmt.Errorf("count this start: %w", err)
	}
	return s, nil
}

// leap is by how much an agent with new keys counts on: past whatever the copies of it
// have counted to, so that nobody who remembers one of them takes it for an older one.
const leap = 1 << 32

// RenewStart makes the file of starts for an agent that gets new keys, which no server
// knows a token of. It counts on from the file of the old ones, if that can be read.
func RenewStart(fsys durable.FS, old, name string) error {
	var before startFile
	b, err := durable.ReadBytes(fsys, old, 4096)
	if err == nil {
		err = json.Unmarshal(b, &before)
	}
	if err != nil || before.Incarnation >= latchkey.MaxInt-leap {
		before.Incarnation = 0 // it cannot be told; what was told before is not believed either
	}
	s := &Start{fs: fsys, name: name}
	if err := s.store(startFile{V: 1, Incarnation: before.Incarnation + leap, Answered: true}); err != nil {
		return fmt.Errorf("count starts anew: %w", err)
	}
	return nil
}

// Beside is the same start at another server, which knows no token of it and lives no
// longer than this program: nothing of it is on the disk.
func (s *Start) Beside() *Start {
	return &Start{file: startFile{V: 1, Incarnation: s.Incarnation(), Answered: true}}
}

// Incarnation is the number of this start.
func (s *Start) Incarnation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.Incarnation
}

// hello returns what is to be said now; it is on the disk.
func (s *Start) hello() (hello, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.file
	if !f.Answered || f.Said.Incarnation == f.Incarnation {
		return f.Said, nil
	}
	token := f.Said.Next
	if token == nil {
		token = newToken() // the server knows none yet and takes any
	}
	f.Said = hello{f.Incarnation, token, newToken()}
	f.Answered = false
	if err := s.store(f); err != nil {
		return hello{}, fmt.Errorf("keep a token: %w", err)
	}
	s.file = f
	return f.Said, nil
}

// answered notes that the server took a hello, and says whether it was this start's.
func (s *Start) answered(h hello) (current bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.file
	if !f.Answered {
		f.Answered = true
		if err := s.store(f); err != nil {
			return false, fmt.Errorf("keep a token: %w", err)
		}
		s.file = f
	}
	return h.Incarnation == f.Incarnation, nil
}

func (s *Start) store(f startFile) error {
	if s.fs == nil {
		return nil // nobody asks for it when this program has ended
	}
	b, err := json.Marshal(f)
	if err != nil {
		panic("internal error: encode the count of starts: " + err.Error())
	}
	return durable.WriteBytes(s.fs, s.name, append(b, '\n'))
}

func newToken() []byte {
	t := make([]byte, tokenSize)
	rand.Read(t)
	return t
}
