package footage

import "fmt"

// Reason is why there are no pictures of a time. Numbers are those of docs/footage.md,
// and are never used again for something else; 13 is none.
type Reason uint8

// The reasons. NotRunning is what is shown if there is none.
const (
	NotRunning Reason = 0
	Offline    Reason = 1
	Off        Reason = 2
	DiskFull   Reason = 3
	Full       Reason = 4
	Slow       Reason = 5
	ReadOnly   Reason = 6
	Forbidden  Reason = 7
	Away       Reason = 8
	Failing    Reason = 9
	Refused    Reason = 10
	ClockSet   Reason = 11
	Expired    Reason = 12
	Evicted    Reason = 14
	Deleted    Reason = 15
	Damaged    Reason = 16
)

var reasons = map[Reason]struct {
	name, says string
	loss       bool
}{
	NotRunning: {"not-running", "Nothing was recorded: the agent did not run, or does not know why.", false},
	Offline:    {"offline", "The camera did not send.", false},
	Off:        {"off", "The camera was switched off.", false},
	DiskFull:   {"disk-full", "Not recorded: the disk was full, and nothing of the footage could be removed.", true},
	Full:       {"full", "Not recorded: as much was kept as is allowed, and all of it is saved.", true},
	Slow:       {"slow", "Not recorded: the disk did not keep up.", true},
	ReadOnly:   {"read-only", "Not recorded: the disk could only be read.", true},
	Forbidden:  {"forbidden", "Not recorded: the agent was not allowed to write to its folder.", true},
	Away:       {"away", "Not recorded: the disk was not there.", true},
	Failing:    {"failing", "Not recorded: the disk gave errors.", true},
	Refused:    {"refused", "Not recorded: the camera sent more at once than can be kept.", true},
	ClockSet:   {"clock", "The clock was set forward: this time never was.", false},
	Expired:    {"expired", "Removed: it was older than is kept.", false},
	Evicted:    {"evicted", "Lost: it was removed before its time, to make room.", true},
	Deleted:    {"deleted", "Somebody deleted it.", false},
	Damaged:    {"damaged", "Lost: it was recorded, and the disk does not give it back.", true},
}

// String returns the reason's name.
func (r Reason) String() string {
	if known, ok := reasons[r]; ok {
		return known.name
	}
	return fmt.Sprintf("reason-%d", uint8(r))
}

// MarshalText is [Reason.String] for encoders.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Says returns a sentence for people, "" for a reason that there is not.
func (r Reason) Says() string { return reasons[r].says }

// Loss says whether something is missing that its owner wanted kept. It is shown in
// red.
func (r Reason) Loss() bool { return reasons[r].loss }
