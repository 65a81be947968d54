package uplink

// What the uplink says and does with the tombstones of its home.
var (
	Follow = (*Tombstones).follow
	MarkOf = (*Tombstones).mark
	Frames = (*Tombstones).frames
)
