package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/blob"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/sealed"
)

// door is what all media bytes leave through. Checks, receipts and counters hook in
// here and nowhere else; nothing else in this package opens a blob to hand it out.
type door struct {
	titles     *titles
	kept       *kept // nil if there is no cache
	objects    archive.Objects
	clerk      *clerk
	blobs      blob.Store
	holds      *holds
	alarm      *alarm
	deliveries *prometheus.CounterVec
	corrupt    prometheus.Counter
	patience   time.Duration
	now        func() time.Time
}

// question is what somebody asks the door for.
type question struct {
	Name    latchkey.Name   // home, camera and object
	Text    string          // the name, spelled
	Session archive.Session // who asks
	Route   api.Route       // that the wall has let them in by
	Request string
	Range   string    // the part of the file that is asked for, as the request says it; "" for all
	Unless  string    // under which condition
	Gather  *gatherer // of the connection that nobody else writes to; nil if there is none
}

func (s *Server) object(a *asking) error {
	q := question{Name: a.name, Text: a.name.String(), Session: a.session, Route: a.route, Request: a.id,
		Range: a.r.Header.Get("Range"), Unless: a.r.Header.Get("If-Range")}
	if a.r.ProtoMajor == 1 {
		q.Gather = lineOf(a.r).gather
	}
	return s.door.deliver(a.r.Context(), a.w, q)
}

// deliver hands out one object, or returns why not before a byte of it has left.
func (d *door) deliver(ctx context.Context, w http.ResponseWriter, q question) error {
	title, head, err := d.allowed(ctx, q)
	if err != nil {
		return err
	}
	x, err := d.find(ctx, q, head)
	if err != nil {
		return err
	}
	_, _, own := envelopeFor(title, q.Session.Person, x.row)
	if !own && x.kept { // they may have been given one since
		if x, err = d.read(ctx, q); err != nil {
			return err
		}
		_, _, own = envelopeFor(title, q.Session.Person, x.row)
	}
	object := x.object
	defer object.Body.Close() // read only
	fault := compare(q.Name, x.row, object.Header)
	if !own && fault == archive.Delivered {
		return notFound() // it was not made for them
	}
	prefix := sealed.File{Header: object.Header}.Bytes()
	part, err := extentOf(q.Range, q.Unless, uint64(len(prefix))+object.Header.BodyLength)
	if err != nil && fault == archive.Delivered {
		return err
	}
	if err := d.receipt(ctx, q, object.Header, fault, part); err != nil {
		return err // no receipt, no bytes
	}
	d.deliveries.WithLabelValues(string(fault)).Inc()
	switch fault {
	case archive.Misrouted:
		d.alarm.misroute("blob", true, "asked", q.Name.String(), "found", object.Header.Name().String(), "request", q.Request)
		return misroute()
	case archive.Damaged:
		d.alarm.log.Error("corrupt", "where", "blob", "name", q.Text, "request", q.Request)
		return corrupt()
	}
	return d.send(w, q.Gather, prefix, object.Body, part)
}

// compare holds what the store returned against what was asked for. It is the one
// comparison on which it depends that a crossed store, index or cache shows nobody
// another home: whatever lies under a name must say itself that it is that object.
func compare(asked latchkey.Name, row archive.Row, stored sealed.Header) archive.Outcome {
	switch {
	case row.Name != asked || stored.Name() != asked:
		return archive.Misrouted
	case string(row.Header) != string(stored.Bytes()):
		return archive.Damaged // the right name on other bytes
	}
	return archive.Delivered
}

// allowed says whether the asker may see such objects of this camera of this home, by the
// deeds as they are now, and returns the title that they come to and where they end.
func (d *door) allowed(ctx context.Context, q question) (*deed.Title, archive.HomeHead, error) {
	if q.Route.Right != api.Member || q.Name.Home != q.Session.Home {
		return nil, archive.HomeHead{}, notFound()
	}
	title, head, err := d.titles.open(ctx, q.Name.Home)
	if err != nil {
		return nil, head, err
	}
	if !sees(title, q.Session, q.Name.Camera, q.Name.Kind, timeOf(d.now())) {
		return nil, head, notFound()
	}
	if err := d.holds.stops(q.Route, q.Name.Home); err != nil {
		return nil, head, err
	}
	if title.Frozen() {
		return nil, head, frozen()
	}
	return title, head, nil
}

// found is what there is under a name: what the index says, and what the blobs have. Each
// says itself what it is; nothing is believed before it was compared.
type found struct {
	row    archive.Row
	object blob.Object
	kept   bool // it may come from the cache
}

// find returns what there is under the name. Small objects are kept whole.
func (d *door) find(ctx context.Context, q question, head archive.HomeHead) (found, error) {
	if d.kept == nil || q.Name.Kind == latchkey.Clip {
		return d.read(ctx, q)
	}
	o, err := ask(ctx, d.kept, head, smallForm, objectKey(q.Text), func(ctx context.Context) (small, error) { return d.small(ctx, q.Name) })
	if errors.Is(err, errApart) {
		return d.read(ctx, q)
	}
	return found{o.row, blob.Object{Header: o.header, Body: body{bytes.NewReader(o.body)}}, true}, err
}

// body is that of an object that is kept.
type body struct{ *bytes.Reader }

// Close does nothing.
func (body) Close() error { return nil }

// errApart says that what there is cannot be kept as one: it is large, or something is
// wrong with it.
var errApart = errors.New("not to be kept")

// small reads an object that is to be kept whole.
func (d *door) small(ctx context.Context, name latchkey.Name) (o small, err error) {
	if o.row, err = d.objects.Object(ctx, name); err != nil {
		return o, err
	}
	if o.row.Problem != "" {
		return o, errApart
	}
	object, err := d.blobs.Open(ctx, name)
	if err != nil {
		return o, errApart
	}
	defer object.Body.Close() // read only
	if object.Header.BodyLength > maxSmall {
		return o, errApart
	}
	o.header = object.Header
	if o.body, err = io.ReadAll(io.LimitReader(object.Body, maxSmall+1)); err != nil {
		return o, err
	}
	if sha256.Sum256(o.body) != o.header.BodyHash {
		d.corrupt.Inc()
		d.alarm.log.Error("corrupt", "where", "blob", "name", name.String())
		return o, errApart // whoever is sent it compares, too
	}
	return o, nil
}

// read is find past the cache.
func (d *door) read(ctx context.Context, q question) (x found, err error) {
	if x.row, err = d.objects.Object(ctx, q.Name); err != nil {
		return x, err // a name that is not there among them
	}
	switch x.row.Problem {
	case "":
	case sealed.Misroute:
		d.deliveries.WithLabelValues(string(archive.Misrouted)).Inc()
		d.alarm.misroute("row", true, "asked", q.Name.String(), "found", x.row.Found.String(), "request", q.Request)
		r := d.blank(q, archive.Misrouted)
		r.Sent = x.row.Found.String()
		return x, d.withhold(ctx, r, misroute())
	default:
		d.deliveries.WithLabelValues(string(archive.Damaged)).Inc()
		return x, corrupt()
	}
	x.object, err = d.blobs.Open(ctx, q.Name)
	if errors.Is(err, blob.ErrNotFound) || sealed.ReasonOf(err) != "" {
		d.deliveries.WithLabelValues(string(archive.Damaged)).Inc()
		d.alarm.log.Error("corrupt", "where", "blob", "name", q.Text, "request", q.Request, "error", err)
		return x, d.withhold(ctx, d.blank(q, archive.Damaged), corrupt())
	}
	return x, err
}

// withhold writes down that something was not handed out, and returns why.
func (d *door) withhold(ctx context.Context, r archive.Receipt, why error) error {
	if err := d.clerk.put(ctx, r); err != nil {
		return err
	}
	return why
}

// blank is the receipt of a question whose answer has no header.
func (d *door) blank(q question, o archive.Outcome) archive.Receipt {
	return archive.Receipt{
		Home: q.Session.Home, Session: q.Session.Secret, Request: q.Request, Device: q.Session.Device,
		Asked: q.Text, Outcome: o, Time: timeOf(d.now()),
	}
}

// receipt writes down what is about to be handed out, by what its own header says.
func (d *door) receipt(ctx context.Context, q question, h sealed.Header, o archive.Outcome, part extent) error {
	r := d.blank(q, o)
	if r.Sent = q.Text; h.Name() != q.Name {
		r.Sent = h.Name().String()
	}
	r.Header, r.Bytes = sha256.Sum256(h.Bytes()), part.length
	return d.clerk.put(ctx, r)
}

// piece is how much must go through within [Config.Patience].
const piece = 64 << 10

// send sends that part of the object file without envelopes, which are its prefix and its
// body. Shared caches are told to keep out; the asker's own may keep it for ever, as it
// never changes.
func (d *door) send(w http.ResponseWriter, g *gatherer, prefix []byte, body io.Reader, part extent) error {
	prefix, err := part.begin(prefix, body)
	if err != nil {
		return err
	}
	h, status := w.Header(), http.StatusOK
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.FormatUint(part.length, 10))
	h.Set("Accept-Ranges", "bytes")
	if !part.whole() {
		status = http.StatusPartialContent
		h.Set("Content-Range", part.contentRange())
	}
	left := int64(part.length) - int64(len(prefix))
	c := http.NewResponseController(w)
	if part.length <= piece { // for which there is time since the request came
		if g != nil {
			g.gather()
			defer g.pour()
		}
		w.WriteHeader(status)
		_, _ = w.Write(prefix) // or the next says that the asker has gone
		if !part.ends() {
			body = io.LimitReader(body, left)
		}
		if _, err := io.Copy(w, body); err != nil {
			panic(http.ErrAbortHandler)
		}
		_ = c.Flush() // a recorder in a test has none
		return nil
	}
	w.WriteHeader(status)
	if _, err := w.Write(prefix); err != nil {
		return nil // the asker has gone; the receipt says that it was handed out
	}
	for ; left > 0; left -= piece {
		_ = c.SetWriteDeadline(time.Now().Add(d.patience))
		if _, err := io.CopyN(w, body, min(piece, left)); err != nil {
			// Half an object has left. Ending the connection tells the asker.
			panic(http.ErrAbortHandler)
		}
	}
	return nil
}
