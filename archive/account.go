package archive

import (
	"context"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
	"github.com/latchkey-cam/latchkey/api"
)

// The nouns of people's accounts. Their tables begin with the account. Nothing here
// names a home, so that no mistake in these tables can give somebody another's.

// Accounts keeps who may sign in.
type Accounts interface {
	// SignUp keeps a new account, its unlockers and its first vault. Errors:
	// ErrConflict if there is or was an account of this ID, ErrTaken.
	SignUp(ctx context.Context, a Account, unlockers []Unlocker, vault Vault) error
	// Account returns an account. Error: ErrNotFound.
	Account(ctx context.Context, id latchkey.AccountID) (Account, error)
	// AccountOf returns the account of an address. Error: ErrNotFound.
	AccountOf(ctx context.Context, address account.Address) (Account, error)
	// SetAddress changes the address. Errors: ErrNotFound, ErrTaken.
	SetAddress(ctx context.Context, id latchkey.AccountID, address account.Address, verified bool) error
	// AccountsKey returns the key with which the server answers for addresses that
	// have no account: the one that is kept, or the one that is given if there is none.
	AccountsKey(ctx context.Context, fresh [32]byte) ([32]byte, error)
}

// Account is an account without what opens it.
type Account struct {
	ID       latchkey.AccountID
	Address  account.Address
	Verified bool // by a code that came there
	Created  latchkey.Time

	Code  []byte // what it shares with an authenticator app, empty for nothing
	Codes bool   // codes are asked for
	Step  uint64 // of the last code that was used
}

// Codes keeps what accounts share with authenticator apps.
type Codes interface {
	// SetCode replaces the secret, or forgets it if it is empty. Codes of it are not
	// asked for yet. Error: ErrNotFound.
	SetCode(ctx context.Context, id latchkey.AccountID, code []byte) error
	// UseCode notes the step of a code that was used, and that codes are asked for
	// from now on. Error: ErrUsed if it is not later than the last.
	UseCode(ctx context.Context, id latchkey.AccountID, step uint64) error
}

// Unlockers keeps what opens the vaults. An account has at any time such as
// [account.CheckKinds] wants.
type Unlockers interface {
	// Unlockers returns those of an account, in the order in which they were added.
	Unlockers(ctx context.Context, id latchkey.AccountID) ([]Unlocker, error)
	// Located returns the recovery code of a locator. Error: ErrNotFound.
	Located(ctx context.Context, locator account.Locator) (Unlocker, error)
	// PutUnlocker adds an unlocker, in the place of an older one if the account may
	// have one of its kind. The same again is accepted. Errors: ErrConflict if its ID or
	// locator is another's, ErrTooMany, ErrNotFound.
	PutUnlocker(ctx context.Context, u Unlocker) error
	// DropUnlocker removes an unlocker. Errors: ErrNotFound, ErrTooFew.
	DropUnlocker(ctx context.Context, id latchkey.AccountID, unlocker latchkey.UnlockerID) error
	// UseUnlocker notes that somebody signed in with it, and what the server is to
	// recognise it by from now on. Error: ErrConflict if it is no longer there, or no
	// longer recognised by what the caller thought.
	UseUnlocker(ctx context.Context, used Unlocker, verifier []byte, at latchkey.Time) error
}

// Unlocker is an unlocker, and what the server recognises it by.
type Unlocker struct {
	account.Unlocker
	Verifier []byte
	Added    latchkey.Time
	Used     latchkey.Time // 0 for never
}

// Vaults keeps one vault for an account.
type Vaults interface {
	// Vault returns the vault. Error: ErrNotFound.
	Vault(ctx context.Context, id latchkey.AccountID) (Vault, error)
	// PutVault replaces the vault whose SHA-256 is prev. Errors: ErrConflict, ErrNotFound.
	// The vault that is there already is accepted again.
	PutVault(ctx context.Context, prev [32]byte, v Vault) error
}

// Vault is the sealed vault of an account.
type Vault struct {
	Account latchkey.AccountID
	Bytes   []byte
}

// AccountSessions keeps who is signed in to an account.
type AccountSessions interface {
	// StartAccountSession keeps a session. Of an account with too many those end that
	// were used longest ago. Error: ErrNotFound (no such account).
	StartAccountSession(ctx context.Context, s AccountSession) error
	// AccountSession returns a session, run out or not. Error: ErrNotFound.
	AccountSession(ctx context.Context, id latchkey.AccountID, secret Secret) (AccountSession, error)
	// AccountSessionsOf returns those of an account, in the order in which they began.
	AccountSessionsOf(ctx context.Context, id latchkey.AccountID) ([]AccountSession, error)
	// SeeAccountSession notes that a session was used.
	SeeAccountSession(ctx context.Context, id latchkey.AccountID, session latchkey.SessionID, at latchkey.Time) error
	// EndAccountSession ends a session if there is one.
	EndAccountSession(ctx context.Context, id latchkey.AccountID, session latchkey.SessionID) error
}

// MaxAccountSessions is how many sessions an account may have: more browsers than
// anybody has, and few enough to look through.
const MaxAccountSessions = 64

// AccountSession is a browser that is signed in to an account.
type AccountSession struct {
	Account latchkey.AccountID
	ID      latchkey.SessionID
	Secret  Secret
	Key     api.MACKey
	Browser string // in the server's own words
	Started latchkey.Time
	Seen    latchkey.Time
	Expires latchkey.Time
}
