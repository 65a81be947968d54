package api

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/latchkey-cam/latchkey"
)

// Frame is one message of the agent's websocket.
type Frame interface{ typed() Frame }

// Challenge opens the conversation.
type Challenge struct {
	V     V             `json:"v"`
	Type  Type          `json:"type"`
	Nonce []byte        `json:"nonce"`
	Time  latchkey.Time `json:"time" doc:"the server's clock"`
}

// Hello is the agent's answer to the challenge, signed over [HelloMessage].
type Hello struct {
	V           V                `json:"v"`
	Type        Type             `json:"type"`
	ID          string           `json:"id"`
	Home        latchkey.HomeID  `json:"home"`
	Agent       latchkey.AgentID `json:"agent"`
	Head        string           `json:"head" doc:"SEQ:HEX, empty for none"`
	Incarnation uint64           `json:"incarnation"`
	Token       []byte           `json:"token"`
	NextToken   []byte           `json:"next_token"`
	Tombstones  string           `json:"tombstones,omitempty" doc:"NUMBER:HEX, the place in the server's list up to which the agent has them; absent for none. It is not signed: it costs an exchange at most"`
	Signature   []byte           `json:"signature"`
}

// Welcome takes the agent in.
type Welcome struct {
	V           V               `json:"v"`
	Type        Type            `json:"type"`
	ID          string          `json:"id"`
	Home        latchkey.HomeID `json:"home"`
	Head        Head            `json:"head"`
	Incarnation uint64          `json:"incarnation"`
	Deeds       [][]byte        `json:"deeds" doc:"after the agent's head"`
	Settings    []byte          `json:"settings" doc:"empty if there are none"`
	SpreadMS    int64           `json:"spread_ms" doc:"within how long the agent is to come back, at a moment of its own choice, when it finds that the server is gone"`
}

// Behind says that the server's chain ends before the agent's: it has lost deeds, and
// asks for those behind its head.
type Behind struct {
	V    V               `json:"v"`
	Type Type            `json:"type"`
	ID   string          `json:"id" doc:"of the hello"`
	Home latchkey.HomeID `json:"home"`
	Head Head            `json:"head" doc:"the server's"`
}

// GiveBack brings the server deeds that it has lost, as many as fit. They carry their
// own authority.
type GiveBack struct {
	V     V               `json:"v"`
	Type  Type            `json:"type"`
	ID    string          `json:"id" doc:"of the hello"`
	Home  latchkey.HomeID `json:"home"`
	Onto  Head            `json:"onto" doc:"the deed that the first of these follows"`
	Deeds [][]byte        `json:"deeds"`
}

// TombstonesLost says that the server does not have the tombstones that the agent has: it
// is given all of them before it takes the agent in.
type TombstonesLost struct {
	V    V               `json:"v"`
	Type Type            `json:"type"`
	ID   string          `json:"id" doc:"of the hello"`
	Home latchkey.HomeID `json:"home"`
}

// TombstonesFrame brings tombstones: from the server those that follow a number of its
// list, from the agent all that it has, in several messages of which the last says so.
type TombstonesFrame struct {
	V          V               `json:"v"`
	Type       Type            `json:"type"`
	Home       latchkey.HomeID `json:"home"`
	Above      uint64          `json:"above" doc:"from the server: the number that they follow, 0 for a new list"`
	Tombstones [][]byte        `json:"tombstones"`
	Last       bool            `json:"last" doc:"no other follows now"`
}

// DeedsFrame says that the chain has grown.
type DeedsFrame struct {
	V     V               `json:"v"`
	Type  Type            `json:"type"`
	Home  latchkey.HomeID `json:"home"`
	Head  Head            `json:"head"`
	Deeds [][]byte        `json:"deeds" doc:"after those that were sent before"`
}

// SettingsFrame brings a newer settings document.
type SettingsFrame struct {
	V        V               `json:"v"`
	Type     Type            `json:"type"`
	Home     latchkey.HomeID `json:"home"`
	Document []byte          `json:"document"`
}

// AskFrame asks the home's people to place a camera.
type AskFrame struct {
	V    V               `json:"v"`
	Type Type            `json:"type"`
	ID   string          `json:"id"`
	Home latchkey.HomeID `json:"home"`
	Ask  []byte          `json:"ask"`
}

// CommandFrame brings the agent a command of a member's device. The ID is the server's
// own; the replies repeat it.
type CommandFrame struct {
	V      V               `json:"v"`
	Type   Type            `json:"type"`
	ID     string          `json:"id"`
	Home   latchkey.HomeID `json:"home"`
	Letter []byte          `json:"letter" doc:"docs/letter.md"`
}

// StopFrame says that nobody waits for the replies to a command any more.
type StopFrame struct {
	V    V               `json:"v"`
	Type Type            `json:"type"`
	ID   string          `json:"id" doc:"of the command"`
	Home latchkey.HomeID `json:"home"`
}

// ReplyFrame is one reply of the agent to a command.
type ReplyFrame struct {
	V      V               `json:"v"`
	Type   Type            `json:"type"`
	ID     string          `json:"id" doc:"of the command"`
	Home   latchkey.HomeID `json:"home"`
	Letter []byte          `json:"letter" doc:"docs/letter.md"`
	Last   bool            `json:"last" doc:"no other follows"`
}

// WantedFrame says that somebody watches a stream of the agent's, or nobody any more. An
// agent sends no other.
type WantedFrame struct {
	V      V                 `json:"v"`
	Type   Type              `json:"type"`
	Home   latchkey.HomeID   `json:"home"`
	Camera latchkey.CameraID `json:"camera"`
	Stream string            `json:"stream"`
	Wanted bool              `json:"wanted"`
}

// SpreadFrame replaces what a [Welcome] said of it: there are more agents now, or the server
// has found out how many a second it can let in.
type SpreadFrame struct {
	V        V               `json:"v"`
	Type     Type            `json:"type"`
	Home     latchkey.HomeID `json:"home"`
	SpreadMS int64           `json:"spread_ms"`
}

// KnockFrame brings the agent a viewer's knock.
type KnockFrame struct {
	V     V               `json:"v"`
	Type  Type            `json:"type"`
	Home  latchkey.HomeID `json:"home"`
	Knock []byte          `json:"knock" doc:"docs/live.md"`
}

// GrantFrame is the agent's answer to a knock, which it names itself.
type GrantFrame struct {
	V     V               `json:"v"`
	Type  Type            `json:"type"`
	Home  latchkey.HomeID `json:"home"`
	Grant []byte          `json:"grant" doc:"docs/live.md"`
}

// ConditionFrame is what the agent says of itself, to be kept for the home's people.
type ConditionFrame struct {
	V      V               `json:"v"`
	Type   Type            `json:"type"`
	ID     string          `json:"id"`
	Home   latchkey.HomeID `json:"home"`
	Letter []byte          `json:"letter" doc:"docs/letter.md"`
}

// Done says that what had that ID is done and durable.
type Done struct {
	V    V               `json:"v"`
	Type Type            `json:"type"`
	ID   string          `json:"id"`
	Home latchkey.HomeID `json:"home"`
}

// Refused says that what had that ID was refused; after a hello the server closes. An
// agent says it of a command that it cannot answer, because it could not open it.
type Refused struct {
	V            V      `json:"v"`
	Type         Type   `json:"type"`
	ID           string `json:"id"`
	Home         string `json:"home" doc:"as it was named, empty if none was"`
	Reason       Reason `json:"reason"`
	Message      string `json:"message"`
	RetryAfterMS int64  `json:"retry_after_ms"`
}

// Type is the member "type" of a [Frame]; [EncodeFrame] sets it.
type Type string

func (m Challenge) typed() Frame       { m.Type = "challenge"; return m }
func (m Hello) typed() Frame           { m.Type = "hello"; return m }
func (m Welcome) typed() Frame         { m.Type = "welcome"; return m }
func (m Behind) typed() Frame          { m.Type = "behind"; return m }
func (m GiveBack) typed() Frame        { m.Type = "give-back"; return m }
func (m TombstonesLost) typed() Frame  { m.Type = "tombstones-lost"; return m }
func (m TombstonesFrame) typed() Frame { m.Type = "tombstones"; return m }
func (m DeedsFrame) typed() Frame      { m.Type = "deeds"; return m }
func (m SettingsFrame) typed() Frame   { m.Type = "settings"; return m }
func (m AskFrame) typed() Frame        { m.Type = "ask"; return m }
func (m CommandFrame) typed() Frame    { m.Type = "command"; return m }
func (m StopFrame) typed() Frame       { m.Type = "stop"; return m }
func (m ReplyFrame) typed() Frame      { m.Type = "reply"; return m }
func (m ConditionFrame) typed() Frame  { m.Type = "condition"; return m }
func (m WantedFrame) typed() Frame     { m.Type = "wanted"; return m }
func (m SpreadFrame) typed() Frame     { m.Type = "spread"; return m }
func (m KnockFrame) typed() Frame      { m.Type = "knock"; return m }
func (m GrantFrame) typed() Frame      { m.Type = "grant"; return m }
func (m Done) typed() Frame            { m.Type = "done"; return m }
func (m Refused) typed() Frame         { m.Type = "refused"; return m }

// EncodeFrame writes a message of the websocket.
func EncodeFrame(f Frame) ([]byte, error) { return json.Marshal(f.typed()) }

var frames = map[Type]func(b []byte) (Frame, error){
	"challenge":       decodeAs[Challenge],
	"hello":           decodeAs[Hello],
	"welcome":         decodeAs[Welcome],
	"behind":          decodeAs[Behind],
	"give-back":       decodeAs[GiveBack],
	"tombstones-lost": decodeAs[TombstonesLost],
	"tombstones":      decodeAs[TombstonesFrame],
	"deeds":           decodeAs[DeedsFrame],
	"settings":        decodeAs[SettingsFrame],
	"ask":             decodeAs[AskFrame],
	"command":         decodeAs[CommandFrame],
	"stop":            decodeAs[StopFrame],
	"reply":           decodeAs[ReplyFrame],
	"condition":       decodeAs[ConditionFrame],
	"wanted":          decodeAs[WantedFrame],
	"spread":          decodeAs[SpreadFrame],
	"knock":           decodeAs[KnockFrame],
	"grant":           decodeAs[GrantFrame],
	"done":            decodeAs[Done],
	"refused":         decodeAs[Refused],
}

// DecodeFrame reads a message of the websocket as strictly as [Decode]. An unknown
// type is [ErrMalformed].
func DecodeFrame(b []byte) (Frame, error) {
	var kind struct {
		V    V    `json:"v"`
		Type Type `json:"type"`
	}
	if err := json.Unmarshal(b, &kind); errors.Is(err, ErrVersion) {
		return nil, fmt.Errorf("read message: %w", err)
	} else if err != nil {
		return nil, fmt.Errorf("read message: %w: %w", ErrMalformed, err)
	}
	decode, ok := frames[kind.Type]
	if !ok {
		return nil, fmt.Errorf("read message: %w: unknown type %.40q", ErrMalformed, kind.Type)
	}
	f, err := decode(b)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind.Type, err)
	}
	return f, nil
}

func decodeAs[T Frame](b []byte) (Frame, error) {
	var m T
	err := Decode(b, &m)
	return m, err
}
