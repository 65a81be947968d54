package camera

import "fmt"

// Secret is a user name or password of a camera. It prints as ***, however it is
// printed, so that it cannot reach a log or an error by accident; [Secret.Reveal]
// is the only way to its text.
type Secret struct{ text string }

// NewSecret returns a Secret that keeps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text. Whoever calls it answers for where it goes.
func (s Secret) Reveal() string { return s.text }

// String returns *** for every secret, the empty one too.
func (s Secret) String() string { return "***" }

// Format writes *** for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, "***") }

// MarshalJSON returns "***": a secret is stored deliberately or not at all.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"***"`), nil }

// MarshalText returns ***, for the encoders that MarshalJSON does not cover.
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Credentials are what a camera asks for before it shows its stream.
type Credentials struct {
	User     Secret
	Password Secret
}
