package fault

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// Archive puts faults into what archives answer. All servers of a cloud share one, so
// that the caller whose row somebody gets may be another server's.
type Archive struct {
	faults point[misdeed]

	heads      others[latchkey.HomeID, archive.HomeHead]
	deeds      others[latchkey.HomeID, []archive.Deed]
	objects    others[latchkey.HomeID, archive.Row]
	pages      others[latchkey.HomeID, archive.Page]
	usage      others[latchkey.HomeID, archive.Usage]
	sessions   others[latchkey.HomeID, archive.Session]
	signedIn   others[latchkey.HomeID, []archive.Session]
	settings   others[latchkey.HomeID, archive.Document]
	conditions others[latchkey.HomeID, []archive.Condition]
	asks       others[latchkey.HomeID, []archive.Ask]
	joins      others[api.Slot, archive.Join]
	copies     others[latchkey.HomeID, []archive.Copy]
	receipts   others[string, []archive.Receipt]
	setups     others[archive.Secret, archive.Secret]

	// Of the whole cloud, so that there is nobody's to rewrite them to.
	moves others[uint64, []archive.Move] // by the number above which they are
	holds others[uint64, archive.Hold]

	accounts  others[latchkey.AccountID, archive.Account]
	addresses others[account.Address, archive.Account]
	unlockers others[latchkey.AccountID, []archive.Unlocker]
	vaults    others[latchkey.AccountID, archive.Vault]
	browsers  others[latchkey.AccountID, archive.AccountSession]
}

// misdeed is what is done to an answer.
type misdeed int

const (
	crossed    misdeed = iota // it is another caller's
	rewritten                 // it is another caller's, and says that it is this one's
	disordered                // it is lost, late, there twice, or has another caller's behind it
)

// Cross answers with the row that another caller was answered with, as a database's
// client did that scanned a row for somebody who had gone.
func (a *Archive) Cross(s Schedule, rng *rand.Rand) *Injection { return a.faults.put(s, rng, crossed) }

// Remap answers with another's row whose key is rewritten to the one that was asked for,
// as somebody does who is bent on it and can write to the database.
func (a *Archive) Remap(s Schedule, rng *rand.Rand) *Injection {
	return a.faults.put(s, rng, rewritten)
}

// Disorder has an answer be lost, though it was found, or come late; or its rows come
// twice, or another caller's with them.
func (a *Archive) Disorder(s Schedule, rng *rand.Rand) *Injection {
	return a.faults.put(s, rng, disordered)
}

// Wrap returns an archive whose answers pass here.
func (a *Archive) Wrap(inner archive.Archive) archive.Archive {
	w := inner
	w.Homes, w.Objects, w.Sessions = homes{inner.Homes, a}, objects{inner.Objects, a}, sessions{inner.Sessions, a}
	w.Setups, w.Outbox, w.Agents = setups{inner.Setups, a}, outbox{inner.Outbox, a}, agents{inner.Agents, a}
	w.Receipts, w.Holds = receipts{inner.Receipts, a}, holds{inner.Holds, a}
	w.Settings, w.Conditions = settings{inner.Settings, a}, conditions{inner.Conditions, a}
	w.Asks, w.Joins = asks{inner.Asks, a}, joins{inner.Joins, a}
	w.Accounts, w.Unlockers, w.Vaults = accounts{inner.Accounts, a}, unlockers{inner.Unlockers, a}, vaults{inner.Vaults, a}
	w.AccountSessions = accountSessions{inner.AccountSessions, a}
	return w
}

// fix is what has to be known of an answer to alter it. Nil: there is no such thing.
type fix[V any] struct {
	// rename gives a copy of another's row the key that was asked for; what the copy
	// shares with the row it must not change.
	rename func(v *V)
	glue   func(a, b V) V // of two lists
}

// passed returns an answer, or what a fault makes of it.
func passed[K comparable, V any](a *Archive, seen *others[K, V], k K, v V, err error, how fix[V]) (V, error) {
	if err != nil && !errors.Is(err, archive.ErrNotFound) {
		return v, err
	}
	if err == nil {
		seen.note(k, v)
	}
	other, ok := seen.than(k)
	if !ok {
		return v, err
	}
	for _, f := range a.faults.active() {
		switch {
		case f.what == rewritten && how.rename == nil || !f.in.strikes():
			continue
		case f.what == disordered:
			return disorder(f.in, v, other.value, err, how.glue)
		case f.what == rewritten:
			how.rename(&other.value)
		}
		return other.value, nil
	}
	return v, err
}

// errLost is what a database's client says when the connection ended before the answer.
var errLost = errors.New("the database's answer was lost")

// late is by how much something comes later than it would.
const late = 50 * time.Millisecond

func disorder[V any](in *Injection, mine, other V, err error, glue func(a, b V) V) (V, error) {
	ways := 2
	if glue != nil && err == nil {
		ways = 4
	}
	switch in.draw(ways) {
	case 0:
		return *new(V), errLost
	case 1:
		time.Sleep(late)
	case 2:
		mine = glue(mine, mine)
	case 3:
		mine = glue(mine, other)
	}
	return mine, err
}

// row is the fix of one row, and rows that of a list.
func row[V any](rename func(v *V)) fix[V] { return fix[V]{rename: rename} }

func rows[E any](rename func(e *E)) fix[[]E] {
	return fix[[]E]{each(rename), glued[E]}
}

func glued[E any](a, b []E) []E { return slices.Concat(a, b) }

// each renames every element, in a list of its own.
func each[E any](rename func(e *E)) func(all *[]E) {
	return func(all *[]E) {
		*all = slices.Clone(*all)
		for i := range *all {
			rename(&(*all)[i])
		}
	}
}

// The nouns with a method of the same name, under another one.
type (
	settingsKept   = archive.Settings
	conditionsKept = archive.Conditions
	asksKept       = archive.Asks
	unlockersKept  = archive.Unlockers
	receiptsKept   = archive.Receipts
)

type homes struct {
	archive.Homes
	a *Archive
}

// Head is [archive.Homes]'.
func (h homes) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	v, err := h.Homes.Head(ctx, home)
	return passed(h.a, &h.a.heads, home, v, err, row(func(v *archive.HomeHead) { v.Home = home }))
}

// Deeds is [archive.Homes]'.
func (h homes) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	v, err := h.Homes.Deeds(ctx, home, from, max)
	return passed(h.a, &h.a.deeds, home, v, err, rows(func(d *archive.Deed) { d.Home = home }))
}

type objects struct {
	archive.Objects
	a *Archive
}

// Object is [archive.Objects]'.
func (o objects) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	v, err := o.Objects.Object(ctx, name)
	return passed(o.a, &o.a.objects, name.Home, v, err, row(func(v *archive.Row) { v.Name = name }))
}

// Events is [archive.Objects]'.
func (o objects) Events(ctx context.Context, home latchkey.HomeID, before archive.Cursor, limit int) (archive.Page, error) {
	v, err := o.Objects.Events(ctx, home, before, limit)
	return passed(o.a, &o.a.pages, home, v, err, fix[archive.Page]{func(v *archive.Page) {
		each(func(e *archive.Event) {
			e.Home = home
			each(func(r *archive.Row) { r.Name.Home = home })(&e.Objects)
		})(&v.Events)
	}, func(a, b archive.Page) archive.Page {
		a.Events = slices.Concat(a.Events, b.Events)
		return a
	}})
}

// Usage is [archive.Objects]'.
func (o objects) Usage(ctx context.Context, home latchkey.HomeID) (archive.Usage, error) {
	v, err := o.Objects.Usage(ctx, home)
	return passed(o.a, &o.a.usage, home, v, err, row(func(v *archive.Usage) { v.Home = home }))
}

type sessions struct {
	archive.Sessions
	a *Archive
}

// Session is [archive.Sessions]'.
func (s sessions) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	v, err := s.Sessions.Session(ctx, home, secret)
	return passed(s.a, &s.a.sessions, home, v, err, row(func(v *archive.Session) { v.Home, v.Secret = home, secret }))
}

// SessionsOf is [archive.Sessions]'.
func (s sessions) SessionsOf(ctx context.Context, home latchkey.HomeID) ([]archive.Session, error) {
	v, err := s.Sessions.SessionsOf(ctx, home)
	return passed(s.a, &s.a.signedIn, home, v, err, rows(func(s *archive.Session) { s.Home = home }))
}

type settings struct {
	settingsKept
	a *Archive
}

// Settings is [archive.Settings]'.
func (s settings) Settings(ctx context.Context, home latchkey.HomeID) (archive.Document, error) {
	v, err := s.settingsKept.Settings(ctx, home)
	return passed(s.a, &s.a.settings, home, v, err, row(func(v *archive.Document) { v.Home = home }))
}

type conditions struct {
	conditionsKept
	a *Archive
}

// Conditions is [archive.Conditions]'.
func (c conditions) Conditions(ctx context.Context, home latchkey.HomeID) ([]archive.Condition, error) {
	v, err := c.conditionsKept.Conditions(ctx, home)
	return passed(c.a, &c.a.conditions, home, v, err, rows(func(c *archive.Condition) { c.Home = home }))
}

type asks struct {
	asksKept
	a *Archive
}

// Asks is [archive.Asks]'.
func (k asks) Asks(ctx context.Context, home latchkey.HomeID) ([]archive.Ask, error) {
	v, err := k.asksKept.Asks(ctx, home)
	return passed(k.a, &k.a.asks, home, v, err, rows(func(k *archive.Ask) { k.Home = home }))
}

type joins struct {
	archive.Joins
	a *Archive
}

// Join is [archive.Joins]'.
func (j joins) Join(ctx context.Context, slot api.Slot) (archive.Join, error) {
	v, err := j.Joins.Join(ctx, slot)
	return passed(j.a, &j.a.joins, slot, v, err, row(func(v *archive.Join) { v.Slot = slot }))
}
