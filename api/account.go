package api

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/account"
)

// AccountCookie names the cookie of a session at an account. A browser has one account
// open at a time; which it is stands in the cookie too, so that one which was crossed is
// noticed at the address of another.
const AccountCookie = "latchkey_account"

// What an answer says of a mail.
const (
	MailSent = "sent" // a code is on its way, or a word that the address has an account
	MailNone = "none" // this server sends no mail
)

// Unlocker is an unlocker, as a browser enrols it or a server gives it back.
type Unlocker struct {
	Unlocker    latchkey.UnlockerID `json:"unlocker"`
	Kind        account.Kind        `json:"kind"`
	Params      []byte              `json:"params" doc:"docs/account.md, Unlockers"`
	Wrapped     []byte              `json:"wrapped" doc:"the vault key"`
	Auth        []byte              `json:"auth,omitempty" doc:"to the server, of a passphrase or recovery code"`
	Attestation string              `json:"attestation,omitempty" doc:"to the server, of a passkey: JSON of a RegistrationResponse"`
}

// BeginAccount begins to sign up.
type BeginAccount struct {
	V      V      `json:"v"`
	Ticket string `json:"ticket" doc:"docs/account.md, What a server does"`
	Email  string `json:"email"`
}

// AccountBegun is a fresh account, which is kept nowhere yet.
type AccountBegun struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	Options string             `json:"options" doc:"JSON for making a passkey; empty if this server has no passkeys"`
	Mail    string             `json:"mail" doc:"sent, or none if the server sends no mail"`
}

// SignUp makes an account.
type SignUp struct {
	V         V                  `json:"v"`
	Ticket    string             `json:"ticket"`
	Account   latchkey.AccountID `json:"account" doc:"as begun"`
	Email     string             `json:"email" doc:"as begun"`
	Code      string             `json:"code" doc:"that came by mail; empty if none was sent"`
	Unlockers []Unlocker         `json:"unlockers" doc:"at least two, of which one is no passkey"`
	Vault     []byte             `json:"vault" doc:"the first one"`
	MACKey    []byte             `json:"mac_key" doc:"32 bytes, made by whoever signs in"`
}

// AskPassphrase asks how to stretch the passphrase of an address.
type AskPassphrase struct {
	V     V      `json:"v"`
	Email string `json:"email"`
}

// PassphraseParams is how to stretch a passphrase; there is an answer for any address.
type PassphraseParams struct {
	V      V      `json:"v"`
	Params []byte `json:"params" doc:"docs/account.md, Passphrase"`
}

// Empty is a request that says nothing more than its address.
type Empty struct {
	V V `json:"v"`
}

// PasskeyOptions is what a browser asks a passkey.
type PasskeyOptions struct {
	V       V      `json:"v"`
	Options string `json:"options" doc:"JSON"`
}

// SignInAccount signs in to an account: with email, auth and code, with assertion, or
// with locator and auth.
type SignInAccount struct {
	V         V      `json:"v"`
	MACKey    []byte `json:"mac_key" doc:"32 bytes, made by whoever signs in"`
	Email     string `json:"email,omitempty"`
	Auth      []byte `json:"auth,omitempty"`
	Code      string `json:"code,omitempty" doc:"of an authenticator app"`
	Assertion string `json:"assertion,omitempty" doc:"of a passkey: JSON of an AuthenticationResponse"`
	Locator   []byte `json:"locator,omitempty" doc:"of a recovery code"`
}

// AccountSession says what was signed in, with the vault and the unlocker that opens
// it; the session's secret is in the cookie.
type AccountSession struct {
	V        V                  `json:"v"`
	Account  latchkey.AccountID `json:"account"`
	Session  latchkey.SessionID `json:"session"`
	Expires  latchkey.Time      `json:"expires"`
	Vault    []byte             `json:"vault"`
	Unlocker Unlocker           `json:"unlocker" doc:"that was used"`
}

// Account is an account without what opens it.
type Account struct {
	V         V                  `json:"v"`
	Account   latchkey.AccountID `json:"account"`
	Email     string             `json:"email"`
	Verified  bool               `json:"verified" doc:"a code that came there was typed in"`
	Codes     bool               `json:"codes" doc:"a passphrase needs a code of an authenticator app beside it"`
	Vault     uint64             `json:"vault" doc:"number of the vault"`
	Unlockers []UnlockerRow      `json:"unlockers"`
}

// UnlockerRow is an unlocker in a list.
type UnlockerRow struct {
	Unlocker latchkey.UnlockerID `json:"unlocker"`
	Kind     account.Kind        `json:"kind"`
	Params   []byte              `json:"params"`
	Added    latchkey.Time       `json:"added"`
	Used     latchkey.Time       `json:"used" doc:"0 for never"`
}

// AccountVault is an account's vault.
type AccountVault struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	Vault   []byte             `json:"vault" doc:"docs/account.md, The vault"`
}

// AccountOptions is what a browser asks a new passkey of an account.
type AccountOptions struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	Options string             `json:"options" doc:"JSON"`
}

// AddUnlocker adds an unlocker to an account.
type AddUnlocker struct {
	V        V                  `json:"v"`
	Account  latchkey.AccountID `json:"account"`
	Unlocker Unlocker           `json:"unlocker"`
}

// AccountOK is [OK] about an account.
type AccountOK struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	OK      bool               `json:"ok"`
}

// AccountEnd says that a server has ended an account. End proves that to the same server
// when a backup has taken it back behind that; whoever has it can do nothing else by it.
type AccountEnd struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	End     []byte             `json:"end" doc:"32 bytes, the server's"`
}

// CodeSecret is for an authenticator app.
type CodeSecret struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	Secret  string             `json:"secret" doc:"to type in"`
	URI     string             `json:"uri" doc:"for a QR code"`
}

// ProveCode shows that an authenticator app has the secret.
type ProveCode struct {
	V    V      `json:"v"`
	Code string `json:"code"`
}

// ChangeEmail gives an account another address.
type ChangeEmail struct {
	V     V      `json:"v"`
	Email string `json:"email"`
}

// EmailChanging says how the change goes on.
type EmailChanging struct {
	V       V                  `json:"v"`
	Account latchkey.AccountID `json:"account"`
	Mail    string             `json:"mail" doc:"sent, or none: then the address is changed already"`
}

// ConfirmEmail proves the address.
type ConfirmEmail struct {
	V     V      `json:"v"`
	Email string `json:"email"`
	Code  string `json:"code"`
}

// AccountSessions lists where an account is signed in.
type AccountSessions struct {
	V        V                   `json:"v"`
	Account  latchkey.AccountID  `json:"account"`
	Sessions []AccountSessionRow `json:"sessions" doc:"in the order in which they began"`
}

// AccountSessionRow is one session of the list.
type AccountSessionRow struct {
	Session latchkey.SessionID `json:"session"`
	Browser string             `json:"browser" doc:"in the server's own few words, as Chromium on Linux; empty if it knows it not"`
	Started latchkey.Time      `json:"started"`
	Seen    latchkey.Time      `json:"seen" doc:"the last request, to the minute"`
	Expires latchkey.Time      `json:"expires"`
	Current bool               `json:"current" doc:"the asker's own"`
}

const atAccount = "/v1/accounts/{account}"

// accountRoutes are the part of the table that is about people's accounts.
var accountRoutes = []Route{
	{ID: "begin-account", Method: "POST", Pattern: "/v1/accounts/begin", Right: Anybody, Form: JSON,
		Says:    "Begins to sign up with a ticket, and mails a code.",
		Request: BeginAccount{}, Answer: AccountBegun{}, Status: 200, Held: true},
	{ID: "sign-up", Method: "POST", Pattern: "/v1/accounts", Right: Anybody, Form: JSON,
		Says:    "Makes an account with a ticket, and signs in to it.",
		Request: SignUp{}, Answer: AccountSession{}, Status: 201, Held: true},
	{ID: "passphrase-params", Method: "POST", Pattern: "/v1/accounts/passphrase", Right: Anybody, Form: JSON,
		Says:    "Gives the parameters of a passphrase, for any address, there or not.",
		Request: AskPassphrase{}, Answer: PassphraseParams{}, Status: 200, Held: true, Copy: true},
	{ID: "passkey-options", Method: "POST", Pattern: "/v1/accounts/passkey", Right: Anybody, Form: JSON,
		Says:    "Gives a challenge for any passkey of this server.",
		Request: Empty{}, Answer: PasskeyOptions{}, Status: 200, Held: true},
	{ID: "sign-in-account", Method: "POST", Pattern: "/v1/accounts/sessions", Right: Anybody, Form: JSON,
		Says:    "Signs in to an account and sets the session's cookie.",
		Request: SignInAccount{}, Answer: AccountSession{}, Status: 201, Held: true, Copy: true},

	{ID: "account", Method: "GET", Pattern: atAccount, Right: AccountHeld, Form: JSON,
		Says:   "Gives the account without what opens it.",
		Answer: Account{}, Status: 200, Held: true, Copy: true},
	{ID: "vault", Method: "GET", Pattern: atAccount + "/vault", Right: AccountHeld, Form: JSON,
		Says:   "Gives the vault.",
		Answer: AccountVault{}, Status: 200, Held: true, Copy: true},
	{ID: "put-vault", Method: "PUT", Pattern: atAccount + "/vault", Right: AccountHeld, Form: JSON,
		Says:    "Replaces the vault by the next one.",
		Request: AccountVault{}, Answer: AccountOK{}, Status: 200, Held: true},
	{ID: "begin-unlocker", Method: "POST", Pattern: atAccount + "/unlockers/begin", Right: AccountProven, Form: JSON,
		Says:    "Gives what to ask another passkey.",
		Request: Empty{}, Answer: AccountOptions{}, Status: 200, Held: true},
	{ID: "add-unlocker", Method: "POST", Pattern: atAccount + "/unlockers", Right: AccountProven, Form: JSON,
		Says:    "Adds an unlocker; another passphrase or recovery code takes the place of the one before.",
		Request: AddUnlocker{}, Answer: AccountOK{}, Status: 201, Held: true},
	{ID: "remove-unlocker", Method: "DELETE", Pattern: atAccount + "/unlockers/{unlocker}", Right: AccountProven, Form: JSON,
		Says:   "Removes an unlocker, if enough are left.",
		Answer: AccountOK{}, Status: 200, Held: true},
	{ID: "begin-codes", Method: "POST", Pattern: atAccount + "/codes", Right: AccountProven, Form: JSON,
		Says:    "Gives a secret for an authenticator app.",
		Request: Empty{}, Answer: CodeSecret{}, Status: 200, Held: true},
	{ID: "prove-code", Method: "PUT", Pattern: atAccount + "/codes", Right: AccountProven, Form: JSON,
		Says:    "Shows that the app has the secret; from now on codes are asked for.",
		Request: ProveCode{}, Answer: AccountOK{}, Status: 200, Held: true},
	{ID: "end-codes", Method: "DELETE", Pattern: atAccount + "/codes", Right: AccountProven, Form: JSON,
		Says:   "Asks for no codes any more.",
		Answer: AccountOK{}, Status: 200, Held: true},
	{ID: "change-email", Method: "POST", Pattern: atAccount + "/email", Right: AccountProven, Form: JSON,
		Says:    "Mails a code to another address, and a notice to the present one.",
		Request: ChangeEmail{}, Answer: EmailChanging{}, Status: 200, Held: true},
	{ID: "confirm-email", Method: "POST", Pattern: atAccount + "/email/confirm", Right: AccountProven, Form: JSON,
		Says:    "Changes the address.",
		Request: ConfirmEmail{}, Answer: AccountOK{}, Status: 200, Held: true},
	{ID: "account-sessions", Method: "GET", Pattern: atAccount + "/sessions", Right: AccountHeld, Form: JSON,
		Says:   "Lists where the account is signed in.",
		Answer: AccountSessions{}, Status: 200, Held: true, Copy: true},
	{ID: "end-account-session", Method: "DELETE", Pattern: atAccount + "/sessions/{session}", Right: AccountHeld, Form: JSON,
		Says:   "Ends a session of the account.",
		Answer: AccountOK{}, Status: 200, Held: true},
	{ID: "sign-out-account", Method: "DELETE", Pattern: atAccount + "/session", Right: AccountHeld, Form: JSON,
		Says:   "Ends the asker's session.",
		Answer: AccountOK{}, Status: 200, Held: true, Copy: true},
	{ID: "delete-account", Method: "DELETE", Pattern: atAccount, Right: AccountProven, Form: JSON,
		Says:   "Deletes the account, with everything that is kept of it, and ends its sessions.",
		Answer: AccountEnd{}, Status: 200, Held: true},
	{ID: "end-account-again", Method: "POST", Pattern: "/v1/accounts/ended", Right: Anybody, Form: JSON,
		Says:    "Deletes again an account that this server has deleted once, and a backup has brought back.",
		Request: AccountEnd{}, Answer: AccountOK{}, Status: 200, Held: true},
}
