package server_test

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/archive"
	"github.com/latchkey-cam/latchkey/sealed"
)

// keys are what reads of the archive are asked by: one of everything.
type keys struct {
	home    latchkey.HomeID
	from    uint64 // number of a deed
	above   uint64 // number in the outbox, or of a tombstone
	name    latchkey.Name
	before  archive.Cursor
	secret  archive.Secret // of a session
	person  latchkey.PersonID
	request string
	slot    api.Slot
	setup   archive.Secret

	account latchkey.AccountID
	address account.Address
	locator account.Locator
	held    archive.Secret // of an account's session
	ended   latchkey.AccountID
}

// misreader is an archive behind a connection that has lost count: one of its reads is
// answered with what answers another question. All of it is genuine.
type misreader struct {
	archive.Archive
	read  string // "Homes.Head"
	to    keys   // the other question
	among bool   // the answer to the question comes too, before the other's
}

// crossed is the archive with that read crossed.
func (m misreader) crossed() archive.Archive {
	a := m.Archive
	x := misread{m, a.Setups, a.Homes, a.Outbox, a.Objects, a.Sessions, a.Joins, a.Asks, a.Settings, a.Agents, a.Conditions,
		a.Receipts, a.Accounts, a.Unlockers, a.Vaults, a.AccountSessions, a.Tombstones, a.Reviews, a.AccountEnds}
	a.Setups, a.Homes, a.Outbox, a.Objects, a.Sessions = x, x, x, x, x
	a.Joins, a.Asks, a.Settings, a.Agents, a.Conditions = x, x, x, x, x
	a.Receipts, a.Accounts, a.Unlockers, a.Vaults, a.AccountSessions = x, x, x, x, x
	a.Tombstones, a.Reviews, a.AccountEnds = x, x, x
	return a
}

// one asks for the answer to one of two questions.
func one[K, A any](m misreader, read string, asked, other K, ask func(k K) (A, error)) (A, error) {
	if m.read == read {
		return ask(other)
	}
	return ask(asked)
}

// several is one for a list.
func several[K, E any](m misreader, read string, asked, other K, ask func(k K) ([]E, error)) ([]E, error) {
	if m.read != read || !m.among {
		return one(m, read, asked, other, ask)
	}
	own, err := ask(asked)
	more, err2 := ask(other)
	return append(own, more...), errors.Join(err, err2)
}

// Names that are methods' too cannot be embedded as they are called.
type (
	theSettings   = archive.Settings
	theConditions = archive.Conditions
	theReceipts   = archive.Receipts
	theUnlockers  = archive.Unlockers
	theAsks       = archive.Asks
)

// misread is every part of the archive with that read.
type misread struct {
	m misreader
	archive.Setups
	archive.Homes
	archive.Outbox
	archive.Objects
	archive.Sessions
	archive.Joins
	theAsks
	theSettings
	archive.Agents
	theConditions
	theReceipts
	archive.Accounts
	theUnlockers
	archive.Vaults
	archive.AccountSessions
	archive.Tombstones
	archive.Reviews
	archive.AccountEnds
}

func (x misread) OpenSetup(ctx context.Context, secret archive.Secret, now latchkey.Time) (archive.Secret, error) {
	return one(x.m, "Setups.OpenSetup", secret, x.m.to.setup, func(k archive.Secret) (archive.Secret, error) { return x.Setups.OpenSetup(ctx, k, now) })
}

func (x misread) Head(ctx context.Context, home latchkey.HomeID) (archive.HomeHead, error) {
	return one(x.m, "Homes.Head", home, x.m.to.home, func(k latchkey.HomeID) (archive.HomeHead, error) { return x.Homes.Head(ctx, k) })
}

// ofHome is [several] of a list of what is signed: its bytes or its rows may be another
// home's alone.
func ofHome[T any](m misreader, what string, of keys, home func(t *T) *latchkey.HomeID, ask func(k keys) ([]T, error)) ([]T, error) {
	all, err := several(m, what, of, m.to, ask)
	row := of.home
	switch m.read {
	case what + ", what is signed":
		of.home = m.to.home
	case what + ", their rows":
		row = m.to.home
	default:
		return all, err
	}
	all, err = ask(of)
	for i := range all {
		*home(&all[i]) = row
	}
	return all, err
}

func (x misread) Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]archive.Deed, error) {
	return ofHome(x.m, "Homes.Deeds", keys{home: home, from: from}, func(d *archive.Deed) *latchkey.HomeID { return &d.Home }, func(k keys) ([]archive.Deed, error) {
		return x.Homes.Deeds(ctx, k.home, k.from, max)
	})
}

func (x misread) Moves(ctx context.Context, above uint64, max int) ([]archive.Move, error) {
	return one(x.m, "Outbox.Moves", above, x.m.to.above, func(k uint64) ([]archive.Move, error) { return x.Outbox.Moves(ctx, k, max) })
}

func (x misread) Object(ctx context.Context, name latchkey.Name) (archive.Row, error) {
	return one(x.m, "Objects.Object", name, x.m.to.name, func(k latchkey.Name) (archive.Row, error) { return x.Objects.Object(ctx, k) })
}

// Events crosses pages, and by the name of no method the objects of events.
func (x misread) Events(ctx context.Context, home latchkey.HomeID, before archive.Cursor, limit int) (archive.Page, error) {
	asked := keys{home: home, before: before}
	p, err := one(x.m, "Objects.Events", asked, x.m.to, func(k keys) (archive.Page, error) { return x.Objects.Events(ctx, k.home, k.before, limit) })
	if err != nil || !strings.HasPrefix(x.m.read, "Objects.Events") {
		return p, err
	}
	own, err := x.Objects.Events(ctx, home, before, limit)
	switch {
	case err != nil:
		return p, err
	case x.m.read != "Objects.Events":
		other, err := x.Objects.Events(ctx, x.m.to.home, x.m.to.before, 1)
		if err != nil {
			return p, err
		}
		for i := range own.Events {
			own.Events[i].Objects = slices.Clone(other.Events[0].Objects)
			for j := range own.Events[i].Objects {
				switch o := &own.Events[i].Objects[j]; x.m.read {
				case "Objects.Events, objects of this event":
					o.Event = own.Events[i].Place.Event
				case "Objects.Events, objects with a problem":
					o.Problem, o.Found = sealed.Misroute, o.Name
				}
			}
		}
		return own, nil
	case x.m.among:
		own.Events = append(own.Events, p.Events...)
		return own, nil
	}
	return p, nil
}

func (x misread) Session(ctx context.Context, home latchkey.HomeID, secret archive.Secret) (archive.Session, error) {
	n, err := one(x.m, "Sessions.Session", keys{home: home, secret: secret}, x.m.to, func(k keys) (archive.Session, error) {
		return x.Sessions.Session(ctx, k.home, k.secret)
	})
	if x.m.read == "Sessions.Session, its home" {
		n.Home = x.m.to.home
	}
	return n, err
}

func (x misread) SessionsOf(ctx context.Context, home latchkey.HomeID) ([]archive.Session, error) {
	return several(x.m, "Sessions.SessionsOf", home, x.m.to.home, func(k latchkey.HomeID) ([]archive.Session, error) { return x.Sessions.SessionsOf(ctx, k) })
}

func (x misread) Join(ctx context.Context, slot api.Slot) (archive.Join, error) {
	return one(x.m, "Joins.Join", slot, x.m.to.slot, func(k api.Slot) (archive.Join, error) { return x.Joins.Join(ctx, k) })
}

func (x misread) Asks(ctx context.Context, home latchkey.HomeID) ([]archive.Ask, error) {
	if x.m.read == "Asks.Asks, what is asked" {
		own, err := x.theAsks.Asks(ctx, home)
		other, err2 := x.theAsks.Asks(ctx, x.m.to.home)
		for i := range own {
			own[i].Ask = other[0].Ask
		}
		return own, errors.Join(err, err2)
	}
	return several(x.m, "Asks.Asks", home, x.m.to.home, func(k latchkey.HomeID) ([]archive.Ask, error) { return x.theAsks.Asks(ctx, k) })
}

func (x misread) Settings(ctx context.Context, home latchkey.HomeID) (archive.Document, error) {
	return one(x.m, "Settings.Settings", home, x.m.to.home, func(k latchkey.HomeID) (archive.Document, error) { return x.theSettings.Settings(ctx, k) })
}

func (x misread) Copies(ctx context.Context, home latchkey.HomeID) ([]archive.Copy, error) {
	return several(x.m, "Agents.Copies", home, x.m.to.home, func(k latchkey.HomeID) ([]archive.Copy, error) { return x.Agents.Copies(ctx, k) })
}

func (x misread) Reviewed(ctx context.Context, home latchkey.HomeID, person latchkey.PersonID, since latchkey.Time) ([]archive.Reviewed, error) {
	return several(x.m, "Reviews.Reviewed", keys{home: home, person: person}, x.m.to, func(k keys) ([]archive.Reviewed, error) {
		return x.Reviews.Reviewed(ctx, k.home, k.person, since)
	})
}

func (x misread) Conditions(ctx context.Context, home latchkey.HomeID) ([]archive.Condition, error) {
	return several(x.m, "Conditions.Conditions", home, x.m.to.home, func(k latchkey.HomeID) ([]archive.Condition, error) {
		return x.theConditions.Conditions(ctx, k)
	})
}

func (x misread) Receipts(ctx context.Context, home latchkey.HomeID, session archive.Secret, request string) ([]archive.Receipt, error) {
	return several(x.m, "Receipts.Receipts", keys{home: home, secret: session, request: request}, x.m.to, func(k keys) ([]archive.Receipt, error) {
		return x.theReceipts.Receipts(ctx, k.home, k.secret, k.request)
	})
}

func (x misread) Account(ctx context.Context, id latchkey.AccountID) (archive.Account, error) {
	return one(x.m, "Accounts.Account", id, x.m.to.account, func(k latchkey.AccountID) (archive.Account, error) { return x.Accounts.Account(ctx, k) })
}

func (x misread) AccountOf(ctx context.Context, address account.Address) (archive.Account, error) {
	return one(x.m, "Accounts.AccountOf", address, x.m.to.address, func(k account.Address) (archive.Account, error) { return x.Accounts.AccountOf(ctx, k) })
}

func (x misread) Unlockers(ctx context.Context, id latchkey.AccountID) ([]archive.Unlocker, error) {
	return several(x.m, "Unlockers.Unlockers", id, x.m.to.account, func(k latchkey.AccountID) ([]archive.Unlocker, error) {
		return x.theUnlockers.Unlockers(ctx, k)
	})
}

func (x misread) Located(ctx context.Context, locator account.Locator) (archive.Unlocker, error) {
	u, err := one(x.m, "Unlockers.Located", locator, x.m.to.locator, func(k account.Locator) (archive.Unlocker, error) { return x.theUnlockers.Located(ctx, k) })
	if x.m.read == "Unlockers.Located, its kind" {
		u.Kind = account.Passphrase
	}
	return u, err
}

func (x misread) Vault(ctx context.Context, id latchkey.AccountID) (archive.Vault, error) {
	v, err := one(x.m, "Vaults.Vault", id, x.m.to.account, func(k latchkey.AccountID) (archive.Vault, error) { return x.Vaults.Vault(ctx, k) })
	switch x.m.read {
	case "Vaults.Vault, its row":
		v.Account = x.m.to.account
	case "Vaults.Vault, what is kept":
		v, err = x.Vaults.Vault(ctx, x.m.to.account)
		v.Account = id
	}
	return v, err
}

func (x misread) AccountSession(ctx context.Context, id latchkey.AccountID, secret archive.Secret) (archive.AccountSession, error) {
	n, err := one(x.m, "AccountSessions.AccountSession", keys{account: id, held: secret}, x.m.to, func(k keys) (archive.AccountSession, error) {
		return x.AccountSessions.AccountSession(ctx, k.account, k.held)
	})
	if x.m.read == "AccountSessions.AccountSession, its account" {
		n.Account = x.m.to.account
	}
	return n, err
}

func (x misread) AccountSessionsOf(ctx context.Context, id latchkey.AccountID) ([]archive.AccountSession, error) {
	return several(x.m, "AccountSessions.AccountSessionsOf", id, x.m.to.account, func(k latchkey.AccountID) ([]archive.AccountSession, error) {
		return x.AccountSessions.AccountSessionsOf(ctx, k)
	})
}

func (x misread) AccountEnd(ctx context.Context, id latchkey.AccountID) (archive.AccountEnd, error) {
	return one(x.m, "AccountEnds.AccountEnd", id, x.m.to.ended, func(k latchkey.AccountID) (archive.AccountEnd, error) { return x.AccountEnds.AccountEnd(ctx, k) })
}

func (x misread) Usage(ctx context.Context, home latchkey.HomeID) (archive.Usage, error) {
	return one(x.m, "Objects.Usage", home, x.m.to.home, func(k latchkey.HomeID) (archive.Usage, error) { return x.Objects.Usage(ctx, k) })
}

func (x misread) TombstonesAbove(ctx context.Context, home latchkey.HomeID, above uint64, max int) ([]archive.Tombstone, error) {
	return ofHome(x.m, "Tombstones.TombstonesAbove", keys{home: home, above: above}, func(t *archive.Tombstone) *latchkey.HomeID { return &t.Home }, func(k keys) ([]archive.Tombstone, error) {
		return x.Tombstones.TombstonesAbove(ctx, k.home, k.above, max)
	})
}

func (x misread) Mark(ctx context.Context, home latchkey.HomeID, number uint64) (archive.Mark, error) {
	return one(x.m, "Tombstones.Mark", keys{home: home, above: number}, x.m.to, func(k keys) (archive.Mark, error) {
		return x.Tombstones.Mark(ctx, k.home, k.above)
	})
}
