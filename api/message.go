package api

import "github.com/latchkey-cam/latchkey"

// Health is the answer of a server that is up.
type Health struct {
	V  V    `json:"v"`
	OK bool `json:"ok"`
	// Mail and Passkeys are for the page on which people sign up.
	Mail     bool `json:"mail" doc:"the server sends mail"`
	Passkeys bool `json:"passkeys" doc:"browsers have passkeys at the server's address"`
	// Trust is for join links.
	Trust string `json:"trust,omitempty" doc:"fingerprint of the server's own root certificate; absent if it has a public one or none"`
	// Generation tells what came before a restore from what came after it.
	// Spared is for the page: what it is not to ask for, and to tell its person of.
	Spared     []string      `json:"spared,omitempty" doc:"what is left out for a while because the server has a lot to do: filmstrips, backfill, clips, live-quality"`
	Generation latchkey.Time `json:"generation,omitempty" doc:"when the server was last restored from a backup; absent if never"`
}

// FoundHome founds a home with a set-up secret.
type FoundHome struct {
	V     V        `json:"v"`
	Setup string   `json:"setup" doc:"the secret of the set-up link"`
	Deeds [][]byte `json:"deeds" doc:"found, and the first epoch"`
}

// HomeHead names a home and the newest deed of its chain.
type HomeHead struct {
	V    V               `json:"v"`
	Home latchkey.HomeID `json:"home"`
	Head Head            `json:"head"`
}

// AskChallenge asks for a nonce to sign in with.
type AskChallenge struct {
	V      V                 `json:"v"`
	Home   latchkey.HomeID   `json:"home"`
	Device latchkey.DeviceID `json:"device" doc:"or the ID of a person who signs in with their own key"`
}

// SignInChallenge is a nonce, good once.
type SignInChallenge struct {
	V       V               `json:"v"`
	Home    latchkey.HomeID `json:"home"`
	Nonce   []byte          `json:"nonce"`
	Expires latchkey.Time   `json:"expires"`
}

// SignIn proves a device. The signature is over [SignInMessage].
type SignIn struct {
	V         V                 `json:"v"`
	Home      latchkey.HomeID   `json:"home"`
	Device    latchkey.DeviceID `json:"device"`
	Nonce     []byte            `json:"nonce"`
	Head      Head              `json:"head" doc:"the newest deed that the device knows"`
	MACKey    []byte            `json:"mac_key" doc:"32 bytes, made by whoever signs in"`
	Signature []byte            `json:"signature"`
}

// SignInPerson proves a person whose browser is no device of the home yet. The signature
// is by the person's own key, over [SignInPersonMessage].
type SignInPerson struct {
	V         V                 `json:"v"`
	Home      latchkey.HomeID   `json:"home"`
	Person    latchkey.PersonID `json:"person"`
	Nonce     []byte            `json:"nonce"`
	Head      Head              `json:"head" doc:"the newest deed that the person's vault knows"`
	MACKey    []byte            `json:"mac_key" doc:"32 bytes, made by whoever signs in"`
	Signature []byte            `json:"signature"`
}

// Session says what was signed in; the session's secret is in the cookie.
type Session struct {
	V       V                  `json:"v"`
	Home    latchkey.HomeID    `json:"home"`
	Session latchkey.SessionID `json:"session"`
	Device  latchkey.DeviceID  `json:"device"`
	Expires latchkey.Time      `json:"expires"`
}

// Sessions lists who is signed in: the asker's own sessions, or everybody's for an owner.
type Sessions struct {
	V        V               `json:"v"`
	Home     latchkey.HomeID `json:"home"`
	Sessions []SessionRow    `json:"sessions" doc:"in the order in which they began"`
}

// SessionRow is one session of a list.
type SessionRow struct {
	Session latchkey.SessionID `json:"session"`
	Person  latchkey.PersonID  `json:"person"`
	Device  latchkey.DeviceID  `json:"device"`
	Browser string             `json:"browser" doc:"in the server's own few words, as Chromium on Linux; empty if it knows it not"`
	Started latchkey.Time      `json:"started"`
	Seen    latchkey.Time      `json:"seen" doc:"the last request, to the minute"`
	Expires latchkey.Time      `json:"expires"`
}

// OK is the answer that there is nothing more to say.
type OK struct {
	V  V    `json:"v"`
	OK bool `json:"ok"`
}

// HomeOK is [OK] about a home.
type HomeOK struct {
	V    V               `json:"v"`
	Home latchkey.HomeID `json:"home"`
	OK   bool            `json:"ok"`
}

// Deeds is a part of a home's chain and its newest deed's place.
type Deeds struct {
	V     V               `json:"v"`
	Home  latchkey.HomeID `json:"home"`
	Head  Head            `json:"head"`
	Deeds [][]byte        `json:"deeds" doc:"in order, from the one that was asked for"`
	// Generation is [Health]'s.
	Generation latchkey.Time `json:"generation,omitempty" doc:"when the server was last restored from a backup; absent if never"`
}

// AppendDeeds adds to a home's chain.
type AppendDeeds struct {
	V     V               `json:"v"`
	Home  latchkey.HomeID `json:"home"`
	Onto  Head            `json:"onto" doc:"the deed that the first of these follows"`
	Deeds [][]byte        `json:"deeds"`
}

// Settings is a home's settings document.
type Settings struct {
	V        V               `json:"v"`
	Home     latchkey.HomeID `json:"home"`
	Document []byte          `json:"document" doc:"docs/deed.md, Settings; empty if there is none yet"`
}

// Tombstones are what people of a home have had deleted.
type Tombstones struct {
	V          V               `json:"v"`
	Home       latchkey.HomeID `json:"home"`
	Count      uint64          `json:"count" doc:"of all that the home has"`
	Tombstones [][]byte        `json:"tombstones" doc:"docs/tombstone.md; those that follow a number, as many as fit"`
}

// PutTombstones deletes something.
type PutTombstones struct {
	V          V               `json:"v"`
	Home       latchkey.HomeID `json:"home"`
	Tombstones [][]byte        `json:"tombstones" doc:"docs/tombstone.md; 1 to 32"`
}

// MaxTombstones is how many tombstones one request or message brings.
const MaxTombstones = 32

// Usage is how much a home has stored, and how much it may.
type Usage struct {
	V       V               `json:"v"`
	Home    latchkey.HomeID `json:"home"`
	Objects uint64          `json:"objects"`
	Bytes   uint64          `json:"bytes"`
	Most    uint64          `json:"most" doc:"bytes that the home may store, 0 for no bound"`
}

// Events is a page of what was recorded, newest first.
type Events struct {
	V      V               `json:"v"`
	Home   latchkey.HomeID `json:"home"`
	Head   Head            `json:"head"`
	Events []Event         `json:"events"`
	Next   string          `json:"next" doc:"give it back as before= for older events; empty if there are none"`
	Porch  bool            `json:"porch,omitempty" doc:"these are what an agent has at home; the others are at the home's own server, which cannot be reached"`
}

// Event is the objects of one event.
type Event struct {
	Event    latchkey.EventID `json:"event"`
	Objects  []ObjectRow      `json:"objects"`
	Reviewed bool             `json:"reviewed,omitempty" doc:"the asker has looked at it"`
}

// ObjectRow is one object of an event: header and envelope, or name and problem.
type ObjectRow struct {
	Header   []byte `json:"header,omitzero" doc:"docs/seal.md, Header"`
	Envelope []byte `json:"envelope,omitzero" doc:"the asker's; empty if there is none"`
	Name     string `json:"name,omitempty" doc:"of a row that the server found crossed"`
	Problem  string `json:"problem,omitempty" doc:"misroute or corrupt"`
}

// Asks is what agents ask for.
type Asks struct {
	V    V               `json:"v"`
	Home latchkey.HomeID `json:"home"`
	Asks [][]byte        `json:"asks" doc:"docs/wire.md, Ask"`
}

// OpenJoin opens a slot in which an agent, or a person who was invited, may answer.
type OpenJoin struct {
	V            V               `json:"v"`
	Home         latchkey.HomeID `json:"home"`
	Slot         Slot            `json:"slot"`
	For          string          `json:"for,omitempty" doc:"person; absent for an agent"`
	Announcement []byte          `json:"announcement"`
	Expires      latchkey.Time   `json:"expires" doc:"as the announcement says"`
}

// Join is a slot as its home sees it.
type Join struct {
	V      V               `json:"v"`
	Home   latchkey.HomeID `json:"home"`
	Slot   Slot            `json:"slot"`
	Answer []byte          `json:"answer" doc:"empty while nobody has answered"`
}

// JoinSlot is a slot as an agent sees it.
type JoinSlot struct {
	V            V      `json:"v"`
	Slot         Slot   `json:"slot"`
	Announcement []byte `json:"announcement"`
	Reveal       []byte `json:"reveal" doc:"for a person who has answered; empty before"`
}

// RevealJoin reveals what was committed to.
type RevealJoin struct {
	V      V               `json:"v"`
	Home   latchkey.HomeID `json:"home"`
	Slot   Slot            `json:"slot"`
	Reveal []byte          `json:"reveal"`
}

// FoundAgain is a set-up secret for an agent whose home has lost its people.
type FoundAgain struct {
	V     V               `json:"v"`
	Home  latchkey.HomeID `json:"home" doc:"that the agent leaves"`
	Setup string          `json:"setup"`
}

// JoinAnswer is what an agent puts into a slot.
type JoinAnswer struct {
	V      V      `json:"v"`
	Slot   Slot   `json:"slot"`
	Answer []byte `json:"answer"`
}

// Stored says that an object is indexed and durable.
type Stored struct {
	V      V               `json:"v"`
	Home   latchkey.HomeID `json:"home"`
	Name   string          `json:"name"`
	Stored bool            `json:"stored"`
}

// Review says what its person has looked at.
type Review struct {
	V       V                  `json:"v"`
	Home    latchkey.HomeID    `json:"home"`
	Events  []latchkey.EventID `json:"events" doc:"at most 500"`
	Through latchkey.EventID   `json:"through,omitzero" doc:"and all that are listed with this one or after it"`
}

// MaxReview is how many events one request marks.
const MaxReview = 500

// Report says that something came which is not what was asked for, or does not open.
type Report struct {
	V        V               `json:"v"`
	Home     latchkey.HomeID `json:"home"`
	Delivery string          `json:"delivery" doc:"request ID of the answer in which it came"`
	Asked    string          `json:"asked" doc:"the name that was asked for, empty for a list"`
	Reason   string          `json:"reason" doc:"docs/seal.md, Reasons"`
	Word     string          `json:"word" doc:"misroute, corrupt or unknown-key"`
	Header   []byte          `json:"header" doc:"of what came, empty if it had none"`
}

// Reported says whether the server's own records bear a report out.
type Reported struct {
	V         V               `json:"v"`
	Home      latchkey.HomeID `json:"home"`
	Confirmed bool            `json:"confirmed"`
}

// Conditions is how a home's agents are, sealed to the home's people.
type Conditions struct {
	V          V                `json:"v"`
	Home       latchkey.HomeID  `json:"home"`
	Conditions []AgentCondition `json:"conditions" doc:"of every agent, in the order of the chain"`
}

// AgentCondition is the newest condition of one agent.
type AgentCondition struct {
	Agent     latchkey.AgentID `json:"agent"`
	Letter    []byte           `json:"letter" doc:"docs/letter.md; empty if the agent has sent none"`
	Received  latchkey.Time    `json:"received" doc:"by the server's clock, 0 if there is none"`
	Connected bool             `json:"connected"`
	Cloned    latchkey.Time    `json:"cloned" doc:"when a copy of the agent, or one that was restored, was last refused; 0 for never"`
}

// Changed is a hint on the changes websocket to fetch something again.
type Changed struct {
	V       V               `json:"v"`
	Home    latchkey.HomeID `json:"home"`
	Changed Change          `json:"changed"`
}

// Change is what a hint is about.
type Change string

// What can change in a home.
const (
	EventsChanged   Change = "events"
	DeedsChanged    Change = "deeds"
	AsksChanged     Change = "asks"
	JoinsChanged    Change = "joins"
	SettingsChanged Change = "settings"
	// ConditionsChanged: an agent says something new of itself, has come or has gone.
	ConditionsChanged Change = "conditions"
	// SparedChanged: the server leaves out more for a while, or less; its health says what.
	SparedChanged Change = "spared"
)
