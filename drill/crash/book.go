package crash

import (
	"bytes"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/sealed"
)

// book is what somebody writes down who stands beside and sees all: what was said to be
// kept, and what nobody was told of. It is used by one goroutine.
type book struct {
	objects map[latchkey.Name]*object
	order   []latchkey.Name                // of the objects
	gone    map[latchkey.EventID]certainty // whose deletion was asked for
}

// certainty is whether something was said to be done.
type certainty int

const (
	unsure certainty = iota // it was tried, and no answer came
	sure
)

// object is something that a camera has seen.
type object struct {
	binding sealed.Binding
	content []byte
	kept    certainty // by the agent's spool
	taken   bool      // by a server that was lost, and its backup does not have it
}

func newBook() *book {
	return &book{objects: map[latchkey.Name]*object{}, gone: map[latchkey.EventID]certainty{}}
}

// note writes an object down, before anybody is told of it.
func (b *book) note(o *object) {
	name := o.binding.Name()
	b.objects[name] = o
	b.order = append(b.order, name)
}

// lose notes that the server is lost, and with it all that is not in its backup, which had so
// many objects, and does not wait at the agent.
func (b *book) lose(had int, waits func(latchkey.Name) bool) {
	for _, name := range b.order[had:] {
		b.objects[name].taken = !waits(name)
	}
}

// acked is how many objects were said to be kept.
func (b *book) acked() (n int) {
	for _, o := range b.objects {
		if o.kept == sure {
			n++
		}
	}
	return n
}

// seen is an object as the owner got it.
type seen struct {
	name    latchkey.Name
	content []byte
}

// compare counts what was kept and is not there, or is there although it was deleted, and
// what is there twice.
func (b *book) compare(all []seen, r *tally) {
	there := map[latchkey.Name]bool{}
	for _, s := range all {
		o, known := b.objects[s.name]
		switch deletion, asked := b.gone[event(o)]; {
		case there[s.name]:
			r.Duplicates++
			r.say("%s is listed twice", s.name)
		case !known:
			r.Disagreements++
			r.say("%s is listed, and nobody has made it", s.name)
		case !bytes.Equal(o.content, s.content):
			r.Disagreements++
			r.say("%s is not what was seen", s.name)
		case asked && deletion == sure:
			r.Disagreements++
			r.say("%s was deleted, and is there", s.name)
		}
		there[s.name] = true
	}
	for name, o := range b.objects {
		if _, asked := b.gone[event(o)]; o.kept == sure && !o.taken && !asked && !there[name] {
			r.AckedLost++
			r.say("%s is lost", name)
		}
	}
}

// mayBeGone says whether somebody has asked for an object to be deleted.
func (b *book) mayBeGone(text string) bool {
	name, err := latchkey.ParseName(text)
	if err != nil {
		return false
	}
	_, asked := b.gone[event(b.objects[name])]
	return asked
}

func event(o *object) latchkey.EventID {
	if o == nil {
		return latchkey.EventID{}
	}
	return o.binding.Event
}
