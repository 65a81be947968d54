package letter

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/deed"
	"github.com/latchkey-cam/latchkey/internal/parcel"
	"github.com/latchkey-cam/latchkey/key"
	"github.com/latchkey-cam/latchkey/sealed"
)

// Resent is the sender of a command that a vector brings, with the key that it asked
// for replies with.
func Resent(command sealed.Letter, c Command, asker *key.Private) *Sent {
	return &Sent{letter: command, command: c, asker: asker}
}

// MaxSeen is how many commands an inbox remembers.
const MaxSeen = parcel.Remembered

// First says whether the inbox has not met that command, and remembers it.
func (i *Inbox) First(id latchkey.LetterID) bool { return i.seen.First(id) }

// The parsers of contents, for fuzzing.
var (
	ParseCommand   = func(b []byte) (Command, deed.Key, error) { return parseCommand(b) }
	ParseReply     = parseReply
	ParseCondition = parseCondition
	EncodeCommand  = encodeCommand
	EncodeReply    = encodeReply
)

// Encode writes a condition's content.
func (c Condition) Encode() ([]byte, error) { return c.encode() }
