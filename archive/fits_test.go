package archive_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/sealed"
)

// TestEveryColumnCounts: a row one of whose columns is another object's is handed out as
// nobody's, and so is one with another object's envelope.
func TestEveryColumnCounts(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	o := agent.Object(owner.Title(), owner.PlaceCamera(agent), latchkey.Thumbnail, []byte("picture"))
	if problem, envelopes := archive.RowOf(o.File, nil, nil); problem != "" || envelopes != 1 {
		t.Fatalf("a row as it was kept: %q with %d envelopes", problem, envelopes)
	}
	for column, change := range map[string]func(k *archive.Kept){
		"home":        func(k *archive.Kept) { k.Home[0]++ },
		"camera":      func(k *archive.Kept) { k.Camera[0]++ },
		"object":      func(k *archive.Kept) { k.Object[0]++ },
		"day":         func(k *archive.Kept) { k.Day = "2025-01-01" },
		"kind":        func(k *archive.Kept) { k.Kind = latchkey.Clip },
		"event":       func(k *archive.Kept) { k.Event[0]++ },
		"agent's key": func(k *archive.Kept) { k.AgentKey[0]++ },
		"incarnation": func(k *archive.Kept) { k.Incarnation++ },
		"sequence":    func(k *archive.Kept) { k.Sequence++ },
	} {
		if problem, _ := archive.RowOf(o.File, change, nil); problem != sealed.Misroute {
			t.Errorf("with another %s: %q, want %s", column, problem, sealed.Misroute)
		}
	}
	if problem, _ := archive.RowOf(o.File, func(k *archive.Kept) { k.Header = k.Header[1:] }, nil); problem != sealed.Corrupt {
		t.Errorf("with half a header: %q, want %s", problem, sealed.Corrupt)
	}
	for column, change := range map[string]func(e *archive.KeptEnvelope){
		"home":      func(e *archive.KeptEnvelope) { e.Home[0]++ },
		"camera":    func(e *archive.KeptEnvelope) { e.Camera[0]++ },
		"object":    func(e *archive.KeptEnvelope) { e.Object[0]++ },
		"recipient": func(e *archive.KeptEnvelope) { e.Recipient = sealed.ToPerson },
		"key":       func(e *archive.KeptEnvelope) { e.Key[0]++ },
		"epoch":     func(e *archive.KeptEnvelope) { e.Epoch++ },
		"bytes":     func(e *archive.KeptEnvelope) { e.Envelope = e.Envelope[1:] },
	} {
		if problem, envelopes := archive.RowOf(o.File, nil, change); problem != sealed.Misroute || envelopes != 0 {
			t.Errorf("an envelope with another %s: %q and %d envelopes, want %s", column, problem, envelopes, sealed.Misroute)
		}
	}
}
