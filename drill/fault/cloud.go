package fault

import (
	"context"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/archive"
)

// What an archive answers about the cloud as a whole, its agents and what was handed out.

type setups struct {
	archive.Setups
	a *Archive
}

// OpenSetup is [archive.Setups]'.
func (s setups) OpenSetup(ctx context.Context, secret archive.Secret, now latchkey.Time) (archive.Secret, error) {
	v, err := s.Setups.OpenSetup(ctx, secret, now)
	return passed(s.a, &s.a.setups, secret, v, err, row(func(v *archive.Secret) { *v = secret }))
}

type outbox struct {
	archive.Outbox
	a *Archive
}

// Moves is [archive.Outbox]'s.
func (o outbox) Moves(ctx context.Context, above uint64, max int) ([]archive.Move, error) {
	v, err := o.Outbox.Moves(ctx, above, max)
	return passed(o.a, &o.a.moves, above, v, err, fix[[]archive.Move]{glue: glued[archive.Move]})
}

type agents struct {
	archive.Agents
	a *Archive
}

// Copies is [archive.Agents]'.
func (g agents) Copies(ctx context.Context, home latchkey.HomeID) ([]archive.Copy, error) {
	v, err := g.Agents.Copies(ctx, home)
	return passed(g.a, &g.a.copies, home, v, err, rows(func(c *archive.Copy) { c.Home = home }))
}

type receipts struct {
	receiptsKept
	a *Archive
}

// Receipts is [archive.Receipts]'.
func (r receipts) Receipts(ctx context.Context, home latchkey.HomeID, session archive.Secret, request string) ([]archive.Receipt, error) {
	v, err := r.receiptsKept.Receipts(ctx, home, session, request)
	return passed(r.a, &r.a.receipts, home.String()+request, v, err, rows(func(v *archive.Receipt) { v.Home, v.Session, v.Request = home, session, request }))
}

type holds struct {
	archive.Holds
	a *Archive
}

// Hold is [archive.Holds]'.
func (h holds) Hold(ctx context.Context, number uint64) (archive.Hold, error) {
	v, err := h.Holds.Hold(ctx, number)
	return passed(h.a, &h.a.holds, number, v, err, fix[archive.Hold]{})
}
