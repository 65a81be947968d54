// Package archive is the server's index: homes and their deeds, what was recorded,
// sessions, joins, asks, settings, agents, their conditions and deliveries, and
// people's accounts, which it never joins with homes. It stores what others have
// checked and signed, and can open none of it.
//
// Every table begins with the home, and every row that is read brings the whole key that
// it was asked by, as it stands in the row and not as it was asked: the caller compares
// each, also in a list. An answer without a row says nothing and shows nothing. Rows of objects are compared here as well,
// with the signed header that is in them ([Row.Problem]): a row that does not fit is
// named and never handed out.
//
// [OpenSQLite] is the implementation on one machine; archivetest is the suite that it
// and any other passes.
package archive

import (
	"bytes"
	"context"
	"errors"

	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/api"
	"github.com/latchkey-cam/latchkey/sealed"
)

// What a caller branches on.
var (
	ErrNotFound = errors.New("not in the archive")
	// ErrConflict says that the head, or the document, is another than the caller
	// thought: read again and decide anew.
	ErrConflict = errors.New("somebody else was first")
	// ErrDifferent says that other bytes are kept under the name, or under the
	// sequence number.
	ErrDifferent = errors.New("other bytes are kept under this name")
	// ErrOldEpoch says that no envelope is for the newest epoch.
	ErrOldEpoch = errors.New("no envelope of the newest epoch")
	// ErrTooMany says that a bound of the home is reached.
	ErrTooMany = errors.New("a bound of the home is reached")
	// ErrUsed says that a set-up secret or a slot has run out or was used.
	ErrUsed = errors.New("run out or used")
	// ErrTaken says that an address has another account.
	ErrTaken = errors.New("the address has an account")
	// ErrTooFew says that too few unlockers would be left.
	ErrTooFew = errors.New("too few unlockers would be left")
	// ErrCloned says that an agent's token is not the one that is kept.
	ErrCloned = errors.New("the agent's token is not the one that was given")
	// ErrDeleted says that a tombstone covers what was to be kept.
	ErrDeleted = errors.New("people of the home have deleted it")
	// ErrFull says that the disk is full.
	ErrFull = errors.New("the archive's disk is full")
)

// Secret is the SHA-256 of a secret. What opens a home, or a vault, is not in the archive
// even as a hash.
type Secret [32]byte

// Archive is the index, by the nouns that it keeps. Everything may be used by several
// goroutines. What a call has changed is on the disk when it returns; a call that
// returned an error has changed nothing.
type Archive struct {
	Setups     Setups
	Homes      Homes
	Outbox     Outbox
	Objects    Objects
	Sessions   Sessions
	Joins      Joins
	Asks       Asks
	Settings   Settings
	Agents     Agents
	Conditions Conditions
	Receipts   Receipts
	Restores   Restores
	Holds      Holds
	Tombstones Tombstones
	Deletions  Deletions
	Reviews    Reviews

	Accounts        Accounts
	Unlockers       Unlockers
	Codes           Codes
	Vaults          Vaults
	AccountSessions AccountSessions
	AccountEnds     AccountEnds
}

// Setups keeps the secrets with which a home may be founded. Their table alone does not
// begin with a home: there is none yet.
type Setups interface {
	// MintSetup keeps a secret until it expires.
	MintSetup(ctx context.Context, secret Secret, expires latchkey.Time) error
	// OpenSetup returns the secret if a home can be founded with it still, and leaves it
	// at that. Error: ErrUsed.
	OpenSetup(ctx context.Context, secret Secret, now latchkey.Time) (Secret, error)
	// AnyHome says whether a home was founded.
	AnyHome(ctx context.Context) (bool, error)
}

// Homes keeps the chains of deeds. It does not judge a deed: callers fold first, and
// the head that they compare makes the outcome of that hold.
type Homes interface {
	// Found keeps a new home and uses up the set-up secret. A repetition of the same
	// deeds with the same secret is accepted again. Errors: ErrUsed, ErrConflict.
	Found(ctx context.Context, secret Secret, now latchkey.Time, h Growth) error
	// Head returns the newest deed's place. Error: ErrNotFound.
	Head(ctx context.Context, home latchkey.HomeID) (HomeHead, error)
	// Deeds returns the deeds from that number on, at most max bytes of them but at
	// least one if there is one.
	Deeds(ctx context.Context, home latchkey.HomeID, from uint64, max int) ([]Deed, error)
	// Append adds deeds if the head still is onto. Errors: ErrConflict, ErrNotFound.
	Append(ctx context.Context, onto latchkey.Head, g Growth) error
	// Reopen opens a home that was closed by a restore, if its head still is the one
	// that was confirmed. Errors: ErrConflict, ErrNotFound.
	Reopen(ctx context.Context, home latchkey.HomeID, confirmed latchkey.Head) error
}

// HomeHead is the head of a home, and the home that it is the head of. It also counts
// what has changed in the home, so that whoever has read something of it before knows
// whether that still holds: the numbers only rise, until a restore.
type HomeHead struct {
	Home    latchkey.HomeID
	Head    latchkey.Head
	Closed  bool   // since a restore; nobody has confirmed the head yet
	Moved   uint64 // the number of the home's newest [Move], 0 if it never moved
	SignIns uint64 // how often a page has signed in
	Objects uint64 // how many were indexed
	// Tombstones is how many there are, and Gone counts them and what was ever taken out
	// of the index: what was read of it before that rose may be deleted.
	Tombstones, Gone uint64
	// Ended says that the home itself was deleted: nothing of it is shown or taken any
	// more. Its deeds and tombstones stay, so that everybody can see that it was.
	Ended bool
}

// Deed is one deed of a home's chain, and where it stands.
type Deed struct {
	Home  latchkey.HomeID
	Seq   uint64
	Bytes []byte
}

// Outbox tells what has changed in who may see what: a row for each growth of a chain,
// each session that was ended, each hold and each release, made in the same transaction. Its table does not begin
// with a home: it is about the order in which all of them changed.
type Outbox interface {
	// Moves returns at most max rows above a number, lowest first. Numbers rise by one
	// in the order of the commits: who has read up to one has missed none below it.
	// Rows are kept for a day, the highest for ever.
	Moves(ctx context.Context, above uint64, max int) ([]Move, error)
	// LastMove is the highest number, 0 if there is none.
	LastMove(ctx context.Context) (uint64, error)
}

// Move is a row of the outbox: of a home, whose head is that of that moment, or of a hold.
type Move struct {
	Number uint64
	Home   latchkey.HomeID
	Head   latchkey.Head
	Ended  latchkey.SessionID // the session that was ended; zero if the chain has grown
	Hold   uint64             // the hold that began or was released; then the rest is zero
}

// Growth is what a chain grows by, and what it comes to then.
type Growth struct {
	Home   latchkey.HomeID
	Deeds  [][]byte
	Head   latchkey.Head  // of the last of them
	Epoch  latchkey.Epoch // that holds then
	Placed []latchkey.CameraID

	// Gone are the devices that the chain does not take any more: their sessions end
	// with the append, in its transaction. Without a device stands for a person's own
	// sign-in ([Session]).
	Gone []Gone
	// Renewed are the agents that have left or have other keys: what was kept of them
	// (their starts, conditions and asks) is of somebody else.
	Renewed []latchkey.AgentID
}

// Gone is a device that a chain does not take any more, or the person themselves.
type Gone struct {
	Person latchkey.PersonID
	Device latchkey.DeviceID // zero: sign-ins of the person without a device
}

// Objects keeps what was recorded: headers and envelopes. Bodies are package blob's.
type Objects interface {
	// Index keeps an object in one transaction, which compares the home's head and
	// epoch with the entry's. The same header again is accepted and changes nothing.
	// Errors: ErrDeleted, ErrConflict (the head moved, or the bytes of an object of that
	// name are about to be removed), ErrOldEpoch, ErrDifferent, ErrTooMany,
	// ErrNotFound (no such home).
	Index(ctx context.Context, e Entry) error
	// Object returns the row of a name. Error: ErrNotFound.
	Object(ctx context.Context, name latchkey.Name) (Row, error)
	// Events returns events of a home and their objects, newest first.
	Events(ctx context.Context, home latchkey.HomeID, before Cursor, limit int) (Page, error)
	// Usage says how much a home has stored.
	Usage(ctx context.Context, home latchkey.HomeID) (Usage, error)
}

// Entry is an object to index. The caller has verified it with the title at that head.
type Entry struct {
	Head      latchkey.Head  // that the home must still have
	Epoch     latchkey.Epoch // that holds at that head
	Header    sealed.Header
	Envelopes []sealed.Envelope
	Stored    latchkey.Time
	MaxBytes  uint64 // of all bodies of the home, 0 for no bound
}

// MaxEventObjects is how many objects an event may have: a picture, a description, and
// a clip that may have been cut into several.
const MaxEventObjects = 16

// Row is an object as it is kept. If Problem is not empty the row does not fit: then
// header and envelopes are nil, and Name says what the row is kept as.
type Row struct {
	Name      latchkey.Name // that the row is kept as
	Event     latchkey.EventID
	Header    []byte
	Envelopes []sealed.Envelope // newest epoch first
	Problem   string            // "", sealed.Misroute or sealed.Corrupt
	Found     latchkey.Name     // with a misroute: the name that the header has
}

// Cursor is a place in a home's events. The zero cursor is before the newest.
type Cursor struct {
	Time  latchkey.Time
	Event latchkey.EventID
}

// Before says whether a place comes after another in the list, which begins with the
// newest.
func (c Cursor) Before(other Cursor) bool {
	if c.Time != other.Time {
		return c.Time < other.Time
	}
	return bytes.Compare(c.Event[:], other.Event[:]) < 0
}

// Page is some events, and where the older ones begin: nil if there are none.
type Page struct {
	Events []Event
	Next   *Cursor
}

// Event is the objects of one event of a home, in the order in which they came.
type Event struct {
	Home    latchkey.HomeID
	Place   Cursor // in the list
	Objects []Row
}

// Usage is how much a home has stored.
type Usage struct {
	Home           latchkey.HomeID
	Objects, Bytes uint64
}

// Sessions keeps who is signed in.
type Sessions interface {
	// StartSession keeps a new session, or lets another page into the one of that ID:
	// its keys come before those that are there, of which the newest stay, and
	// Browser, Seen and Expires are replaced. Of a device with too many sessions
	// those end that were used longest ago.
	StartSession(ctx context.Context, s Session) error
	// Session returns a session, run out or not. Error: ErrNotFound.
	Session(ctx context.Context, home latchkey.HomeID, secret Secret) (Session, error)
	// SessionsOf returns those of a home, in the order in which they began.
	SessionsOf(ctx context.Context, home latchkey.HomeID) ([]Session, error)
	// SeeSession notes that a session was used, unless that is on record for the last
	// [SeenEvery].
	SeeSession(ctx context.Context, home latchkey.HomeID, session latchkey.SessionID, at latchkey.Time) error
	// EndSession ends a session if there is one.
	EndSession(ctx context.Context, home latchkey.HomeID, session latchkey.SessionID) error
}

// SeenEvery is how exactly it is known when a session was last used: a write for every
// request would be dear.
const SeenEvery = latchkey.Time(60_000_000)

// MaxPages is how many pages of one browser a session has keys for. Whoever opens one
// more finds the page that signed in longest ago signing in anew.
const MaxPages = 8

// MaxDeviceSessions is how many sessions a device may have at a home: one, but for
// whoever clears cookies and keeps keys.
const MaxDeviceSessions = 16

// Session is a device that is signed in to a home. All pages of a browser share it, as
// they share its cookie, and each has a MAC key of its own.
type Session struct {
	Home    latchkey.HomeID
	ID      latchkey.SessionID
	Secret  Secret
	Keys    []api.MACKey // the newest first, at most MaxPages
	Device  latchkey.DeviceID
	Person  latchkey.PersonID
	Browser string // in the server's own words
	Started latchkey.Time
	Seen    latchkey.Time
	Expires latchkey.Time
}

// Joins keeps the slots in which homes meet agents, and people who were invited.
type Joins interface {
	// OpenJoin opens a slot; the same again is accepted. Errors: ErrUsed if the slot
	// is another's, ErrTooMany.
	OpenJoin(ctx context.Context, j Join, now latchkey.Time) error
	// Join returns a slot, run out or not. Error: ErrNotFound.
	Join(ctx context.Context, slot api.Slot) (Join, error)
	// AnswerJoin keeps the first answer; the same again is accepted. Errors:
	// ErrNotFound, ErrUsed.
	AnswerJoin(ctx context.Context, slot api.Slot, answer []byte, now latchkey.Time) error
	// RevealJoin keeps what is revealed to whoever has answered; the same again is
	// accepted. Errors: ErrNotFound, ErrUsed (nobody has answered, or another was kept).
	RevealJoin(ctx context.Context, home latchkey.HomeID, slot api.Slot, reveal []byte) error
	// CloseJoin removes a slot of that home if there is one.
	CloseJoin(ctx context.Context, home latchkey.HomeID, slot api.Slot) error
}

// MaxJoins is how many slots of a home may be open.
const MaxJoins = 32

// Join is a slot.
type Join struct {
	Home         latchkey.HomeID
	Slot         api.Slot
	Person       bool // is met there, and not an agent
	Announcement []byte
	Expires      latchkey.Time
	Answer       []byte // empty while there is none
	Reveal       []byte // empty while there is none
}

// Asks keeps what agents ask for, one ask for a camera.
type Asks interface {
	// PutAsk keeps an ask in the place of an older one. Error: ErrTooMany.
	PutAsk(ctx context.Context, a Ask) error
	Asks(ctx context.Context, home latchkey.HomeID) ([]Ask, error)
	// DropAsk removes an ask if there is one.
	DropAsk(ctx context.Context, home latchkey.HomeID, camera latchkey.CameraID) error
}

// MaxAsks is how many asks of a home are kept: as many cameras as it may have.
const MaxAsks = 256

// Ask is an agent's wish to have a camera placed.
type Ask struct {
	Home   latchkey.HomeID
	Camera latchkey.CameraID
	Agent  latchkey.AgentID
	Ask    []byte
}

// Settings keeps one document for a home.
type Settings interface {
	// Settings returns the document. Error: ErrNotFound.
	Settings(ctx context.Context, home latchkey.HomeID) (Document, error)
	// PutSettings replaces the document whose SHA-256 is prev, or begins if prev is
	// zero. Error: ErrConflict. The document that is there already is accepted again.
	PutSettings(ctx context.Context, prev [32]byte, d Document) error
}

// Document is a home's settings document.
type Document struct {
	Home  latchkey.HomeID
	Bytes []byte
}

// Agents keeps which start of an agent was seen last.
type Agents interface {
	// Arrive takes a hello (docs/wire.md, "Incarnation"). After a restore it takes one
	// hello of each agent with any token, if its start is no earlier one than the last
	// that is known. Error: ErrCloned; then the time is kept for [Agents.Copies].
	Arrive(ctx context.Context, a Arrival) error
	// Copies says when a copy of an agent was last refused, for the agents of a home of
	// which one was since they came or were given new keys.
	Copies(ctx context.Context, home latchkey.HomeID) ([]Copy, error)
}

// Copy is an agent of which a copy was refused, last at that time.
type Copy struct {
	Home  latchkey.HomeID
	Agent latchkey.AgentID
	Time  latchkey.Time
}

// Arrival is what an agent's hello says of its start.
type Arrival struct {
	Home        latchkey.HomeID
	Agent       latchkey.AgentID
	Incarnation uint64
	Token, Next Secret
	Time        latchkey.Time
}

// Conditions keeps what each agent last said of itself, one letter for an agent.
type Conditions interface {
	// PutCondition keeps a condition in the place of an earlier one. The one that is
	// there already is accepted again. Error: ErrConflict if it is not a later one.
	PutCondition(ctx context.Context, c Condition) error
	// Conditions returns those of a home's agents. A home has few agents, and with
	// that few conditions.
	Conditions(ctx context.Context, home latchkey.HomeID) ([]Condition, error)
}

// Condition is what an agent said of itself, sealed.
type Condition struct {
	Home        latchkey.HomeID
	Agent       latchkey.AgentID
	Incarnation uint64 // of the agent
	Number      uint64 // within the incarnation
	Letter      []byte
	Received    latchkey.Time
}

// Receipts keeps what was handed out to whom, so that a report of a misroute can be
// held against it. They are kept in the order in which they were written, of all homes.
type Receipts interface {
	// PutReceipts keeps all of them, or none.
	PutReceipts(ctx context.Context, all []Receipt) error
	// Receipts returns what a session was handed out under a request's ID.
	Receipts(ctx context.Context, home latchkey.HomeID, session Secret, request string) ([]Receipt, error)
	// Sweep removes sessions, slots, set-up secrets that ran out before now, receipts
	// from before that time, and rows of the outbox that are older than a day.
	Sweep(ctx context.Context, now, receipts latchkey.Time) error
}

// Restores keeps when the archive was put back from a backup.
type Restores interface {
	// Restored notes that the archive is a backup put back, and with that does all that
	// must be done before anybody is served from it: every home is closed, everybody is
	// signed out, joins and set-up secrets end, and the next hello of each agent is
	// taken with any token.
	Restored(ctx context.Context, now latchkey.Time) error
	// Generation is when the archive was restored last, 0 if never. No two restores have
	// the same.
	Generation(ctx context.Context) (latchkey.Time, error)
}

// Receipt is one delivery, or one that was refused at the last moment. It is written
// before the first byte leaves.
type Receipt struct {
	Home    latchkey.HomeID // of the session
	Session Secret
	Request string
	Device  latchkey.DeviceID
	Asked   string   // the name that was asked for
	Sent    string   // the name that the header which was sent, or would have been, has
	Header  [32]byte // its SHA-256
	Bytes   uint64   // of the object file, as many as were sent; of a part, its own
	Outcome Outcome
	Time    latchkey.Time
}

// Outcome says what became of a delivery.
type Outcome string

// The outcomes.
const (
	Delivered Outcome = "delivered" // it was handed out
	Misrouted Outcome = "misroute"  // it was not: it does not answer the question
	Damaged   Outcome = "corrupt"   // it was not: it is not what was indexed
)
