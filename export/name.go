package export

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// maxPart is how many bytes a part of a path has at most. With a folder of some length
// before it the whole stays below the 260 characters that Windows takes.
const maxPart = 48

// part makes of a name that somebody else chose a part of a path: lower-case letters and
// digits joined by "-", on any system one folder or file and no more, and never
// empty. instead is taken for a name of which nothing is left.
//
// Letters of every script stay. They are composed, so that the systems that compose and
// those that do not have the same name; whatever is no letter, mark or digit, and so
// every dot, slash, colon and invisible character, is a "-" or nothing.
func part(name, instead string) string {
	var b strings.Builder
	gap := false
	for _, r := range strings.ToLower(norm.NFKC.String(name)) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) && b.Len() > 0 && !gap:
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(r)
		case !unicode.Is(unicode.Cf, r): // a character that nobody sees is not even a gap
			gap = true
		}
	}
	s := cut(norm.NFC.String(b.String()), maxPart)
	switch {
	case s == "":
		return instead
	case reserved(s):
		return s + "-" + instead
	}
	return s
}

// cut shortens a part to at most so many bytes, between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return strings.TrimRight(s[:most], "-")
}

// reserved says whether Windows takes a name for a device, with any ending.
func reserved(s string) bool {
	switch s {
	case "con", "prn", "aux", "nul", "conin", "conout":
		return true
	}
	for _, device := range []string{"com", "lpt"} {
		if port, ok := strings.CutPrefix(s, device); ok && len(port) == 1 && port[0] >= '0' && port[0] <= '9' {
			return true
		}
	}
	return false
}

// same is equal for two parts that some system takes for one.
func same(s string) string { return strings.ToLower(strings.ToUpper(norm.NFKC.String(s))) }

// free returns the first of s, "s 2", "s 3" … that is not taken. taken has what [same]
// gives.
func free(s string, taken map[string]bool) string {
	name := s
	for n := 2; taken[same(name)]; n++ {
		name = fmt.Sprintf("%s %d", s, n)
	}
	return name
}
