package server

import (
	"bytes"
	"encoding/hex"
	"math"
	"strconv"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/wire"
	"github.com/latchkey-cam/latchkey/sealed"
)

// The numbers of the formats in which something is kept.
const (
	codecSession uint16 = 1 + iota
	codecDeeds
	codecPage
	codecObject
)

// grown is the floor of what is true as long as a chain has not grown.
func grown(h archive.HomeHead) uint64 { return h.Head.Seq }

// standing is the floor of what is true as long as, besides, nothing has been deleted. Both
// numbers only rise, and so does their sum.
func standing(h archive.HomeHead) uint64 { return h.Head.Seq + h.Gone }

// Sessions by the hash of their cookie. Both numbers only rise, and so does their sum.

const sessionKeys = "session/"

func sessionKey(secret archive.Secret) string { return sessionKeys + hex.EncodeToString(secret[:]) }

var sessionForm = form[archive.Session]{
	codec: codecSession,
	says:  func(n archive.Session) (latchkey.HomeID, string) { return n.Home, sessionKey(n.Secret) },
	floor: func(h archive.HomeHead) uint64 { return h.Moved + h.SignIns },
	fit:   func(archive.Session) bool { return true },
	write: func(w *wire.Writer, n archive.Session) {
		w.Raw(n.Home[:])
		w.Raw(n.ID[:])
		w.Raw(n.Secret[:])
		w.U8(uint8(len(n.Keys)))
		for _, k := range n.Keys {
			w.Raw(k[:])
		}
		w.Raw(n.Device[:])
		w.Raw(n.Person[:])
		w.LP16([]byte(n.Browser))
		w.U64(uint64(n.Started))
		w.U64(uint64(n.Seen))
		w.U64(uint64(n.Expires))
	},
	read: func(r *wire.Reader) (n archive.Session) {
		r.Into(n.Home[:])
		r.Into(n.ID[:])
		r.Into(n.Secret[:])
		n.Keys = make([]api.MACKey, r.U8())
		for i := range n.Keys {
			r.Into(n.Keys[i][:])
		}
		r.Into(n.Device[:])
		r.Into(n.Person[:])
		n.Browser = string(r.LP16(math.MaxUint16))
		n.Started, n.Seen, n.Expires = latchkey.Time(r.U64()), latchkey.Time(r.U64()), latchkey.Time(r.U64())
		return n
	},
}

// Deeds from a number on.

func deedsKey(from uint64) string { return "deeds/" + strconv.FormatUint(from, 10) }

var deedsForm = form[[]archive.Deed]{
	codec: codecDeeds,
	says:  func(d []archive.Deed) (latchkey.HomeID, string) { return d[0].Home, deedsKey(d[0].Seq) },
	floor: grown,
	fit: func(deeds []archive.Deed) bool {
		for i, d := range deeds {
			if d.Home != deeds[0].Home || d.Seq != deeds[0].Seq+uint64(i) {
				return false
			}
		}
		return len(deeds) > 0
	},
	write: func(w *wire.Writer, deeds []archive.Deed) {
		w.Raw(deeds[0].Home[:])
		w.U64(deeds[0].Seq)
		w.U32(uint32(len(deeds)))
		for _, d := range deeds {
			w.LP32(d.Bytes)
		}
	},
	read: func(r *wire.Reader) (deeds []archive.Deed) {
		var d archive.Deed
		r.Into(d.Home[:])
		d.Seq = r.U64()
		for n := r.U32(); n > 0 && r.Err() == nil; n-- {
			d.Bytes = r.LP32(deed.MaxDeed)
			deeds = append(deeds, d)
			d.Seq++
		}
		return deeds
	},
}

// Rows of the index. What a row is kept as is not written: it is what the header says,
// or the row would have a problem.

func writeRow(w *wire.Writer, row archive.Row) {
	w.LP16(row.Header)
	w.U16(uint16(len(row.Envelopes)))
	for _, e := range row.Envelopes {
		w.LP16(e.Bytes())
	}
}

func readRow(r *wire.Reader) (row archive.Row, h sealed.Header) {
	row.Header = r.LP16(sealed.MaxHeader)
	h, err := sealed.ParseHeader(row.Header)
	if err != nil {
		r.Fail(err)
		return row, h
	}
	row.Name, row.Event = h.Name(), h.Binding.Event
	for n := r.U16(); n > 0 && r.Err() == nil; n-- {
		e, err := sealed.ParseEnvelope(r.LP16(sealed.MaxEnvelope))
		if err != nil {
			r.Fail(err)
		}
		row.Envelopes = append(row.Envelopes, e)
	}
	return row, h
}

// span is which part of the list of events is asked for. The list is the same as long as
// nothing more has been indexed.
type span struct {
	before  archive.Cursor
	limit   int
	objects uint64
}

func (s span) key() string {
	return "events/" + strconv.FormatUint(s.objects, 10) + "/" + strconv.Itoa(s.limit) + "/" + encodeCursor(s.before)
}

// stray returns the home of what is another home's, or does not belong into the span.
func (s span) stray(home latchkey.HomeID, p archive.Page) (found latchkey.HomeID, stray bool) {
	last := s.before
	for _, e := range p.Events {
		if e.Home != home || last != (archive.Cursor{}) && !e.Place.Before(last) {
			return e.Home, true
		}
		last = e.Place
	}
	return home, p.Next != nil && *p.Next != last
}

// pageForm is how a part of the list is kept. An empty one says of no home that it is
// its own, and is not.
func pageForm(s span) form[archive.Page] {
	return form[archive.Page]{
		codec: codecPage,
		says:  func(p archive.Page) (latchkey.HomeID, string) { return p.Events[0].Home, s.key() },
		floor: standing,
		fit: func(p archive.Page) bool {
			if len(p.Events) == 0 {
				return false
			}
			if _, stray := s.stray(p.Events[0].Home, p); stray {
				return false
			}
			for _, e := range p.Events {
				for _, row := range e.Objects {
					if row.Problem != "" || row.Name.Home != e.Home || row.Event != e.Place.Event {
						return false
					}
				}
			}
			return true
		},
		write: writePage,
		read:  readPage,
	}
}

func writePage(w *wire.Writer, p archive.Page) {
	w.Raw(p.Events[0].Home[:])
	more := uint8(0)
	if p.Next != nil {
		more = 1
	}
	w.U8(more)
	w.U16(uint16(len(p.Events)))
	for _, e := range p.Events {
		w.U64(uint64(e.Place.Time))
		w.Raw(e.Place.Event[:])
		w.U16(uint16(len(e.Objects)))
		for _, row := range e.Objects {
			writeRow(w, row)
		}
	}
}

func readPage(r *wire.Reader) (p archive.Page) {
	var home latchkey.HomeID
	r.Into(home[:])
	more := r.U8() == 1
	for n := r.U16(); n > 0 && r.Err() == nil; n-- {
		e := archive.Event{Home: home}
		e.Place.Time = latchkey.Time(r.U64())
		r.Into(e.Place.Event[:])
		for n := r.U16(); n > 0 && r.Err() == nil; n-- {
			row, _ := readRow(r)
			e.Objects = append(e.Objects, row)
		}
		p.Events = append(p.Events, e)
	}
	if more && len(p.Events) > 0 {
		p.Next = &p.Events[len(p.Events)-1].Place
	}
	return p
}

// maxSmall is how long the body of an object is that is kept whole.
const maxSmall = 64 << 10

// small is an object that is kept whole: its row of the index, and what the blobs have
// under its name.
type small struct {
	row    archive.Row
	header sealed.Header // of the object file
	body   []byte
}

func objectKey(name string) string { return "object/" + name }

// smallForm writes the header once: what is kept has the same in the row and in the file.
var smallForm = form[small]{
	codec: codecObject,
	says: func(o small) (latchkey.HomeID, string) {
		name := o.header.Name()
		return name.Home, objectKey(name.String())
	},
	floor: standing,
	fit: func(o small) bool {
		return o.row.Problem == "" && o.row.Name == o.header.Name() && bytes.Equal(o.row.Header, o.header.Bytes())
	},
	write: func(w *wire.Writer, o small) {
		writeRow(w, o.row)
		w.Raw(o.body)
	},
	read: func(r *wire.Reader) (o small) {
		o.row, o.header = readRow(r)
		o.body = r.Raw(len(r.Rest()))
		return o
	},
}
