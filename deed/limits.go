package deed

import "github.com/latchkey-cam/latchkey"

// The limits of docs/deed.md, which says where each comes from.
const (
	MaxDeed    = 128 << 10 // bytes of one deed: an epoch wrapped for 64 people is 79 KiB
	MaxChain   = 100_000   // deeds of one home
	MaxPersons = 64        // people in a home
	MaxLimited = 32        // guests and links among them
	MaxDevices = 16        // devices of a person
	MaxInvites = 32        // open invitations of a home that have not ended
	MaxAgents  = 32        // agents in a home
	MaxCameras = 256       // cameras in a home
	MaxWraps   = 64        // wraps in an epoch: one for each person
	MaxPast    = 1024      // epochs in a past

	// MaxBackdate is how much earlier than the deed before it a deed may be, because
	// the clocks of people's devices differ: 5 minutes.
	MaxBackdate latchkey.Time = 5 * 60 * 1_000_000
)

// Sizes that version 1 fixes.
const (
	ed25519Key  = 32
	xwingKey    = 1216
	seedSize    = 32
	wrapSize    = 1120 + 48 // encapsulated key, and 32 bytes with their tag
	signatureOf = 64        // of Ed25519
	signingKeys = 1         // of a person, device or agent; the place for a second waits for ML-DSA

	pastOverhead = 1120 + 16 // of a past, beside the seeds in it

	maxDays = 36_500 // for which recordings can be said to be kept
)
