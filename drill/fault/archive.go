package fault

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
)

// Archive puts faults into what archives answer. All servers of a cloud share one, so
// that the caller whose row somebody gets may be another server's.
type Archive struct {
	faults point[remap]

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

	accounts  others[latchkey.AccountID, archive.Account]
	addresses others[account.Address, archive.Account]
	unlockers others[latchkey.AccountID, []archive.Unlocker]
	vaults    others[latchkey.AccountID, archive.Vault]
	browsers  others[latchkey.AccountID, archive.AccountSession]
}

// remap says that a row of another gets the key that was asked for.
type remap bool

// Cross answers with the row that another caller was answered with, as a database's
// client did that scanned a row for somebody who had gone.
func (a *Archive) Cross(s Schedule, rng *rand.Rand) *Injection { return a.faults.put(s, rng, false) }

// Remap answers with another's row whose key is rewritten to the one that was asked for,
// as somebody does who is bent on it and can write to the database.
func (a *Archive) Remap(s Schedule, rng *rand.Rand) *Injection { return a.faults.put(s, rng, true) }

// Wrap returns an archive whose answers pass here.
func (a *Archive) Wrap(inner archive.Archive) archive.Archive {
	w := inner
	w.Homes, w.Objects, w.Sessions = homes{inner.Homes, a}, objects{inner.Objects, a}, sessions{inner.Sessions, a}
	w.Settings, w.Conditions = settings{inner.Settings, a}, conditions{inner.Conditions, a}
	w.Asks, w.Joins = asks{inner.Asks, a}, joins{inner.Joins, a}
	w.Accounts, w.Unlockers, w.Vaults = accounts{inner.Accounts, a}, unlockers{inner.Unlockers, a}, vaults{inner.Vaults, a}
	w.AccountSessions = accountSessions{inner.AccountSessions, a}
	return w
}

// passed returns an answer, or what a fault makes of it. Rename gives a copy of another's
// row the key that was asked for; what the copy shares with the row it must not change.
func passed[K comparable, V any](a *Archive, seen *others[K, V], k K, v V, err error, rename func(v *V)) (V, error) {
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
		if !f.in.strikes() {
			continue
		}
		if f.what {
			rename(&other.value)
		}
		return other.value, nil
	}
	return v, err
}

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
)

type homes struct {
	archive.Homes
	a *Archive
}

// Head is [archive.Homes]'.
func (h homes) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	v, err := h.Homes.Head(ctx, home)
	return passed(h.a, &h.a.heads, home, v, err, func(v *archive.HomeHead) { v.Home = home })
}

// Deeds is [archive.Homes]'.
func (h homes) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	v, err := h.Homes.Deeds(ctx, home, from, max)
	return passed(h.a, &h.a.deeds, home, v, err, each(func(d *archive.Deed) { d.Home = home }))
}

type objects struct {
	archive.Objects
	a *Archive
}

// Object is [archive.Objects]'.
func (o objects) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	v, err := o.Objects.Object(ctx, name)
	return passed(o.a, &o.a.objects, name.Home, v, err, func(v *archive.Row) { v.Name = name })
}

// Events is [archive.Objects]'.
func (o objects) Events(ctx context.Context, home latchkey.HomeID, before archive.Cursor, limit int) (archive.Page, error) {
	v, err := o.Objects.Events(ctx, home, before, limit)
	return passed(o.a, &o.a.pages, home, v, err, func(v *archive.Page) {
		each(func(e *archive.Event) {
			e.Home = home
			each(func(r *archive.Row) { r.Name.Home = home })(&e.Objects)
		})(&v.Events)
	})
}

// Usage is [archive.Objects]'.
func (o objects) Usage(ctx context.Context, home latchkey.HomeID) (archive.Usage, error) {
	v, err := o.Objects.Usage(ctx, home)
	return passed(o.a, &o.a.usage, home, v, err, func(v *archive.Usage) { v.Home = home })
}

type sessions struct {
	archive.Sessions
	a *Archive
}

// Session is [archive.Sessions]'.
func (s sessions) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	v, err := s.Sessions.Session(ctx, home, secret)
	return passed(s.a, &s.a.sessions, home, v, err, func(v *archive.Session) { v.Home, v.Secret = home, secret })
}

// SessionsOf is [archive.Sessions]'.
func (s sessions) SessionsOf(ctx context.Context, home latchkey.HomeID) ([]archive.Session, error) {
	v, err := s.Sessions.SessionsOf(ctx, home)
	return passed(s.a, &s.a.signedIn, home, v, err, each(func(s *archive.Session) { s.Home = home }))
}

type settings struct {
	settingsKept
	a *Archive
}

// Settings is [archive.Settings]'.
func (s settings) Settings(ctx context.Context, home latchkey.HomeID) (archive.Document, error) {
	v, err := s.settingsKept.Settings(ctx, home)
	return passed(s.a, &s.a.settings, home, v, err, func(v *archive.Document) { v.Home = home })
}

type conditions struct {
	conditionsKept
	a *Archive
}

// Conditions is [archive.Conditions]'.
func (c conditions) Conditions(ctx context.Context, home latchkey.HomeID) ([]archive.Condition, error) {
	v, err := c.conditionsKept.Conditions(ctx, home)
	return passed(c.a, &c.a.conditions, home, v, err, each(func(c *archive.Condition) { c.Home = home }))
}

type asks struct {
	asksKept
	a *Archive
}

// Asks is [archive.Asks]'.
func (k asks) Asks(ctx context.Context, home latchkey.HomeID) ([]archive.Ask, error) {
	v, err := k.asksKept.Asks(ctx, home)
	return passed(k.a, &k.a.asks, home, v, err, each(func(k *archive.Ask) { k.Home = home }))
}

type joins struct {
	archive.Joins
	a *Archive
}

// Join is [archive.Joins]'.
func (j joins) Join(ctx context.Context, slot api.Slot) (archive.Join, error) {
	v, err := j.Joins.Join(ctx, slot)
	return passed(j.a, &j.a.joins, slot, v, err, func(v *archive.Join) { v.Slot = slot })
}
