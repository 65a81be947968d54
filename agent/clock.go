package agent

import (
	"github.com/latchkey-cam/latchkey"
	"github.com/latchkey-cam/latchkey/event"
	"github.com/latchkey-cam/latchkey/sealed"
)

// clock is where the agent's times come from. Wall time is what people read; it can
// be wrong and can be corrected. Monotonic time never jumps within one boot, so that a
// wall time that turns out to have been wrong can be mended for all of that boot.
type clock struct {
	boot latchkey.BootID
	now  func() event.Moment
	// quality is asked anew for each object: a machine without a battery clock is
	// wrong at first and right a minute later.
	quality func() sealed.Quality
}
