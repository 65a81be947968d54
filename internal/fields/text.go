package fields

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// CheckText says what is wrong with a text that is shown to people.
func CheckText(s string, most int) error {
	if !utf8.ValidString(s) {
		return errors.New("no UTF-8")
	}
	if n := utf8.RuneCountInString(s); n > most {
		return fmt.Errorf("%d characters, want at most %d", n, most)
	}
	for _, r := range s {
		switch {
		case isControl(r):
			return fmt.Errorf("control character %U", r)
		case turns(r):
			return fmt.Errorf("character %U turns the direction of text", r)
		}
	}
	return nil
}

func isControl(r rune) bool { return r <= 0x1f || r >= 0x7f && r <= 0x9f }

func turns(r rune) bool {
	return r == 0x61c || r == 0x200e || r == 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Clean makes of any text one that [CheckText] has nothing to say against: a camera
// calls itself what it likes, and its neighbours are to be heard all the same.
func Clean(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case isControl(r):
			return ' '
		case turns(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// decode takes the one spelling of bytes in standard base64 with padding.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would pass over
		return nil, errors.New("line ends in base64")
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}
