package camera

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

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

// Check returns a sentence for the person who gave credentials that no camera takes:
// they go into a line of a request, and a line break would begin another one.
func (c Credentials) Check() error {
	for what, s := range map[string]string{"user": c.User.text, "password": c.Password.text} {
		if len(s) > 255 {
			return fmt.Errorf("the camera's %s is longer than 255 bytes", what)
		}
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("the camera's %s has a line break or another control character in it; type it again", what)
		}
	}
	if strings.Contains(c.User.text, `"`) {
		return errors.New(`the camera's user has a " in it, which cannot be sent to a camera`)
	}
	return nil
}

func (c Credentials) given() bool { return c.User.text != "" || c.Password.text != "" }

// scrub replaces the user and the password in text, plain or in any of the spellings
// in which a camera or a library might repeat them.
func (c Credentials) scrub(text string) string {
	var spellings []string
	for _, s := range []string{c.Password.text, c.User.text} {
		if s == "" {
			continue
		}
		_, escaped, _ := strings.Cut(url.UserPassword("", s).String(), ":")
		quoted := strconv.Quote(s)
		spellings = append(spellings, s, escaped, url.QueryEscape(s), url.PathEscape(s), quoted[1:len(quoted)-1])
	}
	if c.given() {
		pair := []byte(c.User.text + ":" + c.Password.text)
		spellings = append(spellings, base64.StdEncoding.EncodeToString(pair), base64.RawStdEncoding.EncodeToString(pair))
	}
	// The longest first: what is left of a longer one must not show the shorter.
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	for _, s := range spellings {
		text = strings.ReplaceAll(text, s, "***")
	}
	return text
}
