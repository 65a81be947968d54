package fault

import (
	"context"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/archive"
)

// What an archive answers about people's accounts.

type accounts struct {
	archive.Accounts
	a *Archive
}

// Account is [archive.Accounts]'.
func (c accounts) Account(ctx context.Context, id latchkey.AccountID) (archive.Account, error) {
	v, err := c.Accounts.Account(ctx, id)
	return passed(c.a, &c.a.accounts, id, v, err, row(func(v *archive.Account) { v.ID = id }))
}

// AccountOf is [archive.Accounts]'.
func (c accounts) AccountOf(ctx context.Context, address account.Address) (archive.Account, error) {
	v, err := c.Accounts.AccountOf(ctx, address)
	return passed(c.a, &c.a.addresses, address, v, err, row(func(v *archive.Account) { v.Address = address }))
}

type unlockers struct {
	unlockersKept
	a *Archive
}

// Unlockers is [archive.Unlockers]'.
func (u unlockers) Unlockers(ctx context.Context, id latchkey.AccountID) ([]archive.Unlocker, error) {
	v, err := u.unlockersKept.Unlockers(ctx, id)
	return passed(u.a, &u.a.unlockers, id, v, err, rows(func(u *archive.Unlocker) { u.Account = id }))
}

type vaults struct {
	archive.Vaults
	a *Archive
}

// Vault is [archive.Vaults]'.
func (s vaults) Vault(ctx context.Context, id latchkey.AccountID) (archive.Vault, error) {
	v, err := s.Vaults.Vault(ctx, id)
	return passed(s.a, &s.a.vaults, id, v, err, row(func(v *archive.Vault) { v.Account = id }))
}

type accountSessions struct {
	archive.AccountSessions
	a *Archive
}

// AccountSession is [archive.AccountSessions]'.
func (s accountSessions) AccountSession(ctx context.Context, id latchkey.AccountID, secret archive.Secret) (archive.AccountSession, error) {
	v, err := s.AccountSessions.AccountSession(ctx, id, secret)
	return passed(s.a, &s.a.browsers, id, v, err, row(func(v *archive.AccountSession) { v.Account, v.Secret = id, secret }))
}
