package api

import (
	"net/http"
	"slices"
)

// Right is who may use a route. A server checks it in one place, from the table; a
// route that is not in the table does not exist.
type Right string

// The rights.
const (
	Anybody    Right = "anybody"      // nobody's data is behind it, or what proves the right is in the body
	Known      Right = "known"        // whoever stands in the home, by a session of it; also a guest whose rights have ended
	Member     Right = "member"       // whoever stands there and may see something; what, is for what is asked
	Household  Right = "household"    // an owner or resident
	Owner      Right = "owner"        // an owner
	Uploader   Right = "agent"        // an agent of the home in the address, by its request header
	AgentHello Right = "agent, hello" // an agent, by what it says on the websocket
	// AccountHeld is a session of the account in the address.
	AccountHeld Right = "account"
	// AccountProven is one that began so lately that its person is still there.
	AccountProven Right = "account, proof"
)

// Form is what goes over a route.
type Form string

// The forms.
const (
	JSON      Form = "json"      // a JSON object each way, where there is a body
	Object    Form = "object"    // an object file
	Letters   Form = "letters"   // a sealed letter, and a stream of those that answer it
	Websocket Form = "websocket" // messages both ways, of JSON or sealed
)

// Route is one thing that a server does.
type Route struct {
	ID      string // the operation's name in OpenAPI
	Method  string
	Pattern string // of net/http; {home} is a HomeID, {account} an AccountID, and so on
	Right   Right
	Form    Form
	Says    string // one sentence
	// Arriving lets in a person who has signed in with their own key, because their
	// browser is no device of the home yet.
	Arriving bool
	// Closed says that the route works while its home is closed after a restore.
	Closed bool
	// Held says that the route works while a hold stands on its home, its server or
	// everything: it hands nothing to people that was seen or said in a home.
	Held bool
	// Copy says that the route works at a server that shows a copy of a home.
	Copy bool
	// Porch says that the route works at a server in the home, while the home's own cannot
	// be reached: it changes nothing that two servers could have differently.
	Porch bool
	// Cheap says that the route needs no turn at the server's gate: next to nothing is done
	// for it, or it is the first half of one that does need one.
	Cheap bool
	// Lists is the route that hands out what this one lists: with that it is held as well.
	Lists   string
	Query   []Query
	Request any // a zero value of the body's type, nil for none
	Answer  any // a zero value of the answer's type, nil for none
	Status  int // of a good answer
}

// Session says whether a member's session is needed.
func (r Right) Session() bool {
	return r == Known || r == Member || r == Household || r == Owner
}

// Page says whether the right is that of a page which is signed in: it has a cookie, and
// a MAC key that goes with it.
func (r Right) Page() bool { return r.Session() || r == AccountHeld || r == AccountProven }

// Query is a parameter behind the question mark.
type Query struct {
	Name, Says string
	Number     bool
}

// Unsafe reports whether the route changes something, so that a browser's request
// must come from our own page.
func (r Route) Unsafe() bool {
	return r.Form == Websocket || r.Method != http.MethodGet && r.Method != http.MethodHead
}

const (
	atHome   = "/v1/homes/{home}"
	atObject = "/v1/objects/{home}/{camera}/{day}/{kind}/{object}"
)

// Routes is the table.
var Routes = slices.Concat([]Route{
	{ID: "health", Method: "GET", Pattern: "/v1/health", Right: Anybody, Form: JSON,
		Says:   "Says that the server is up.",
		Answer: Health{}, Status: 200, Held: true, Copy: true, Porch: true, Cheap: true},
	{ID: "found-home", Method: "POST", Pattern: "/v1/homes", Right: Anybody, Form: JSON,
		Says:    "Founds a home with a set-up secret.",
		Request: FoundHome{}, Answer: HomeHead{}, Status: 201},
	{ID: "challenge", Method: "POST", Pattern: "/v1/sessions/challenge", Right: Anybody, Form: JSON,
		Says:    "Gives a nonce to sign in with, for any home and device, there or not.",
		Request: AskChallenge{}, Answer: SignInChallenge{}, Status: 200, Held: true, Copy: true, Porch: true, Cheap: true},
	{ID: "sign-in", Method: "POST", Pattern: "/v1/sessions", Right: Anybody, Form: JSON,
		Says:    "Signs in with a device's key and sets the session's cookie.",
		Request: SignIn{}, Answer: Session{}, Status: 201, Held: true, Copy: true, Porch: true},
	{ID: "sign-in-person", Method: "POST", Pattern: "/v1/sessions/person", Right: Anybody, Form: JSON,
		Says:    "Signs in with a person's own key, in a browser that is no device of the home yet.",
		Request: SignInPerson{}, Answer: Session{}, Status: 201, Held: true, Copy: true},

	{ID: "sign-out", Method: "DELETE", Pattern: atHome + "/session", Right: Known, Arriving: true, Form: JSON,
		Says:   "Ends the asker's session.",
		Answer: HomeOK{}, Status: 200, Closed: true, Held: true, Copy: true, Porch: true},
	{ID: "sessions", Method: "GET", Pattern: atHome + "/sessions", Right: Known, Form: JSON,
		Says:   "Lists the sessions of the asker's person, or everybody's for an owner.",
		Answer: Sessions{}, Status: 200, Held: true, Copy: true, Porch: true},
	{ID: "end-session", Method: "DELETE", Pattern: atHome + "/sessions/{session}", Right: Known, Form: JSON,
		Says:   "Ends a session that the asker may see in the list.",
		Answer: HomeOK{}, Status: 200, Held: true},
	{ID: "deeds", Method: "GET", Pattern: atHome + "/deeds", Right: Known, Arriving: true, Form: JSON,
		Says:   "Gives the deeds from a number on; if the head is further than the last of them, ask again from there.",
		Query:  []Query{{Name: "from", Says: "number of the first deed, 0 if absent", Number: true}},
		Answer: Deeds{}, Status: 200, Closed: true, Held: true, Copy: true, Porch: true},
	{ID: "append-deeds", Method: "POST", Pattern: atHome + "/deeds", Right: Known, Arriving: true, Form: JSON,
		Says:    "Appends deeds if the chain still ends where they say.",
		Request: AppendDeeds{}, Answer: HomeHead{}, Status: 201, Closed: true, Held: true, Copy: true},
	{ID: "confirm", Method: "POST", Pattern: atHome + "/confirm", Right: Owner, Form: JSON,
		Says:    "Takes an owner's word that no deed is missing, after a restore.",
		Request: HomeHead{}, Answer: HomeHead{}, Status: 200, Closed: true, Held: true},
	{ID: "settings", Method: "GET", Pattern: atHome + "/settings", Right: Household, Form: JSON,
		Says:   "Gives the settings document.",
		Answer: Settings{}, Status: 200, Held: true, Copy: true, Porch: true},
	{ID: "put-settings", Method: "PUT", Pattern: atHome + "/settings", Right: Owner, Form: JSON,
		Says:    "Replaces the settings document by the next one.",
		Request: Settings{}, Answer: HomeOK{}, Status: 200, Held: true},
	{ID: "events", Method: "GET", Pattern: atHome + "/events", Right: Member, Form: JSON,
		Says: "Lists what was recorded, newest first.", Lists: "object",
		Query: []Query{
			{Name: "before", Says: "what the page before gave as next"},
			{Name: "limit", Says: "events, 1 to 100, 100 if absent", Number: true},
			{Name: "camera", Says: "of this camera alone"},
			{Name: "from", Says: "none that is older; microseconds", Number: true},
			{Name: "until", Says: "older ones alone; microseconds", Number: true},
		},
		Answer: Events{}, Status: 200, Copy: true, Porch: true},
	{ID: "tombstones", Method: "GET", Pattern: atHome + "/tombstones", Right: Household, Form: JSON,
		Says:   "Lists what people of the home have had deleted, in the order in which the server took it.",
		Query:  []Query{{Name: "above", Says: "number of the last that is known, 0 if absent", Number: true}},
		Answer: Tombstones{}, Status: 200, Copy: true},
	{ID: "delete", Method: "POST", Pattern: atHome + "/tombstones", Right: Household, Form: JSON,
		Says:    "Deletes what the tombstones say: from the answer on nothing of it is handed out.",
		Request: PutTombstones{}, Answer: HomeOK{}, Status: 201, Held: true},
	{ID: "usage", Method: "GET", Pattern: atHome + "/usage", Right: Household, Form: JSON,
		Says:   "Says how much the home has stored, and how much it may.",
		Answer: Usage{}, Status: 200, Held: true, Copy: true},
	{ID: "review", Method: "POST", Pattern: atHome + "/reviewed", Right: Member, Form: JSON,
		Says:    "Marks events as looked at by the asker, for the asker.",
		Request: Review{}, Answer: HomeOK{}, Status: 200, Copy: true},
	{ID: "asks", Method: "GET", Pattern: atHome + "/asks", Right: Owner, Form: JSON,
		Says:   "Lists what agents ask for.",
		Answer: Asks{}, Status: 200, Copy: true},
	{ID: "refuse-ask", Method: "DELETE", Pattern: atHome + "/asks/{camera}", Right: Owner, Form: JSON,
		Says:   "Turns an ask down.",
		Answer: HomeOK{}, Status: 200},
	{ID: "open-join", Method: "POST", Pattern: atHome + "/joins", Right: Owner, Form: JSON,
		Says:    "Opens a slot in which an agent, or a person who was invited, may answer.",
		Request: OpenJoin{}, Answer: HomeOK{}, Status: 201},
	{ID: "join", Method: "GET", Pattern: atHome + "/joins/{slot}", Right: Owner, Form: JSON,
		Says:   "Looks whether somebody has answered.",
		Answer: Join{}, Status: 200},
	{ID: "reveal-join", Method: "PUT", Pattern: atHome + "/joins/{slot}", Right: Owner, Form: JSON,
		Says:    "Reveals to the person who has answered what was committed to, once.",
		Request: RevealJoin{}, Answer: HomeOK{}, Status: 200},
	{ID: "close-join", Method: "DELETE", Pattern: atHome + "/joins/{slot}", Right: Owner, Form: JSON,
		Says:   "Closes a slot.",
		Answer: HomeOK{}, Status: 200},
	{ID: "report", Method: "POST", Pattern: atHome + "/reports", Right: Member, Form: JSON,
		Says:    "Reports something that came and was not what was asked for, or does not open.",
		Request: Report{}, Answer: Reported{}, Status: 200, Held: true, Copy: true, Porch: true},
	{ID: "command", Method: "POST", Pattern: atHome + "/agents/{agent}/commands", Right: Member, Arriving: true, Form: Letters,
		Says: "Carries a sealed command to an agent and its replies back, each when it comes.", Status: 200, Porch: true},
	{ID: "conditions", Method: "GET", Pattern: atHome + "/conditions", Right: Household, Arriving: true, Form: JSON,
		Says:   "Gives the sealed condition of every agent, and whether it is connected.",
		Answer: Conditions{}, Status: 200, Copy: true, Porch: true},
	{ID: "changes", Method: "GET", Pattern: atHome + "/changes", Right: Member, Form: Websocket,
		Says: "Hints what to fetch again.",
		Query: []Query{
			{Name: "request", Says: "the request's ID"},
			{Name: "mac", Says: "its MAC, over the path alone: a browser's websocket sends no headers"},
		},
		Answer: Changed{}, Status: 101, Copy: true, Porch: true},
	{ID: "live", Method: "GET", Pattern: atHome + "/live/{camera}/{stream}", Right: Member, Form: Websocket,
		Says: "Shows a camera live: takes knocks, and gives grants and fragments, as binary messages.",
		Query: []Query{
			{Name: "request", Says: "the request's ID"},
			{Name: "mac", Says: "its MAC, over the path alone: a browser's websocket sends no headers"},
		},
		Answer: LiveHint{}, Status: 101, Copy: true, Porch: true},

	{ID: "join-slot", Method: "GET", Pattern: "/v1/joins/{slot}", Right: Anybody, Form: JSON,
		Says:   "Reads what a home announces, for whoever knows the slot.",
		Answer: JoinSlot{}, Status: 200},
	{ID: "answer-join", Method: "PUT", Pattern: "/v1/joins/{slot}", Right: Anybody, Form: JSON,
		Says:    "Answers a home's announcement, once.",
		Request: JoinAnswer{}, Answer: OK{}, Status: 200},

	{ID: "object", Method: "GET", Pattern: atObject, Right: Member, Form: Object,
		Says: "Gives an object file, without envelopes.", Status: 200, Copy: true, Porch: true},
	{ID: "found-again", Method: "POST", Pattern: atHome + "/found-again", Right: Uploader, Form: JSON,
		Says:   "Gives an agent a set-up secret: whoever stands at its machine founds another home for its cameras.",
		Answer: FoundAgain{}, Status: 201, Held: true},
	{ID: "upload-offset", Method: "HEAD", Pattern: atObject, Right: Uploader, Form: Object,
		Says: "Says how much of an upload is there.", Status: 200, Held: true},
	{ID: "upload", Method: "PUT", Pattern: atObject, Right: Uploader, Form: Object,
		Says:   "Takes an object file, from where the last attempt stopped.",
		Answer: Stored{}, Status: 201, Held: true},
	{ID: "live-inlet", Method: "GET", Pattern: atHome + "/live/{camera}/{stream}/inlet", Right: Uploader, Form: Websocket,
		Says: "Takes the fragments of a stream that somebody watches, as binary messages.", Status: 101, Held: true, Porch: true},
	{ID: "agent", Method: "GET", Pattern: "/v1/agent", Right: AgentHello, Form: Websocket,
		Says: "The agent's connection.", Status: 101, Held: true, Porch: true},
}, accountRoutes)
