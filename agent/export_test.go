package agent

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/agent/spool"
	"github.com/latchkey-cam/latchkey/agent/uplink"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/media"
)

// Orders says who may give each order, in the words of docs/letter.md.
func Orders() map[string]string {
	all := map[string]string{}
	for do, o := range new(Agent).orders() {
		all[do] = o.who.String()
	}
	return all
}

// May says whether whoever signed a command may have it obeyed.
func May(t *deed.Title, signer latchkey.KeyID, c letter.Command, at latchkey.Time, sure bool) bool {
	return new(Agent).orders()[c.Do()].who.may(t, signer, c, at, sure)
}

// Pieces returns the hashes of the pieces of what is written so.
func Pieces(writes ...[]byte) []byte {
	p := piecesTo(io.Discard)
	for _, b := range writes {
		_, _ = p.Write(b)
	}
	return p.hashes()
}

// Head is the newest deed that the agent knows.
func Head(a *Agent) latchkey.Head { return a.chain.Title().Head() }

// UnsentOf is what waits in a spool, for the members of a home.
func UnsentOf(s *spool.Spool, c *uplink.Chain) Unsent { return Unsent{&Agent{spool: s, chain: c}} }

// Brought is how many streams are being brought to the server.
func Brought(a *Agent) (n int) {
	a.live.mu.Lock()
	defer a.live.mu.Unlock()
	for _, s := range a.live.streams {
		if s.stop != nil {
			n++
		}
	}
	return n
}

// Waiting puts so many pictures of that size, the first of each group a key frame, where
// what is brought waits, and returns which of them wait then.
func Waiting(pictures, group, size int) (waits []int) {
	var q queue
	for i := range pictures {
		q.push(shot{Unit: media.Unit{Key: i%group == 0, PTS: media.Ticks(i), NALs: [][]byte{make([]byte, size)}}})
	}
	for _, s := range q.pop() {
		waits = append(waits, int(s.PTS))
	}
	return waits
}

// Free is how much the disk of a folder has free, if something happens after it was opened.
func Free(folder string, then func()) (int64, error) {
	d, err := openDisk(folder, nil)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	if err := d.watch(nil); err != nil {
		return 0, err
	}
	then()
	return d.free()
}

// Opened opens a file on the disk of a folder, has something happen, and says what becomes of
// what is written to that file and to a new one when the disk has been looked at again.
func Opened(folder string, then func()) (old, fresh, err error) {
	d, err := openDisk(folder, nil)
	if err != nil {
		return nil, nil, err
	}
	defer d.Close()
	if err := d.watch(nil); err != nil {
		return nil, nil, err
	}
	f, err := d.OpenFile("old", os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	_, err = f.Write([]byte("before"))
	if err = errors.Join(err, f.Sync()); err != nil {
		return nil, nil, err
	}
	then()
	time.Sleep(lookEvery)
	for _, of := range []error{f.Truncate(0), f.Sync()} {
		if !errors.Is(of, durable.ErrAway) {
			return nil, nil, fmt.Errorf("a file of before can be cut or synced: %w", of)
		}
	}
	_, old = f.Write([]byte("after"))
	return old, durable.WriteBytes(d, "fresh", []byte("after")), nil
}
