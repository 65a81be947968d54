package export

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/internal/durable"
	"github.com/latchkey-cam/latchkey/internal/fields"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

const (
	tries     = 5
	firstWait = time.Second // and twice as long after each try
	mostWait  = 30 * time.Second
)

// patiently does something with the server again if the connection fails, or if the
// server wants to be asked later.
func (x *exporter) patiently(ctx context.Context, do func() error) error {
	wait := firstWait
	for try := 1; ; try++ {
		err := do()
		again := passing(err)
		if !again || try == tries || ctx.Err() != nil {
			return err
		}
		var refused *api.Error
		if errors.As(err, &refused) {
			wait = min(max(wait, refused.RetryAfter()), mostWait)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait *= 2
	}
}

// passing says whether an error may be gone at the next try: the line's, and that the
// server is busy. A disk's is not.
func passing(err error) bool {
	if _, disk := errors.AsType[*fs.PathError](err); err == nil || disk || durable.Full(err) {
		return false
	}
	if reason := api.ReasonOf(err); reason != "" {
		return reason == api.Busy
	}
	if reason := sealed.ReasonOf(err); reason != "" {
		return reason == sealed.Truncated // as a connection that broke leaves it
	}
	return !errors.Is(err, api.ErrCrossed)
}

// fetch fetches an object, puts the person's envelope to it, and has write open it into somewhere: it is given what writes
// the content, once every check that comes before the first byte has been made.
func (x *exporter) fetch(ctx context.Context, o item, write func(f sealed.File, content func(io.Writer) error) error) error {
	if len(o.envelope) == 0 {
		return sealed.Refuse(sealed.NoEnvelope, "the list has none for this person")
	}
	envelope, err := sealed.ParseEnvelope(o.envelope)
	if err != nil {
		return err
	}
	return x.patiently(ctx, func() error {
		d, err := x.visit.session.Object(ctx, o.Name())
		if err != nil {
			return err
		}
		defer d.File.Close() // what was read is verified
		f, err := sealed.ReadFile(d.File)
		if err == nil {
			err = x.receive(o, d.File)
		}
		if err == nil {
			f.Envelopes = []sealed.Envelope{envelope}
			err = write(f, func(w io.Writer) error {
				return open.Open(f, x.body, o.Name(), x.visit.title, x.visit.ring, w)
			})
		}
		x.report(ctx, o, d.Request, f, err)
		return err
	})
}

// receive keeps a body on the disk while it is checked: one byte more than there should
// be is enough to see that there is more.
func (x *exporter) receive(o item, body io.Reader) error {
	if err := x.body.Truncate(0); err != nil {
		return err
	}
	if _, err := x.body.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(x.body, io.LimitReader(body, int64(o.BodyLength)+1)); err != nil {
		return fmt.Errorf("fetch %s: %w", o.Name(), err)
	}
	_, err := x.body.Seek(0, io.SeekStart)
	return err
}

// report tells the server of an object that is not what was asked for. That it cannot be
// told ends nothing.
func (x *exporter) report(ctx context.Context, o item, request string, f sealed.File, err error) {
	if sealed.Word(err) != sealed.Misroute {
		return
	}
	r := api.Report{Delivery: request, Asked: o.Name().String(), Reason: string(sealed.ReasonOf(err)), Word: sealed.Misroute, Header: f.Header.Bytes()}
	x.visit.session.Report(ctx, r)
}

// put fetches a picture or clip into its file.
func (x *exporter) put(ctx context.Context, s *shelf, e *entry, f file, o item) (n int64, err error) {
	err = x.fetch(ctx, o, func(object sealed.File, content func(io.Writer) error) (err error) {
		n, err = s.put(e, f, ends[o.Binding.Kind], content)
		if err == nil && x.config.Sealed {
			err = x.keep(s.sealed(e, f.Object), object)
		}
		return err
	})
	return n, err
}

// keep writes the object file itself, which has just been verified, with the person's
// envelope: what "latchkey open" takes.
func (x *exporter) keep(name string, object sealed.File) error {
	return durable.Write(x.config.To, name, func(w io.Writer) error {
		if _, err := object.WriteTo(w); err != nil {
			return err
		}
		if _, err := x.body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := io.Copy(w, x.body)
		return err
	})
}

// keepDescription keeps an event's description as it was sealed, beside what it says, if
// sealed files are wanted and it is not there yet.
func (x *exporter) keepDescription(ctx context.Context, s *shelf, e *entry, o item) error {
	if !x.config.Sealed {
		return nil
	}
	name := path.Join(s.dir, e.base+recordEnd+sealedEnd)
	if _, err := x.config.To.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return x.fetch(ctx, o, func(object sealed.File, content func(io.Writer) error) error {
		if err := content(io.Discard); err != nil {
			return err
		}
		return x.keep(name, object)
	})
}

// described is what a description says.
type described struct {
	cause              string
	saw                latchkey.Sighting
	end                latchkey.Time
	camera, home, zone string
}

const (
	maxSaw  = 64  // things that a camera saw
	maxWord = 64  // characters of a cause and of a name
	maxSays = 500 // of what a server says
)

// describe fetches a description (docs/seal.md, "Description").
func (x *exporter) describe(ctx context.Context, o item) (d described, err error) {
	var b bytes.Buffer
	err = x.fetch(ctx, o, func(_ sealed.File, content func(io.Writer) error) error {
		b.Reset()
		return content(&b)
	})
	if err != nil {
		return d, err
	}
	return parseDescription(b.Bytes())
}

func parseDescription(b []byte) (d described, err error) {
	in, err := fields.Parse(b)
	if err != nil {
		return d, sealed.Refuse(sealed.Malformed, "%v", err)
	}
	if v := in.Count("v"); in.Err() == nil && v != 1 {
		return d, sealed.Refuse(sealed.FutureVersion, "a description of version %d", v)
	}
	in.Count("start")
	d.end = latchkey.Time(in.Count("end"))
	if in.Has("cause") {
		d.cause = in.Text("cause", maxWord)
	}
	if in.Has("saw") {
		for _, raw := range in.Raw("saw", maxSaw) {
			var name string
			if json.Unmarshal(raw, &name) == nil { // of what is none that we know, nothing
				d.saw |= latchkey.SightingOf(name)
			}
		}
	}
	if in.Has("names") {
		names := in.Object("names")
		d.home, d.zone = names.Text("home", maxWord), names.Text("zone", maxWord)
		if names.Has("camera") {
			d.camera = names.Text("camera", maxWord)
		}
	}
	if err := in.Err(); err != nil {
		return described{}, sealed.Refuse(sealed.Malformed, "%v", err)
	}
	return d, nil
}

// refusalOf says why one object is refused; nil if err is none or ends everything.
func refusalOf(err error) *Refusal {
	if reason := sealed.ReasonOf(err); reason != "" {
		return &Refusal{Reason: string(reason), Word: sealed.Word(err), Says: says(reason)}
	}
	if errors.Is(err, api.ErrCrossed) {
		return &Refusal{Reason: "crossed", Word: sealed.Misroute, Says: "the server's answer is to another question"}
	}
	refused, ok := errors.AsType[*api.Error](err)
	if !ok {
		return nil
	}
	switch p := refused.Refusal.Error; p.Reason {
	case api.Misroute, api.Corrupt:
		return &Refusal{Reason: string(p.Reason), Word: string(p.Reason), Says: serverSays(p)}
	case api.NotFound:
		return &Refusal{Reason: string(p.Reason), Says: "it is not there any more, or not yours to see any more"}
	case api.HandedOver:
		return &Refusal{Reason: string(p.Reason), Says: serverSays(p)}
	}
	return nil
}

// serverSays quotes a server, without what a terminal would obey.
func serverSays(p api.Problem) string {
	return fmt.Sprintf("the server says (%s): %s", fields.Clean(string(p.Reason), maxWord), fields.Clean(p.Message, maxSays))
}

// says says what happened.
func says(r sealed.Reason) string {
	switch word := sealed.Word(sealed.Refuse(r, "")); {
	case word == sealed.Misroute:
		return "another recording came in its place; nothing of that was written"
	case word == sealed.UnknownKey:
		return "it holds no envelope for a key of yours"
	case r == sealed.FutureVersion || r == sealed.UnknownSuite:
		return "it was made by a newer Latchkey; use that one"
	}
	return "it is not what an agent of the home made: it was damaged or altered"
}

// refuse notes that something was not written.
func (x *exporter) refuse(o item, name string, err error) {
	r := refusalOf(err)
	if r == nil {
		return
	}
	r.Name = name
	if b := o.Binding; b.Time != 0 {
		r.Name, r.Camera, r.Kind, r.Time = o.Name().String(), x.names[b.Camera], b.Kind.String(), b.Time.Time()
	}
	x.summary.Refused = append(x.summary.Refused, *r)
}

// refuseIf notes an object that is refused; what ends the export is returned.
func (x *exporter) refuseIf(o item, err error) error {
	if refusalOf(err) == nil {
		return err
	}
	x.refuse(o, "", err)
	return nil
}

// words says in words what ended an export.
func words(err error) error {
	refused, ok := errors.AsType[*api.Error](err)
	_, line := errors.AsType[*url.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("it was interrupted. What was written is whole: run the command again, it goes on where it stopped")
	case durable.Full(err):
		return errors.New("the disk is full. What was written is whole: make room and run the command again, it goes on where it stopped")
	case ok && refused.Refusal.Error.Reason == api.SignedOut:
		return errors.New("the server has ended this export's session: somebody has removed it from the devices, or you from the home. If neither, run the command again, it goes on where it stopped")
	case ok && refused.Refusal.Error.Reason != "":
		return errors.New(serverSays(refused.Refusal.Error))
	case line || errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the server cannot be reached (%w). What was written is whole: run the command again, it goes on where it stopped", err)
	}
	return err
}
