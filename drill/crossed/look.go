package crossed

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/open"
	"github.com/latchkey-cam/latchkey/sealed"
)

// page is what somebody's browser does: it lists, verifies each row, fetches what the
// rows name, opens it, and shows what has opened.
type page struct {
	session *api.Home
	title   *deed.Title
	ring    key.Ring
	noticed func() // called when something came that is not what was asked for
	left    func() // called when the server says that the session has ended
}

// look shows the newest pictures of the home.
func (p page) look(ctx context.Context) (v visit) {
	list, err := p.session.Events(ctx, "", listed)
	if err != nil {
		p.note(err)
		v.refused++
		return v
	}
	for _, e := range list.Events {
		for _, row := range e.Objects {
			picture, err := p.show(ctx, row, &v)
			if err != nil {
				p.note(err)
				v.refused++
				continue
			}
			v.shown = append(v.shown, picture)
		}
	}
	return v
}

// note tells of what a browser would show a grey card for, and an alarm.
func (p page) note(err error) {
	var refused *api.Error
	if errors.As(err, &refused) && refused.Refusal.Error.Reason == api.SignedOut {
		p.left()
	}
	if errors.Is(err, api.ErrCrossed) || sealed.ReasonOf(err) != "" {
		p.noticed()
	}
}

func (p page) show(ctx context.Context, row api.ObjectRow, v *visit) ([]byte, error) {
	if row.Problem != "" {
		return nil, sealed.Refuse(sealed.Reason(row.Problem), "the server holds %s back", row.Name)
	}
	header, err := sealed.ParseHeader(row.Header)
	if err != nil {
		return nil, err
	}
	name := header.Name()
	if name.Home != p.title.Home() {
		v.told++ // counted and no more: what refuses it comes next
	}
	if err := sealed.Verify(header, name, p.title); err != nil {
		return nil, err
	}
	envelope, err := sealed.ParseEnvelope(row.Envelope)
	if err != nil {
		return nil, err
	}
	d, err := p.session.Object(ctx, name)
	if err != nil {
		return nil, err
	}
	defer d.File.Close() // read whole
	return p.open(ctx, name, d, envelope, v)
}

// open opens what came, and reports it if it is not what was asked for.
func (p page) open(ctx context.Context, name latchkey.Name, d api.Delivery, envelope sealed.Envelope, v *visit) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(d.File, 1<<20))
	if err != nil {
		return nil, err
	}
	body := bytes.NewReader(b)
	file, err := sealed.ReadFile(body)
	if err != nil {
		return nil, p.report(ctx, name, d, sealed.Header{}, err)
	}
	if file.Header.Binding.Home != p.title.Home() {
		v.given++
	}
	file.Envelopes = []sealed.Envelope{envelope}
	var content bytes.Buffer
	if err := open.Open(file, body, name, p.title, p.ring, &content); err != nil {
		return nil, p.report(ctx, name, d, file.Header, err)
	}
	return content.Bytes(), nil
}

// report tells the server what came, and returns why it was refused.
func (p page) report(ctx context.Context, name latchkey.Name, d api.Delivery, h sealed.Header, why error) error {
	r := api.Report{Delivery: d.Request, Asked: name.String(), Reason: string(sealed.ReasonOf(why)), Word: sealed.Word(why)}
	if h.Binding.Home != (latchkey.HomeID{}) {
		r.Header = h.Bytes()
	}
	_, _ = p.session.Report(ctx, r) // it is shown to nobody, whether or not the server hears of it
	return why
}
