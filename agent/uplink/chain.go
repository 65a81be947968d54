package uplink

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/wire"
)

// The chain's file is
//
//	"latchkey deeds 1\n" || n × lp32(deed)
//
// and is written anew when the chain grows, which is when somebody changes the home.
const (
	chainMagic = "latchkey deeds 1\n"
	maxChain   = 256 << 20
)

// ErrOtherChain says that the server offers a chain of deeds that is not the one this
// agent has verified: a fork, a chain rolled back, another home's, or nonsense.
var ErrOtherChain = errors.New("the server offers another chain of deeds")

// Chain is the home's deeds as this agent has verified them, kept on its disk. It only
// ever grows: that is how a server which rolls the home back is found out.
type Chain struct {
	fs   durable.FS
	name string
	home latchkey.HomeID

	mu      sync.Mutex    // protects title and changed
	title   *deed.Title   // nil until the first deeds have come
	changed chan struct{} // closed, and replaced, when the title changes
}

// LoadChain reads the chain of home from its file, which need not be there yet. The
// deeds are verified as if a server had sent them.
func LoadChain(fsys durable.FS, name string, home latchkey.HomeID) (*Chain, error) {
	c := &Chain{fs: fsys, name: name, home: home, changed: make(chan struct{})}
	b, err := durable.ReadBytes(fsys, name, maxChain)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load deeds: %w", err)
	}
	deeds, err := parseChain(b)
	if err != nil {
		return nil, fmt.Errorf("load deeds: %w", err)
	}
	if c.title, err = deed.Fold(home, deeds); err != nil {
		return nil, fmt.Errorf("load deeds: %w", err)
	}
	return c, nil
}

func parseChain(b []byte) ([][]byte, error) {
	rest, ok := bytes.CutPrefix(b, []byte(chainMagic))
	if !ok {
		return nil, fmt.Errorf("%w: not a file of deeds", wire.ErrMalformed)
	}
	var deeds [][]byte
	r := wire.NewReader(rest)
	for r.Err() == nil && len(r.Rest()) > 0 {
		deeds = append(deeds, r.LP32(deed.MaxDeed))
	}
	return deeds, r.Err()
}

// Title is what the chain comes to, nil if no deed is known yet.
func (c *Chain) Title() *deed.Title {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.title
}

// Changed is closed when the title has changed since the call.
func (c *Chain) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Extend verifies what a server says the chain comes to: that these deeds follow those
// known, and lead to that head. Deeds known already may be among them. The chain is on
// the disk when Extend returns; if anything is wrong it stays what it was, and the
// error is [ErrOtherChain].
func (c *Chain) Extend(head latchkey.Head, deeds [][]byte) (*deed.Title, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	next, err := c.append(deeds)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOtherChain, err)
	}
	if !next.OnChain(head) {
		return nil, fmt.Errorf("%w: it names deed %d, which is none of those up to %d", ErrOtherChain, head.Seq, next.Head().Seq)
	}
	if next.Head() == c.head() {
		return c.title, nil
	}
	if err := c.store(next); err != nil {
		return nil, err
	}
	c.title = next
	close(c.changed)
	c.changed = make(chan struct{})
	return next, nil
}

// head is the chain's end, zero if there is none. Its caller holds the lock.
func (c *Chain) head() latchkey.Head {
	if c.title == nil {
		return latchkey.Head{}
	}
	return c.title.Head()
}

// append folds the deeds that are new onto the title.
func (c *Chain) append(deeds [][]byte) (*deed.Title, error) {
	if c.title == nil {
		return deed.Fold(c.home, deeds)
	}
	known := 0
	for _, b := range deeds {
		d, err := deed.Parse(b)
		if err != nil {
			return nil, err
		}
		hash, ok := c.title.HashAt(d.Seq)
		if !ok {
			break
		}
		if hash != deed.Hash(b) {
			return nil, fmt.Errorf("another deed %d than the one known", d.Seq)
		}
		known++
	}
	return c.title.Append(deeds[known:]...)
}

func (c *Chain) store(t *deed.Title) error {
	var w wire.Writer
	w.Raw([]byte(chainMagic))
	for _, b := range t.Deeds(0) {
		w.LP32(b)
	}
	return durable.WriteBytes(c.fs, c.name, w.Bytes())
}
