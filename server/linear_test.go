package server_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive/archivetest"
	"github.com/latchkey-cam/latchkey/bus"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/server"
)

// writer is a page of the owner's that appends at one of two servers.
type writer struct {
	owner  *keytest.Owner
	member *api.Home
}

// read fetches what it does not have of the chain, and returns the head.
func (w *writer) read(t *testing.T) (latchkey.Head, error) {
	deeds, head, err := w.member.Deeds(t.Context(), w.owner.Title().Head().Seq+1)
	if err != nil || len(deeds) == 0 {
		return head, err
	}
	title, err := w.owner.Title().Append(deeds...)
	if err == nil {
		w.owner.Adopt(title)
	}
	return head, err
}

// write signs a deed that follows what it knows, and appends it.
func (w *writer) write(t *testing.T, h *archivetest.History, client int) error {
	known := w.owner.Title()
	d := w.owner.StartEpoch()
	err := h.Append(client, known.Head(), w.owner.Title().Head(), func() (bool, error) {
		_, err := w.member.Append(t.Context(), known.Head(), d)
		if api.ReasonOf(err) == api.Conflict {
			w.owner.Adopt(known)
			return true, nil
		}
		return false, err
	})
	return err
}

// TestAppendsAreLinearizable: what pages do with one chain at two servers at the same
// time could have happened one by one.
func TestAppendsAreLinearizable(t *testing.T) {
	b := bus.NewLocal()
	h := openHouse(t, func(c *server.Config) { c.Bus = b })
	elsewhere := must(api.NewClient(h.beside(t, b, h.archive.Archive()), nil))
	m := h.found(t)
	device, key := m.owner.Device()
	var writers []*writer
	for i := range 6 {
		client := []*api.Client{h.client, elsewhere}[i%2]
		w := &writer{owner: m.owner.As(&keytest.Person{Keys: m.owner.Keys})}
		w.member = must(client.SignIn(t.Context(), m.owner.Home(), device, key, m.owner.Title().Head()))
		writers = append(writers, w)
	}
	history := archivetest.NewHistory(m.owner.Title().Head())
	archivetest.Together(t, len(writers), 12, func(client int) error {
		w := writers[client]
		if _, err := history.Read(client, func() (latchkey.Head, error) { return w.read(t) }); err != nil {
			return err
		}
		return w.write(t, history, client)
	})
	history.Check(t)
	if deeds, _, err := m.member.Deeds(t.Context(), 0); err != nil || deed.ReasonOf(folded(m, deeds)) != "" {
		t.Errorf("the chain does not fold: %v, %v", err, folded(m, deeds))
	}
}

func folded(m *home, deeds [][]byte) error {
	_, err := deed.Fold(m.owner.Home(), deeds)
	return err
}
