package archive

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// kept is a row of the objects' table as a database gives it: the columns by which it
// is found, and the header that an agent signed.
type kept struct {
	Home        latchkey.HomeID
	Camera      latchkey.CameraID
	Object      latchkey.ObjectID
	Day         string
	Kind        latchkey.Kind
	Event       latchkey.EventID
	AgentKey    latchkey.KeyID
	Incarnation uint64
	Sequence    uint64
	Header      []byte
}

// keptOf gives the columns that a header must be kept under.
func keptOf(h sealed.Header) kept {
	b := h.Binding
	return kept{
		Home: b.Home, Camera: b.Camera, Object: b.Object, Day: string(b.Time.Day()), Kind: b.Kind,
		Event: b.Event, AgentKey: b.AgentKey, Incarnation: b.Incarnation, Sequence: b.Sequence, Header: h.Bytes(),
	}
}

func (k kept) name() latchkey.Name {
	return latchkey.Name{Home: k.Home, Camera: k.Camera, Day: latchkey.Day(k.Day), Kind: k.Kind, Object: k.Object}
}

// row checks what a database gave before anybody sees it. A header that is not the one
// which belongs under these columns has been crossed with another row's, by a bug, a
// repair by hand or a restore: it is a genuine object of somebody else.
func (k kept) row(envelopes []keptEnvelope) Row {
	r := Row{Name: k.name(), Event: k.Event}
	h, err := sealed.ParseHeader(k.Header)
	if err != nil {
		r.Problem = sealed.Corrupt
		return r
	}
	if !k.fits(h) {
		r.Problem, r.Found = sealed.Misroute, h.Name()
		return r
	}
	for _, e := range envelopes {
		parsed, err := sealed.ParseEnvelope(e.Envelope)
		if err != nil || !e.fits(k, parsed) {
			r.Problem, r.Found, r.Envelopes = sealed.Misroute, h.Name(), nil
			return r
		}
		r.Envelopes = append(r.Envelopes, parsed)
	}
	r.Header = k.Header
	return r
}

// fits compares every column with the header. With the comparison gone, a row that was
// crossed with another home's would be handed out.
func (k kept) fits(h sealed.Header) bool {
	want := keptOf(h)
	return k.Home == want.Home && k.Camera == want.Camera && k.Object == want.Object && k.Day == want.Day &&
		k.Kind == want.Kind && k.Event == want.Event && k.AgentKey == want.AgentKey &&
		k.Incarnation == want.Incarnation && k.Sequence == want.Sequence
}

// keptEnvelope is a row of the envelopes' table.
type keptEnvelope struct {
	Home      latchkey.HomeID
	Camera    latchkey.CameraID
	Object    latchkey.ObjectID
	Recipient sealed.RecipientKind
	Key       latchkey.KeyID
	Epoch     latchkey.Epoch
	Envelope  []byte
}

// fits says whether an envelope is kept as one of that object, and is the one that it is
// kept as. Its bytes do not say which object they are for; only opening them would.
func (e keptEnvelope) fits(k kept, is sealed.Envelope) bool {
	return e.Home == k.Home && e.Camera == k.Camera && e.Object == k.Object &&
		is.Key == e.Key && is.Epoch == e.Epoch && is.Recipient == e.Recipient
}
