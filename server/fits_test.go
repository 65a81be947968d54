package server_test

import (
	"testing"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key/keytest"
	"github.com/latchkey-cam/latchkey/letter"
	"github.com/latchkey-cam/latchkey/sealed"
	"github.com/latchkey-cam/latchkey/server"
)

// Here each thing that is compared is another's, one at a time. What that comes to for
// whoever asks is in the tests of the routes.

// TestDoorComparesEverything: the name that was asked for, the row's and the blob's, and
// the header of both.
func TestDoorComparesEverything(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	camera := owner.PlaceCamera(agent)
	o := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("one"))
	h := o.File.Header
	other := agent.Object(owner.Title(), camera, latchkey.Thumbnail, []byte("two")).File.Header
	forged := h
	forged.BodyHash[0]++
	row := archive.Row{Name: h.Name(), Header: h.Bytes()}
	for what, c := range map[string]struct {
		asked  latchkey.Name
		row    archive.Row
		stored sealed.Header
		want   archive.Outcome
	}{
		"all the same":       {h.Name(), row, h, archive.Delivered},
		"another was asked":  {other.Name(), row, h, archive.Misrouted},
		"another row":        {h.Name(), archive.Row{Name: other.Name(), Header: h.Bytes()}, h, archive.Misrouted},
		"another blob":       {h.Name(), row, other, archive.Misrouted},
		"another row's head": {h.Name(), archive.Row{Name: h.Name(), Header: other.Bytes()}, h, archive.Damaged},
		"another body":       {h.Name(), row, forged, archive.Damaged},
	} {
		if got := server.Compare(c.asked, c.row, c.stored); got != c.want {
			t.Errorf("%s: %s, want %s", what, got, c.want)
		}
	}
}

// TestConditionsFitTheirRows in every column.
func TestConditionsFitTheirRows(t *testing.T) {
	owner := keytest.NewOwner()
	owner.Found()
	agent := owner.PlaceAgent()
	b := must(letter.SealCondition(agent.Keys, owner.Title(), 2, 3, owner.Now(), letter.Condition{Clock: letter.Clock{Quality: letter.Synchronised}}))
	good := must(sealed.ParseLetter(b))
	row := archive.Condition{Home: owner.Home(), Agent: agent.Keys.Agent, Incarnation: 2, Number: 3}
	if !server.ConditionFits(owner.Home(), row, good) {
		t.Fatal("a condition does not fit its own row")
	}
	for what, change := range map[string]func(home *latchkey.HomeID, c *archive.Condition, l *sealed.Letter){
		"home that asks":     func(home *latchkey.HomeID, _ *archive.Condition, _ *sealed.Letter) { home[0]++ },
		"row's home":         func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Home[0]++ },
		"row's agent":        func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Agent[0]++ },
		"row's incarnation":  func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Incarnation++ },
		"row's number":       func(_ *latchkey.HomeID, c *archive.Condition, _ *sealed.Letter) { c.Number++ },
		"letter's home":      func(_ *latchkey.HomeID, _ *archive.Condition, l *sealed.Letter) { l.Home[0]++ },
		"kind of the letter": func(_ *latchkey.HomeID, _ *archive.Condition, l *sealed.Letter) { l.Kind = sealed.ReplyLetter },
	} {
		home, c, l := owner.Home(), row, good
		change(&home, &c, &l)
		if server.ConditionFits(home, c, l) {
			t.Errorf("with another %s it fits", what)
		}
	}
}

// TestRepliesFitTheirCommands: over the connection that the command went, of its home, of
// its agent, and to it.
func TestRepliesFitTheirCommands(t *testing.T) {
	e := server.Errand{Home: latchkey.HomeID{1}, Agent: latchkey.AgentID{2}, Command: [32]byte{3}}
	good := sealed.Letter{Kind: sealed.ReplyLetter, Home: e.Home, Agent: e.Agent, Re: e.Command}
	if !e.AnsweredBy(good, true) || e.AnsweredBy(good, false) {
		t.Error("a reply is taken over another connection than the command's, or not over that")
	}
	for what, change := range map[string]func(l *sealed.Letter){
		"kind":    func(l *sealed.Letter) { l.Kind = sealed.ConditionLetter },
		"home":    func(l *sealed.Letter) { l.Home[0]++ },
		"agent":   func(l *sealed.Letter) { l.Agent[0]++ },
		"command": func(l *sealed.Letter) { l.Re[0]++ },
	} {
		l := good
		change(&l)
		if e.AnsweredBy(l, true) {
			t.Errorf("a reply of another %s is taken", what)
		}
	}
}

// TestEnvelopesFitTheirPeople: a guest's key for a guest, a link's for a link.
func TestEnvelopesFitTheirPeople(t *testing.T) {
	guest, link, stranger := keytest.NewPerson().Keys.Public(), keytest.NewPerson().Keys.Public(), keytest.NewPerson().Keys.Public()
	guest.Role, link.Role = deed.Guest, deed.Link
	for _, c := range []struct {
		to   deed.Person
		kind sealed.RecipientKind
		want bool
	}{
		{guest, sealed.ToPerson, true}, {link, sealed.ToLink, true},
		{guest, sealed.ToLink, false}, {link, sealed.ToPerson, false}, {stranger, sealed.ToPerson, false}, {stranger, sealed.ToLink, false},
	} {
		if got := server.Among([]deed.Person{guest, link}, sealed.Envelope{Recipient: c.kind, Key: c.to.KEM.ID()}); got != c.want {
			t.Errorf("a key of a %s as one of kind %d: %v", c.to.Role, c.kind, got)
		}
	}
}
