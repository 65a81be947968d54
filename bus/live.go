package bus

import (
	"context"

	"github.com/latchkey-cam/latchkey/sealed"
)

// SenderID names one start of a server.
type SenderID [16]byte

// LiveKind says what a [Live] is.
type LiveKind uint8

// The kinds. The first two are calls: whoever can answer them is not known, so that all
// servers hear them. The others go to those who have tuned in to the stream.
const (
	Wanted   LiveKind = iota + 1 // somebody watches the stream at the sender's
	Knock                        // of a viewer there, for its agent
	Grant                        // an agent's answer
	Fragment                     // that an agent has brought to the sender
	Away                         // it does not come to the sender any more
)

// Calls says whether all servers hear what is of that kind.
func (k LiveKind) Calls() bool { return k == Wanted || k == Knock }

// Live is what servers say to each other about one stream of a camera. It names the
// stream again, and the archive, so that whoever hears it compares ([Comparing]).
type Live struct {
	Archive ArchiveID
	From    SenderID
	Stream  sealed.Stream
	Kind    LiveKind
	Bytes   []byte // the knock, grant or fragment; nobody changes them
}

// Hear is called with what was sent under a stream, one at a time.
type Hear func(of sealed.Stream, m Live)

// Streams carries live streams from server to server. It may lose what it carries, and
// what is sent waits for nobody, like news; what one sender sends under one stream comes in
// that order.
type Streams interface {
	// Send gives m to whoever hears that stream, or calls, now.
	Send(ctx context.Context, of sealed.Stream, m Live) error
	// Tune begins to call hear with what is sent under a stream and is no call; after stop
	// it is called no more.
	Tune(of sealed.Stream, hear Hear) (stop func())
	// Listen begins to call hear with calls about all streams.
	Listen(hear Hear) (stop func())
}

// Comparing hands on to hear what is of that archive, came under the stream that it names
// and was sent by somebody else. Of what does not fit it tells crossed under which stream
// it came and which it names.
func Comparing(own ArchiveID, self SenderID, hear func(m Live), crossed func(under, found sealed.Stream)) Hear {
	return func(of sealed.Stream, m Live) {
		switch {
		case m.Archive != own || m.Stream != of:
			crossed(of, m.Stream)
		case m.From != self:
			hear(m)
		}
	}
}
